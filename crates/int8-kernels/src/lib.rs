//! Multiply int8 tensors exactly, as fast as the CPU allows.
//!
//! This crate is the arithmetic under an int8 network, and knows nothing of networks: plain slices
//! of bytes go in, exact `i32` sums come out, and an [`Epilogue`] turns sums into floats or into the
//! next layer's int8 values.
//!
//! # The arithmetic
//!
//! A *scale* is a multiplier, `127 / threshold`, as in ncnn:
//!
//! ```text
//! q   = clamp(round_half_away(x · scale), −127, 127)          quantize     f32 → i8, zero point 0
//! acc = Σ w_q · x_q                                           exact, i32
//! y   = activation(f32(acc) · 1 / (s_in · s_w) + bias)        dequantize   i32 → f32
//! q'  = quantize(y, s_out)                                    requantize   i32 → i8
//! ```
//!
//! Sums are integers, so every algorithm and every instruction set gives the same bits; the order
//! of the *float* operations above decides bits and is part of the contract.
//!
//! * Activations are within ±127, which [`quantize()`] guarantees.
//! * Weights may be any `i8`, −128 included.
//! * The depth (products per sum) is at most [`MAX_DEPTH`], so `i32` never overflows.
//!
//! # The layers of the crate
//!
//! [`reference`](mod@reference) is the definition: plain loops. [`kernels`] is the table of micro-kernels, one set
//! per instruction set; packing stores weights in the order and form that a set reads; [`PixelConv`]
//! walks over tiles of pixels and panels of weights, or of the coefficients of [`winograd`], and finishes every
//! tile while it is in the first cache. Images are channels-last and *stored* as the architecture likes them
//! ([`stored`]). An [`Isa`] can
//! only be made by detection, so holding one proves that this CPU can run its kernels.
//!
//! ```
//! use int8_kernels::{
//!     Activation, ConvShape, Epilogue, Image, Isa, Padding, PixelConv, PixelScratch, Place, Run, Sink, stored,
//! };
//!
//! // One input and one output channel, a 2x2 kernel of ones over a 3x3 picture.
//! let shape = ConvShape { kernel_h: 2, kernel_w: 2, ..ConvShape::pointwise(1, 1) };
//! let epilogue = Epilogue::new(vec![0.5], None, Activation::Relu)?;
//! let conv = PixelConv::new(shape, &[1, 1, 1, 1], epilogue, Isa::detect())?;
//! let picture = [1, 2, 3, 4, 5, 6, 7, 8, 9].map(stored);
//! let input = Image::new(&picture, 3, 3, 1, 1)?;
//! let run = Run { input, padding: Padding::default(), rows: 0..2, residual: None };
//! let mut values = [0.0; 4];
//! let mut sinks = [Sink::F32 { values: &mut values, place: Place::whole(1) }];
//! conv.run(&run, &mut sinks, &mut PixelScratch::default())?;
//! assert_eq!(values, [6.0, 8.0, 12.0, 14.0]);
//! # Ok::<(), int8_kernels::Error>(())
//! ```

mod activation;
mod algorithm;
mod arch;
mod contract;
mod conv;
mod conv1x1;
mod convert;
mod dense;
mod depthwise;
mod epilogue;
mod error;
mod finish;
mod gather;
mod gemm;
mod geometry;
mod im2col;
mod image;
mod isa;
mod lanes;
mod limits;
mod max_pool;
mod panel;
mod peak;
mod pixel_conv;
mod portable;
mod quantize;
pub mod reference;
mod sink;
mod source;
mod sums;
#[cfg(test)]
mod tests;
mod walk;
mod winograd;

pub use activation::Activation;
pub use algorithm::Algorithm;
pub use conv::{PackedConv, Scratch};
pub use conv1x1::Conv1x1;
pub use convert::{dequantize_values, quantize_planes, quantize_values, requantize_values};
pub use epilogue::{Epilogue, dequantize_scale};
pub use error::Error;
pub use gemm::Gemm;
pub use geometry::{ConvShape, Padding};
pub use im2col::{im2col, im2col_len};
pub use image::{Image, ZERO, stored, unstored};
pub use isa::Isa;
pub use limits::MAX_DEPTH;
pub use max_pool::{PoolWindow, max_pool};
pub use peak::peak_macs_per_second;
pub use pixel_conv::{PixelConv, PixelScratch};
pub use quantize::{quantize, quantize_slice};
pub use sink::{Addend, Place, Residual, Run, Sink};
