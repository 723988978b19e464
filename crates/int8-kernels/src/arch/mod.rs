//! Kernels by CPU family, and the table of all of them.

mod scalar;

use crate::micro_kernel::MicroKernel;

pub(crate) static KERNELS: &[MicroKernel] = &scalar::KERNELS;
