//! `Convolution`: 2-D, dense over channels.

use ncnn_format::{Error, Result, WeightRole, typed};

use super::arity::only;
use super::dense_kernel::DenseKernel;
use super::inner_product::InnerProduct;
use super::loading::{self, share};
use super::pixel_windows::Image;
use super::window::{ConvWindow, positive};
use crate::{Activation, BuildOptions, Layer, Order, Pixels, Shape, Tensor, Value, Workspace};

pub(super) struct Convolution {
    window: ConvWindow,
    channels: usize,
    outputs: usize,
    kernel: DenseKernel,
    /// What a 1 x 1 convolution does to a 1-D blob.
    of_vectors: Option<InnerProduct>,
}

pub(super) fn build(layer: &ncnn_format::Layer, options: BuildOptions) -> Result<Convolution> {
    let params = typed::Convolution::read(layer)?;
    loading::refuse_int8(layer, params.int8_scale_term)?;
    loading::refuse_dynamic_weight(layer, params.dynamic_weight)?;
    let window = ConvWindow::of(&loading::linear(layer)?)?;
    let outputs = positive("num_output", params.num_output)?;
    let weight_count = positive("weight_data_size", params.weight_data_size)?;
    let per_output = share("weights per output channel", weight_count, outputs)?;
    let channels = share("input channels", per_output, window.taps()?)?;
    let weights = loading::floats(layer, WeightRole::Weight, weight_count)?;
    let bias = loading::bias(layer, params.bias_term, outputs)?;
    let activation = Activation::new(params.activation_type, &params.activation_params)?;
    let of_vectors = ((window.kernel_h, window.kernel_w) == (1, 1))
        .then(|| InnerProduct::new(&weights, bias.clone(), activation))
        .transpose()?;
    let kernel = DenseKernel::new(window, weights, bias, 1, params.pad_value, activation, options.winograd)?;
    Ok(Convolution { window, channels, outputs, kernel, of_vectors })
}

