//! `Deconvolution`: a transposed convolution, dense over channels.

use ncnn_format::{Result, WeightRole, typed};

use super::arity::only;
use super::convolution::expect_channels;
use super::loading::{self, share};
use super::transposed_kernel::{Geometry, TransposedKernel, sizes};
use super::window::positive;
use crate::{Activation, Layer, Shape, Tensor};

pub(super) struct Deconvolution {
    kernel: TransposedKernel,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Deconvolution> {
    let params = typed::Deconvolution::read(layer)?;
    loading::refuse_dynamic_weight(layer, params.dynamic_weight)?;
    let geometry = Geometry::new(&sizes!(params))?;
    let outputs = positive("num_output", params.num_output)?;
    let weight_count = positive("weight_data_size", params.weight_data_size)?;
    let per_output = share("weights per output channel", weight_count, outputs)?;
    let channels = share("input channels", per_output, geometry.taps()?)?;
    let weights = loading::floats(layer, WeightRole::Weight, weight_count)?;
    let bias = loading::bias(layer, params.bias_term, outputs)?;
    let activation = Activation::new(params.activation_type, &params.activation_params)?;
    Ok(Deconvolution { kernel: TransposedKernel::new(geometry, 1, channels, &weights, bias, activation)? })
}

impl Layer for Deconvolution {
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
    use ncnn_format::typed::ParamKey;

    fn run(params: &[(ParamKey<i32>, i32)]) -> Result<(Vec<usize>, Vec<f32>)> {
        let mut layer = ncnn_format::Layer::new(LayerKind::Deconvolution, "up");
        for &(key, value) in [
            (typed::Deconvolution::NUM_OUTPUT, 1),
            (typed::Deconvolution::KERNEL_W, 3),
            (typed::Deconvolution::KERNEL_H, 1),
            (typed::Deconvolution::STRIDE_W, 2),
            (typed::Deconvolution::WEIGHT_DATA_SIZE, 6),
        ]
        .iter()
        .chain(params)
        {
            layer.params.set(key, value);
        }
        let weights = vec![1.0, 2.0, 3.0, 10.0, 20.0, 30.0];
        layer.weights.push(Weight { role: WeightRole::Weight, data: WeightData::F32(weights, F32Tag::Tagged) });
        let input = Tensor::new([2, 1, 2], vec![1.0, 2.0, 1.0, 0.0])?;
        let output = build(&layer)?.run(vec![input])?.remove(0);
        Ok((output.shape().dims().to_vec(), output.as_slice().to_vec()))
    }

    #[test]
    fn every_input_scatters_the_kernel() {
        let (dims, values) = run(&[(typed::Deconvolution::STRIDE_H, 1)]).unwrap();
        assert_eq!((dims, values), (vec![1, 1, 5], vec![11.0, 22.0, 35.0, 4.0, 6.0]));
    }

    #[test]
    fn cuts_pads_or_down_to_a_size() {
        assert_eq!(
            run(&[
                (typed::Deconvolution::STRIDE_H, 1),
                (typed::Deconvolution::PAD_LEFT, 1),
                (typed::Deconvolution::PAD_TOP, 0),
                (typed::Deconvolution::PAD_RIGHT, 2)
            ])
            .unwrap()
            .1,
            [22.0, 35.0]
        );
        assert_eq!(
            run(&[
                (typed::Deconvolution::STRIDE_H, 1),
                (typed::Deconvolution::PAD_LEFT, -233),
                (typed::Deconvolution::OUTPUT_W, 2),
                (typed::Deconvolution::OUTPUT_H, 1)
            ])
            .unwrap()
            .1,
            [22.0, 35.0]
        );
        assert_eq!(
            run(&[
                (typed::Deconvolution::STRIDE_H, 1),
                (typed::Deconvolution::PAD_LEFT, -234),
                (typed::Deconvolution::OUTPUT_W, 2),
                (typed::Deconvolution::OUTPUT_H, 1)
            ])
            .unwrap()
            .1,
            [35.0, 4.0]
        );
        assert!(
            run(&[
                (typed::Deconvolution::STRIDE_H, 1),
                (typed::Deconvolution::OUTPUT_W, 2),
                (typed::Deconvolution::OUTPUT_H, 1)
            ])
            .is_err()
        );
    }
}
