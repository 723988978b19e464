//! The instruction sets that kernels are written for, and which of them this CPU has.
//!
//! All CPU detection of the workspace is in this file.

use std::fmt;
use std::sync::OnceLock;

/// Proof that this CPU has an instruction set: a value can only be made by detection.
///
/// A caller that wants to choose (an option, an environment variable) goes through [`Isa::by_name`],
/// which can lower the choice and never raise it above what the CPU has.
///
/// ```
/// use int8_kernels::Isa;
///
/// let isa = Isa::by_name("no such thing").unwrap_or_else(Isa::detect);
/// assert!(Isa::available().contains(&isa));
/// assert_eq!(Isa::scalar().name(), "scalar");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Isa(Level);

/// Every instruction set of the kernel table, from least to most capable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(dead_code, reason = "each architecture has some of them")]
pub(crate) enum Level {
    Scalar,
    Sse41,
    Avx2,
    AvxVnni,
    Avx512Bw,
    Avx512Vnni,
    Neon,
    DotProd,
    I8mm,
}

impl Isa {
    /// The best instruction set that this CPU has and kernels exist for.
    pub fn detect() -> Self {
        Self::available().last().copied().unwrap_or(Self::scalar())
    }

    /// Portable code, which every CPU runs.
    pub const fn scalar() -> Self {
        Self(Level::Scalar)
    }

    /// What this CPU has, from least to most capable; the first is [`Isa::scalar`].
    pub fn available() -> &'static [Self] {
        static AVAILABLE: OnceLock<Vec<Isa>> = OnceLock::new();
        AVAILABLE.get_or_init(|| Level::ALL.iter().copied().filter(|level| level.is_detected()).map(Self).collect())
    }

    /// The available instruction set of that name; `None` for names that are unknown or that this
    /// CPU does not have.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::available().iter().copied().find(|isa| isa.name() == name)
    }

    /// The name in kernel names and options: `scalar`; on x86-64 `sse41`, `avx2`, `avxvnni`, `avx512bw` or
    /// `avx512vnni`; on ARMv8 `neon`, `dotprod` or `i8mm`; on ARMv7 `neon`.
    pub const fn name(self) -> &'static str {
        self.0.name()
    }

    pub(crate) fn level(self) -> Level {
        self.0
    }
}

impl Level {
    /// Those that kernels exist for on this architecture, from least to most capable.
    #[cfg(target_arch = "x86_64")]
    pub(crate) const ALL: &[Self] =
        &[Self::Scalar, Self::Sse41, Self::Avx2, Self::AvxVnni, Self::Avx512Bw, Self::Avx512Vnni];
    #[cfg(target_arch = "aarch64")]
    pub(crate) const ALL: &[Self] = &[Self::Scalar, Self::Neon, Self::DotProd, Self::I8mm];
    #[cfg(all(target_arch = "arm", target_endian = "little", any(target_os = "linux", target_os = "android")))]
    pub(crate) const ALL: &[Self] = &[Self::Scalar, Self::Neon];
    #[cfg(not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        all(target_arch = "arm", target_endian = "little", any(target_os = "linux", target_os = "android"))
    )))]
    pub(crate) const ALL: &[Self] = &[Self::Scalar];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "scalar",
            Self::Sse41 => "sse41",
            Self::Avx2 => "avx2",
            Self::AvxVnni => "avxvnni",
            Self::Avx512Bw => "avx512bw",
            Self::Avx512Vnni => "avx512vnni",
            Self::Neon => "neon",
            Self::DotProd => "dotprod",
            Self::I8mm => "i8mm",
        }
    }

    /// Whether the CPU has every feature that kernels of this level are compiled with
    /// (`arch/x86/mod.rs` lists the same features).
    #[cfg(target_arch = "x86_64")]
    fn is_detected(self) -> bool {
        let avx2 = || is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        let avx512 = || {
            avx2()
                && is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
        };
        match self {
            Self::Scalar => true,
            Self::Sse41 => is_x86_feature_detected!("sse4.1"),
            Self::Avx2 => avx2(),
            Self::AvxVnni => avx2() && is_x86_feature_detected!("avxvnni"),
            Self::Avx512Bw => avx512(),
            Self::Avx512Vnni => avx512() && is_x86_feature_detected!("avx512vnni"),
            Self::Neon | Self::DotProd | Self::I8mm => false,
        }
    }

    #[cfg(target_arch = "aarch64")]
    fn is_detected(self) -> bool {
        use std::arch::is_aarch64_feature_detected;
        let dotprod = || is_aarch64_feature_detected!("neon") && is_aarch64_feature_detected!("dotprod");
        match self {
            Self::Scalar => true,
            Self::Neon => is_aarch64_feature_detected!("neon"),
            Self::DotProd => dotprod(),
            Self::I8mm => dotprod() && is_aarch64_feature_detected!("i8mm"),
            Self::Sse41 | Self::Avx2 | Self::AvxVnni | Self::Avx512Bw | Self::Avx512Vnni => false,
        }
    }

    #[cfg(all(target_arch = "arm", any(target_os = "linux", target_os = "android")))]
    fn is_detected(self) -> bool {
        match self {
            Self::Scalar => true,
            Self::Neon => arm_has_neon(),
            _ => false,
        }
    }

    #[cfg(not(any(
        target_arch = "x86_64",
        target_arch = "aarch64",
        all(target_arch = "arm", any(target_os = "linux", target_os = "android"))
    )))]
    fn is_detected(self) -> bool {
        self == Self::Scalar
    }
}

/// Asks the kernel of the system, because the standard library's macro for ARMv7 is not stable.
#[cfg(all(target_arch = "arm", any(target_os = "linux", target_os = "android")))]
fn arm_has_neon() -> bool {
    use std::ffi::c_ulong;

    /// Key of the word of capabilities.
    const AT_HWCAP: c_ulong = 16;
    /// Its bit for NEON.
    const HWCAP_NEON: c_ulong = 1 << 12;

    // SAFETY: this is the C library's declaration. It looks a key up in what the system told the process at its
    // start, and answers 0 for keys that are not there, so any argument is fine.
    unsafe extern "C" {
        safe fn getauxval(key: c_ulong) -> c_ulong;
    }
    getauxval(AT_HWCAP) & HWCAP_NEON != 0
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gives_only_what_the_cpu_has() {
        assert_eq!(Isa::by_name("scalar"), Some(Isa::scalar()));
        assert_eq!(Isa::by_name("no_such_isa"), None);
        assert_eq!(Isa::by_name(""), None);
        for level in Level::ALL {
            assert_eq!(Isa::by_name(level.name()).is_some(), level.is_detected());
        }
    }

    #[test]
    fn detection_takes_the_best_available() {
        assert_eq!(Isa::available().last(), Some(&Isa::detect()));
        assert_eq!(Isa::available().first(), Some(&Isa::scalar()));
        assert_eq!(Isa::scalar().to_string(), "scalar");
    }
}
