//! Laws that layers obey on every shape, checked against plain loops where there are no shorter ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fp32_ref::{BuildOptions, Layer, Shape, Tensor, build};
use ncnn_format::typed::{Concat, ConvolutionDepthWise, Crop, Padding, ParamKey, Permute, Reshape, Slice};
use ncnn_format::{F32Tag, LayerKind, Number, ParamValue, Weight, WeightData, WeightRole};
use proptest::prelude::*;

/// A layer with integer parameters, arrays and weights.
fn layer(
    kind: LayerKind,
    outputs: usize,
    ints: &[(ParamKey<i32>, usize)],
    arrays: &[(ParamKey<Vec<i32>>, &[usize])],
    weights: &[(WeightRole, &[f32])],
) -> Box<dyn Layer> {
    let number = |value: usize| i32::try_from(value).unwrap();
    let mut layer = ncnn_format::Layer::new(kind, "layer");
    layer.outputs = (0..outputs).map(|index| format!("out{index}")).collect();
    for &(key, value) in ints {
        layer.params.set(key, number(value));
    }
    for &(key, values) in arrays {
        layer.params.set(key, values.iter().map(|&value| number(value)).collect());
    }
    for &(role, values) in weights {
        layer.weights.push(Weight { role, data: WeightData::F32(values.to_vec(), F32Tag::Tagged) });
    }
    build(&layer, BuildOptions::default()).unwrap()
}

/// Distinct small values, so that products and sums of them are exact.
fn numbered(dims: &[usize]) -> Tensor {
    let values = (0..dims.iter().product::<usize>()).map(|index| (index * 7 % 23) as f32 - 11.0).collect();
    Tensor::new(dims, values).unwrap()
}

/// Runs a layer and checks that it foretells its shapes.
fn run(layer: &dyn Layer, inputs: Vec<Tensor>) -> Vec<Tensor> {
    let shapes: Vec<Shape> = inputs.iter().map(Tensor::shape).collect();
    let foretold = layer.output_shapes(&shapes).unwrap();
    let outputs = layer.run(inputs).unwrap();
    assert_eq!(outputs.iter().map(Tensor::shape).collect::<Vec<_>>(), foretold);
    outputs
}

#[derive(Debug, Clone)]
struct Geometry {
    groups: usize,
    channels: usize,
    outputs: usize,
    kernel: (usize, usize),
    stride: (usize, usize),
    dilation: (usize, usize),
    /// top, bottom, left, right
    pads: [usize; 4],
    size: (usize, usize),
}

fn geometries() -> impl Strategy<Value = Geometry> {
    let pair = |range: std::ops::RangeInclusive<usize>| (range.clone(), range);
    (
        1..=3_usize,
        1..=3_usize,
        1..=3_usize,
        pair(1..=4),
        pair(1..=3),
        pair(1..=2),
        [0..=2_usize, 0..=2, 0..=2, 0..=2],
        pair(7..=12),
    )
        .prop_map(|(groups, channels, outputs, kernel, stride, dilation, pads, size)| Geometry {
            groups,
            channels,
            outputs,
            kernel,
            stride,
            dilation,
            pads,
            size,
        })
}

impl Geometry {
    fn weights(&self) -> Vec<f32> {
        let count = self.groups * self.outputs * self.channels * self.kernel.0 * self.kernel.1;
        numbered(&[count]).as_slice().to_vec()
    }

    fn bias(&self) -> Vec<f32> {
        (0..self.groups * self.outputs).map(|index| index as f32).collect()
    }

    fn build(&self, kind: LayerKind) -> Box<dyn Layer> {
        let (weights, bias) = (self.weights(), self.bias());
        let [top, bottom, left, right] = self.pads;
        let ints = [
            (ConvolutionDepthWise::NUM_OUTPUT, bias.len()),
            (ConvolutionDepthWise::KERNEL_W, self.kernel.1),
            (ConvolutionDepthWise::KERNEL_H, self.kernel.0),
            (ConvolutionDepthWise::DILATION_W, self.dilation.1),
            (ConvolutionDepthWise::DILATION_H, self.dilation.0),
            (ConvolutionDepthWise::STRIDE_W, self.stride.1),
            (ConvolutionDepthWise::STRIDE_H, self.stride.0),
            (ConvolutionDepthWise::PAD_LEFT, left),
            (ConvolutionDepthWise::PAD_TOP, top),
            (ConvolutionDepthWise::PAD_RIGHT, right),
            (ConvolutionDepthWise::PAD_BOTTOM, bottom),
            (ConvolutionDepthWise::BIAS_TERM, 1),
            (ConvolutionDepthWise::WEIGHT_DATA_SIZE, weights.len()),
            (ConvolutionDepthWise::GROUP, self.groups),
        ];
        layer(kind, 1, &ints, &[], &[(WeightRole::Weight, &weights), (WeightRole::Bias, &bias)])
    }

