//! `Convolution1D`: a convolution along the rows of a matrix, one row per channel.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::grid_axis::{AxisPad, GridAxis};
use super::grid_kernel::{GridKernel, GridParams, grid_params};
use crate::{Layer, Shape, Tensor};

/// The axes of a kernel along rows.
macro_rules! row_axes {
    ($params:expr) => {{
        let params = &$params;
        let [pad] = AxisPad::all([(params.pad_left, params.pad_right)])?;
        let along = GridAxis::new("w", [params.kernel_w, params.stride_w, params.dilation_w], pad)?;
        [GridAxis::SINGLE, GridAxis::SINGLE, along]
    }};
}
pub(super) use row_axes;

/// Dense or by groups.
pub(super) struct Convolution1D(pub(super) GridKernel);

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Convolution1D> {
    let params = typed::Convolution1D::read(layer)?;
    let axes = row_axes!(params);
    let others = grid_params!(params, 1, params.dynamic_weight);
    Ok(Convolution1D(GridKernel::build(layer, axes, &others)?))
}

impl Layer for Convolution1D {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![shape(&self.0, only(inputs.iter().copied())?)?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let output = shape(&self.0, input.shape())?;
        Ok(vec![self.0.run(&input, [1, 1, input.shape().w()], output)?])
    }
}

/// The shape of the output for a matrix with one channel per row.
fn shape(kernel: &GridKernel, input: Shape) -> Result<Shape> {
    if input.rank() > 2 {
        return Err(Error::invalid(format!("expects a matrix, the input is {input}")));
    }
    let [channels, _, _, w] = kernel.sizes(input.h(), [1, 1, input.w()])?;
    Shape::new(&[channels, w])
}
