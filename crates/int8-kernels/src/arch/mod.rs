//! Kernels by CPU family, and the table of all of them.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[macro_use]
mod finish;

#[cfg(target_arch = "aarch64")]
mod aarch64;
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

#[cfg(target_arch = "aarch64")]
pub(crate) static KERNELS: &[&MicroKernels] = &[&scalar::KERNELS, &aarch64::NEON, &aarch64::DOTPROD, &aarch64::I8MM];

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) static KERNELS: &[&MicroKernels] = &[&scalar::KERNELS];
