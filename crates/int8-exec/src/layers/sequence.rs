//! The layers for sequences with int8 weights or products. To the outside they are layers on floats.

use fp32_ref::Layer;
use ncnn_format::{Error, LayerKind, Result};

use super::{embed, gemm, gru, lstm, multi_head_attention, rnn, sdpa};

/// From here on a quantize term means weights of 4, 6 or 8 bits in blocks.
const BLOCKS: i32 = 400;

/// Checks a layer whose term is not 0 and takes its weights.
///
/// # Errors
/// `Unsupported` for another type and for weights in blocks; `Malformed` or `Invalid` for
/// parameters or weights that do not work.
pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Box<dyn Layer>> {
    let has_blocks = matches!(layer.kind, LayerKind::Gemm | LayerKind::MultiHeadAttention);
    match layer.int8_term()? {
        Some(term) if has_blocks && term >= BLOCKS => {
            let message = format!("a {} with weights in blocks (quantize term {term}) cannot be run", layer.kind);
            return Err(Error::unsupported(message));
        }
        Some(term) if has_blocks && (4..=6).contains(&term) => {
            return Err(Error::malformed(format!("quantize term {term} is one that ncnn refuses")));
        }
        _ => {}
    }
    Ok(match layer.kind {
        LayerKind::Embed => Box::new(embed::build(layer)?),
        LayerKind::Gemm => Box::new(gemm::Int8Gemm::new(layer)?),
        LayerKind::GRU => Box::new(gru::build(layer)?),
        LayerKind::LSTM => Box::new(lstm::build(layer)?),
        LayerKind::MultiHeadAttention => Box::new(multi_head_attention::build(layer)?),
        LayerKind::RNN => Box::new(rnn::build(layer)?),
        LayerKind::SDPA => Box::new(sdpa::build(layer)?),
        _ => return Err(Error::unsupported(format!("int8 layers of type {} cannot be run", layer.kind))),
    })
}
