//! Kernels by CPU family, and the table of all of them.

#[cfg(all(target_arch = "arm", target_endian = "little", any(target_os = "linux", target_os = "android")))]
mod arm;
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

#[cfg(all(target_arch = "arm", target_endian = "little", any(target_os = "linux", target_os = "android")))]
pub(crate) static KERNELS: &[&MicroKernels] = &[&scalar::KERNELS, &arm::KERNELS];

#[cfg(not(any(
    target_arch = "x86_64",
    all(target_arch = "arm", target_endian = "little", any(target_os = "linux", target_os = "android"))
)))]
pub(crate) static KERNELS: &[&MicroKernels] = &[&scalar::KERNELS];
