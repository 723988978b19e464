//! What a kernel takes and promises: the types between the walkers over a layer and the code of an instruction set.
//!
//! Kernels are `unsafe` functions: they read by pointers and have instructions that not every CPU has. The safe
//! way to one is the method of the same name in this folder, which looks at everything that the code relies on.
//! Operands cannot be had by users of the crate.

mod dense;
mod depthwise;
mod form;
mod gather;
mod kernels;
mod rows;
mod taps;
mod winograd;

pub(crate) use dense::{DenseKernel, Strip};
pub(crate) use depthwise::{DepthwiseKernel, Windows};
pub(crate) use form::{KR, WeightForm};
#[cfg(target_arch = "aarch64")]
pub(crate) use gather::COLUMN;
pub(crate) use gather::{Gather, Patch};
pub(crate) use kernels::MicroKernels;
pub(crate) use rows::{MaxWindows, RowKernels};
pub(crate) use taps::Taps;
pub(crate) use winograd::{COEFFICIENTS, Grid, NINTH, Patches, Product, SIDE, Squares, WINDOW, WinogradKernel};
