//! cargo for another architecture, and the emulator that runs what it makes.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ncnn_format::Result;

use super::target::{Cpu, Target};
use super::toolchain::Toolchain;
use super::tools::Tools;
use crate::models::repository;

/// Everything that it takes to build and run programs for a target.
#[derive(Debug)]
pub(crate) struct Builds {
    pub(crate) target: &'static Target,
    toolchain: Toolchain,
    tools: Tools,
    /// Folder of build products, which compilers must not share.
    products: PathBuf,
}

impl Builds {
    /// Finds or makes compiler, linker and emulator, in `folder` what the system lacks; `private` takes nothing
    /// from the system that a folder can hold.
    ///
    /// # Errors
    /// `Invalid` saying what to install.
    pub(crate) fn open(target: &'static Target, folder: &Path, private: bool) -> Result<Self> {
        let toolchain = Toolchain::find(target, folder, private)?;
        let tools = Tools::find(target, folder, private)?;
        let products = folder.join(toolchain.name());
        Ok(Self { target, toolchain, tools, products })
    }

    /// `cargo` with a command such as `test`, for the target.
    pub(crate) fn cargo(&self, command: &str) -> Command {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args([command, "--locked", "--target", self.target.triple, "--target-dir"]).arg(&self.products);
        cargo.current_dir(repository());
        self.set_environment(&mut cargo);
        cargo
    }

    /// The emulator, which imitates `cpu` in this process and in those that it starts; the program is to follow.
    pub(crate) fn emulator(&self, cpu: &Cpu) -> Command {
        let mut command = Command::new(&self.tools.qemu);
        self.set_environment(&mut command);
        imitate(&mut command, cpu);
        command
    }

    /// The folder of programs of a profile.
    pub(crate) fn programs(&self, profile: &str) -> PathBuf {
        self.products.join(self.target.triple).join(profile)
    }

    fn set_environment(&self, command: &mut Command) {
        self.toolchain.apply(command);
        if let Some(linker) = &self.tools.linker {
            command.env(self.target.cargo_variable("LINKER"), linker);
        }
        command.env(self.target.cargo_variable("RUNNER"), &self.tools.qemu);
        command.env("TEST_RUNNER", &self.tools.qemu).env("QEMU_LD_PREFIX", &self.tools.sysroot);
        command.env_remove("INT8_ISA").stdin(Stdio::null());
    }
}

/// Tells emulators that `command` starts which CPU to be.
pub(crate) fn imitate(command: &mut Command, cpu: &Cpu) {
    command.env("QEMU_CPU", cpu.name);
}
