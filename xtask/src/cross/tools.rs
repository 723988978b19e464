//! The linker for the target, its C library, and the emulator.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ncnn_format::{Error, Result};

use super::apt::Apt;
use super::process::{as_root, output, say, succeeds};
use super::target::Target;
use super::toolchain::wrapper;

/// Programs and the folder that the emulated program sees as its own system.
#[derive(Debug)]
pub(crate) struct Tools {
    /// Links; `None` for the host's own linker.
    pub linker: Option<PathBuf>,
    /// Emulates.
    pub qemu: PathBuf,
    /// Where the target's dynamic linker and C library are.
    pub sysroot: PathBuf,
}

impl Tools {
    /// Those on the system, installed if that is possible, or unpacked under `folder`.
    ///
    /// # Errors
    /// `Invalid` saying what to install.
    pub(crate) fn find(target: &Target, folder: &Path, private: bool) -> Result<Self> {
        let folder = folder.join("tools").join(target.debian);
        let (system, unpacked) = (Self::of_system(target), Self::under(target, &folder));
        if !private && system.work(folder.parent().unwrap_or(&folder)) {
            return Ok(system);
        }
        if unpacked.work(&folder) {
            return Ok(unpacked);
        }
        let packages: Vec<&str> = target.packages.iter().copied().chain(["qemu-user"]).collect();
        let wanted = packages.join(" ");
        if !Apt::is_present() {
            return Err(Error::invalid(format!("please install the equivalent of Debian's {wanted}")));
        }
        if !private && install(&packages) && system.work(folder.parent().unwrap_or(&folder)) {
            return Ok(system);
        }
        say(&format!("unpacking {wanted} under target (once)"));
        unpack(target, &packages, &folder)
            .map_err(|error| Error::invalid(format!("please install {wanted} ({error})")))?;
        if unpacked.work(&folder) {
            return Ok(unpacked);
        }
        Err(Error::invalid(format!("please install {wanted}: unpacked under target they do not work")))
    }

    fn of_system(target: &Target) -> Self {
        Self { linker: target.linker().map(PathBuf::from), qemu: target.qemu.into(), sysroot: target.sysroot().into() }
    }

    fn under(target: &Target, folder: &Path) -> Self {
        let root = folder.join("root");
        Self {
            linker: target.linker().map(|linker| folder.join("bin").join(linker)),
            qemu: folder.join("bin").join(target.qemu),
            sysroot: target.gnu.map_or_else(|| "/".into(), |gnu| root.join("usr").join(gnu)),
        }
    }

    /// Whether a C program of one line can be linked, and the emulator starts.
    fn work(&self, scratch: &Path) -> bool {
        succeeds(Command::new(&self.qemu).arg("--version"))
            && self.linker.as_ref().is_none_or(|linker| links(linker, scratch))
    }
}

fn links(linker: &Path, scratch: &Path) -> bool {
    let source = scratch.join("probe.c");
    let written = fs::create_dir_all(scratch).and_then(|()| fs::write(&source, "int main(void) { return 0; }\n"));
    written.is_ok() && succeeds(Command::new(linker).arg("-o").arg(scratch.join("probe")).arg(&source))
}

/// Installs `packages` if this user may.
fn install(packages: &[&str]) -> bool {
    let Some(mut update) = as_root("apt-get") else {
        say("this user may not install packages");
        return false;
    };
    say(&format!("apt-get install {}", packages.join(" ")));
    // Its complaints are shown, what it does package by package is not.
    let quietly = |command: &mut Command| command.stdin(Stdio::null()).stdout(Stdio::null()).status();
    let shown = |command: &mut Command| quietly(command).is_ok_and(|status| status.success());
    // A list that fails may be one that nobody needs: installing decides.
    shown(update.args(["update", "-qq"]));
    as_root("env").is_some_and(|mut install| {
        install.args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-qq", "-y", "--no-install-recommends"]);
        shown(install.args(packages))
    })
}

/// Unpacks `packages` and all that they need, and writes wrappers that start the programs from there.
fn unpack(target: &Target, packages: &[&str], folder: &Path) -> Result<()> {
    let host = output(Command::new("dpkg").arg("--print-architecture"), "dpkg does not tell the architecture")?;
    let root = folder.join("root");
    fs::create_dir_all(&root).map_err(|error| Error::io("cannot create", &root, error))?;
    let apt = Apt::open(folder.join("apt"), host.trim(), &[])?;
    apt.unpack(&apt.missing(packages)?, &root)?;
    let libraries = root.join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH));
    let program = |name: &str| root.join("usr/bin").join(name);
    if let Some(linker) = target.linker() {
        let line = format!(
            "LD_LIBRARY_PATH=\"{}\" exec \"{}\" --sysroot=\"{}\" \"$@\"",
            libraries.display(),
            program(&linker).display(),
            root.display()
        );
        wrapper(&folder.join("bin").join(linker), &line)?;
    }
    // The emulated program inherits the environment: the emulator's libraries must not be in it.
    let loader = format!("/lib64/ld-linux-{}.so.2", std::env::consts::ARCH.replace('_', "-"));
    let line = format!(
        "exec {loader} --library-path \"{}\" \"{}\" \"$@\"",
        libraries.display(),
        program(target.qemu).display()
    );
    wrapper(&folder.join("bin").join(target.qemu), &line)
}
