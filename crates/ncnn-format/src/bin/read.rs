//! Reading all weights of a `.bin`.

use super::Source;
use super::decode::decode;
use super::place::walk;
use crate::{Error, Limits, Model, Result, Weight, WeightRole};

/// Bytes between two weights that should be zero and are not.
///
/// Nothing reads them; they are written back as zero.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OddPadding {
    /// Where they start in the `.bin`.
    pub byte: u64,
    /// The layer whose weight they follow.
    pub layer: String,
    /// The weight that they follow.
    pub role: WeightRole,
}

/// The weights of every layer, and the bytes left over.
pub(crate) struct Weights {
    layers: Vec<Vec<Weight>>,
    trailing: Vec<u8>,
    pub(crate) odd_padding: Vec<OddPadding>,
}

/// Reads the weights that the layers of `model` call for.
pub(crate) fn read_weights(model: &Model, source: Source<'_>, limits: &Limits) -> Result<Weights> {
    let mut odd_padding = Vec::new();
    let (layers, end) = walk(model, source, limits, |layer, place| {
        let (weight, odd) = decode(source, place)?;
        odd_padding.extend(odd.map(|byte| OddPadding { byte, layer: layer.name.clone(), role: place.role }));
        Ok(weight)
    })?;
    let left = source.len().saturating_sub(end);
    let left = usize::try_from(left).map_err(|_| Error::too_large(format!("{left} bytes behind the last weight")))?;
    let mut trailing = Vec::new();
    source.each_chunk(end, left, |bytes| trailing.extend_from_slice(bytes))?;
    Ok(Weights { layers, trailing, odd_padding })
}

/// Puts `weights` into the model that they were read for.
pub(crate) fn fill_weights(model: &mut Model, weights: Weights) {
    for (layer, weights) in model.layers.iter_mut().zip(weights.layers) {
        layer.weights = weights;
    }
    model.trailing_bytes = weights.trailing;
}
