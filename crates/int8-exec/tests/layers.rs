//! Int8 layers against plain loops written here.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fp32_ref::{BlobId, Tensor};
use int8_exec::{Int8Net, Options, Roundings, Value};
use ncnn_format::typed::{Convolution, ConvolutionDepthWise, InnerProduct, ParamKey, ReLU};
use ncnn_format::{F32Tag, Layer, LayerKind, Model, Weight, WeightData, WeightRole};

/// Small seeded integers: the tests need variety, not randomness.
struct Lcg(u32);

impl Lcg {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }
    fn i8(&mut self) -> i8 {
        (self.next() % 255) as i8
    }
    fn float(&mut self) -> f32 {
        self.next() as f32 / (1 << 23) as f32 - 1.0
    }
}

fn weight(role: WeightRole, data: WeightData) -> Weight {
    Weight { role, data }
}

fn raw(role: WeightRole, values: Vec<f32>) -> Weight {
    weight(role, WeightData::F32(values, F32Tag::Raw))
}

fn input(outputs: &[&str]) -> Layer {
    let mut layer = Layer::new(LayerKind::Input, "data");
    layer.outputs = outputs.iter().map(ToString::to_string).collect();
    layer
}

fn layer(kind: LayerKind, name: &str, from: &[&str], to: &[&str], ints: &[(ParamKey<i32>, i32)]) -> Layer {
    let mut layer = Layer::new(kind, name);
    layer.inputs = from.iter().map(ToString::to_string).collect();
    layer.outputs = to.iter().map(ToString::to_string).collect();
    for &(key, value) in ints {
        layer.params.set(key, value);
    }
    layer
}

/// An int8 convolution of `group` groups; `in_c` is the whole number of input channels.
struct Conv {
    layer: Layer,
    weights: Vec<i8>,
    bias: Vec<f32>,
    scales: Vec<f32>,
    in_c: usize,
    out_c: usize,
    group: usize,
    k: usize,
}

const INPUT_SCALE: f32 = 40.0;
const OUTPUT_SCALE: f32 = 3.25;

impl Conv {
    fn new(
        name: &str,
        from: &str,
        (in_c, out_c, group, k): (usize, usize, usize, usize),
        term: i32,
        seed: u32,
    ) -> Self {
        let mut lcg = Lcg(seed);
        let weights: Vec<i8> = (0..out_c * in_c / group * k * k).map(|_| lcg.i8()).collect();
        let bias: Vec<f32> = (0..out_c).map(|_| lcg.float()).collect();
        let slices = if group == 1 { out_c } else { group };
        let scales: Vec<f32> = (0..slices).map(|_| 100.0 + 50.0 * lcg.float()).collect();
        let kind = if group == 1 { LayerKind::Convolution } else { LayerKind::ConvolutionDepthWise };
        let ints = [
            (Convolution::NUM_OUTPUT, out_c as i32),
            (Convolution::KERNEL_W, k as i32),
            (Convolution::PAD_LEFT, (k / 2) as i32),
            (Convolution::BIAS_TERM, 1),
            (Convolution::WEIGHT_DATA_SIZE, weights.len() as i32),
            (Convolution::INT8_SCALE_TERM, term),
            (Convolution::ACTIVATION_TYPE, 1),
        ];
        let mut layer = layer(kind, name, &[from], &[name], &ints);
        if group > 1 {
            layer.params.set(ConvolutionDepthWise::GROUP, group as i32);
        }
        layer.weights = vec![
            weight(WeightRole::Weight, WeightData::I8(weights.clone())),
            raw(WeightRole::Bias, bias.clone()),
            raw(WeightRole::WeightScales, scales.clone()),
            raw(WeightRole::InputScale, vec![INPUT_SCALE]),
        ];
        if term > 100 {
            layer.weights.push(raw(WeightRole::OutputScale, vec![OUTPUT_SCALE]));
        }
        Self { layer, weights, bias, scales, in_c, out_c, group, k }
    }

    /// Stride 1, same padding: the definition, pixel by pixel, with a fused ReLU.
    fn expect(&self, x: &[i8], h: usize, w: usize) -> Vec<f32> {
        self.expect_by(x, h, w, |sum, scale, bias| sum * scale + bias)
    }

