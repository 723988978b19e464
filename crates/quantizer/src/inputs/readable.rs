//! Samples that can be read, and what is said about the others.

use ncnn_format::{Error, Remark, Result};

use crate::{Dataset, Progress, Subset, unreadable};

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
) -> Result<(T, Vec<Remark>)> {
    if !skip {
        return work(dataset).map(|done| (done, Vec::new())).map_err(|error| list_unreadable(dataset, error, progress));
    }
    let bad = unreadable(dataset, progress)?;
    let is_bad = |index: &usize| bad.iter().any(|(bad, _)| bad == index);
    let good = Subset::new(dataset, (0..dataset.len()).filter(|index| !is_bad(index)).collect());
    if good.is_empty() && !bad.is_empty() {
        return Err(none_readable(&bad));
    }
    Ok((work(&good)?, skipped_remarks(dataset.len(), &bad)))
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
    Error::invalid(format!(
        "{} of {of} samples cannot be read (option skip-bad goes on without them):{reasons}",
        bad.len()
    ))
}

fn none_readable(bad: &[(usize, Error)]) -> Error {
    let first = bad.first().map(|(_, error)| error.to_string()).unwrap_or_default();
    Error::invalid(format!("none of the {} samples can be read; the first: {first}", bad.len()))
}

/// A remark with the number of skipped samples, and one for each.
pub(crate) fn skipped_remarks(of: usize, bad: &[(usize, Error)]) -> Vec<Remark> {
    if bad.is_empty() {
        return Vec::new();
    }
    let count = format!("{} of {of} samples cannot be read and were skipped:", bad.len());
    let messages = std::iter::once(count).chain(bad.iter().map(|(_, error)| format!("skipped {error}")));
    messages.map(|message| Remark::note("skipped", message)).collect()
}
