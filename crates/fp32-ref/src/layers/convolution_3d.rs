//! `Convolution3D`: a convolution over volumes.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::grid_axis::{AxisPad, GridAxis};
use super::grid_kernel::{GridKernel, GridParams, grid_params};
use crate::{Layer, Shape, Tensor};

/// The axes of a kernel with a depth.
macro_rules! volume_axes {
    ($params:expr) => {{
        let params = &$params;
        let [depth, rows, columns] = AxisPad::all([
            (params.pad_front, params.pad_behind),
            (params.pad_top, params.pad_bottom),
            (params.pad_left, params.pad_right),
        ])?;
        // ncnn puts the remainder along the depth after the end in both modes.
        let depth = if depth == AxisPad::SameLower { AxisPad::SameUpper } else { depth };
        [
            GridAxis::new("d", [params.kernel_d, params.stride_d, params.dilation_d], depth)?,
            GridAxis::new("h", [params.kernel_h, params.stride_h, params.dilation_h], rows)?,
            GridAxis::new("w", [params.kernel_w, params.stride_w, params.dilation_w], columns)?,
        ]
    }};
}
pub(super) use volume_axes;

/// Dense or by groups.
pub(super) struct Convolution3D(pub(super) GridKernel);

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Convolution3D> {
    let params = typed::Convolution3D::read(layer)?;
    let axes = volume_axes!(params);
    let others = grid_params!(params, 1, 0);
    Ok(Convolution3D(GridKernel::build(layer, axes, &others)?))
}

impl Layer for Convolution3D {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![shape(&self.0, only(inputs.iter().copied())?)?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let output = shape(&self.0, input.shape())?;
        Ok(vec![self.0.run(&input, [input.shape().d(), input.shape().h(), input.shape().w()], output)?])
    }
}

/// The shape of the output for channels of volumes. ncnn takes images too, but then pads no depth.
fn shape(kernel: &GridKernel, input: Shape) -> Result<Shape> {
    if input.rank() != 4 {
        return Err(Error::invalid(format!("expects channels of volumes, the input is {input}")));
    }
    Shape::new(&kernel.sizes(input.c(), [input.d(), input.h(), input.w()])?)
}
