//! `ConvolutionDepthWise`: a 2-D convolution of each group of channels by itself.

use ncnn_format::{Result, WeightRole, typed};

use super::arity::only;
use super::convolution::{expect_channels, image_to_image, run_as_pixels};
use super::dense_kernel::DenseKernel;
use super::depth_wise_kernel::DepthWiseKernel;
use super::loading::{self, share};
use super::window::{ConvWindow, positive};
use crate::{Activation, Layer, Order, Pixels, Shape, Tensor, Value, Workspace};

pub(super) struct ConvolutionDepthWise {
    window: ConvWindow,
    channels: usize,
    outputs: usize,
    kernel: Kernel,
}

enum Kernel {
    /// One channel in and one out per group.
    Single(DepthWiseKernel),
    /// A matrix per group.
    Dense(DenseKernel),
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<ConvolutionDepthWise> {
    let params = typed::ConvolutionDepthWise::read(layer)?;
    loading::refuse_int8(layer, params.int8_scale_term)?;
    loading::refuse_dynamic_weight(layer, params.dynamic_weight)?;
    let window = ConvWindow::of(&loading::linear(layer)?)?;
    let groups = positive("group", params.group)?;
    let outputs = positive("num_output", params.num_output)?;
    let weight_count = positive("weight_data_size", params.weight_data_size)?;
    let group_outputs = share("output channels per group", outputs, groups)?;
    let per_output = share("weights per output channel", weight_count, outputs)?;
    let group_channels = share("input channels per group", per_output, window.taps()?)?;
    let weights = loading::floats(layer, WeightRole::Weight, weight_count)?;
    let bias = loading::bias(layer, params.bias_term, outputs)?;
    let activation = Activation::new(params.activation_type, &params.activation_params)?;
    let pad_value = params.pad_value;
    let kernel = if (group_channels, group_outputs) == (1, 1) {
        Kernel::Single(DepthWiseKernel::new(window, &weights, bias, pad_value, activation))
    } else {
        Kernel::Dense(DenseKernel::new(window, weights, bias, groups, pad_value, activation, false)?)
    };
    // At most the number of weights, so it does not overflow.
    Ok(ConvolutionDepthWise { window, channels: group_channels * groups, outputs, kernel })
}

impl Layer for ConvolutionDepthWise {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        expect_channels(self.channels, input)?;
        let placement = self.window.place(input.h(), input.w())?;
        Ok(vec![Shape::new(&[self.outputs, placement.out_h, placement.out_w])?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        run_as_pixels(self, only(inputs)?)
    }

    fn order(&self, inputs: &[Shape]) -> Order {
        Order::pixels_of_images(inputs)
    }

    fn run_pixels(&self, inputs: Vec<Pixels>, workspace: &mut Workspace) -> Result<Vec<Value>> {
        let input = only(inputs)?;
        let placement = self.window.place(input.shape().h(), input.shape().w())?;
        let output = image_to_image(self, input, workspace, |image, output, workspace| {
            match &self.kernel {
                Kernel::Single(kernel) => kernel.apply(image, placement, output),
                Kernel::Dense(kernel) => kernel.apply(image, placement, output, workspace)?,
            }
            Ok(())
        })?;
        Ok(vec![Value::Pixels(output)])
    }
}
