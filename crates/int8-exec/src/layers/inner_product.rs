//! InnerProduct on integers.

use fp32_ref::{Activation, Tensor};
use int8_kernels::{ConvShape, Epilogue, PackedConv, Padding, Scratch};
use ncnn_format::{Error, Layer, Result, typed};

use super::convolution::quantized;
use super::weights::{Form, count};
use super::{QuantizedLayer, kernel_error, single};
use crate::{Options, Value};

/// A matrix with int8 weights; the output is always f32.
pub(super) struct Int8InnerProduct {
    num_input: usize,
    num_output: usize,
    // An inner product is a 1×1 convolution of one pixel.
    packed: PackedConv,
    epilogue: Epilogue,
    input_scale: f32,
}

impl Int8InnerProduct {
    pub(super) fn new(layer: &Layer, options: Options) -> Result<Self> {
        let params = typed::InnerProduct::read(layer)?;
        let num_output = count("num_output", params.num_output)?;
        let form = Form {
            layer,
            num_output,
            slices: num_output,
            bias_term: params.bias_term != 0,
            int8_scale_term: params.int8_scale_term,
            activation: Activation::new(params.activation_type, &params.activation_params)?,
        };
        let weights = form.weights()?;
        let num_input = weights.len() / num_output;
        let shape = ConvShape {
            in_channels: num_input,
            out_channels: num_output,
            groups: 1,
            kernel_h: 1,
            kernel_w: 1,
            stride_h: 1,
            stride_w: 1,
            dilation_h: 1,
            dilation_w: 1,
        };
        Ok(Self {
            num_input,
            num_output,
            packed: PackedConv::new(shape, &weights, options.isa).map_err(kernel_error)?,
            epilogue: form.epilogue()?,
            input_scale: form.input_scale()?,
        })
    }

    /// One row of inputs to one row of outputs.
    fn row(&self, input: &[i8], scratch: &mut Scratch, accumulators: &mut [i32], out: &mut [f32]) -> Result<()> {
        let padding = Padding { top: 0, bottom: 0, left: 0, right: 0, value: 0 };
        self.packed.run(input, 1, 1, &padding, scratch, accumulators).map_err(kernel_error)?;
        for (channel, (sum, value)) in accumulators.iter().zip(out).enumerate() {
            self.epilogue.dequantize(channel, std::slice::from_ref(sum), std::slice::from_mut(value));
        }
        Ok(())
    }
}

impl QuantizedLayer for Int8InnerProduct {
    fn run(&self, inputs: Vec<Value>) -> Result<Vec<Value>> {
        let input = quantized(single(inputs)?, self.input_scale)?;
        let shape = input.shape();
        // A 2-D input whose rows have the right length is a batch of rows.
        let rows = if shape.rank() == 2 && shape.w() == self.num_input { shape.h() } else { 1 };
        if shape.volume() != rows * self.num_input {
            return Err(Error::invalid(format!("expects {} values, the input is {shape}", self.num_input)));
        }
        let mut floats = vec![0.0; rows * self.num_output];
        let (mut scratch, mut accumulators) = (Scratch::default(), vec![0; self.num_output]);
        for (row, out) in input.as_slice().chunks_exact(self.num_input).zip(floats.chunks_exact_mut(self.num_output)) {
            self.row(row, &mut scratch, &mut accumulators, out)?;
        }
        let dims = if shape.rank() == 2 && shape.w() == self.num_input {
            vec![rows, self.num_output]
        } else {
            vec![self.num_output]
        };
        Ok(vec![Value::F32(Tensor::new(dims, floats)?)])
    }
}