    fn input(&self) -> Tensor {
        numbered(&[self.groups * self.channels, self.size.0, self.size.1])
    }

    /// Output sizes and values by the definition of a convolution.
    fn by_definition(&self) -> Tensor {
        let (input, weights, bias) = (self.input(), self.weights(), self.bias());
        let [top, bottom, left, right] = self.pads;
        let count = |size: usize, pads: usize, kernel: usize, dilation: usize, stride: usize| {
            (size + pads - (dilation * (kernel - 1) + 1)) / stride + 1
        };
        let out_h = count(self.size.0, top + bottom, self.kernel.0, self.dilation.0, self.stride.0);
        let out_w = count(self.size.1, left + right, self.kernel.1, self.dilation.1, self.stride.1);
        let mut values = Vec::new();
        for (output, bias) in bias.iter().enumerate() {
            let first = output / self.outputs * self.channels;
            for (y, x) in (0..out_h).flat_map(|y| (0..out_w).map(move |x| (y, x))) {
                let mut sum = *bias;
                for (channel, ky, kx) in (0..self.channels)
                    .flat_map(|c| (0..self.kernel.0).flat_map(move |ky| (0..self.kernel.1).map(move |kx| (c, ky, kx))))
                {
                    let row = (y * self.stride.0 + ky * self.dilation.0).checked_sub(top).filter(|&y| y < self.size.0);
                    let column =
                        (x * self.stride.1 + kx * self.dilation.1).checked_sub(left).filter(|&x| x < self.size.1);
                    if let (Some(row), Some(column)) = (row, column) {
                        let tap = ((output * self.channels + channel) * self.kernel.0 + ky) * self.kernel.1 + kx;
                        sum += weights[tap] * input.view()[[first + channel, row, column]];
                    }
                }
                values.push(sum);
            }
        }
        Tensor::new([bias.len(), out_h, out_w], values).unwrap()
    }
}

fn shapes() -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::vec(1..=5_usize, 1..=4)
}

proptest! {
    #[test]
    fn a_convolution_is_its_definition(mut geometry in geometries()) {
        geometry.groups = 1;
        let found = run(&*geometry.build(LayerKind::Convolution), vec![geometry.input()]);
        prop_assert_eq!(&found[0], &geometry.by_definition());
    }

    #[test]
    fn a_convolution_by_groups_is_its_definition(mut geometry in geometries(), single: bool) {
        if single {
            (geometry.channels, geometry.outputs) = (1, 1);
        }
        let found = run(&*geometry.build(LayerKind::ConvolutionDepthWise), vec![geometry.input()]);
        prop_assert_eq!(&found[0], &geometry.by_definition());
    }

    /// <conv(x), y> = <x, deconv(y)> for the same weights with inputs and outputs swapped.
    #[test]
    fn a_deconvolution_is_the_transpose_of_a_convolution(mut geometry in geometries()) {
        (geometry.groups, geometry.channels, geometry.outputs) = (1, 1, 1);
        let forth = run(&*geometry.build(LayerKind::Convolution), vec![geometry.input()]).remove(0);
        // The bias of a single output is 0.
        let other = numbered(forth.shape().dims());
        let back = run(&*geometry.build(LayerKind::Deconvolution), vec![other.clone()]).remove(0);
        // Input beyond the last window takes part in neither.
        let inner: f32 = forth.as_slice().iter().zip(other.as_slice()).map(|(a, b)| a * b).sum();
        let input = geometry.input();
        let mut outer = 0.0;
        for ((_, y, x), value) in index3(&back) {
            if y < geometry.size.0 && x < geometry.size.1 {
                outer += value * input.view()[[0, y, x]];
            }
        }
        let [top, bottom, left, right] = geometry.pads;
        // Cutting the bottom and right as much as they are padded is only the same without left-over rows.
        let exact = back.shape().h() == geometry.size.0 && back.shape().w() == geometry.size.1;
        prop_assume!(exact || (top, bottom, left, right) == (0, 0, 0, 0));
        prop_assert_eq!(inner, outer);
    }

    #[test]
    fn slices_joined_are_the_whole(dims in shapes(), axis in 0..4_usize, cut in 1..5_usize) {
        let axis = axis % dims.len();
        prop_assume!(cut < dims[axis]);
        let whole = numbered(&dims);
        let sizes = [cut, dims[axis] - cut];
        let slice = layer(LayerKind::Slice, 2, &[(Slice::AXIS, axis)], &[(Slice::SLICES, &sizes)], &[]);
        let concat = layer(LayerKind::Concat, 1, &[(Concat::AXIS, axis)], &[], &[]);
        let joined = run(&*concat, run(&*slice, vec![whole.clone()]));
        prop_assert_eq!(&joined[0], &whole);
    }

    #[test]
    fn every_permutation_has_an_inverse(dims in proptest::collection::vec(1..=4_usize, 2..=4), order in 0..24_usize) {
        let orders = [2, 6, 24][dims.len() - 2];
        let whole = numbered(&dims);
        let permute = |order: usize| layer(LayerKind::Permute, 1, &[(Permute::ORDER_TYPE, order)], &[], &[]);
        let turned = run(&*permute(order % orders), vec![whole.clone()]).remove(0);
        let back = (0..orders).any(|order| run(&*permute(order), vec![turned.clone()])[0] == whole);
        prop_assert!(back);
    }

    #[test]
    fn flattening_and_reshaping_keep_the_order(dims in shapes()) {
        let whole = numbered(&dims);
        let flat = run(&*layer(LayerKind::Flatten, 1, &[], &[], &[]), vec![whole.clone()]).remove(0);
        let (c, d, h, w) = (Reshape::C, Reshape::D, Reshape::H, Reshape::W);
        let keys = [&[][..], &[w], &[h, w], &[c, h, w], &[c, d, h, w]][dims.len()].to_vec();
        let sizes: Vec<(ParamKey<i32>, usize)> = keys.into_iter().zip(dims.iter().copied()).collect();
        let back = run(&*layer(LayerKind::Reshape, 1, &sizes, &[], &[]), vec![flat]);
        prop_assert_eq!(&back[0], &whole);
    }

    #[test]
    fn cropping_what_was_padded_gives_it_back(dims in shapes(), left in 0..3_usize, top in 0..3_usize, kind in 0..2_usize) {
        let whole = numbered(&dims);
        let padding = layer(LayerKind::Padding, 1, &[(Padding::TOP, top), (Padding::BOTTOM, 1), (Padding::LEFT, left), (Padding::RIGHT, 2), (Padding::PAD_TYPE, kind)], &[], &[]);
        let padded = run(&*padding, vec![whole.clone()]);
        let top = if dims.len() > 1 { top } else { 0 };
        let crop = layer(LayerKind::Crop, 1, &[(Crop::WOFFSET, left), (Crop::HOFFSET, top)], &[], &[]);
        let cropped = run(&*crop, vec![padded[0].clone(), whole.clone()]);
        prop_assert_eq!(&cropped[0], &whole);
    }

    #[test]
    fn int8_moves_as_floats_do(dims in proptest::collection::vec(1..=4_usize, 2..=3), order in 0..2_usize) {
        let floats = numbered(&dims);
        let bytes = Tensor::new(&dims, floats.as_slice().iter().map(|&x| x as i8).collect()).unwrap();
        let permute = layer(LayerKind::Permute, 1, &[(Permute::ORDER_TYPE, order)], &[], &[]);
        let moved = permute.run_i8(vec![bytes]).unwrap().unwrap().remove(0);
        let expected = run(&*permute, vec![floats]).remove(0);
        prop_assert_eq!(moved.shape(), expected.shape());
        prop_assert!(moved.as_slice().iter().zip(expected.as_slice()).all(|(&a, &b)| f32::from(a) == b));
    }
}

