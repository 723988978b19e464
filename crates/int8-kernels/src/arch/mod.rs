//! Kernels by CPU family, and the table of all of them.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[macro_use]
mod finish;

mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::micro_kernel::MicroKernels;

#[cfg(target_arch = "x86_64")]
pub(crate) static KERNELS: &[&MicroKernels] = &[
    &scalar::KERNELS,
    &x86::sse41::KERNELS,
    &x86::avx2::KERNELS,
    &x86::avxvnni::KERNELS,
    &x86::avx512bw::KERNELS,
    &x86::avx512vnni::KERNELS,
];

#[cfg(not(target_arch = "x86_64"))]
pub(crate) static KERNELS: &[&MicroKernels] = &[&scalar::KERNELS];
