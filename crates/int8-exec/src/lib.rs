//! Run a quantized ncnn network as ncnn's reference does, without the detours.
//!
//! [`Int8Net`] executes the models that ncnn2int8 (or our `quantizer`) writes:
//! Convolution, ConvolutionDepthWise and InnerProduct with int8 weights compute
//! on integers, every other layer runs in f32 through `fp32-ref`. Between two
//! convolutions with a fused requantize the blob stays int8. The layers for sequences
//! (Embed, Gemm, GRU, LSTM, MultiHeadAttention, RNN, SDPA) multiply integers as well, but
//! take and make floats.
//!
//! The order of the float operations is that of ncnn's plain layers
//! (`y = acc · (1 / (s_in · s_w)) + bias`, activation, then `· s_out` and round);
//! integers are exact, so the result does not depend on kernel or thread count.
//! [`Roundings`] can be switched to those of stock ncnn on x86.

#![forbid(unsafe_code)]

mod aligned;
mod buffers;
mod compiled;
mod grid;
mod helpers;
mod layers;
mod net;
mod options;
mod plan;
mod report;
mod rows;
mod run_step;
mod session;
mod validate;
mod value;

pub use net::Int8Net;
pub use options::{Options, Roundings};
pub use report::{PlanReport, StepReport};
pub use session::Session;
pub use validate::validate;
pub use value::Value;
