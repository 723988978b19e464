//! What there is to test on: architectures, the CPUs that qemu imitates, and what each must run.

/// An architecture of `cargo xtask cross-test`.
#[derive(Debug)]
pub(crate) struct Target {
    /// The name on the command line.
    pub name: &'static str,
    /// As rustc calls it.
    pub triple: &'static str,
    /// As Debian calls it.
    pub debian: &'static str,
    /// Prefix of the cross compiler; `None` where the host's own links.
    pub gnu: Option<&'static str>,
    /// The emulator.
    pub qemu: &'static str,
    /// Debian packages with the linker and the target's C library.
    pub packages: &'static [&'static str],
    /// What qemu imitates.
    pub cpus: &'static [Cpu],
    /// Whether the first CPU runs all tests; the others run those that depend on instruction sets.
    pub whole_suite: bool,
}

/// A CPU as qemu imitates it.
#[derive(Debug)]
pub(crate) struct Cpu {
    /// The name that qemu knows.
    pub name: &'static str,
    /// Instruction sets whose kernels must have run there: names of `int8_kernels::Isa`.
    pub isas: &'static [&'static str],
}

/// What must run where. This is the table to edit when a kernel for an instruction set is added.
pub(crate) static TARGETS: &[Target] = &[
    Target {
        name: "aarch64",
        triple: "aarch64-unknown-linux-gnu",
        debian: "arm64",
        gnu: Some("aarch64-linux-gnu"),
        qemu: "qemu-aarch64",
        packages: &["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
        cpus: &[
            Cpu { name: "cortex-a53", isas: &["scalar", "neon"] },
            Cpu { name: "cortex-a76", isas: &["scalar", "neon", "dotprod"] },
            Cpu { name: "max", isas: &["scalar", "neon", "dotprod", "i8mm"] },
        ],
        whole_suite: true,
    },
    Target {
        name: "armv7",
        triple: "armv7-unknown-linux-gnueabihf",
        debian: "armhf",
        gnu: Some("arm-linux-gnueabihf"),
        qemu: "qemu-arm",
        packages: &["gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"],
        cpus: &[
            Cpu { name: "cortex-a7", isas: &["scalar", "neon"] },
            Cpu { name: "cortex-a15", isas: &["scalar", "neon"] },
        ],
        whole_suite: true,
    },
    Target {
        name: "riscv64",
        triple: "riscv64gc-unknown-linux-gnu",
        debian: "riscv64",
        gnu: Some("riscv64-linux-gnu"),
        qemu: "qemu-riscv64",
        packages: &["gcc-riscv64-linux-gnu", "libc6-dev-riscv64-cross"],
        cpus: &[Cpu { name: "rv64", isas: &["scalar"] }],
        whole_suite: false,
    },
    Target {
        name: "x86-64-v2",
        triple: "x86_64-unknown-linux-gnu",
        debian: "amd64",
        gnu: None,
        qemu: "qemu-x86_64",
        packages: &[],
        cpus: &[Cpu { name: "Nehalem", isas: &["scalar", "sse41"] }],
        whole_suite: false,
    },
    Target {
        name: "x86-64-v3",
        triple: "x86_64-unknown-linux-gnu",
        debian: "amd64",
        gnu: None,
        qemu: "qemu-x86_64",
        packages: &[],
        cpus: &[Cpu { name: "Haswell", isas: &["scalar", "sse41", "avx2"] }],
        whole_suite: false,
    },
];

impl Target {
    /// The target of that name.
    pub(crate) fn by_name(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// The program that links, if it is not the host's.
    pub(crate) fn linker(&self) -> Option<String> {
        self.gnu.map(|gnu| format!("{gnu}-gcc"))
    }

    /// Where Debian's cross packages put the target's C library.
    pub(crate) fn sysroot(&self) -> String {
        self.gnu.map_or_else(|| "/".to_owned(), |gnu| format!("/usr/{gnu}"))
    }

    /// A setting of cargo for this target: `CARGO_TARGET_<TRIPLE>_<KEY>`.
    pub(crate) fn cargo_variable(&self, key: &str) -> String {
        format!("CARGO_TARGET_{}_{key}", self.triple.to_uppercase().replace('-', "_"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_targets_setting_is_spelled_as_cargo_reads_it() {
        let variable = Target::by_name("armv7").map(|target| target.cargo_variable("RUNNER"));
        assert_eq!(variable.as_deref(), Some("CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_RUNNER"));
        assert!(Target::by_name("vax").is_none());
    }

    #[test]
    fn every_cpu_must_run_the_portable_kernels() {
        for cpu in TARGETS.iter().flat_map(|target| target.cpus) {
            assert_eq!(cpu.isas.first(), Some(&"scalar"), "{}", cpu.name);
        }
    }
}
