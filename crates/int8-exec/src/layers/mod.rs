//! The layers that compute on integers.

mod convolution;
mod inner_product;
mod weights;

use ncnn_format::{Error, Layer, LayerKind, Result, typed};

use crate::{Options, Value};

/// A layer with int8 weights, prepared for running.
pub(crate) trait QuantizedLayer: Send + Sync {
    /// Computes the one output of the one input.
    fn run(&self, inputs: Vec<Value>) -> Result<Vec<Value>>;
}

/// Whether `layer` asks for int8 arithmetic: `int8_scale_term` is not 0.
///
/// # Errors
/// `Malformed` when its parameters cannot be read.
pub fn is_quantized(layer: &Layer) -> Result<bool> {
    Ok(match layer.kind {
        LayerKind::Convolution => typed::Convolution::read(layer)?.int8_scale_term != 0,
        LayerKind::ConvolutionDepthWise => typed::ConvolutionDepthWise::read(layer)?.int8_scale_term != 0,
        LayerKind::InnerProduct => typed::InnerProduct::read(layer)?.int8_scale_term != 0,
        _ => false,
    })
}

/// Prepares a layer for which [`is_quantized`] holds.
pub(crate) fn prepare(layer: &Layer, options: Options) -> Result<Box<dyn QuantizedLayer>> {
    Ok(match layer.kind {
        LayerKind::Convolution => Box::new(convolution::Int8Convolution::dense(layer, options)?),
        LayerKind::ConvolutionDepthWise => Box::new(convolution::Int8Convolution::grouped(layer, options)?),
        LayerKind::InnerProduct => Box::new(inner_product::Int8InnerProduct::new(layer, options)?),
        _ => return Err(Error::unsupported(format!("int8 layers of type {} cannot be run", layer.kind))),
    })
}

/// The only input of a layer that takes one.
fn single(inputs: Vec<Value>) -> Result<Value> {
    let found = inputs.len();
    match inputs.into_iter().next() {
        Some(value) if found == 1 => Ok(value),
        _ => Err(Error::malformed(format!("takes one input, found {found}"))),
    }
}

/// A caller's mistake reported by the kernels, in this workspace's words.
fn kernel_error(error: int8_kernels::Error) -> Error {
    Error::invalid(error.to_string())
}
