//! Convolution and ConvolutionDepthWise on integers.

use fp32_ref::{Activation, ConvWindow, Shape, Tensor};
use int8_kernels::{ConvShape, Epilogue, PackedConv, Padding, Scratch, quantize_slice};
use ncnn_format::{Error, Layer, Result, typed};

use super::weights::{Form, count};
use super::{QuantizedLayer, kernel_error, single};
use crate::{Options, Roundings, Value};

/// A convolution with int8 weights, dense or in groups.
pub(super) struct Int8Convolution {
    window: ConvWindow,
    pad_value: i8,
    packed: PackedConv,
    epilogue: Epilogue,
    input_scale: f32,
    output_scale: Option<f32>,
}

impl Int8Convolution {
    /// From a `Convolution` layer: one weight scale per output channel.
    pub(super) fn dense(layer: &Layer, options: Options) -> Result<Self> {
        let params = typed::Convolution::read(layer)?;
        if params.dynamic_weight != 0 {
            return Err(Error::unsupported("int8 convolution with weights from a blob"));
        }
        let num_output = count("num_output", params.num_output)?;
        let form = Form {
            layer,
            num_output,
            slices: num_output,
            bias_term: params.bias_term != 0,
            int8_scale_term: params.int8_scale_term,
            activation: Activation::new(params.activation_type, &params.activation_params)?,
        };
        Self::new(&form, 1, ConvWindow::new(&params)?, params.pad_value, options)
    }

    /// From a `ConvolutionDepthWise` layer: one weight scale per group.
    pub(super) fn grouped(layer: &Layer, options: Options) -> Result<Self> {
        let params = typed::ConvolutionDepthWise::read(layer)?;
        if params.dynamic_weight != 0 {
            return Err(Error::unsupported("int8 convolution with weights from a blob"));
        }
        let groups = count("group", params.group)?;
        let form = Form {
            layer,
            num_output: count("num_output", params.num_output)?,
            slices: groups,
            bias_term: params.bias_term != 0,
            int8_scale_term: params.int8_scale_term,
            activation: Activation::new(params.activation_type, &params.activation_params)?,
        };
        Self::new(&form, groups, ConvWindow::depthwise(&params)?, params.pad_value, options)
    }

    fn new(form: &Form<'_>, groups: usize, window: ConvWindow, pad_value: f32, options: Options) -> Result<Self> {
        let weights = form.weights()?;
        let per_output = weights.len() / form.num_output / (window.kernel_h * window.kernel_w);
        let shape = ConvShape {
            in_channels: per_output * groups,
            out_channels: form.num_output,
            groups,
            kernel_h: window.kernel_h,
            kernel_w: window.kernel_w,
            stride_h: window.stride_h,
            stride_w: window.stride_w,
            dilation_h: window.dilation_h,
            dilation_w: window.dilation_w,
        };
        let epilogue = form.epilogue()?;
        let is_fused = options.roundings == Roundings::NcnnX86 && fuses_on_x86(&shape, form.activation);
        Ok(Self {
            packed: PackedConv::new(shape, &weights, options.isa).map_err(kernel_error)?,
            window,
            // ncnn truncates the pad value and does not scale it.
            pad_value: pad_value as i8,
            epilogue: if is_fused { epilogue.with_fused_bias() } else { epilogue },
            input_scale: form.input_scale()?,
            output_scale: form.output_scale()?,
        })
    }

    /// The integers of the input, quantized here if it is f32.
    fn quantized(&self, input: Value) -> Result<Tensor<i8>> {
        quantized(input, self.input_scale)
    }
}

/// Whether ncnn on x86 with FMA rounds `acc · scale + bias` once (see [`Roundings::NcnnX86`]).
fn fuses_on_x86(shape: &ConvShape, activation: Activation) -> bool {
    let is_special = shape.is_depthwise()
        && (shape.kernel_h, shape.kernel_w) == (3, 3)
        && (shape.dilation_h, shape.dilation_w) == (1, 1)
        && matches!((shape.stride_h, shape.stride_w), (1, 1) | (2, 2))
        && matches!(activation, Activation::None | Activation::Relu);
    shape.groups == 1 || is_special
}

impl QuantizedLayer for Int8Convolution {
    fn run(&self, inputs: Vec<Value>) -> Result<Vec<Value>> {
        let input = self.quantized(single(inputs)?)?;
        let shape = input.shape();
        let channels = self.packed.shape().in_channels;
        if shape.rank() != 3 || shape.c() != channels {
            return Err(Error::invalid(format!("expects {channels} channels of h x w, the input is {shape}")));
        }
        let place = self.window.place(shape.h(), shape.w())?;
        let padding = Padding {
            top: place.top,
            bottom: place.bottom,
            left: place.left,
            right: place.right,
            value: self.pad_value,
        };
        let out_shape = Shape::new(&[self.packed.shape().out_channels, place.out_h, place.out_w])?;
        let mut accumulators = vec![0; out_shape.volume()];
        self.packed
            .run(input.as_slice(), shape.h(), shape.w(), &padding, &mut Scratch::default(), &mut accumulators)
            .map_err(kernel_error)?;
        finish(&accumulators, out_shape, &self.epilogue, self.output_scale).map(|value| vec![value])
    }
}

/// The integers of `input`, quantized with `scale` if it is f32.
pub(super) fn quantized(input: Value, scale: f32) -> Result<Tensor<i8>> {
    match input {
        Value::I8 { tensor, .. } => Ok(tensor),
        Value::F32(tensor) => {
            let mut integers = vec![0; tensor.shape().volume()];
            quantize_slice(tensor.as_slice(), scale, &mut integers);
            Tensor::new(tensor.shape().dims(), integers)
        }
    }
}

/// Turns accumulators, channel by channel, into the output blob.
fn finish(accumulators: &[i32], shape: Shape, epilogue: &Epilogue, output_scale: Option<f32>) -> Result<Value> {
    let pixels = shape.h() * shape.w();
    let channels = accumulators.chunks_exact(pixels).enumerate();
    match output_scale {
        Some(scale) => {
            let mut integers = vec![0; accumulators.len()];
            for ((channel, sums), out) in channels.zip(integers.chunks_exact_mut(pixels)) {
                epilogue.requantize(channel, sums, scale, out);
            }
            Ok(Value::I8 { tensor: Tensor::new(shape.dims(), integers)?, scale })
        }
        None => {
            let mut floats = vec![0.0; accumulators.len()];
            for ((channel, sums), out) in channels.zip(floats.chunks_exact_mut(pixels)) {
                epilogue.dequantize(channel, sums, out);
            }
            Ok(Value::F32(Tensor::new(shape.dims(), floats)?))
        }
    }
}
