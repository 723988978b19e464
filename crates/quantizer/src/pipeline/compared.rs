//! Two networks on the samples of a job.

use std::path::PathBuf;

use ncnn_format::{Model, Remark, Result};

use super::job::Pipeline;
use crate::compare::{CompareOptions, Comparison, compare};
use crate::inputs::with_readable;
use crate::{Dataset, Labels, Options, Progress, Samples};

/// How close an int8 network comes, and what is to be said about the samples.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Compared {
    /// The differences.
    pub comparison: Comparison,
    /// Samples that were left out or skipped.
    pub remarks: Vec<Remark>,
}

impl Pipeline<'_> {
    /// Runs the float network and `int8` side by side on the samples of `dataset` that the options choose. Classes
    /// are those of the labels, or else of the list of samples if it has some.
    ///
    /// # Errors
    /// `Invalid` listing all samples that cannot be read, unless those are skipped; those of the labels and of
    /// [`compare`]; `Cancelled` if `progress` says so.
    pub fn compare(&self, int8: &Model, dataset: &dyn Dataset, progress: &dyn Progress) -> Result<Compared> {
        let options = &self.options;
        let labels = options.labels.clone().or_else(|| options.labelled_list());
        let labels = labels.map(Labels::load).transpose()?;
        let chosen = options.chosen(dataset);
        let compare_options = CompareOptions { labels: labels.as_ref(), output: options.output.as_deref() };
        let (comparison, skipped) = with_readable(&chosen, options.skip_bad, progress, |samples| {
            compare(self.model, int8, samples, &compare_options, progress)
        })?;
        let mut remarks = dataset.remarks();
        remarks.extend(skipped);
        Ok(Compared { comparison, remarks })
    }
}

impl Options {
    /// The list of samples, if classes stand in it.
    fn labelled_list(&self) -> Option<PathBuf> {
        let path = self.images.first()?.value();
        let is_sample = Samples::from_path(path).is_ok_and(|samples| samples.as_slice() == [path.clone()]);
        let is_list = path.is_file() && !is_sample;
        let has_classes = || std::fs::read_to_string(path).is_ok_and(|text| text.contains('\t'));
        (is_list && has_classes()).then(|| path.clone())
    }
}
