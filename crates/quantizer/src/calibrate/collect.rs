//! The passes over the samples.

use std::sync::{Mutex, PoisonError};

use fp32_ref::{BlobId, Net, Value, Watch, Workspace};
use histogram_kl::{GrowingHistogram, Histogram, Range};
use ncnn_format::{Error, Result};

use super::targets::{Target, watched};
use crate::dataset::Dataset;
use crate::network::named;
use crate::progress::Progress;
use crate::spread::spread;

/// The ranges of growing histograms and their counts in 2048 bins.
pub(super) fn in_final_bins(growing: &[GrowingHistogram]) -> Result<(Vec<Range>, Vec<Histogram>)> {
    let ranges = growing.iter().map(GrowingHistogram::range).collect();
    let histograms =
        growing.iter().map(|histogram| histogram.histogram().map_err(Error::from)).collect::<Result<_>>()?;
    Ok((ranges, histograms))
}

/// Sees the watched blobs of every sample: sample, slot, value.
pub(super) type Also<'a> = dyn Fn(usize, usize, &Value) -> Result<()> + Sync + 'a;

/// What sees nothing.
pub(super) fn nothing(_: usize, _: usize, _: &Value) -> Result<()> {
    Ok(())
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
        let add = |range: &mut Range, values: &[f32]| {
            let before = range.nonfinite();
            range.add(values);
            range.nonfinite() == before
        };
        self.pass("finding ranges", empty, add, &nothing)
    }

    /// Pass 2: the histogram of every watched blob, by slot.
    pub(super) fn histograms(&self, ranges: &[Range], also: &Also<'_>) -> Result<Vec<Histogram>> {
        let empty = ranges
            .iter()
            .map(|range| Histogram::new(range.absmax()).map_err(Error::from))
            .collect::<Result<Vec<_>>>()?;
        let add = |histogram: &mut Histogram, values: &[f32]| {
            histogram.add(values);
            // The first pass has looked at the same values.
            true
        };
        self.pass("counting histograms", empty, add, also)
    }

    /// Both at once, by slot; the histograms are a fraction of a bin off at the edges of bins.
    pub(super) fn ranges_and_histograms(&self, also: &Also<'_>) -> Result<(Vec<Range>, Vec<Histogram>)> {
        in_final_bins(&self.growing(also)?)
    }

    /// Counts of every watched blob that merge in any order, by slot.
    pub(super) fn growing(&self, also: &Also<'_>) -> Result<Vec<GrowingHistogram>> {
        let empty = vec![GrowingHistogram::default(); watched(self.targets).len()];
        let add = |histogram: &mut GrowingHistogram, values: &[f32]| {
            let before = histogram.range().nonfinite();
            histogram.add(values);
            histogram.range().nonfinite() == before
        };
        self.pass("watching activations", empty, add, also)
    }

    /// Runs the network on every sample and lets `add` put every watched blob to what was seen of it.
    ///
    /// `add` says whether all values were finite; `also` sees the blob after it.
    /// All threads add to the same sums, one thread at a time to the sums of one blob: they hold
    /// integers and extremes, which are the same in any order, and need memory only once.
    fn pass<A: Send>(
        &self,
        stage: &str,
        empty: Vec<A>,
        add: impl Fn(&mut A, &[f32]) -> bool + Sync,
        also: &Also<'_>,
    ) -> Result<Vec<A>> {
        let watched = watched(self.targets);
        let sums: Vec<Mutex<A>> = empty.into_iter().map(Mutex::new).collect();
        let see = |index: usize, slot: usize, value: &Value| {
            let values = value.unordered();
            let is_finite = add(&mut sums[slot].lock().unwrap_or_else(PoisonError::into_inner), values);
            match values.iter().find(|x| !is_finite && !x.is_finite()) {
                Some(&found) => Err(self.non_finite(slot, found)),
                None => also(index, slot, value),
            }
        };
        spread(stage, self.dataset.len(), self.progress, Workspace::default, |workspace, index| {
            self.run(workspace, index, &watched, |slot, value| see(index, slot, value))
        })?;
        Ok(sums.into_iter().map(|sum| sum.into_inner().unwrap_or_else(PoisonError::into_inner)).collect())
    }

    /// Runs the network on one sample; errors name the sample.
    fn run(
        &self,
        workspace: &mut Workspace,
        index: usize,
        watched: &[BlobId],
        see: impl FnMut(usize, &Value) -> Result<()>,
    ) -> Result<()> {
        let feeds = named(self.net.graph(), self.dataset.feeds(index)?)?;
        self.net
            .run_in(workspace, &feeds, &mut Watch::new(watched, see))
            .map(drop)
            .map_err(|error| error.in_file(self.dataset.name(index)))
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
