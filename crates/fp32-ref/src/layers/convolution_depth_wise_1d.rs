//! `ConvolutionDepthWise1D`: a convolution along rows, group by group.

use ncnn_format::{Result, typed};

use super::convolution_1d::{Convolution1D, row_axes};
use super::grid_axis::{AxisPad, GridAxis};
use super::grid_kernel::{GridKernel, GridParams, grid_params};

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Convolution1D> {
    let params = typed::ConvolutionDepthWise1D::read(layer)?;
    let axes = row_axes!(params);
    let others = grid_params!(params, params.group, params.dynamic_weight);
    Ok(Convolution1D(GridKernel::build(layer, axes, &others)?))
}
