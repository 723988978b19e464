//! The passes over the samples.

use std::sync::{Mutex, PoisonError};

use fp32_ref::{BlobId, Net, Value, Workspace};
use histogram_kl::{GrowingHistogram, Histogram, Range};
use ncnn_format::{Error, Result};

use super::targets::{Target, watched};
use crate::network::named;
use crate::spread::spread;
use crate::{Dataset, Progress};

/// The ranges of growing histograms and their counts in 2048 bins.
pub(super) fn in_final_bins(growing: &[GrowingHistogram]) -> Result<(Vec<Range>, Vec<Histogram>)> {
    let ranges = growing.iter().map(GrowingHistogram::range).collect();
    let histograms = growing
        .iter()
        .map(|histogram| histogram.histogram().map_err(|error| Error::invalid(error.to_string())))
        .collect::<Result<_>>()?;
    Ok((ranges, histograms))
}

/// A network, the samples to run it on, and the layers whose inputs to watch.
pub(super) struct Collector<'a> {
    pub(super) net: &'a Net,
    pub(super) dataset: &'a dyn Dataset,
    pub(super) targets: &'a [Target],
    pub(super) progress: &'a dyn Progress,
}

impl Collector<'_> {
    /// Pass 1: the range of every watched blob, by slot.
    pub(super) fn ranges(&self) -> Result<Vec<Range>> {
        let empty = vec![Range::default(); watched(self.targets).len()];
        self.pass("finding ranges", empty, |range: &mut Range, values| {
            let before = range.nonfinite;
            range.add(values);
            range.nonfinite == before
        })
    }

    /// Pass 2: the histogram of every watched blob, by slot.
    pub(super) fn histograms(&self, ranges: &[Range]) -> Result<Vec<Histogram>> {
        let empty = ranges
            .iter()
            .map(|range| Histogram::new(range.absmax).map_err(|error| Error::invalid(error.to_string())))
            .collect::<Result<Vec<_>>>()?;
        self.pass("counting histograms", empty, |histogram: &mut Histogram, values| {
            histogram.add(values);
            // The first pass has looked at the same values.
            true
        })
    }

    /// Both at once, by slot; the histograms are a fraction of a bin off at the edges of bins.
    pub(super) fn ranges_and_histograms(&self) -> Result<(Vec<Range>, Vec<Histogram>)> {
        in_final_bins(&self.growing()?)
    }

    /// Counts of every watched blob that merge in any order, by slot.
    pub(super) fn growing(&self) -> Result<Vec<GrowingHistogram>> {
        let empty = vec![GrowingHistogram::default(); watched(self.targets).len()];
        self.pass("watching activations", empty, |histogram: &mut GrowingHistogram, values| {
            let before = histogram.range().nonfinite;
            histogram.add(values);
            histogram.range().nonfinite == before
        })
    }

    /// Runs the network on every sample and lets `add` put every watched blob to what was seen of it.
    ///
    /// `add` says whether all values were finite.
    /// All threads add to the same sums, one thread at a time to the sums of one blob: they hold
    /// integers and extremes, which are the same in any order, and need memory only once.
    fn pass<A: Send>(&self, stage: &str, empty: Vec<A>, add: impl Fn(&mut A, &[f32]) -> bool + Sync) -> Result<Vec<A>> {
        let watched = watched(self.targets);
        let sums: Vec<Mutex<A>> = empty.into_iter().map(Mutex::new).collect();
        spread(stage, self.dataset.len(), self.progress, Workspace::default, |workspace, index| {
            self.run(workspace, index, &watched, |slot, values| {
                add(&mut sums[slot].lock().unwrap_or_else(PoisonError::into_inner), values)
            })
        })?;
        Ok(sums.into_iter().map(|sum| sum.into_inner().unwrap_or_else(PoisonError::into_inner)).collect())
    }

    /// Runs the network on one sample; errors name the sample.
    fn run(
        &self,
        workspace: &mut Workspace,
        index: usize,
        watched: &[BlobId],
        mut see: impl FnMut(usize, &[f32]) -> bool,
    ) -> Result<()> {
        let feeds = named(self.net.graph(), self.dataset.feeds(index)?)?;
        let mut non_finite = None;
        let mut observer = |blob: BlobId, value: &Value| {
            if let Some(slot) = watched.iter().position(|&watched| watched == blob) {
                let values = value.unordered();
                if !see(slot, values) && non_finite.is_none() {
                    non_finite = values.iter().find(|x| !x.is_finite()).map(|&found| (slot, found));
                }
            }
        };
        self.net.run_in(workspace, &feeds, &mut observer).map_err(|error| error.in_file(self.dataset.name(index)))?;
        match non_finite {
            Some((slot, found)) => Err(self.non_finite(slot, found).in_file(self.dataset.name(index))),
            None => Ok(()),
        }
    }

    fn non_finite(&self, slot: usize, found: f32) -> Error {
        let readers: Vec<_> = self.targets.iter().filter(|target| target.slot == slot).collect();
        match readers.first() {
            Some(target) => {
                Error::invalid(format!("its input {} contains {found}", target.blob_name)).in_layer(&target.name)
            }
            None => Error::invalid(format!("a blob contains {found}")),
        }
    }
}
