//! Writing a `.bin`.

use super::{ALIGNMENT, TAG_F16, TAG_F32, TAG_I8, TAG_LEGACY};
use crate::{Encoding, Error, F32Tag, Layer, Model, Result, Weight, WeightData, WeightSpec, weight_layout};

/// The `.bin` of `model`.
pub(crate) fn write_weights(model: &Model) -> Result<Vec<u8>> {
    let stored: usize = model.layers.iter().flat_map(|layer| &layer.weights).map(|w| w.data.stored_bytes()).sum();
    let mut bytes = Vec::with_capacity(stored + model.trailing_bytes.len());
    for layer in &model.layers {
        write_layer(&mut bytes, layer).map_err(|error| error.in_layer(&layer.name))?;
    }
    bytes.extend_from_slice(&model.trailing_bytes);
    Ok(bytes)
}

fn write_layer(bytes: &mut Vec<u8>, layer: &Layer) -> Result<()> {
    let specs = weight_layout(layer)?;
    if specs.len() != layer.weights.len() {
        let (found, expected) = (layer.weights.len(), specs.len());
        return Err(Error::invalid(format!("has {found} weights, its parameters call for {expected}")));
    }
    for (spec, weight) in specs.iter().zip(&layer.weights) {
        check(spec, weight)?;
        write_data(bytes, &weight.data);
    }
    Ok(())
}

/// Whether a reader that follows the parameters would find `weight` here.
fn check(spec: &WeightSpec, weight: &Weight) -> Result<()> {
    let (role, len) = (spec.role, weight.data.len());
    if weight.role != role {
        return Err(Error::invalid(format!("expected {role} here, found {}", weight.role)));
    }
    if len != spec.len {
        return Err(Error::invalid(format!("{role} has {len} elements, its parameters call for {}", spec.len)));
    }
    let raw = matches!(weight.data, WeightData::F32(_, F32Tag::Raw));
    let packed = matches!(weight.data, WeightData::Packed { .. });
    match spec.encoding {
        Encoding::Raw if !raw => {
            Err(Error::invalid(format!("{role} is stored without a tag, so as plain fp32, not {}", kind(weight))))
        }
        Encoding::Tagged if raw => Err(Error::invalid(format!("{role} is stored with a tag, found plain fp32"))),
        Encoding::Packed if starts_like_a_tag(&weight.data) => Err(Error::invalid(format!(
            "{role} starts with the bytes of the tag that it has not, and would be misread"
        ))),
        Encoding::Packed if !packed => Err(Error::invalid(format!("{role} should be packed, found {}", kind(weight)))),
        Encoding::Tagged if packed => Err(Error::invalid(format!("{role} should not be packed"))),
        _ => Ok(()),
    }
}

fn starts_like_a_tag(data: &WeightData) -> bool {
    matches!(data, WeightData::Packed { tagged: false, bytes } if bytes.starts_with(&TAG_I8.to_le_bytes()))
}

fn kind(weight: &Weight) -> String {
    match weight.data {
        WeightData::F32(..) => "fp32 with a tag".to_owned(),
        ref other => other.storage().to_string(),
    }
}

fn write_data(bytes: &mut Vec<u8>, data: &WeightData) {
    match data {
        WeightData::F32(values, tag) => {
            match tag {
                F32Tag::Raw => {}
                F32Tag::Tagged => bytes.extend_from_slice(&TAG_F32.to_le_bytes()),
                F32Tag::Legacy => bytes.extend_from_slice(&TAG_LEGACY.to_le_bytes()),
            }
            write_floats(bytes, values);
        }
        WeightData::F16(values) => {
            bytes.extend_from_slice(&TAG_F16.to_le_bytes());
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        WeightData::I8(values) => {
            bytes.extend_from_slice(&TAG_I8.to_le_bytes());
            bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        }
        WeightData::Packed { tagged, bytes: packed } => {
            if *tagged {
                bytes.extend_from_slice(&TAG_I8.to_le_bytes());
            }
            bytes.extend_from_slice(packed);
        }
        WeightData::Table { tag, table, indices } => {
            bytes.extend_from_slice(&tag.to_le_bytes());
            write_floats(bytes, table.as_slice());
            bytes.extend_from_slice(indices);
        }
    }
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
}

fn write_floats(bytes: &mut Vec<u8>, values: &[f32]) {
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}
