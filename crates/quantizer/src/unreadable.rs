//! Samples that cannot be read.

use ncnn_format::{Error, Result};

use crate::spread::spread;
use crate::{Dataset, Progress};

/// The samples of `dataset` that cannot be loaded, with the reasons, in order of their indices.
///
/// Every sample is loaded, by all threads.
///
/// # Errors
/// `Invalid` when no thread can be started.
pub fn unreadable(dataset: &dyn Dataset, progress: &dyn Progress) -> Result<Vec<(usize, Error)>> {
    let found = spread("checking samples", dataset.len(), progress, Vec::new, |bad, index| {
        if let Err(error) = dataset.feeds(index) {
            bad.push((index, error));
        }
        Ok(())
    })?;
    let mut found: Vec<(usize, Error)> = found.into_iter().flatten().collect();
    found.sort_by_key(|(index, _)| *index);
    Ok(found)
}
