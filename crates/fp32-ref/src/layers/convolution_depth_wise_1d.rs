//! `ConvolutionDepthWise1D`: a convolution along rows, group by group.

use ncnn_format::{Result, typed};

use super::arity::only;
use super::grid_axis::{AxisPad, GridAxis};
use super::grid_kernel::{GridKernel, GridParams};
use super::convolution_1d;
use crate::{Layer, Shape, Tensor};

pub(super) struct ConvolutionDepthWise1D(GridKernel);

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<ConvolutionDepthWise1D> {
    let params = typed::ConvolutionDepthWise1D::read(layer)?;
    let [pad] = AxisPad::all([(params.pad_left, params.pad_right)])?;
    let along = GridAxis::new("w", [params.kernel_w, params.stride_w, params.dilation_w], pad)?;
    let axes = [GridAxis::SINGLE, GridAxis::SINGLE, along];
    let others = GridParams {
        num_output: params.num_output,
        group: params.group,
        weight_data_size: params.weight_data_size,
        bias_term: params.bias_term,
        dynamic_weight: params.dynamic_weight,
        pad_value: params.pad_value,
        activation_type: params.activation_type,
        activation_params: &params.activation_params,
    };
    Ok(ConvolutionDepthWise1D(GridKernel::build(layer, axes, &others)?))
}

impl Layer for ConvolutionDepthWise1D {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![convolution_1d::shape(&self.0, only(inputs.iter().copied())?)?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let output = convolution_1d::shape(&self.0, input.shape())?;
        Ok(vec![self.0.run(&input, [1, 1, input.shape().w()], output)?])
    }
}
