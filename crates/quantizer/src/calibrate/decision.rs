//! What was decided for a blob, and how.

use histogram_kl::{Rule, Threshold};
use ncnn_format::{Error, Result};

use super::evidence::Evidence;

/// The threshold of a blob and how it came about.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Decision {
    /// What chose the threshold: the name of a rule or of a strategy.
    pub rule: String,
    /// The largest absolute value that is not clipped; `None` for a dead blob, of which nothing is known.
    pub threshold: Option<Threshold>,
    /// How the rule was chosen, if there were several.
    pub choice: Option<Choice>,
    /// Other scales for the weights of the layers that read the blob.
    pub weights: Vec<FoundWeights>,
}

impl Decision {
    /// A threshold that `rule` chose; `None` for a dead blob.
    pub fn new(rule: impl Into<String>, threshold: Option<Threshold>) -> Self {
        Self { rule: rule.into(), threshold, choice: None, weights: Vec::new() }
    }

    /// The threshold `value`. A blob is dead if that has no positive and finite scale: 0, say.
    pub fn clip_at(rule: impl Into<String>, value: f32) -> Self {
        Self::new(rule, Threshold::new(value).ok())
    }

    /// What `rule` says.
    pub fn of_rule(rule: Rule, evidence: &Evidence<'_>) -> Self {
        Self::new(rule.to_string(), evidence.threshold_of(rule))
    }

    /// The whole range, which is how methods leave the inputs of a network: what they are fed is known.
    pub fn unclipped(evidence: &Evidence<'_>) -> Self {
        Self::of_rule(Rule::AbsMax, evidence)
    }

    /// # Errors
    /// `Invalid` for what is no decision about `evidence`: other layers, another number of scales, or scales
    /// that are not positive numbers.
    pub(super) fn check(&self, evidence: &Evidence<'_>) -> Result<()> {
        for found in &self.weights {
            let Some(reader) = evidence.readers.get(found.reader) else {
                let (found, count) = (found.reader, evidence.readers.len());
                return Err(Error::invalid(format!("{} decides for reader {found} of {count}", self.rule)));
            };
            let expected = reader.weights.scales.len();
            if found.scales.len() != expected {
                let message = format!("{} gives {} scales for {expected} channels", self.rule, found.scales.len());
                return Err(Error::invalid(message).in_layer(&reader.layer.name));
            }
            let unusable = |scale: &&f32| !(scale.is_finite() && **scale > 0.0);
            if let Some(scale) = found.scales.iter().find(unusable) {
                let message = format!("{} gives its weights the scale {scale}", self.rule);
                return Err(Error::invalid(message).in_layer(&reader.layer.name));
            }
        }
        Ok(())
    }
}

/// A rule's threshold and what it costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The rule.
    pub rule: Rule,
    /// What it chose; `None` for a dead blob.
    pub threshold: Option<Threshold>,
    /// Squared error of the outputs of all layers that read the blob, each relative to its output's mean
    /// square; of the blob itself where no output could be computed.
    pub error: f64,
}

/// How `auto` decided.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Choice {
    /// The rule taken.
    pub winner: Scored,
    /// The best of those with another threshold.
    pub runner_up: Option<Scored>,
    /// Whether outputs were compared, not only the blob itself.
    pub by_output: bool,
}

/// Scales that were found for the weights of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundWeights {
    /// Position of the layer among the readers of the blob.
    pub reader: usize,
    /// A multiplier per slice of the weights, before the [`WinogradGuard`](crate::WinogradGuard) limits them.
    pub scales: Vec<f32>,
    /// What they gain.
    pub similarity: Similarity,
}

/// What the search of a layer's scales gained.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Similarity {
    /// Cosine between the outputs in f32 and in int8 before the search, on patches of calibration samples.
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    pub start: f64,
    /// The same with the scales found, before a [`WinogradGuard`](crate::WinogradGuard) limits those of the weights.
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    pub reached: f64,
}
