//! How weights are stored in an int8 model.

use int8_kernels::quantize;
use ncnn_format::typed::MemoryData;
use ncnn_format::{F32Tag, Layer, LayerKind, LinearLayer, Result, Weight, WeightData, WeightRole};

use super::rows::LayerScales;
use crate::weight_slices::WeightSlices;

/// ncnn's writer replaces smaller magnitudes in plain f32 blobs by 0.
const TINY: f32 = 1e-30;

/// The weights of each slice times its scale.
///
/// q = weight · scale in f32, rounded half away from zero, within ±127
/// (`float2int8` in ncnn's `src/layer/convolution.cpp`).
pub(super) fn integers(slices: &WeightSlices<'_>, scales: &[f32]) -> Vec<i8> {
    let quantized =
        slices.iter().zip(scales).flat_map(|(slice, &scale)| slice.iter().map(move |&weight| quantize(weight, scale)));
    quantized.collect()
}

/// Makes `layer` int8: weights, scales and `int8_scale_term`.
pub(super) fn store_int8(layer: &mut Layer, linear: &LinearLayer, scales: &LayerScales) -> Result<()> {
    let quantized = integers(&WeightSlices::of(layer)?, &scales.weights);
    linear.set_int8(layer, quantized, scales.weights.clone(), scales.input)
}

/// Appends an untagged weight to `layer`.
pub(super) fn push_raw(layer: &mut Layer, role: WeightRole, values: Vec<f32>) {
    layer.weights.push(Weight { role, data: WeightData::F32(values, F32Tag::Raw) });
}

/// Stores what is still float as ncnn2int8 does: tagged weights as fp16, plain
/// ones with tiny values replaced by 0, constants of MemoryData without a tag.
/// Gives the number of values that became infinite.
pub(super) fn store_floats_as_ncnn2int8(layer: &mut Layer) -> usize {
    if layer.kind == LayerKind::MemoryData {
        untag(layer);
    }
    let mut infinite = 0;
    for weight in &mut layer.weights {
        if let WeightData::F32(values, F32Tag::Raw) = &mut weight.data {
            values.iter_mut().filter(|value| value.abs() < TINY).for_each(|value| *value = 0.0);
        } else if let Some(halves) = weight.data.to_f16_as_ncnn2int8() {
            infinite += count_infinite(&halves).saturating_sub(count_infinite(&weight.data));
            weight.data = halves;
        }
    }
    infinite
}

fn untag(layer: &mut Layer) {
    for weight in &mut layer.weights {
        if let Some(values) = weight.data.to_f32() {
            weight.data = WeightData::F32(values.into_owned(), F32Tag::Raw);
        }
    }
    layer.params.remove(MemoryData::LOAD_TYPE);
}

fn count_infinite(data: &WeightData) -> usize {
    data.to_f32().map_or(0, |values| values.iter().filter(|value| value.is_infinite()).count())
}
