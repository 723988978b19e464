//! The passes over the samples.

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
        let unit = vec![Range::default(); watched(self.targets).len()];
        let add = |range: &mut Range, values: &[f32]| {
            let before = range.nonfinite;
            range.add(values);
            range.nonfinite == before
        };
        self.pass("finding ranges", &unit, add, |a, b| {
            a.merge(b);
            Ok(())
        })
    }

    /// Pass 2: the histogram of every watched blob, by slot.
    pub(super) fn histograms(&self, ranges: &[Range]) -> Result<Vec<Histogram>> {
        let unit = ranges
            .iter()
            .map(|range| Histogram::new(range.absmax).map_err(|error| Error::invalid(error.to_string())))
            .collect::<Result<Vec<_>>>()?;
        let add = |histogram: &mut Histogram, values: &[f32]| {
            histogram.add(values);
            // The first pass has looked at the same values.
            true
        };
        self.pass("counting histograms", &unit, add, |a, b| {
            a.merge(b).map_err(|error| Error::invalid(error.to_string()))
        })
    }

    /// Both at once, by slot; the histograms are a fraction of a bin off at the edges of bins.
    pub(super) fn ranges_and_histograms(&self) -> Result<(Vec<Range>, Vec<Histogram>)> {
        in_final_bins(&self.growing()?)
    }

    /// Counts of every watched blob that merge in any order, by slot.
    pub(super) fn growing(&self) -> Result<Vec<GrowingHistogram>> {
        let unit = vec![GrowingHistogram::default(); watched(self.targets).len()];
        let add = |histogram: &mut GrowingHistogram, values: &[f32]| {
            let before = histogram.range().nonfinite;
            histogram.add(values);
            histogram.range().nonfinite == before
        };
        self.pass("watching activations", &unit, add, |a, b| {
            a.merge(b);
            Ok(())
        })
    }

    /// Runs the network on every sample and lets `add` see every watched blob.
    ///
    /// `add` says whether all values were finite.
    /// Every thread adds to its own copy of `unit`; the copies are merged at the end.
    fn pass<A: Clone + Send + Sync>(
        &self,
        stage: &str,
        unit: &[A],
        add: impl Fn(&mut A, &[f32]) -> bool + Sync,
        merge: impl Fn(&mut A, &A) -> Result<()> + Sync,
    ) -> Result<Vec<A>> {
        let watched = watched(self.targets);
        let sums = spread(
            stage,
            self.dataset.len(),
            self.progress,
            || (Workspace::default(), unit.to_vec()),
            |(workspace, sums), index| {
                self.run(workspace, index, &watched, |slot, values| add(&mut sums[slot], values))
            },
        )?;
        let mut sums = sums.into_iter().map(|(_, sums)| sums);
        let mut total = sums.next().unwrap_or_else(|| unit.to_vec());
        for sums in sums {
            total.iter_mut().zip(&sums).try_for_each(|(a, b)| merge(a, b))?;
        }
        Ok(total)
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
