//! Kernels by CPU family, and the table of all of them.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[macro_use]
mod finish;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
#[macro_use]
mod winograd;

#[cfg(target_arch = "aarch64")]
mod aarch64;
#[cfg(all(target_arch = "arm", target_endian = "little", any(target_os = "linux", target_os = "android")))]
mod arm;
mod scalar;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::contract::MicroKernels;
use crate::isa::Isa;

/// From least to most capable. Only [`kernels_of`] gives one out, to who can prove that the CPU has its instructions.
#[rustfmt::skip]
static KERNELS: &[&MicroKernels] = &[
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

/// The kernels of an instruction set that this CPU has, as an [`Isa`] proves.
pub(crate) fn kernels_of(isa: Isa) -> &'static MicroKernels {
    KERNELS.iter().copied().find(|kernels| kernels.level == isa.level()).unwrap_or(&scalar::KERNELS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Level;

    #[test]
    fn every_level_has_its_kernels() {
        assert!(KERNELS.iter().map(|kernels| kernels.level).eq(Level::ALL.iter().copied()));
        for &isa in Isa::available() {
            assert_eq!(kernels_of(isa).level, isa.level());
        }
    }
}
