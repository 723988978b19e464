//! `ConvolutionDepthWise1D`: a convolution along rows, group by group.

use ncnn_format::{Result, WeightRole, typed};

use super::arity::only;
use super::kernel_1d::{Kernel1d, taps};
use super::loading;
use super::window::positive;
use crate::{Activation, Layer, Shape, Tensor};

pub(super) struct ConvolutionDepthWise1D {
    kernel: Kernel1d,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<ConvolutionDepthWise1D> {
    let params = typed::ConvolutionDepthWise1D::read(layer)?;
    loading::refuse_dynamic_weight(layer, params.dynamic_weight)?;
    let taps = taps!(params);
    let outputs = positive("num_output", params.num_output)?;
    let groups = positive("group", params.group)?;
    let channels = Kernel1d::channels_per_group(params.weight_data_size, outputs, groups, taps.kernel)?;
    Ok(ConvolutionDepthWise1D {
        kernel: Kernel1d {
            taps,
            groups,
            weights: loading::floats(layer, WeightRole::Weight, outputs * channels * taps.kernel)?,
            bias: loading::bias(layer, params.bias_term, outputs)?,
            pad_value: params.pad_value,
            activation: Activation::new(params.activation_type, &params.activation_params)?,
        },
    })
}

impl Layer for ConvolutionDepthWise1D {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![self.kernel.shape(only(inputs.iter().copied())?)?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        Ok(vec![self.kernel.run(&only(inputs)?)?])
    }
}
