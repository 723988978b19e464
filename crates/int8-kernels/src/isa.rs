//! The instruction sets that kernels are written for, and which of them this CPU has.
//!
//! All CPU detection of the workspace is in this file.

use std::fmt;

/// Proof that this CPU has an instruction set: a value can only be made by detection.
///
/// A caller that wants to choose (an option, an environment variable) goes through [`Isa::by_name`],
/// which can lower the choice and never raise it above what the CPU has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Isa(Level);

/// Every instruction set of the kernel table, from least to most capable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Level {
    Scalar,
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
        const PORTABLE: &[Isa] = &[Isa::scalar()];
        PORTABLE
    }

    /// The available instruction set of that name; `None` for names that are unknown or that this
    /// CPU does not have.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::available().iter().copied().find(|isa| isa.name() == name)
    }

    /// The name in kernel names and options, such as `scalar`.
    pub const fn name(self) -> &'static str {
        match self.0 {
            Level::Scalar => "scalar",
        }
    }
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
    }

    #[test]
    fn detection_takes_the_best_available() {
        assert_eq!(Isa::available().last(), Some(&Isa::detect()));
        assert_eq!(Isa::available().first(), Some(&Isa::scalar()));
        assert_eq!(Isa::scalar().to_string(), "scalar");
    }
}
