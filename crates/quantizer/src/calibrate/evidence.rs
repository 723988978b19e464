//! What calibration knows of a blob when its threshold is chosen.

use histogram_kl::{Histogram, Maxima, Range, Rule, Threshold};
use ncnn_format::{Layer, Result};

use super::patches::Patches;
use super::probe::Probe;
use crate::weight_scales::WeightScales;

/// What was seen of a blob over all samples, and the layers that read it.
///
/// A blob and the copies that `Split`s make of it are one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Evidence<'a> {
    /// Its name, as the first layer that reads it calls it.
    pub blob: &'a str,
    /// Whether it is fed from outside.
    pub is_network_input: bool,
    /// How many samples were seen.
    pub samples: usize,
    /// The extent of its values.
    pub range: Range,
    /// The distribution of its absolute values.
    pub histogram: &'a Histogram,
    /// The largest magnitude of every sample, if that was asked for and samples are at hand.
    pub maxima: Option<&'a Maxima>,
    /// The layers that are to read it as int8, in file order.
    pub readers: Vec<Reader<'a>>,
}

impl<'a> Evidence<'a> {
    /// What counts alone tell: one sample of a blob within a network, read by nobody.
    pub fn of_counts(blob: &'a str, range: Range, histogram: &'a Histogram) -> Self {
        Self { blob, is_network_input: false, samples: 1, range, histogram, maxima: None, readers: Vec::new() }
    }

    /// What a rule says about it; `None` for a dead blob.
    pub fn threshold_of(&self, rule: Rule) -> Option<Threshold> {
        let elements = self.range.values() / self.samples.max(1) as u64;
        rule.threshold_of(self.histogram, elements)
    }

    /// The readers whose outputs can be computed, with their positions.
    ///
    /// # Errors
    /// As [`Reader::probe`].
    pub fn probes(&self) -> Result<Vec<(usize, Probe<'a>)>> {
        let with_position = |(position, reader): (usize, &Reader<'a>)| {
            reader.probe().map(|probe| probe.map(|probe| (position, probe))).transpose()
        };
        self.readers.iter().enumerate().filter_map(with_position).collect()
    }
}

/// A layer that is to read a blob as int8.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Reader<'a> {
    /// The layer.
    pub layer: &'a Layer,
    /// The scales of its weights as they are before anything is decided.
    pub weights: &'a WeightScales,
    /// Whether those are not to be changed, because the [`WinogradGuard`](crate::WinogradGuard) leaves no choice.
    pub weights_are_fixed: bool,
    /// What single outputs are computed from, if that was asked for and samples are at hand.
    pub patches: Option<&'a Patches>,
}

impl<'a> Reader<'a> {
    /// A layer of which nothing is known but what it says itself.
    pub fn new(layer: &'a Layer, weights: &'a WeightScales) -> Self {
        Self { layer, weights, weights_are_fixed: false, patches: None }
    }

    /// The layer on its patches; `None` if there are none, or not of the layer's shape.
    ///
    /// # Errors
    /// `Malformed` when its parameters or weights cannot be read, `Invalid` when int8 kernels refuse it.
    pub fn probe(&self) -> Result<Option<Probe<'a>>> {
        self.patches.map_or(Ok(None), |patches| Probe::new(self.layer, patches, &self.weights.scales))
    }
}
