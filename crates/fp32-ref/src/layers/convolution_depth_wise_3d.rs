//! `ConvolutionDepthWise3D`: a convolution over volumes, group by group.

use ncnn_format::{Result, typed};

use super::convolution_3d::{Convolution3D, volume_axes};
use super::grid_axis::{AxisPad, GridAxis};
use super::grid_kernel::{GridKernel, GridParams, grid_params};

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Convolution3D> {
    let params = typed::ConvolutionDepthWise3D::read(layer)?;
    let axes = volume_axes!(params);
    let others = grid_params!(params, params.group, 0);
    Ok(Convolution3D(GridKernel::build(layer, axes, &others)?))
}
