//! What a layer is to the executor.

use ncnn_format::Result;

use crate::{Shape, Tensor};

/// A layer with its parameters checked and its weights ready.
pub trait Layer: Send + Sync {
    /// The shapes of the outputs for inputs of the given shapes.
    ///
    /// # Errors
    /// `Invalid` when the layer cannot work on such inputs; `Unsupported` when
    /// the answer depends on values, not shapes.
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>>;

    /// Computes the outputs. Inputs are handed over: one that nobody else holds
    /// may be overwritten in place.
    ///
    /// # Errors
    /// As [`Layer::output_shapes`].
    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>>;

    /// The same on int8 values; `None` when the layer computes, which only floats allow.
    ///
    /// A layer that merely moves values gives each output the values of its inputs
    /// unchanged, so they keep the inputs' scale.
    fn run_i8(&self, inputs: Vec<Tensor<i8>>) -> Option<Result<Vec<Tensor<i8>>>> {
        let _ = inputs;
        None
    }
}

pub use crate::layers::build;