    /// The same with `sum · scale + bias` computed by `add_bias`.
    fn expect_by(&self, x: &[i8], h: usize, w: usize, add_bias: fn(f32, f32, f32) -> f32) -> Vec<f32> {
        let (in_g, out_g) = (self.in_c / self.group, self.out_c / self.group);
        let mut out = Vec::new();
        for o in 0..self.out_c {
            let g = o / out_g;
            let scale = self.scales[if self.group == 1 { o } else { g }];
            for (y0, x0) in (0..h).flat_map(|y| (0..w).map(move |x| (y, x))) {
                let mut sum = 0i32;
                for (i, ky, kx) in
                    (0..in_g).flat_map(|i| (0..self.k).flat_map(move |ky| (0..self.k).map(move |kx| (i, ky, kx))))
                {
                    let (y, x_at) = (y0 + ky, x0 + kx);
                    let (y, x_at) = (y.wrapping_sub(self.k / 2), x_at.wrapping_sub(self.k / 2));
                    if y < h && x_at < w {
                        let q = x[((g * in_g + i) * h + y) * w + x_at];
                        let wq = self.weights[((o * in_g + i) * self.k + ky) * self.k + kx];
                        sum += i32::from(q) * i32::from(wq);
                    }
                }
                out.push(add_bias(sum as f32, 1.0 / (INPUT_SCALE * scale), self.bias[o]).max(0.0));
            }
        }
        out
    }
}

fn quantize(values: &[f32], scale: f32) -> Vec<i8> {
    values.iter().map(|x| (x * scale).round().clamp(-127.0, 127.0) as i8).collect()
}

fn floats(dims: [usize; 3], seed: u32) -> Tensor {
    let mut lcg = Lcg(seed);
    Tensor::new(dims, (0..dims.iter().product()).map(|_| 4.0 * lcg.float()).collect()).unwrap()
}

#[test]
fn a_convolution_dequantizes_adds_bias_and_activates() {
    for (shape, seed) in [((3, 5, 1, 3), 1), ((8, 16, 1, 1), 2), ((6, 6, 6, 3), 3), ((8, 4, 2, 3), 4)] {
        let term = if shape.2 == 1 { 2 } else { 1 };
        let conv = Conv::new("conv", "data", shape, term, seed);
        let model = Model { layers: vec![input(&["data"]), conv.layer.clone()], ..Model::default() };
        let x = floats([shape.0, 7, 6], seed + 100);
        let outputs = Int8Net::new(&model).unwrap().run(&[("data", x.clone())], &mut ()).unwrap();
        let expected = conv.expect(&quantize(x.as_slice(), INPUT_SCALE), 7, 6);
        assert_eq!(outputs.get("conv").unwrap().as_slice(), expected, "{shape:?}");
    }
}

#[test]
fn ncnns_x86_roundings_fuse_the_bias_but_in_plain_depthwise_kernels() {
    for (shape, is_fused) in [((3, 5, 1, 3), true), ((6, 6, 6, 3), true), ((6, 6, 6, 5), false), ((8, 4, 2, 3), true)] {
        let conv = Conv::new("conv", "data", shape, if shape.2 == 1 { 2 } else { 1 }, 21);
        let model = Model { layers: vec![input(&["data"]), conv.layer.clone()], ..Model::default() };
        let x = floats([shape.0, 7, 6], 22);
        let options = Options::default().with_roundings(Roundings::NcnnX86);
        let net = Int8Net::with_options(&model, options).unwrap();
        let outputs = net.run(&[("data", x.clone())], &mut ()).unwrap();
        let q = quantize(x.as_slice(), INPUT_SCALE);
        let (once, twice) = (conv.expect_by(&q, 7, 6, f32::mul_add), conv.expect(&q, 7, 6));
        assert_ne!(once, twice, "the case must tell them apart");
        assert_eq!(outputs.get("conv").unwrap().as_slice(), if is_fused { once } else { twice }, "{shape:?}");
    }
}

#[test]
fn a_requantized_blob_stays_int8_through_a_split() {
    let first = Conv::new("a", "data", (3, 4, 1, 3), 102, 5);
    let split = layer(LayerKind::Split, "split", &["a"], &["a0", "a1"], &[]);
    let mut second = Conv::new("b", "a0", (4, 4, 4, 3), 1, 6);
    let mut third = Conv::new("c", "a1", (4, 2, 1, 1), 2, 7);
    for conv in [&mut second, &mut third] {
        conv.layer.weights[3] = raw(WeightRole::InputScale, vec![OUTPUT_SCALE]);
    }
    let layers = vec![input(&["data"]), first.layer.clone(), split, second.layer.clone(), third.layer.clone()];
    let model = Model { layers, ..Model::default() };
    let x = floats([3, 5, 5], 8);
    let mut integers = Vec::new();
    let outputs = Int8Net::new(&model)
        .unwrap()
        .run(&[("data", x.clone())], &mut |_: BlobId, value: &Value| {
            if let Value::I8 { tensor, scale } = value {
                assert_eq!(*scale, OUTPUT_SCALE);
                integers.push(tensor.as_slice().to_vec());
            }
            Ok(())
        })
        .unwrap();
    let middle = quantize(&first.expect(&quantize(x.as_slice(), INPUT_SCALE), 5, 5), OUTPUT_SCALE);
    assert_eq!(integers, vec![middle.clone(); 3], "the convolution's and both of the split's");
    assert_eq!(outputs.iter().count(), 2);
    // The accumulators of the second are exact; its scale is the one it was given.
    let rescaled: Vec<f32> = {
        let mut conv = Conv::new("b", "a0", (4, 4, 4, 3), 1, 6);
        conv.scales.iter_mut().for_each(|scale| *scale *= OUTPUT_SCALE / INPUT_SCALE);
        conv.expect(&middle, 5, 5)
    };
    for (ours, near) in outputs.get("b").unwrap().as_slice().iter().zip(&rescaled) {
        assert!((ours - near).abs() <= 1e-5 * near.abs().max(1.0), "{ours} {near}");
    }
}

