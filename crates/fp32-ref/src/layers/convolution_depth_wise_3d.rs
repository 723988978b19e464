//! `ConvolutionDepthWise3D`: a convolution over volumes, group by group.

use ncnn_format::{Result, typed};

use super::arity::only;
use super::grid_axis::{AxisPad, GridAxis};
use super::grid_kernel::{GridKernel, GridParams};
use super::convolution_3d::{self, volume_axes};
use crate::{Layer, Shape, Tensor};

pub(super) struct ConvolutionDepthWise3D(GridKernel);

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<ConvolutionDepthWise3D> {
    let params = typed::ConvolutionDepthWise3D::read(layer)?;
    let axes = volume_axes!(params);
    let others = GridParams {
        num_output: params.num_output,
        group: params.group,
        weight_data_size: params.weight_data_size,
        bias_term: params.bias_term,
        dynamic_weight: 0,
        pad_value: params.pad_value,
        activation_type: params.activation_type,
        activation_params: &params.activation_params,
    };
    Ok(ConvolutionDepthWise3D(GridKernel::build(layer, axes, &others)?))
}

impl Layer for ConvolutionDepthWise3D {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![convolution_3d::shape(&self.0, only(inputs.iter().copied())?)?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let output = convolution_3d::shape(&self.0, input.shape())?;
        Ok(vec![self.0.run(&input, [input.shape().d(), input.shape().h(), input.shape().w()], output)?])
    }
}
