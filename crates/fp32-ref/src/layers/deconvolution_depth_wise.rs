//! `DeconvolutionDepthWise`: a transposed convolution of each group of channels by itself.

use ncnn_format::{Result, WeightRole, typed};

use super::arity::only;
use super::convolution::expect_channels;
use super::loading::{self, share};
use super::transposed_kernel::{Geometry, TransposedKernel, sizes};
use super::window::positive;
use crate::{Activation, Layer, Shape, Tensor};

pub(super) struct DeconvolutionDepthWise {
    kernel: TransposedKernel,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<DeconvolutionDepthWise> {
    let params = typed::DeconvolutionDepthWise::read(layer)?;
    loading::refuse_dynamic_weight(layer, params.dynamic_weight)?;
    let geometry = Geometry::new(&sizes!(params))?;
    let groups = positive("group", params.group)?;
    let outputs = positive("num_output", params.num_output)?;
    let weight_count = positive("weight_data_size", params.weight_data_size)?;
    share("output channels per group", outputs, groups)?;
    let per_output = share("weights per output channel", weight_count, outputs)?;
    // At most the number of weights, so the product does not overflow.
    let channels = share("input channels per group", per_output, geometry.taps()?)? * groups;
    let weights = loading::floats(layer, WeightRole::Weight, weight_count)?;
    let bias = loading::bias(layer, params.bias_term, outputs)?;
    let activation = Activation::new(params.activation_type, &params.activation_params)?;
    Ok(DeconvolutionDepthWise {
        kernel: TransposedKernel::new(geometry, groups, channels, &weights, bias, activation)?,
    })
}

impl Layer for DeconvolutionDepthWise {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        expect_channels(self.kernel.channels, input)?;
        Ok(vec![self.kernel.shape(input)?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        self.output_shapes(&[input.shape()])?;
        Ok(vec![self.kernel.run(&input)?])
    }
}

#[cfg(test)]
mod tests {
    use ncnn_format::{F32Tag, LayerKind, Weight, WeightData};

    use super::*;

    #[test]
    fn groups_do_not_mix() {
        let mut layer = ncnn_format::Layer::new(LayerKind::DeconvolutionDepthWise, "up");
        for (key, value) in [
            (typed::DeconvolutionDepthWise::NUM_OUTPUT, 2),
            (typed::DeconvolutionDepthWise::KERNEL_W, 2),
            (typed::DeconvolutionDepthWise::KERNEL_H, 1),
            (typed::DeconvolutionDepthWise::STRIDE_W, 2),
            (typed::DeconvolutionDepthWise::STRIDE_H, 1),
            (typed::DeconvolutionDepthWise::WEIGHT_DATA_SIZE, 4),
            (typed::DeconvolutionDepthWise::GROUP, 2),
        ] {
            layer.params.set(key, value);
        }
        let weights = vec![1.0, 2.0, 10.0, 20.0];
        layer.weights.push(Weight { role: WeightRole::Weight, data: WeightData::F32(weights, F32Tag::Tagged) });
        let input = Tensor::new([2, 1, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let output = build(&layer).unwrap().run(vec![input]).unwrap().remove(0);
        assert_eq!(output.as_slice(), [1.0, 2.0, 2.0, 4.0, 30.0, 60.0, 40.0, 80.0]);
    }
}