#[test]
fn an_inner_product_takes_flattened_input_or_rows() {
    let mut lcg = Lcg(9);
    let weights: Vec<i8> = (0..5 * 12).map(|_| lcg.i8()).collect();
    let scales: Vec<f32> = (0..5).map(|_| 90.0 + lcg.float()).collect();
    let fc = [(InnerProduct::NUM_OUTPUT, 5), (InnerProduct::WEIGHT_DATA_SIZE, 60), (InnerProduct::INT8_SCALE_TERM, 2)];
    let mut dense = layer(LayerKind::InnerProduct, "fc", &["data"], &["fc"], &fc);
    dense.weights = vec![
        weight(WeightRole::Weight, WeightData::I8(weights.clone())),
        raw(WeightRole::WeightScales, scales.clone()),
        raw(WeightRole::InputScale, vec![INPUT_SCALE]),
    ];
    let model = Model { layers: vec![input(&["data"]), dense], ..Model::default() };
    let net = Int8Net::new(&model).unwrap();
    let x = floats([3, 2, 2], 10);
    let q = quantize(x.as_slice(), INPUT_SCALE);
    let row = |q: &[i8]| -> Vec<f32> {
        (0..5)
            .map(|o| {
                let sum: i32 = q.iter().zip(&weights[o * 12..]).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
                sum as f32 * (1.0 / (INPUT_SCALE * scales[o]))
            })
            .collect()
    };
    let flat = net.run(&[("data", x.clone())], &mut ()).unwrap();
    assert_eq!(flat.get("fc").unwrap().as_slice(), row(&q));
    let rows = Tensor::new([2, 12], [x.as_slice(), x.as_slice()].concat()).unwrap();
    let rows = net.run(&[("data", rows)], &mut ()).unwrap();
    assert_eq!(rows.get("fc").unwrap().shape().dims(), [2, 5]);
    assert_eq!(rows.get("fc").unwrap().as_slice(), [row(&q), row(&q)].concat());
}

#[test]
fn a_zero_weight_scale_gives_the_bias_alone() {
    let mut conv = Conv::new("conv", "data", (1, 2, 1, 1), 2, 11);
    conv.layer.weights[2] = raw(WeightRole::WeightScales, vec![0.0, 0.0]);
    let model = Model { layers: vec![input(&["data"]), conv.layer.clone()], ..Model::default() };
    let outputs = Int8Net::new(&model).unwrap().run(&[("data", floats([1, 1, 1], 12))], &mut ()).unwrap();
    let bias: Vec<f32> = conv.bias.iter().map(|bias| bias.max(0.0)).collect();
    assert_eq!(outputs.get("conv").unwrap().as_slice(), bias);
}

#[test]
fn int8_into_a_layer_that_computes_on_floats_is_refused_by_name() {
    let conv = Conv::new("conv", "data", (1, 2, 1, 1), 102, 13);
    let clip = layer(LayerKind::ReLU, "act", &["conv"], &["act"], &[]).with(ReLU::SLOPE, 0.1);
    let model = Model { layers: vec![input(&["data"]), conv.layer, clip], ..Model::default() };
    let error = Int8Net::new(&model).unwrap().run(&[("data", floats([1, 2, 2], 14))], &mut ()).unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("layer act: the input blob is int8"), "{message}");
}

#[test]
fn a_wrong_number_of_channels_names_the_layer_and_both_numbers() {
    let conv = Conv::new("conv", "data", (3, 2, 1, 1), 2, 15);
    let model = Model { layers: vec![input(&["data"]), conv.layer], ..Model::default() };
    let error = Int8Net::new(&model).unwrap().run(&[("data", floats([1, 2, 2], 16))], &mut ()).unwrap_err();
    assert_eq!(error.to_string(), "layer conv: expects 3 channels of h x w, the input is 1x2x2");
}

#[test]
fn a_missing_scale_is_an_error_that_says_which() {
    let mut conv = Conv::new("conv", "data", (1, 2, 1, 1), 102, 17);
    conv.layer.weights.pop();
    let model = Model { layers: vec![input(&["data"]), conv.layer], ..Model::default() };
    let message = Int8Net::new(&model).err().unwrap().to_string();
    assert_eq!(message, "layer conv: no output scale was loaded");
}
