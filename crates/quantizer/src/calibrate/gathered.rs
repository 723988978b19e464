//! What the samples gave, for all blobs.

use fp32_ref::Value;
use histogram_kl::{Histogram, Maxima, Range};
use ncnn_format::{Model, Result};

use super::collect::Collector;
use super::evidence::{Evidence, Reader};
use super::options::Passes;
use super::patches::{Drawing, Patches};
use super::strategy::Needs;
use super::targets::Target;
use crate::weight_scales::WeightScales;
use crate::winograd::WinogradGuard;

/// What was seen of the blobs that `targets` read.
pub(super) struct Gathered<'a> {
    pub(super) model: &'a Model,
    pub(super) targets: &'a [Target],
    pub(super) samples: usize,
    /// By slot.
    pub(super) ranges: Vec<Range>,
    /// By slot.
    pub(super) histograms: Vec<Histogram>,
    /// By slot; empty if nobody asked.
    pub(super) maxima: Vec<Maxima>,
    /// By target; empty if nobody asked.
    pub(super) patches: Vec<Patches>,
}

impl<'a> Gathered<'a> {
    /// Runs the samples for what is needed.
    ///
    /// # Errors
    /// As running the network.
    pub(super) fn from_samples(
        collector: &Collector<'a>,
        model: &'a Model,
        needs: Needs,
        passes: Passes,
    ) -> Result<Self> {
        let (targets, samples) = (collector.targets, collector.dataset.len());
        let drawing = needs.patches.is_wanted().then(|| Drawing::new(targets, model, samples)).transpose()?;
        let draw = |sample: usize, slot: usize, value: &Value| match &drawing {
            Some(drawing) => drawing.see(sample, slot, value),
            None => Ok(()),
        };
        let (ranges, histograms) = match passes {
            Passes::One => collector.ranges_and_histograms(&draw)?,
            Passes::Two => {
                let ranges = collector.ranges()?;
                let histograms = collector.histograms(&ranges, &draw)?;
                (ranges, histograms)
            }
        };
        let maxima = if needs.maxima.is_wanted() { collector.maxima()? } else { Vec::new() };
        let patches = drawing.map(Drawing::finish).unwrap_or_default();
        Ok(Self { model, targets, samples, ranges, histograms, maxima, patches })
    }

    /// Gives back the memory of what only decisions look at.
    pub(super) fn forget_samples(&mut self) {
        (self.maxima, self.patches) = (Vec::new(), Vec::new());
    }

    /// The positions of the targets that read the blob of a slot.
    pub(super) fn readers(&self, slot: usize) -> impl Iterator<Item = usize> {
        (0..self.targets.len()).filter(move |&index| self.targets[index].slot == slot)
    }

    /// Whether the guard leaves nothing to choose: ncnn's six bits reach the largest weight.
    pub(super) fn weights_are_fixed(&self, weights: &WeightScales, guard: WinogradGuard) -> bool {
        guard == WinogradGuard::Ncnn && weights.may_run_winograd
    }

    /// What is known of the blob of a slot; `weights` are by target.
    pub(super) fn evidence<'e>(
        &'e self,
        slot: usize,
        weights: &'e [WeightScales],
        guard: WinogradGuard,
    ) -> Evidence<'e> {
        let first = self.readers(slot).next().map(|index| &self.targets[index]);
        let reader = |index: usize| {
            let weights = &weights[index];
            let layer = &self.model.layers[self.targets[index].layer];
            let weights_are_fixed = self.weights_are_fixed(weights, guard);
            Reader { weights_are_fixed, patches: self.patches.get(index), ..Reader::new(layer, weights) }
        };
        Evidence {
            is_network_input: first.is_some_and(|target| target.reads_network_input),
            samples: self.samples,
            maxima: self.maxima.get(slot),
            readers: self.readers(slot).map(reader).collect(),
            ..Evidence::of_counts(
                first.map_or("", |target| &target.blob_name),
                self.ranges[slot],
                &self.histograms[slot],
            )
        }
    }
}
