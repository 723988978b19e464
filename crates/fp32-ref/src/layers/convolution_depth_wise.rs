//! `ConvolutionDepthWise`: a 2-D convolution of each group of channels by itself.

use ncnn_format::{Result, WeightRole, typed};

use super::arity::only;
use super::convolution::expect_channels;
use super::dense_kernel::{DenseKernel, Planes};
use super::loading::{self, share};
use super::window::{ConvWindow, Covered, Placement, positive};
use crate::{Activation, Layer, Shape, Tensor};

pub(super) struct ConvolutionDepthWise {
    window: ConvWindow,
    channels: usize,
    outputs: usize,
    kernels: Kernels,
    activation: Activation,
}

enum Kernels {
    /// One channel in and one out per group.
    Single { weights: Vec<f32>, bias: Vec<f32>, pad_value: f32 },
    /// One kernel per group.
    Dense(Vec<DenseKernel>),
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<ConvolutionDepthWise> {
    let params = typed::ConvolutionDepthWise::read(layer)?;
    loading::refuse_int8(layer, params.int8_scale_term)?;
    loading::refuse_dynamic_weight(layer, params.dynamic_weight)?;
    let window = ConvWindow::depthwise(&params)?;
    let groups = positive("group", params.group)?;
    let outputs = positive("num_output", params.num_output)?;
    let weight_count = positive("weight_data_size", params.weight_data_size)?;
    let group_outputs = share("output channels per group", outputs, groups)?;
    let per_output = share("weights per output channel", weight_count, outputs)?;
    let group_channels = share("input channels per group", per_output, window.taps()?)?;
    let weights = loading::floats(layer, WeightRole::Weight, weight_count)?;
    let bias = loading::bias(layer, params.bias_term, outputs)?;
    let pad_value = params.pad_value;
    let kernels = if (group_channels, group_outputs) == (1, 1) {
        Kernels::Single { weights, bias, pad_value }
    } else {
        Kernels::Dense(
            weights
                .chunks_exact(weight_count / groups)
                .zip(bias.chunks_exact(group_outputs))
                .map(|(weights, bias)| DenseKernel::new(window, weights.to_vec(), bias.to_vec(), pad_value))
                .collect(),
        )
    };
    Ok(ConvolutionDepthWise {
        window,
        // At most the number of weights, so it does not overflow.
        channels: group_channels * groups,
        outputs,
        kernels,
        activation: Activation::new(params.activation_type, &params.activation_params)?,
    })
}

impl Layer for ConvolutionDepthWise {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        expect_channels(self.channels, input)?;
        let placement = self.window.place(input.h(), input.w())?;
        Ok(vec![Shape::new(&[self.outputs, placement.out_h, placement.out_w])?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let (h, w) = (input.shape().h(), input.shape().w());
        let mut output = Tensor::filled(only(self.output_shapes(&[input.shape()])?)?, 0.0);
        let placement = self.window.place(h, w)?;
        let pixels = placement.out_h * placement.out_w;
        match &self.kernels {
            Kernels::Single { weights, bias, pad_value } => {
                let kernels = weights.chunks_exact(weights.len() / bias.len());
                let planes = input.as_slice().chunks_exact(h * w).zip(output.as_mut_slice().chunks_exact_mut(pixels));
                for (((plane, output), kernel), &bias) in planes.zip(kernels).zip(bias) {
                    output.fill(bias);
                    let input = Planes { values: plane, h, w };
                    accumulate_plane(&self.window, &placement, input, kernel, *pad_value, output);
                }
            }
            Kernels::Dense(kernels) => {
                let group_channels = self.channels / kernels.len();
                let group_outputs = self.outputs / kernels.len();
                let inputs = input.as_slice().chunks_exact(group_channels * h * w);
                let outputs = output.as_mut_slice().chunks_exact_mut(group_outputs * pixels);
                for ((values, output), kernel) in inputs.zip(outputs).zip(kernels) {
                    kernel.apply(Planes { values, h, w }, &placement, output);
                }
            }
        }
        self.activation.apply_all(output.as_mut_slice());
        Ok(vec![output])
    }
}

/// Adds the convolution of one plane to `output`, kernel element by kernel element.
fn accumulate_plane(
    window: &ConvWindow,
    at: &Placement,
    input: Planes<'_>,
    kernel: &[f32],
    pad_value: f32,
    output: &mut [f32],
) {
    for (out_y, row) in output.chunks_exact_mut(at.out_w).enumerate() {
        for (tap_y, kernel_row) in kernel.chunks_exact(window.kernel_w).enumerate() {
            let source = (out_y * window.stride_h + tap_y * window.dilation_h)
                .checked_sub(at.top)
                .filter(|&y| y < input.h)
                .map(|y| &input.values[y * input.w..(y + 1) * input.w]);
            for (tap_x, &weight) in kernel_row.iter().enumerate() {
                let Some(source) = source else {
                    add_padding(row, weight, pad_value);
                    continue;
                };
                let first = tap_x * window.dilation_w;
                let covered = Covered::new(first, window.stride_w, at.left, input.w, row.len());
                add_padding(&mut row[..covered.start], weight, pad_value);
                add_padding(&mut row[covered.end..], weight, pad_value);
                let met = &mut row[covered.start..covered.end];
                accumulate_row(met, &source[covered.source..], window.stride_w, weight);
            }
        }
    }
}

/// Adds `weight` times every `stride`-th value of `source`.
fn accumulate_row(row: &mut [f32], source: &[f32], stride: usize, weight: f32) {
    match stride {
        1 => {
            for (sum, &value) in row.iter_mut().zip(source) {
                *sum += value * weight;
            }
        }
        2 => {
            // The last window may meet the very end of the row, without a second value.
            let (pairs, last) = source.as_chunks::<2>();
            let paired = row.len().min(pairs.len());
            for (sum, pair) in row.iter_mut().zip(pairs) {
                *sum += pair[0] * weight;
            }
            for (sum, &value) in row[paired..].iter_mut().zip(last) {
                *sum += value * weight;
            }
        }
        _ => {
            for (sum, &value) in row.iter_mut().zip(source.iter().step_by(stride)) {
                *sum += value * weight;
            }
        }
    }
}

fn add_padding(row: &mut [f32], weight: f32, pad_value: f32) {
    if pad_value != 0.0 {
        for sum in row {
            *sum += weight * pad_value;
        }
    }
}