impl Layer for Convolution {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if let Some(inner_product) = self.for_vector(input) {
            return inner_product.output_shapes(inputs);
        }
        expect_channels(self.channels, input)?;
        let placement = self.window.place(input.h(), input.w())?;
        Ok(vec![Shape::new(&[self.outputs, placement.out_h, placement.out_w])?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        match self.for_vector(input.shape()) {
            Some(inner_product) => inner_product.run(vec![input]),
            None => run_as_pixels(self, input),
        }
    }

    fn order(&self, inputs: &[Shape]) -> Order {
        Order::pixels_of_images(inputs)
    }

    fn run_pixels(&self, inputs: Vec<Pixels>, workspace: &mut Workspace) -> Result<Vec<Value>> {
        let input = only(inputs)?;
        let placement = self.window.place(input.shape().h(), input.shape().w())?;
        let output = image_to_image(self, input, workspace, |image, output, workspace| {
            self.kernel.apply(image, placement, output, workspace)
        })?;
        Ok(vec![Value::Pixels(output)])
    }
}

impl Convolution {
    /// ncnn treats a 1-D blob of as many values as a 1 x 1 convolution has channels as one pixel.
    fn for_vector(&self, input: Shape) -> Option<&InnerProduct> {
        self.of_vectors.as_ref().filter(|_| input.rank() == 1 && input.w() == self.channels)
    }
}

/// Lets `apply` make the image of the shape that `layer` foretells, in memory of `workspace`,
/// which gets that of `input` back.
pub(super) fn image_to_image(
    layer: &impl Layer,
    input: Pixels,
    workspace: &mut Workspace,
    apply: impl FnOnce(Image<'_>, &mut [f32], &mut Workspace) -> Result<()>,
) -> Result<Pixels> {
    let shape = input.shape();
    let output_shape = only(layer.output_shapes(&[shape])?)?;
    let mut output = workspace.take(output_shape.volume());
    apply(Image::of(&input, shape), &mut output, workspace)?;
    workspace.give_tensor(input.into_interleaved());
    Pixels::new(output_shape, output)
}

/// Runs a layer of one input on its pixels; a matrix is an image of one channel.
pub(super) fn run_as_pixels(layer: &impl Layer, input: Tensor) -> Result<Vec<Tensor>> {
    let mut workspace = Workspace::default();
    let shape = input.shape();
    // Refuses what is no image before its shape is changed.
    layer.output_shapes(&[shape])?;
    let image = input.reshaped(Shape::new(&[shape.c(), shape.h(), shape.w()])?)?;
    let outputs = layer.run_pixels(vec![Pixels::from_planar(image, &mut workspace)?], &mut workspace)?;
    outputs.into_iter().map(|output| output.into_planar(&mut workspace)).collect()
}

/// Checks that `input` is an image of `channels` planes.
pub(super) fn expect_channels(channels: usize, input: Shape) -> Result<()> {
    if input.rank() == 4 || input.c() != channels {
        let found = if input.rank() == 4 { "is 4-D".to_owned() } else { format!("has {}", input.c()) };
        let plural = if channels == 1 { "channel" } else { "channels" };
        return Err(Error::invalid(format!("expects {channels} {plural}, the input {found} ({input})")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ncnn_format::{ErrorKind, F32Tag, LayerKind, Weight, WeightData};

    use super::*;
    use ncnn_format::typed::ParamKey;

    fn build(layer: &ncnn_format::Layer) -> Result<Convolution> {
        super::build(layer, BuildOptions::default())
    }

    fn layer(params: &[(ParamKey<i32>, i32)], weights: Vec<f32>, bias: Option<Vec<f32>>) -> ncnn_format::Layer {
        let mut layer = ncnn_format::Layer::new(LayerKind::Convolution, "conv");
        layer.params.set(typed::Convolution::WEIGHT_DATA_SIZE, i32::try_from(weights.len()).unwrap());
        layer.weights.push(Weight { role: WeightRole::Weight, data: WeightData::F32(weights, F32Tag::Tagged) });
        if let Some(bias) = bias {
            layer.params.set(typed::Convolution::BIAS_TERM, 1);
            layer.weights.push(Weight { role: WeightRole::Bias, data: WeightData::F32(bias, F32Tag::Raw) });
        }
        for &(key, value) in params {
            layer.params.set(key, value);
        }
        layer
    }

    #[test]
    fn sums_over_windows_channels_and_padding() {
        let conv = build(&layer(
            &[
                (typed::Convolution::NUM_OUTPUT, 1),
                (typed::Convolution::KERNEL_W, 2),
                (typed::Convolution::PAD_TOP, 1),
                (typed::Convolution::PAD_BOTTOM, 0),
            ],
            vec![1.0, 10.0, 100.0, 1000.0],
            Some(vec![0.5]),
        ));
        let input = Tensor::new([1, 2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let output = conv.unwrap().run(vec![input]).unwrap().remove(0);
        assert_eq!(output.shape().dims(), [1, 2, 2]);
        assert_eq!(output.as_slice(), [2100.5, 3200.5, 5421.5, 6532.5]);
    }

    #[test]
    fn a_vector_through_a_1x1_kernel_is_one_pixel() {
        let conv = build(&layer(
            &[(typed::Convolution::NUM_OUTPUT, 2), (typed::Convolution::KERNEL_W, 1)],
            vec![1.0, 2.0, 3.0, 4.0],
            None,
        ))
        .unwrap();
        let output = conv.run(vec![Tensor::new([2], vec![10.0, 1.0]).unwrap()]).unwrap().remove(0);
        assert_eq!((output.shape().dims(), output.as_slice()), (&[2][..], &[12.0, 34.0][..]));
    }

    #[test]
    fn names_the_channels_expected_and_found() {
        let conv = build(&layer(
            &[(typed::Convolution::NUM_OUTPUT, 1), (typed::Convolution::KERNEL_W, 1)],
            vec![1.0, 2.0, 3.0],
            None,
        ))
        .unwrap();
        let message = conv.output_shapes(&[Shape::new(&[1, 28, 28]).unwrap()]).unwrap_err().to_string();
        assert_eq!(message, "expects 3 channels, the input has 1 (1x28x28)");
    }

    #[test]
    fn refuses_parameters_that_cannot_be() {
        for params in [
            [(typed::Convolution::NUM_OUTPUT, 0), (typed::Convolution::KERNEL_W, 1)],
            [(typed::Convolution::NUM_OUTPUT, 1), (typed::Convolution::KERNEL_W, 0)],
            [(typed::Convolution::KERNEL_W, 1), (typed::Convolution::STRIDE_W, 0)],
            [(typed::Convolution::NUM_OUTPUT, 1), (typed::Convolution::DILATION_W, -1)],
            [(typed::Convolution::NUM_OUTPUT, 3), (typed::Convolution::KERNEL_W, 1)],
        ] {
            let error = build(&layer(&params, vec![1.0; 4], None)).err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{params:?}: {error}");
        }
    }

    #[test]
    fn leaves_int8_layers_to_int8_exec() {
        let error = build(&layer(
            &[
                (typed::Convolution::NUM_OUTPUT, 1),
                (typed::Convolution::KERNEL_W, 1),
                (typed::Convolution::INT8_SCALE_TERM, 2),
            ],
            vec![1.0],
            None,
        ))
        .err()
        .unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.to_string(), "this Convolution is an int8 layer, which int8-exec runs");
    }
}
