//! Layers that move values without computing.

use ncnn_format::Result;

use crate::{Layer, Shape, Tensor};

/// What can be moved: f32 and int8.
pub(super) trait Element: Copy + Default + Send + Sync + 'static {
    /// The element for a constant in a file.
    fn constant(value: f32) -> Self;
}

impl Element for f32 {
    fn constant(value: f32) -> Self {
        value
    }
}

impl Element for i8 {
    fn constant(value: f32) -> Self {
        value as i8
    }
}

/// A layer that works alike on elements of any type.
pub(super) trait PassThrough: Send + Sync {
    /// The shapes of the outputs, or why the inputs do not do.
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>>;

    /// The outputs, of the shapes that [`PassThrough::shapes`] gave.
    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>>;
}

/// A [`PassThrough`] as a [`Layer`].
pub(super) struct Passing<P>(pub(super) P);

impl<P: PassThrough> Passing<P> {
    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>) -> Result<Vec<Tensor<T>>> {
        let shapes: Vec<Shape> = inputs.iter().map(Tensor::shape).collect();
        self.0.pass(inputs, &self.0.shapes(&shapes)?)
    }
}

impl<P: PassThrough> Layer for Passing<P> {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        self.0.shapes(inputs)
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        self.pass(inputs)
    }

    fn run_i8(&self, inputs: Vec<Tensor<i8>>) -> Option<Result<Vec<Tensor<i8>>>> {
        Some(self.pass(inputs))
    }
}

/// The first input under the shape of the only output.
pub(super) fn reshape_first<T: Element>(inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>> {
    inputs.into_iter().zip(outputs).take(1).map(|(input, &shape)| input.reshaped(shape)).collect()
}
