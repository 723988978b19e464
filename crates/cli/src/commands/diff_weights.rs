//! Differences of weights, in words. Holds one weight of each file at a time.

use ncnn_format::{BinFile, Result, Weight, WeightData, WeightRef};

use super::model_file::OpenWeights;
use crate::output::float;

/// Bytes behind the last weight that are compared at a time.
const CHUNK: usize = 1 << 16;

/// One line per difference of the weights of a layer.
///
/// # Errors
/// Those of reading them.
pub(crate) fn diff_weights(old: &[WeightRef<'_>], new: &[WeightRef<'_>]) -> Result<Vec<String>> {
    let mut changes = Vec::new();
    for weight in old {
        let role = weight.role();
        match new.iter().find(|other| other.role() == role) {
            None => changes.push(format!("{role} removed")),
            Some(other) => {
                let change = diff_weight(&weight.read()?, &other.read()?);
                changes.extend(change.map(|change| format!("{role} {change}")));
            }
        }
    }
    for weight in new.iter().filter(|weight| old.iter().all(|other| other.role() != weight.role())) {
        changes.push(format!("{} added ({} x {})", weight.role(), weight.len(), weight.storage()));
    }
    Ok(changes)
}

/// What changed behind the last weight.
///
/// # Errors
/// Those of reading it.
pub(crate) fn diff_trailing_bytes(old: &OpenWeights<'_>, new: &OpenWeights<'_>) -> Result<Option<String>> {
    let (before, after) = (old.trailing(), new.trailing());
    Ok(if before != after {
        Some(format!("bytes behind the last weight: {before}, now {after}"))
    } else if !same_bytes((old.file, old.index.end), (new.file, new.index.end), before)? {
        Some(format!("the {before} bytes behind the last weight differ"))
    } else {
        None
    })
}

/// Whether `len` bytes from the two places on are the same.
fn same_bytes(a: (&BinFile, u64), b: (&BinFile, u64), len: u64) -> Result<bool> {
    let (mut left, mut right) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut done = 0;
    while done < len {
        let size = usize::try_from(len - done).unwrap_or(CHUNK).min(CHUNK);
        let (left, right) = (&mut left[..size], &mut right[..size]);
        a.0.read_at(a.1 + done, left)?;
        b.0.read_at(b.1 + done, right)?;
        if left != right {
            return Ok(false);
        }
        done += size as u64;
    }
    Ok(true)
}

fn diff_weight(old: &Weight, new: &Weight) -> Option<String> {
    let (from, to) = (old.data.storage(), new.data.storage());
    let mut words = Vec::new();
    if from != to {
        words.push(format!("stored as {from} -> {to}"));
    }
    if old.data.len() != new.data.len() {
        words.push(format!("{} elements -> {}", old.data.len(), new.data.len()));
    } else if let Some(change) = difference(&old.data, &new.data) {
        words.push(change);
    } else if from == to && old.data != new.data && !has_nan(&old.data) {
        words.push("stored behind another tag or table".to_owned());
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// How many elements differ and by how much; int8 and floats are not comparable.
fn difference(old: &WeightData, new: &WeightData) -> Option<String> {
    if let (WeightData::Packed { bytes: old, .. }, WeightData::Packed { bytes: new, .. }) = (old, new) {
        let count = old.iter().zip(new).filter(|(old, new)| old != new).count();
        return (count > 0).then(|| format!("{count} of {} packed bytes differ", old.len()));
    }
    let (old, new) = match (old.as_i8(), new.as_i8()) {
        (Some(old), Some(new)) => (widened(old), widened(new)),
        (None, None) => (old.to_f32()?.into_owned(), new.to_f32()?.into_owned()),
        _ => return None,
    };
    let changed = old.iter().zip(&new).filter(|(old, new)| old.to_bits() != new.to_bits());
    let count = changed.clone().count();
    let most = changed.map(|(old, new)| (new - old).abs()).fold(0.0, f32::max);
    (count > 0).then(|| format!("{count} of {} elements differ, by at most {}", old.len(), float(most)))
}

fn widened(values: &[i8]) -> Vec<f32> {
    values.iter().map(|&value| f32::from(value)).collect()
}

/// NaN is unequal to itself although its bits are the same.
fn has_nan(data: &WeightData) -> bool {
    data.to_f32().is_some_and(|values| values.iter().any(|value| value.is_nan()))
}
