//! Which samples to use.

use std::path::PathBuf;

use clap::Args;
use ncnn_format::{Error, Result};
use quantizer::{Dataset, Progress, Subset, choose, unreadable};

use super::{Named, fill};
use crate::job::Job;

/// Which samples to use.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Samples")]
pub struct SampleArgs {
    /// A folder of images (JPEG, PNG, BMP, PNM), .npy or raw float32 files (.f32, .raw), a glob such as 'photos/**/*.jpg', or a list of files, one per line, perhaps with a tab and a class behind; once per input as BLOB=… for networks with several
    #[arg(long, value_name = "DIR|GLOB|LIST", value_parser = Named::path)]
    pub images: Vec<Named<PathBuf>>,
    /// Use only so many samples
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,
    /// Shuffle the samples before --limit; the same number always gives the same order
    #[arg(long, value_name = "NUMBER")]
    pub shuffle_seed: Option<u64>,
    /// Go on without samples that cannot be read, and name them; otherwise they end the command
    #[arg(long)]
    pub skip_bad: bool,
    /// Take options that are not given here from a TOML or JSON file (docs/job-file.md)
    #[arg(long, value_name = "FILE")]
    pub job: Option<PathBuf>,
}

impl SampleArgs {
    /// The job file; an empty one if none was given.
    ///
    /// # Errors
    /// As [`Job::load`].
    pub(crate) fn job(&self) -> Result<Job> {
        self.job.as_deref().map(Job::load).transpose().map(Option::unwrap_or_default)
    }

    /// Takes what was not given from a job.
    pub(crate) fn fill(&mut self, job: &Job) {
        fill(&mut self.images, job, |input| input.images.clone());
        self.limit = self.limit.or(job.limit);
        self.shuffle_seed = self.shuffle_seed.or(job.shuffle_seed);
        self.skip_bad |= job.skip_bad;
    }

    /// The samples of `dataset` to use, in the order in which to use them.
    pub(crate) fn chosen<'a>(&self, dataset: &'a dyn Dataset) -> Subset<'a> {
        Subset::new(dataset, choose(dataset.len(), self.limit, self.shuffle_seed))
    }

    /// The choice in words, for the record.
    pub(crate) fn describe(&self) -> Vec<String> {
        let limit = self.limit.map(|limit| format!("limit {limit}"));
        limit.into_iter().chain(self.shuffle_seed.map(|seed| format!("shuffle-seed {seed}"))).collect()
    }
}

/// Does `work` on the samples of `dataset` that can be read, and says which cannot.
///
/// Without `skip` every sample must be readable; the check costs nothing then unless the work
/// fails.
///
/// # Errors
/// `Invalid` listing all samples that cannot be read, or when none can; those of `work`.
pub fn with_readable<T>(
    dataset: &dyn Dataset,
    skip: bool,
    progress: &dyn Progress,
    work: impl FnOnce(&dyn Dataset) -> Result<T>,
) -> Result<(T, Vec<String>)> {
    if !skip {
        return work(dataset).map(|done| (done, Vec::new())).map_err(|error| list_unreadable(dataset, error, progress));
    }
    let bad = unreadable(dataset, progress)?;
    let is_bad = |index: &usize| bad.iter().any(|(bad, _)| bad == index);
    let good = Subset::new(dataset, (0..dataset.len()).filter(|index| !is_bad(index)).collect());
    if good.is_empty() && !bad.is_empty() {
        return Err(none_readable(&bad));
    }
    Ok((work(&good)?, skipped_notes(dataset.len(), &bad)))
}

/// The unreadable samples of `dataset` if `error` is of reading one, else `error`.
pub(crate) fn list_unreadable(dataset: &dyn Dataset, error: Error, progress: &dyn Progress) -> Error {
    // An error of the network names a layer, and one of a sample its file.
    if error.place().layer.is_some() || error.place().file.is_none() {
        return error;
    }
    let bad = match unreadable(dataset, progress) {
        Ok(bad) if !bad.is_empty() => bad,
        _ => return error,
    };
    let reasons: String = bad.iter().map(|(_, error)| format!("\n  {error}")).collect();
    let of = dataset.len();
    Error::invalid(format!("{} of {of} samples cannot be read (--skip-bad goes on without them):{reasons}", bad.len()))
}

pub(crate) fn none_readable(bad: &[(usize, Error)]) -> Error {
    let first = bad.first().map(|(_, error)| error.to_string()).unwrap_or_default();
    Error::invalid(format!("none of the {} samples can be read; the first: {first}", bad.len()))
}

/// One line with the number of skipped samples, and one for each.
pub(crate) fn skipped_notes(of: usize, bad: &[(usize, Error)]) -> Vec<String> {
    if bad.is_empty() {
        return Vec::new();
    }
    let count = format!("{} of {of} samples cannot be read and were skipped:", bad.len());
    std::iter::once(count).chain(bad.iter().map(|(_, error)| format!("skipped {error}"))).collect()
}
