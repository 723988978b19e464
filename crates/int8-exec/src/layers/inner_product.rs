//! InnerProduct on integers.

use fp32_ref::Shape;
use ncnn_format::{Error, Layer, LinearLayer, Result};

use super::parts::Parts;
use super::weights::Form;
use crate::Options;

/// A matrix with int8 weights; the output is always f32.
pub(crate) struct Int8InnerProduct {
    pub(super) num_input: usize,
    num_output: usize,
    // An inner product is a 1×1 convolution of one pixel.
    pub(super) parts: Parts,
    pub(super) input_scale: f32,
}

impl Int8InnerProduct {
    pub(super) fn new(layer: &Layer, linear: &LinearLayer, options: &Options) -> Result<Self> {
        let (form, num_output) = (Form::of(layer, linear)?, linear.outputs);
        let weights = form.weights()?;
        let num_input = weights.len() / num_output;
        Ok(Self {
            num_input,
            num_output,
            parts: Parts::pointwise(num_input, &weights, options.isa, |channels| form.epilogue_of(channels))?,
            input_scale: form.input_scale()?,
        })
    }

    /// Whether an input of `shape` is a batch: rows of the right length.
    pub(super) fn takes_rows(&self, shape: Shape) -> bool {
        shape.rank() == 2 && shape.w() == self.num_input
    }

    /// The shape of the output for an input of `shape`.
    ///
    /// # Errors
    /// `Invalid` if the input has another number of values.
    pub(super) fn output_shape(&self, shape: Shape) -> Result<Shape> {
        if self.takes_rows(shape) {
            return Shape::new(&[shape.h(), self.num_output]);
        }
        if shape.volume() != self.num_input {
            return Err(Error::invalid(format!("expects {} values, the input is {shape}", self.num_input)));
        }
        Shape::new(&[self.num_output])
    }
}
