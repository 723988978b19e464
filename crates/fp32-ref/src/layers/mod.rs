//! One ncnn layer per file.

pub(crate) mod activation;
mod relu;
pub(crate) mod window;

use ncnn_format::{Error, LayerKind, Result};

use crate::Layer;

/// Prepares one layer for running: checks its parameters and takes its weights.
///
/// # Errors
/// `Unsupported` for a type (or an option of it) that this executor lacks;
/// `Malformed` or `Invalid` when parameters or weights do not work.
pub fn build(layer: &ncnn_format::Layer) -> Result<Box<dyn Layer>> {
    Ok(match &layer.kind {
        LayerKind::ReLU => Box::new(relu::Relu::new(layer)?),
        other => return Err(Error::unsupported(format!("layers of type {other} cannot be run"))),
    })
}
