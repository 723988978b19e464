//! Quirks of ncnn's int8 inference and what this crate does. The numbers are those
//! of section 12 of the project's notes on ncnn's int8.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fp32_ref::Tensor;
use int8_exec::Int8Net;
use int8_kernels::{dequantize_scale, quantize};
use ncnn_format::{F32Tag, Layer, Model, Weight, WeightData, WeightRole};

/// An Input of `dims` (w, h, c) and the layer in `line`, which reads `data`.
fn model(dims: [i32; 3], line: &str, weights: Vec<Weight>) -> Model {
    let [w, h, c] = dims;
    let text = format!("7767517\n2 2\nInput data 0 1 data 0={w} 1={h} 2={c}\n{line}\n");
    let mut model = Model::from_param_text(&text).unwrap();
    model.layers[1].weights = weights;
    model
}

fn int8(values: Vec<i8>) -> Weight {
    Weight { role: WeightRole::Weight, data: WeightData::I8(values) }
}

fn raw(role: WeightRole, values: &[f32]) -> Weight {
    Weight { role, data: WeightData::F32(values.to_vec(), F32Tag::Raw) }
}

fn scales(weight: f32, input: f32) -> [Weight; 2] {
    [raw(WeightRole::WeightScales, &[weight]), raw(WeightRole::InputScale, &[input])]
}

fn run(model: &Model, input: Tensor) -> Vec<f32> {
    let outputs = Int8Net::new(model).unwrap().run(&[("data", input)], &mut ()).unwrap();
    outputs.get("out").unwrap().as_slice().to_vec()
}

#[test]
fn quirk_29_and_35_the_pad_value_is_added_after_quantization_without_a_scale() {
    let weights = [vec![int8(vec![1; 9])], scales(1.0, 10.0).into()].concat();
    let line = "Convolution conv 1 1 data out 0=1 1=3 4=1 6=9 8=2 18=3.0";
    let padded = model([1, 1, 1], line, weights);
    // Eight integers 3, and round(0.5 · 10) in the middle; divided by both scales.
    assert_eq!(run(&padded, Tensor::new([1, 1, 1], vec![0.5]).unwrap()), [29.0 * (1.0 / 10.0)]);
}

#[test]
fn quirk_30_the_reciprocal_of_the_scales_is_exact() {
    assert_eq!(dequantize_scale(3.0, 7.0).to_bits(), (1.0_f32 / 21.0).to_bits());
    let weights = [vec![int8(vec![1])], scales(7.0, 3.0).into()].concat();
    let depthwise = model([1, 1, 1], "ConvolutionDepthWise dw 1 1 data out 0=1 1=1 6=1 7=1 8=1", weights);
    assert_eq!(run(&depthwise, Tensor::new([1, 1, 1], vec![1.0]).unwrap()), [3.0 * (1.0_f32 / 21.0)]);
}

#[test]
fn quirk_31_a_large_3x3_convolution_does_not_wrap() {
    let channels = 300;
    let weights = [vec![int8(vec![127; 9 * channels])], scales(1.0, 1.0).into()].concat();
    let line = format!("Convolution conv 1 1 data out 0=1 1=3 6={} 8=2", 9 * channels);
    let large = model([3, 3, 300], &line, weights);
    let input = Tensor::new([channels, 3, 3], vec![127.0; 9 * channels]).unwrap();
    assert_eq!(run(&large, input), [(127 * 127 * 9 * 300) as f32]);
}

#[test]
fn quirk_32_the_feature_mask_does_not_turn_int8_off_and_the_float_net_refuses_int8_weights() {
    let weights = [vec![int8(vec![2])], scales(1.0, 1.0).into()].concat();
    let masked = model([1, 1, 1], "Convolution conv 1 1 data out 0=1 1=1 6=1 8=2 31=8", weights);
    // 0.6 is 1 after quantization: int8 was computed.
    assert_eq!(run(&masked, Tensor::new([1, 1, 1], vec![0.6]).unwrap()), [2.0]);
    assert!(fp32_ref::Net::new(&masked).is_err());
}

#[test]
fn quirk_33_an_int8_output_is_given_as_floats() {
    let mut weights = [vec![int8(vec![1])], scales(1.0, 1.0).into()].concat();
    weights.push(raw(WeightRole::OutputScale, &[4.0]));
    let requantizing = model([1, 1, 1], "Convolution conv 1 1 data out 0=1 1=1 6=1 8=102", weights);
    // 5 · 4 = 20 is stored; 20 / 4 comes out.
    assert_eq!(run(&requantizing, Tensor::new([1, 1, 1], vec![5.0]).unwrap()), [5.0]);
}

#[test]
fn quirk_34_a_recurrent_int8_layer_is_refused_by_name() {
    let lstm: Layer = model([2, 1, 1], "LSTM lstm 1 1 data out 0=1 1=8 8=2", vec![]).layers.remove(1);
    let model = Model { layers: vec![lstm], ..Model::default() };
    let message = Int8Net::new(&model).err().unwrap().to_string();
    assert!(message.contains("lstm"), "{message}");
}

#[test]
fn quirk_36_nan_becomes_zero_and_infinities_saturate() {
    assert_eq!([f32::NAN, f32::INFINITY, f32::NEG_INFINITY].map(|x| quantize(x, 1.0)), [0, 127, -127]);
    assert_eq!(quantize(0.0, f32::INFINITY), 0, "0 · inf, where ncnn on x86 says -127");
}
