//! What a layer is to the executor.

use ncnn_format::{Error, Result};

use crate::{Pixels, Shape, Tensor, Value, Workspace};

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

    /// The order of values that the layer works on, for inputs of the given shapes.
    ///
    /// Only for images and vectors; a vector is one pixel.
    fn order(&self, inputs: &[Shape]) -> Order {
        let _ = inputs;
        Order::Planar
    }

    /// Computes the outputs from channels-last inputs; only called when
    /// [`Layer::order`] allows it.
    ///
    /// # Errors
    /// As [`Layer::output_shapes`].
    fn run_pixels(&self, inputs: Vec<Pixels>, workspace: &mut Workspace) -> Result<Vec<Value>> {
        let _ = (inputs, workspace);
        Err(Error::unsupported("this layer does not work on channels-last values"))
    }

    /// The same on int8 values; `None` when the layer computes, which only floats allow.
    ///
    /// A layer that merely moves values gives each output the values of its inputs
    /// unchanged, so they keep the inputs' scale.
    fn run_i8(&self, inputs: Vec<Tensor<i8>>) -> Option<Result<Vec<Tensor<i8>>>> {
        let _ = inputs;
        None
    }
}

/// How layers are prepared where there is a choice.
///
/// ```
/// use fp32_ref::BuildOptions;
///
/// let plain_sums = BuildOptions::default().with_winograd(false);
/// assert!(BuildOptions::default().winograd && !plain_sums.winograd);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildOptions {
    /// Winograd's algorithm for 3×3 convolutions, where there are enough channels: faster, but
    /// results differ from the plain sums by about 1e-5 of the largest value. On by default.
    pub winograd: bool,
}

impl Default for BuildOptions {
    fn default() -> Self {
        Self { winograd: true }
    }
}

impl BuildOptions {
    /// The same with [`BuildOptions::winograd`] set.
    #[must_use]
    pub fn with_winograd(mut self, on: bool) -> Self {
        self.winograd = on;
        self
    }
}

/// The order of values that a layer works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// ncnn's: channel by channel.
    Planar,
    /// Whichever the inputs have; channels-last when they differ.
    Either,
    /// Channels-last: turning the inputs first pays.
    Pixels,
}

impl Order {
    /// For a layer that wants images pixel by pixel.
    pub(crate) fn pixels_of_images(inputs: &[Shape]) -> Self {
        if inputs.iter().all(|input| input.rank() == 3) { Self::Pixels } else { Self::Planar }
    }

    /// For a layer that takes images as they are.
    pub(crate) fn either_for_images(inputs: &[Shape]) -> Self {
        if inputs.iter().all(|input| input.rank() == 3) { Self::Either } else { Self::Planar }
    }
}
