//! Reading a `.bin`.

use half::f16;

use super::{ALIGNMENT, TABLE_LEN, TAG_F16, TAG_F32, TAG_I8, TAG_LEGACY};
use crate::{
    Encoding, Error, F32Tag, Layer, LayerKind, Limits, Model, Result, Weight, WeightData, WeightRole, WeightSpec,
    weight_layout,
};

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
pub(crate) fn read_weights(model: &Model, bytes: &[u8], limits: &Limits) -> Result<Weights> {
    if bytes.len() as u64 > limits.bin_bytes {
        return Err(Error::too_large(format!("{} bytes of weights, the limit is {}", bytes.len(), limits.bin_bytes)));
    }
    let mut reader = Reader { bytes, position: 0, odd_padding: Vec::new() };
    let mut custom: Option<&Layer> = None;
    let mut layers = Vec::new();
    for layer in &model.layers {
        if matches!(layer.kind, LayerKind::Custom(_)) {
            custom = custom.or(Some(layer));
        }
        let weights = reader.layer(layer, limits).map_err(|error| suspect(error, custom).in_layer(&layer.name))?;
        layers.push(weights);
    }
    let trailing = bytes.get(reader.position..).unwrap_or(&[]).to_vec();
    Ok(Weights { layers, trailing, odd_padding: reader.odd_padding })
}

/// Puts `weights` into the model that they were read for.
pub(crate) fn fill_weights(model: &mut Model, weights: Weights) {
    for (layer, weights) in model.layers.iter_mut().zip(weights.layers) {
        layer.weights = weights;
    }
    model.trailing_bytes = weights.trailing;
}

/// Adds that a custom layer may have weights, if one came before the error.
fn suspect(error: Error, custom: Option<&Layer>) -> Error {
    let Some(layer) = custom else { return error };
    let message = format!(
        "{}; the weights of custom layer {} ({}), if it has any, are not known and were not skipped",
        error.message(),
        layer.name,
        layer.kind
    );
    let with_hint = Error::new(error.kind(), message);
    match error.place().byte {
        Some(byte) => with_hint.at_byte(byte),
        None => with_hint,
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
    odd_padding: Vec<OddPadding>,
}

impl<'a> Reader<'a> {
    fn layer(&mut self, layer: &Layer, limits: &Limits) -> Result<Vec<Weight>> {
        let mut weights = Vec::new();
        for spec in weight_layout(layer)? {
            if spec.len > limits.weight_elements {
                let (role, len, most) = (spec.role, spec.len, limits.weight_elements);
                return Err(Error::too_large(format!("{role} has {len} elements, the limit is {most}")));
            }
            let data = match spec.encoding {
                Encoding::Raw => WeightData::F32(self.floats(spec, spec.len)?, F32Tag::Raw),
                Encoding::Tagged => self.tagged(layer, spec)?,
            };
            weights.push(Weight { role: spec.role, data });
        }
        Ok(weights)
    }

    fn tagged(&mut self, layer: &Layer, spec: WeightSpec) -> Result<WeightData> {
        match self.tag(spec)? {
            TAG_F32 => Ok(WeightData::F32(self.floats(spec, spec.len)?, F32Tag::Tagged)),
            TAG_LEGACY => Ok(WeightData::F32(self.floats(spec, spec.len)?, F32Tag::Legacy)),
            TAG_F16 => {
                let bytes = self.padded(layer, spec, size(spec.len, 2)?)?;
                Ok(WeightData::F16(bytes.as_chunks::<2>().0.iter().map(|pair| f16::from_le_bytes(*pair)).collect()))
            }
            TAG_I8 => {
                let bytes = self.padded(layer, spec, spec.len)?;
                Ok(WeightData::I8(bytes.iter().map(|&byte| i8::from_le_bytes([byte])).collect()))
            }
            tag => self.table(layer, spec, tag),
        }
    }

    fn table(&mut self, layer: &Layer, spec: WeightSpec, tag: u32) -> Result<WeightData> {
        let start = self.position.saturating_sub(ALIGNMENT);
        let behind = |error: Error| {
            let message = format!("{} behind tag 0x{tag:08X} (a table of 256 values)", error.message());
            Error::new(error.kind(), message).at_byte(start as u64)
        };
        let values = self.floats(spec, TABLE_LEN).map_err(behind)?;
        let mut table = Box::new([0.0_f32; TABLE_LEN]);
        table.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
        let indices = self.padded(layer, spec, spec.len).map_err(behind)?.to_vec();
        Ok(WeightData::Table { tag, table, indices })
    }

    fn tag(&mut self, spec: WeightSpec) -> Result<u32> {
        let bytes = self.take(spec, ALIGNMENT)?;
        Ok(u32::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    fn floats(&mut self, spec: WeightSpec, len: usize) -> Result<Vec<f32>> {
        let bytes = self.take(spec, size(len, 4)?)?;
        Ok(bytes.as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word)).collect())
    }

    /// `len` bytes; the padding behind them is skipped, and noted if it is not zero.
    fn padded(&mut self, layer: &Layer, spec: WeightSpec, len: usize) -> Result<&'a [u8]> {
        let padded = len.checked_next_multiple_of(ALIGNMENT).ok_or_else(too_many_bytes)?;
        let (bytes, padding) = self.take(spec, padded)?.split_at(len);
        if padding.iter().any(|byte| *byte != 0) {
            let byte = (self.position - padding.len()) as u64;
            self.odd_padding.push(OddPadding { byte, layer: layer.name.clone(), role: spec.role });
        }
        Ok(bytes)
    }

    fn take(&mut self, spec: WeightSpec, len: usize) -> Result<&'a [u8]> {
        let left = self.bytes.get(self.position..).unwrap_or(&[]);
        let Some(bytes) = left.get(..len) else {
            let (role, elements, left) = (spec.role, spec.len, left.len());
            return Err(Error::malformed(format!(
                "{role} of {elements} elements needs {len} bytes, the file has {left} left"
            ))
            .at_byte(self.position as u64));
        };
        self.position += len;
        Ok(bytes)
    }
}

/// The bytes of `len` elements.
fn size(len: usize, element: usize) -> Result<usize> {
    len.checked_mul(element).ok_or_else(too_many_bytes)
}

fn too_many_bytes() -> Error {
    Error::too_large("a weight has more bytes than this machine can address")
}
