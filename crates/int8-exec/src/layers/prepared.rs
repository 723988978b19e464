//! A layer of a quantized network, prepared for running.

use std::sync::Arc;

use fp32_ref::{BuildOptions, Shape};
use int8_kernels::Padding;
use ncnn_format::{Error, Layer, LayerKind, Result, typed};

use super::convolution::Int8Convolution;
use super::inner_product::Int8InnerProduct;
use super::parts::Parts;
use super::rescale::Rescale;
use super::sequence;
use crate::Options;
use crate::grid::Grid;
use crate::nature::Nature;

/// A layer with its parameters checked and its weights packed.
pub(crate) enum Prepared {
    /// An Input layer: its value is fed.
    Fed,
    /// Convolution and ConvolutionDepthWise with int8 weights.
    Convolution(Int8Convolution),
    /// InnerProduct with int8 weights.
    InnerProduct(Int8InnerProduct),
    /// A layer from floats to floats, whatever it does between.
    Float {
        /// The layer of fp32-ref, or one for sequences with int8 weights.
        layer: Arc<dyn fp32_ref::Layer>,
        /// What it may do to integers.
        nature: Nature,
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

/// Whether `layer` asks for int8 arithmetic: `int8_scale_term` (in some layers called
/// `quantize_term`) is not 0.
///
/// # Errors
/// `Malformed` when its parameters cannot be read.
pub fn is_quantized(layer: &Layer) -> Result<bool> {
    Ok(match layer.kind {
        LayerKind::Convolution => typed::Convolution::read(layer)?.int8_scale_term != 0,
        LayerKind::ConvolutionDepthWise => typed::ConvolutionDepthWise::read(layer)?.int8_scale_term != 0,
        LayerKind::InnerProduct => typed::InnerProduct::read(layer)?.int8_scale_term != 0,
        _ => sequence::term(layer)?.is_some_and(|term| term != 0),
    })
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
            return Ok(Self::Float { layer, nature: Nature::Computes });
        }
        if matches!(layer.kind, LayerKind::Quantize | LayerKind::Dequantize | LayerKind::Requantize) {
            return Ok(Self::Rescale(Rescale::new(layer, options)?));
        }
        if !is_quantized(layer)? {
            let float = options.registry.build(layer, plain_sums)?.into();
            return Ok(Self::Float { layer: float, nature: Nature::new(layer)? });
        }
        match layer.kind {
            LayerKind::Convolution => Int8Convolution::dense(layer, options).map(Self::Convolution),
            LayerKind::ConvolutionDepthWise => Int8Convolution::grouped(layer, options).map(Self::Convolution),
            LayerKind::InnerProduct => Int8InnerProduct::new(layer, options).map(Self::InnerProduct),
            _ => Ok(Self::Float { layer: sequence::build(layer)?.into(), nature: Nature::Computes }),
        }
    }

    /// Whether the layer takes or makes integers.
    pub(crate) fn is_quantized(&self) -> bool {
        self.parts().is_some()
    }

    /// What a float layer may do to integers.
    pub(crate) fn nature(&self) -> Nature {
        match self {
            Self::Float { nature, .. } => *nature,
            _ => Nature::Computes,
        }
    }

    /// The packed weights of an int8 layer.
    pub(crate) fn parts(&self) -> Option<&Parts> {
        match self {
            Self::Convolution(layer) => Some(&layer.parts),
            Self::InnerProduct(layer) => Some(&layer.parts),
            _ => None,
        }
    }

    /// The multiplier with which an int8 layer quantizes floats.
    pub(crate) fn input_scale(&self) -> f32 {
        match self {
            Self::Convolution(layer) => layer.input_scale,
            Self::InnerProduct(layer) => layer.input_scale,
            _ => 1.0,
        }
    }

    /// The multiplier of the output, if the file says that it is int8.
    pub(crate) fn output_scale(&self) -> Option<f32> {
        match self {
            Self::Convolution(layer) => layer.output_scale,
            _ => None,
        }
    }

    /// The shape of the output of an int8 layer for an input of `shape`.
    ///
    /// # Errors
    /// `Invalid` if the layer cannot work on it.
    pub(crate) fn output_shape(&self, shape: Shape) -> Result<Shape> {
        match self {
            Self::Convolution(layer) => Ok(layer.place(shape)?.1),
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
            Self::Convolution(layer) => Ok(layer.place(shape)?.0),
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
