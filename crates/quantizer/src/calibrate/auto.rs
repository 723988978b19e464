//! Choosing a blob's rule by what its readers make of it.

use histogram_kl::{Histogram, Rule, Threshold, expected_squared_error};
use ncnn_format::Result;

use super::output_error::Probe;
use crate::WeightScales;

/// A rule's threshold and what it costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The rule.
    pub rule: Rule,
    /// What it chose.
    pub threshold: Threshold,
    /// Squared error of the outputs of all layers that read the blob, each relative to its output's mean
    /// square; of the blob itself where no output could be computed.
    pub error: f64,
}

/// How `auto` decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The rule taken.
    pub winner: Scored,
    /// The best of those with another threshold.
    pub runner_up: Option<Scored>,
    /// Whether outputs were compared, not only the blob itself.
    pub by_output: bool,
}

/// What is tried.
fn candidates() -> impl Iterator<Item = Rule> {
    // ncnn's search has a fast stand-in in `kl`; its aciq can be beyond the range.
    Rule::ALL.iter().copied().filter(|rule| !matches!(rule, Rule::KlNcnn | Rule::AciqNcnn))
}

/// Chooses for a blob with this `histogram`; `readers` are the layers that read it.
pub(super) fn choose(histogram: &Histogram, readers: &[(&Probe, &WeightScales)]) -> Result<Choice> {
    let mut scored = Vec::new();
    for rule in candidates() {
        let threshold = rule.threshold(histogram);
        scored.push(Scored { rule, threshold, error: error(histogram, &threshold, readers)? });
    }
    // Stable: of equal ones the first in the list.
    scored.sort_by(|a, b| a.error.total_cmp(&b.error));
    let winner = scored[0];
    let runner_up = scored.into_iter().find(|other| other.threshold.value != winner.threshold.value);
    Ok(Choice { winner, runner_up, by_output: !readers.is_empty() })
}

fn error(histogram: &Histogram, threshold: &Threshold, readers: &[(&Probe, &WeightScales)]) -> Result<f64> {
    if readers.is_empty() {
        return Ok(expected_squared_error(histogram, threshold.value));
    }
    let mut sum = 0.0;
    for (probe, weights) in readers {
        let errors = probe.errors(threshold.scale(), &weights.scales)?;
        sum += errors.iter().map(|error| error.squared).sum::<f64>() / probe.signal().max(f64::MIN_POSITIVE);
    }
    Ok(sum)
}
