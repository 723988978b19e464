//! The layers of a quantized network, prepared for running.

mod alone;
mod attention;
mod convolution;
mod embed;
mod gemm;
mod gru;
mod inner_product;
mod integers;
mod lstm;
mod multi_head_attention;
mod parts;
mod prepared;
mod recurrent;
mod rescale;
mod rnn;
mod sdpa;
mod sequence;
mod weights;

pub(crate) use parts::Parts;
pub(crate) use prepared::{Input, Prepared};
