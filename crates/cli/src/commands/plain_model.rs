//! An int8 model turned back into an fp32 one.

use ncnn_format::{Error, F32Tag, Layer, Model, Result, Weight, WeightData, WeightRole};

/// The model with every int8 weight divided by its scale and nothing left to quantize.
///
/// # Errors
/// `Malformed` for weights without scales.
pub(super) fn without_int8(model: &Model) -> Result<Model> {
    let mut plain = model.clone();
    for layer in &mut plain.layers {
        if layer.is_int8()? {
            dequantize(layer).map_err(|error| error.in_layer(&layer.name.clone()))?;
        }
    }
    Ok(plain)
}

fn dequantize(layer: &mut Layer) -> Result<()> {
    if let Ok(integers) = layer.weight_i8(WeightRole::Weight) {
        let scales = layer.weight_f32(WeightRole::WeightScales)?;
        if scales.is_empty() || integers.len() % scales.len() != 0 {
            return Err(Error::malformed(format!("{} weights have {} scales", integers.len(), scales.len())));
        }
        let slices = integers.chunks_exact((integers.len() / scales.len()).max(1)).zip(scales.iter());
        let floats = slices.flat_map(|(slice, &scale)| {
            let step = if scale == 0.0 { 0.0 } else { 1.0 / scale };
            slice.iter().map(move |&integer| f32::from(integer) * step)
        });
        let data = WeightData::F32(floats.collect(), F32Tag::Tagged);
        layer.weights.retain(|weight| weight.role != WeightRole::Weight);
        layer.weights.insert(0, Weight { role: WeightRole::Weight, data });
    }
    let is_scale = |role| matches!(role, WeightRole::WeightScales | WeightRole::InputScale | WeightRole::OutputScale);
    layer.weights.retain(|weight| !is_scale(weight.role));
    layer.set_int8_term(0)
}
