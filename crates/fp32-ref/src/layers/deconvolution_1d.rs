//! `Deconvolution1D`: a transposed convolution along the rows of a matrix, one row per channel.

use ncnn_format::{Error, Result, WeightRole, typed};

use super::arity::only;
use super::convolution::expect_channels;
use super::loading::{self, share};
use super::transposed_kernel::{Geometry, Sizes, TransposedKernel};
use super::window::positive;
use crate::{Activation, Layer, Shape, Tensor};

/// The matrix is an image of one row to the kernel.
pub(super) struct Deconvolution1D {
    kernel: TransposedKernel,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Deconvolution1D> {
    let params = typed::Deconvolution1D::read(layer)?;
    loading::refuse_dynamic_weight(layer, params.dynamic_weight)?;
    let geometry = Geometry::new(&Sizes {
        kernel: (1, params.kernel_w),
        stride: (1, params.stride_w),
        dilation: (1, params.dilation_w),
        pads: [0, 0, params.pad_left, params.pad_right],
        output_pad: (0, params.output_pad_right),
        output: (params.output_w.clamp(0, 1), params.output_w),
    })?;
    let outputs = positive("num_output", params.num_output)?;
    let weight_count = positive("weight_data_size", params.weight_data_size)?;
    let per_output = share("weights per output channel", weight_count, outputs)?;
    let channels = share("input channels", per_output, geometry.taps()?)?;
    let weights = loading::floats(layer, WeightRole::Weight, weight_count)?;
    let bias = loading::bias(layer, params.bias_term, outputs)?;
    let activation = Activation::new(params.activation_type, &params.activation_params)?;
    Ok(Deconvolution1D { kernel: TransposedKernel::new(geometry, 1, channels, &weights, bias, activation)? })
}

impl Deconvolution1D {
    /// The matrix as the image that the kernel works on, and the image that it makes.
    fn images(&self, input: Shape) -> Result<(Shape, Shape)> {
        if input.rank() > 2 {
            return Err(Error::invalid(format!("expects a matrix, the input is {input}")));
        }
        let image = Shape::new(&[input.h(), 1, input.w()])?;
        expect_channels(self.kernel.channels, image)?;
        Ok((image, self.kernel.shape(image)?))
    }
}

impl Layer for Deconvolution1D {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let (_, output) = self.images(only(inputs.iter().copied())?)?;
        Ok(vec![Shape::new(&[output.c(), output.w()])?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let (image, output) = self.images(input.shape())?;
        let made = self.kernel.run(&input.reshaped(image)?)?;
        Ok(vec![made.reshaped(Shape::new(&[output.c(), output.w()])?)?])
    }
}

#[cfg(test)]
mod tests {
    use ncnn_format::typed::{Deconvolution1D as Params, ParamKey};
    use ncnn_format::{ErrorKind, LayerKind};

    use super::*;

    /// Two channels to one output with a kernel of three taps and stride 2.
    fn layer(params: &[(ParamKey<i32>, i32)]) -> ncnn_format::Layer {
        let mut layer = ncnn_format::Layer::new(LayerKind::Deconvolution1D, "up")
            .with(Params::NUM_OUTPUT, 1)
            .with(Params::KERNEL_W, 3)
            .with(Params::STRIDE_W, 2)
            .with(Params::WEIGHT_DATA_SIZE, 6);
        params.iter().for_each(|&(key, value)| layer.params.set(key, value));
        layer.with_weight(WeightRole::Weight, vec![1.0, 2.0, 3.0, 10.0, 20.0, 30.0])
    }

    fn run(params: &[(ParamKey<i32>, i32)]) -> Result<(Vec<usize>, Vec<f32>)> {
        let built = build(&layer(params))?;
        let input = Tensor::new([2, 2], vec![1.0, 2.0, 1.0, 0.0])?;
        let shape = built.output_shapes(&[input.shape()])?.remove(0);
        let output = built.run(vec![input])?.remove(0);
        assert_eq!(output.shape(), shape);
        Ok((output.shape().dims().to_vec(), output.as_slice().to_vec()))
    }

    #[test]
    fn every_input_scatters_the_kernel_along_its_row() {
        assert_eq!(run(&[]).unwrap(), (vec![1, 5], vec![11.0, 22.0, 35.0, 4.0, 6.0]));
        let spread = run(&[(Params::DILATION_W, 2), (Params::OUTPUT_PAD_RIGHT, 1)]).unwrap();
        assert_eq!(spread, (vec![1, 8], vec![11.0, 0.0, 24.0, 0.0, 37.0, 0.0, 6.0, 0.0]));
    }

    #[test]
    fn cuts_pads_or_down_to_a_width() {
        let cut = |pad, width| run(&[(Params::PAD_LEFT, pad), (Params::OUTPUT_W, width)]).map(|(_, values)| values);
        assert_eq!(run(&[(Params::PAD_LEFT, 1), (Params::PAD_RIGHT, 2)]).unwrap().1, [22.0, 35.0]);
        assert_eq!(cut(-233, 2).unwrap(), [22.0, 35.0]);
        assert_eq!(cut(-234, 2).unwrap(), [35.0, 4.0]);
        assert!(cut(-233, 6).is_err());
        assert!(cut(0, 2).is_err(), "no pad says where to cut");
    }

    #[test]
    fn bias_and_activation_come_last() {
        let layer = layer(&[(Params::BIAS_TERM, 1), (Params::ACTIVATION_TYPE, 3)])
            .with(Params::ACTIVATION_PARAMS, vec![0.0, 30.0])
            .with_weight(WeightRole::Bias, vec![-10.0]);
        let input = Tensor::new([2, 1], vec![1.0, 1.0]).unwrap();
        let output = build(&layer).unwrap().run(vec![input]).unwrap().remove(0);
        assert_eq!(output.as_slice(), [1.0, 12.0, 23.0]);
    }

    #[test]
    fn agrees_with_the_deconvolution_of_images_of_one_row() {
        let one_row = typed::Deconvolution::KERNEL_H;
        let mut image = layer(&[(Params::PAD_LEFT, 0)]);
        image.kind = LayerKind::Deconvolution;
        image.params.set(one_row, 1);
        let (_, values) = run(&[]).unwrap();
        let input = Tensor::new([2, 1, 2], vec![1.0, 2.0, 1.0, 0.0]).unwrap();
        let output = super::super::deconvolution::build(&image).unwrap().run(vec![input]).unwrap().remove(0);
        assert_eq!(output.as_slice(), values);
    }

    #[test]
    fn refuses_images_other_channels_and_weights_from_blobs() {
        let built = build(&layer(&[])).unwrap();
        for dims in [&[2, 1, 4][..], &[3, 4], &[4]] {
            let error = built.output_shapes(&[Shape::new(dims).unwrap()]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid, "{dims:?}: {error}");
        }
        assert!(build(&layer(&[(Params::DYNAMIC_WEIGHT, 1)])).is_err());
        for (key, value) in [(Params::KERNEL_W, 0), (Params::STRIDE_W, 0), (Params::NUM_OUTPUT, 4)] {
            assert!(build(&layer(&[(key, value)])).is_err(), "{key:?}");
        }
    }
}
