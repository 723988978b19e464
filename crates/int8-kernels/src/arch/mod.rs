//! Kernels by CPU family, and the table of all of them.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[macro_use]
mod finish;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(all(target_arch = "arm", target_endian = "little", any(target_os = "linux", target_os = "android")))]
mod arm;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::micro_kernel::MicroKernels;

/// From least to most capable.
#[rustfmt::skip]
pub(crate) static KERNELS: &[&MicroKernels] = &[
    &scalar::KERNELS,
    #[cfg(target_arch = "x86_64")] &x86::sse41::KERNELS,
    #[cfg(target_arch = "x86_64")] &x86::avx2::KERNELS,
    #[cfg(target_arch = "x86_64")] &x86::avxvnni::KERNELS,
    #[cfg(target_arch = "x86_64")] &x86::avx512bw::KERNELS,
    #[cfg(target_arch = "x86_64")] &x86::avx512vnni::KERNELS,
    #[cfg(target_arch = "aarch64")] &aarch64::NEON,
    #[cfg(target_arch = "aarch64")] &aarch64::DOTPROD,
    #[cfg(target_arch = "aarch64")] &aarch64::I8MM,
    #[cfg(all(target_arch = "arm", target_endian = "little", any(target_os = "linux", target_os = "android")))]
    &arm::KERNELS,
];
