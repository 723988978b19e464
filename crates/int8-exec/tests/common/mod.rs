//! Networks with made-up int8 weights.

#![allow(dead_code, clippy::unwrap_used, reason = "a test fails by panicking")]

use fp32_ref::Tensor;
use ncnn_format::{F32Tag, Layer, LayerKind, Model, Weight, WeightData, WeightRole, typed};

/// Small seeded numbers: the tests need variety, not randomness.
pub(crate) struct Lcg(pub(crate) u32);

impl Lcg {
    pub(crate) fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }
    pub(crate) fn i8(&mut self) -> i8 {
        (self.next() % 255) as i8
    }
    /// Within -1..1.
    pub(crate) fn float(&mut self) -> f32 {
        self.next() as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Values within -4..4.
pub(crate) fn floats(dims: &[usize], seed: u32) -> Tensor {
    let mut lcg = Lcg(seed);
    Tensor::new(dims, (0..dims.iter().product()).map(|_| 4.0 * lcg.float()).collect()).unwrap()
}

fn raw(role: WeightRole, values: Vec<f32>) -> Weight {
    Weight { role, data: WeightData::F32(values, F32Tag::Raw) }
}

/// The network in `lines` (without header and counts) with int8 weights for every convolution and
/// inner product, whose parameter 8 is set unless the line does; scales that keep values near ±4.
pub(crate) fn network(lines: &str, seed: u32) -> Model {
    let lines: Vec<&str> = lines.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let text = format!("7767517\n{} {}\n{}\n", lines.len(), lines.len() * 4, lines.join("\n"));
    let mut model = Model::from_param_text(&text).unwrap();
    let mut lcg = Lcg(seed);
    for layer in &mut model.layers {
        let Some([outputs, slices, weights, bias, term]) = sizes(layer) else { continue };
        let sizes = [outputs, slices, weights, weights / outputs].map(|size| size as usize);
        fill(layer, &mut lcg, sizes, bias != 0, term);
    }
    model
}

/// Output channels, slices with a scale of their own, weights, `bias_term` and `int8_scale_term` of a
/// layer that may be int8.
fn sizes(layer: &Layer) -> Option<[i32; 5]> {
    Some(match layer.kind {
        LayerKind::Convolution => {
            let typed::Convolution { num_output, weight_data_size, bias_term, int8_scale_term, .. } =
                typed::Convolution::read(layer).unwrap();
            [num_output, num_output, weight_data_size, bias_term, int8_scale_term]
        }
        LayerKind::ConvolutionDepthWise => {
            let params = typed::ConvolutionDepthWise::read(layer).unwrap();
            [params.num_output, params.group, params.weight_data_size, params.bias_term, params.int8_scale_term]
        }
        LayerKind::InnerProduct => {
            let typed::InnerProduct { num_output, weight_data_size, bias_term, int8_scale_term, .. } =
                typed::InnerProduct::read(layer).unwrap();
            [num_output, num_output, weight_data_size, bias_term, int8_scale_term]
        }
        _ => return None,
    })
}

fn fill(layer: &mut Layer, lcg: &mut Lcg, [outputs, slices, weights, fan]: [usize; 4], bias: bool, term: i32) {
    if term == 0 {
        layer.set_int8_term(if layer.kind == LayerKind::ConvolutionDepthWise { 1 } else { 2 }).unwrap();
    }
    layer.weights =
        vec![Weight { role: WeightRole::Weight, data: WeightData::I8((0..weights).map(|_| lcg.i8()).collect()) }];
    if bias {
        layer.weights.push(raw(WeightRole::Bias, (0..outputs).map(|_| lcg.float()).collect()));
    }
    // Sums of `fan` products of values of about 40 and 73, brought back to about 2.
    let spread = 30.0 * (fan as f32).sqrt();
    layer
        .weights
        .push(raw(WeightRole::WeightScales, (0..slices).map(|_| spread * (1.0 + 0.3 * lcg.float())).collect()));
    layer.weights.push(raw(WeightRole::InputScale, vec![35.0 + 12.0 * lcg.float()]));
    if term > 100 {
        layer.weights.push(raw(WeightRole::OutputScale, vec![30.0 + 5.0 * lcg.float()]));
    }
}
