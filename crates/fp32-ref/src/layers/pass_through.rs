//! Layers that move values without computing.

use ncnn_format::{Error, Result};

use crate::{Layer, Order, Pixels, Shape, Tensor, Value, Workspace};

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

    /// [`PassThrough::pass`] with memory from `workspace`, for those that make new values.
    fn pass_in(&self, workspace: &mut Workspace, inputs: Vec<Tensor>, outputs: &[Shape]) -> Result<Vec<Tensor>> {
        let _ = workspace;
        self.pass(inputs, outputs)
    }

    /// The layer that does to images of the shape `[h, w, c]` what this one does to those of
    /// `[c, h, w]`, if there is one.
    fn for_pixels(&self) -> Option<Self>
    where
        Self: Sized,
    {
        None
    }
}

/// The axis of `[h, w, c]` that `axis` is in `[c, h, w]`; what is no axis stays none.
pub(super) fn axis_of_pixels(axis: i32) -> i32 {
    match axis {
        0 | -3 => 2,
        1 | -2 => 0,
        2 | -1 => 1,
        other => other,
    }
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

    fn order(&self, inputs: &[Shape]) -> Order {
        if self.0.for_pixels().is_some() { Order::either_for_images(inputs) } else { Order::Planar }
    }

    fn run_pixels(&self, inputs: Vec<Pixels>, workspace: &mut Workspace) -> Result<Vec<Value>> {
        let Some(turned) = self.0.for_pixels() else {
            return Err(Error::unsupported("this layer works on planes only"));
        };
        // Refused as ncnn writes shapes, if it is refused.
        self.0.shapes(&inputs.iter().map(Pixels::shape).collect::<Vec<_>>())?;
        let tensors: Vec<Tensor> = inputs.into_iter().map(Pixels::into_interleaved).collect();
        let shapes = turned.shapes(&tensors.iter().map(Tensor::shape).collect::<Vec<_>>())?;
        let outputs = turned.pass_in(workspace, tensors, &shapes)?;
        Ok(outputs.into_iter().map(|tensor| Value::Pixels(Pixels::from_interleaved(tensor))).collect())
    }

    fn run_i8(&self, inputs: Vec<Tensor<i8>>) -> Option<Result<Vec<Tensor<i8>>>> {
        Some(self.pass(inputs))
    }
}

/// The first input under the shape of the only output.
pub(super) fn reshape_first<T: Element>(inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>> {
    inputs.into_iter().zip(outputs).take(1).map(|(input, &shape)| input.reshaped(shape)).collect()
}