fn index3(tensor: &Tensor) -> impl Iterator<Item = ((usize, usize, usize), f32)> {
    let (h, w) = (tensor.shape().h(), tensor.shape().w());
    tensor.as_slice().iter().enumerate().map(move |(index, &value)| ((index / h / w, index / w % h, index % w), value))
}

#[test]
fn a_layer_that_computes_does_not_run_on_int8() {
    let relu = layer(LayerKind::ReLU, 1, &[], &[], &[]);
    assert!(relu.run_i8(vec![Tensor::new([1], vec![1]).unwrap()]).is_none());
}

#[test]
fn hostile_sizes_are_errors_not_panics() {
    let shape = Shape::new(&[1, 3, 3]).unwrap();
    for value in [0, -1, i32::MIN, i32::MAX] {
        for id in [0, 1, 2, 3, 4, 6, 7, 11, 12, 13, 14, 15, 16] {
            for kind in [
                LayerKind::Convolution,
                LayerKind::ConvolutionDepthWise,
                LayerKind::Deconvolution,
                LayerKind::Pooling,
                LayerKind::Padding,
                LayerKind::Interp,
                LayerKind::Reshape,
                LayerKind::Crop,
                LayerKind::ShuffleChannel,
                LayerKind::Permute,
                LayerKind::LRN,
                LayerKind::Reduction,
            ] {
                let mut layer = ncnn_format::Layer::new(kind, "layer");
                let word = |(id, value)| (id, ParamValue::Number(Number::Int(value)));
                layer.params.extend([(0, 1), (1, 1), (6, 1), (id, value)].map(word));
                let data = WeightData::F32(vec![1.0], F32Tag::Tagged);
                layer.weights.push(Weight { role: WeightRole::Weight, data });
                if let Ok(built) = build(&layer, BuildOptions::default())
                    && let Ok(shapes) = built.output_shapes(&[shape])
                    && shapes.iter().all(|shape| shape.volume() < 1 << 20)
                {
                    let _ = built.run(vec![Tensor::filled(shape, 1.0)]);
                }
            }
        }
    }
}
