//! An int8 layer run by itself, on blobs in ncnn's order.

use fp32_ref::{Shape, Tensor};
use int8_kernels::{Image, PixelScratch, Place, Run, Sink, quantize, stored, unstored};
use ncnn_format::{Error, Result};

use super::parts::Parts;
use super::prepared::{Input, Prepared};
use crate::Value;
use crate::grid::Grid;

impl Prepared {
    /// What an int8 layer makes of its only input.
    ///
    /// # Errors
    /// `Malformed` for another number of inputs, `Invalid` if it cannot work on the shape.
    pub(crate) fn run_alone(&self, inputs: Vec<Value>) -> Result<Vec<Value>> {
        let found = inputs.len();
        let Some(parts) = self.parts() else { return Err(Error::unsupported("this layer computes on floats")) };
        let Some(input) = inputs.into_iter().next().filter(|_| found == 1) else {
            return Err(Error::malformed(format!("takes one input, found {found}")));
        };
        let shape = input.shape();
        let output = self.output_shape(shape)?;
        let grid = match self.input(shape) {
            Input::Image => Grid::of(shape),
            Input::Rows(grid) => grid,
            Input::Flat => Grid::flat(shape),
        };
        let bytes = to_pixels(&self.integers(input)?, grid, shape.rank());
        let image = Image::new(&bytes, grid.height, grid.width, grid.channels, grid.channels)?;
        let to = Grid::of(output);
        let run = Run { input: image, padding: self.padding(shape)?, rows: 0..to.height, residual: None };
        finish(parts, &run, output, self.output_scale()).map(|value| vec![value])
    }

    /// The integers of `input`, quantized if it is f32.
    fn integers(&self, input: Value) -> Result<Vec<i8>> {
        let scale = self.input_scale();
        Ok(match input {
            Value::I8 { tensor, .. } => tensor.as_slice().to_vec(),
            Value::F32(tensor) => tensor.as_slice().iter().map(|&x| quantize(x, scale)).collect(),
        })
    }
}

/// Runs all parts of a layer into one blob of `shape`.
fn finish(parts: &Parts, run: &Run<'_>, shape: Shape, output_scale: Option<f32>) -> Result<Value> {
    let grid = Grid::of(shape);
    let (place, mut scratch) = (Place::whole(grid.channels), PixelScratch::default());
    match output_scale {
        Some(scale) => {
            let mut bytes = vec![0; shape.volume()];
            let sink = Sink::I8 { bytes: &mut bytes, place, scale };
            parts.run(0..parts.count(), run, &mut [sink], &mut scratch)?;
            let integers = to_planar(&bytes, grid, shape.rank(), unstored);
            Ok(Value::I8 { tensor: Tensor::new(shape.dims(), integers)?, scale })
        }
        None => {
            let mut values = vec![0.0; shape.volume()];
            let sink = Sink::F32 { values: &mut values, place };
            parts.run(0..parts.count(), run, &mut [sink], &mut scratch)?;
            let floats = to_planar(&values, grid, shape.rank(), |value| value);
            Ok(Value::F32(Tensor::new(shape.dims(), floats)?))
        }
    }
}

/// Stored bytes, pixel by pixel, of integers in ncnn's order.
fn to_pixels(integers: &[i8], grid: Grid, rank: usize) -> Vec<u8> {
    let mut bytes = vec![0; integers.len()];
    for (position, &integer) in integers.iter().enumerate() {
        let (pixel, channel) = grid.place(rank, position);
        bytes[pixel * grid.channels + channel] = stored(integer);
    }
    bytes
}

/// Values in ncnn's order of values pixel by pixel.
fn to_planar<T: Copy, U>(values: &[T], grid: Grid, rank: usize, turn: impl Fn(T) -> U) -> Vec<U> {
    (0..values.len())
        .map(|position| {
            let (pixel, channel) = grid.place(rank, position);
            turn(values[pixel * grid.channels + channel])
        })
        .collect()
}
