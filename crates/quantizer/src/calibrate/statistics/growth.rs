//! Counting more samples.

use std::path::Path;

use fp32_ref::{Net, NetOptions};
use ncnn_format::{Error, Model, Result};

use super::{ModelPrint, Sample, Statistics};
use crate::calibrate::collect::{Collector, nothing};
use crate::calibrate::targets;
use crate::dataset::Dataset;
use crate::joint::Subset;
use crate::progress::Progress;
use crate::spread::spread;

impl Statistics {
    /// Runs `model` on the samples of `dataset` at `indices` and counts what its blobs hold.
    ///
    /// After every `batch` samples `checkpoint` gets what is counted so far; storing that
    /// and giving the other indices to a later call comes to the same as one call with all.
    ///
    /// # Errors
    /// `Invalid` for another model than these statistics are of, or a sample that is counted
    /// already; those of `checkpoint`, and as [`calibrate`](crate::calibrate::calibrate).
    /// Batches before the failed one stay counted.
    pub fn collect(
        &mut self,
        model: &Model,
        dataset: &dyn Dataset,
        indices: &[usize],
        batch: usize,
        progress: &dyn Progress,
        checkpoint: &mut dyn FnMut(&Self) -> Result<()>,
    ) -> Result<()> {
        self.origin.model.check_same(&ModelPrint::of(model)?)?;
        if let Some(index) = indices.iter().find(|index| self.samples.contains_key(index)) {
            return Err(Error::invalid(format!("sample {index} is counted already")));
        }
        let net = Net::with_options(model, NetOptions::default().with_winograd(!self.origin.plain_sums))?;
        let targets = targets::find(model, net.graph())?;
        progress.start("watching activations", indices.len());
        for batch in indices.chunks(batch.max(1)) {
            let subset = Subset::new(dataset, batch.to_vec());
            let collector = Collector { net: &net, dataset: &subset, targets: &targets, progress: &Steps(progress) };
            let values = collector.growing(&nothing)?;
            let samples = records(&subset)?;
            self.samples.extend(samples);
            self.blobs.iter_mut().zip(&values).for_each(|(blob, values)| blob.values.merge(values));
            checkpoint(self)?;
        }
        progress.finish();
        Ok(())
    }
}

/// Names and contents of the samples, by their numbers in the whole data set.
fn records(subset: &Subset<'_>) -> Result<Vec<(usize, Sample)>> {
    let found = spread("", subset.len(), &(), Vec::new, |records: &mut Vec<_>, index| {
        let sample = Sample { name: without_folders(&subset.name(index)), sha256: subset.fingerprint(index)? };
        records.push((subset.indices()[index], sample));
        Ok(())
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// The names of files in `name`, which may be several paths.
fn without_folders(name: &str) -> String {
    let file = |path: &str| Path::new(path).file_name().map_or(path.to_owned(), |file| file.to_string_lossy().into());
    name.split(" + ").map(file).collect::<Vec<_>>().join(" + ")
}

/// Passes steps on; stages within a stage are nobody's business.
struct Steps<'a>(&'a dyn Progress);

impl Progress for Steps<'_> {
    fn start(&self, _: &str, _: usize) {}

    fn step(&self) {
        self.0.step();
    }

    fn finish(&self) {}

    fn is_cancelled(&self) -> bool {
        self.0.is_cancelled()
    }
}
