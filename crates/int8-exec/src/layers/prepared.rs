//! A layer of a quantized network, prepared for running.

use std::sync::Arc;

use fp32_ref::{BuildOptions, Shape};
use int8_kernels::Padding;
use ncnn_format::{Activation, Effect, Error, Layer, LayerKind, LinearLayer, Result};

use super::convolution::Int8Convolution;
use super::inner_product::Int8InnerProduct;
use super::parts::Parts;
use super::rescale::Rescale;
use super::sequence;
use crate::Options;
use crate::grid::Grid;

/// A layer with its parameters checked and its weights packed.
pub(crate) enum Prepared {
    /// An Input layer: its value is fed.
    Fed,
    /// Convolutions of images with int8 weights, in groups or not.
    ImageConvolution(Int8Convolution),
    /// InnerProduct with int8 weights.
    InnerProduct(Int8InnerProduct),
    /// A layer from floats to floats, whatever it does between.
    Float {
        /// The layer of fp32-ref, or one for sequences with int8 weights.
        layer: Arc<dyn fp32_ref::Layer>,
        /// What it may do to integers.
        effect: Effect,
    },
    /// A layer that only the layer-by-layer path runs; a network with one has no plan.
    Rescale(Rescale),
}

/// How an int8 layer reads its input.
pub(crate) enum Input {
    /// As the image that it is.
    Image,
    /// As pixels that are the rows of a matrix.
    Rows(Grid),
    /// As one pixel in ncnn's order.
    Flat,
}

impl Prepared {
    /// Checks and packs one layer.
    ///
    /// # Errors
    /// `Unsupported` for what cannot be run, `Malformed` or `Invalid` for parameters or weights that
    /// do not work.
    pub(crate) fn new(layer: &Layer, options: &Options) -> Result<Self> {
        if layer.kind == LayerKind::Input {
            return Ok(Self::Fed);
        }
        let plain_sums = BuildOptions::default().with_winograd(false);
        if options.registry.is_own(layer) {
            let layer = options.registry.build(layer, plain_sums)?.into();
            return Ok(Self::Float { layer, effect: Effect::Other });
        }
        if matches!(layer.kind, LayerKind::Quantize | LayerKind::Dequantize | LayerKind::Requantize) {
            return Ok(Self::Rescale(Rescale::new(layer, options)?));
        }
        if !layer.is_int8()? {
            let float = options.registry.build(layer, plain_sums)?.into();
            // fp32-ref's Dropout does not hand integers on.
            let effect = if layer.kind == LayerKind::Dropout { Effect::Other } else { layer.effect()? };
            return Ok(Self::Float { layer: float, effect });
        }
        match LinearLayer::of(layer)? {
            Some(linear) if linear.is_image_convolution() => {
                Int8Convolution::new(layer, &linear, options).map(Self::ImageConvolution)
            }
            Some(linear) => Int8InnerProduct::new(layer, &linear, options).map(Self::InnerProduct),
            None => Ok(Self::Float { layer: sequence::build(layer)?.into(), effect: Effect::Other }),
        }
    }

    /// Whether the layer takes or makes integers.
    pub(crate) fn is_quantized(&self) -> bool {
        self.parts().is_some()
    }

    /// What a float layer does to values; [`Effect::Other`] for int8 layers.
    pub(crate) fn effect(&self) -> &Effect {
        match self {
            Self::Float { effect, .. } => effect,
            _ => &Effect::Other,
        }
    }

    /// The activation that a float layer is, if it may run inside the epilogue of what is above it.
    pub(crate) fn fusible_activation(&self) -> Option<int8_kernels::Activation> {
        match *self.effect() {
            Effect::Activation(Activation::Relu) => Some(int8_kernels::Activation::Relu),
            Effect::Activation(Activation::LeakyRelu { slope }) if slope > 0.0 => {
                Some(int8_kernels::Activation::LeakyRelu { slope })
            }
            Effect::Activation(Activation::Clip { min, max }) => Some(int8_kernels::Activation::Clip { min, max }),
            _ => None,
        }
    }

    /// The packed weights of an int8 layer.
    pub(crate) fn parts(&self) -> Option<&Parts> {
        match self {
            Self::ImageConvolution(layer) => Some(&layer.parts),
            Self::InnerProduct(layer) => Some(&layer.parts),
            _ => None,
        }
    }

    /// The multiplier with which an int8 layer quantizes floats.
    pub(crate) fn input_scale(&self) -> f32 {
        match self {
            Self::ImageConvolution(layer) => layer.input_scale,
            Self::InnerProduct(layer) => layer.input_scale,
            _ => 1.0,
        }
    }

    /// The multiplier of the output, if the file says that it is int8.
    pub(crate) fn output_scale(&self) -> Option<f32> {
        match self {
            Self::ImageConvolution(layer) => layer.output_scale,
            _ => None,
        }
    }

    /// The shape of the output of an int8 layer for an input of `shape`.
    ///
    /// # Errors
    /// `Invalid` if the layer cannot work on it.
    pub(crate) fn output_shape(&self, shape: Shape) -> Result<Shape> {
        match self {
            Self::ImageConvolution(layer) => Ok(layer.place(shape)?.1),
            Self::InnerProduct(layer) => layer.output_shape(shape),
            _ => Err(Error::unsupported("only int8 layers have one input and one output")),
        }
    }

    /// The shapes of the outputs for inputs of the given shapes.
    ///
    /// # Errors
    /// As [`fp32_ref::Layer::output_shapes`]; `Invalid` for an Input layer.
    pub(crate) fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        match (self, inputs) {
            (Self::Fed, _) => Err(Error::invalid("an Input layer was not fed")),
            (Self::Float { layer, .. }, _) => layer.output_shapes(inputs),
            (Self::Rescale(_), [input]) => Ok(vec![*input]),
            (_, [input]) => Ok(vec![self.output_shape(*input)?]),
            _ => Err(Error::malformed(format!("takes one input, found {}", inputs.len()))),
        }
    }

    /// What an int8 layer adds around an input of `shape`.
    ///
    /// # Errors
    /// As [`Prepared::output_shape`].
    pub(crate) fn padding(&self, shape: Shape) -> Result<Padding> {
        match self {
            Self::ImageConvolution(layer) => Ok(layer.place(shape)?.0),
            _ => Ok(Padding::default()),
        }
    }

    /// How an int8 layer reads an input of `shape`.
    pub(crate) fn input(&self, shape: Shape) -> Input {
        match self {
            Self::InnerProduct(layer) if layer.takes_rows(shape) => Input::Rows(Grid::of(shape)),
            Self::InnerProduct(_) => Input::Flat,
            _ => Input::Image,
        }
    }
}
