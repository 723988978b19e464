//! How many blobs a layer takes.

use ncnn_format::{Error, Result};

/// The only input.
pub(super) fn only<T>(inputs: impl IntoIterator<Item = T>) -> Result<T> {
    let [input] = exactly(inputs)?;
    Ok(input)
}

/// The inputs, whose number is known.
pub(super) fn exactly<const N: usize, T>(inputs: impl IntoIterator<Item = T>) -> Result<[T; N]> {
    let inputs: Vec<T> = inputs.into_iter().collect();
    let found = inputs.len();
    inputs.try_into().map_err(|_| Error::malformed(format!("takes {N} blobs, the file gives it {found}")))
}
