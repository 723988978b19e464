//! A Rust compiler with the target's standard library.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ncnn_format::{Error, Result};

use super::apt::Apt;
use super::process::{output, say, succeeds};
use super::target::Target;

/// The Debian release that has a compiler as new as ours, and the one after it, whose standard library is of
/// the same compiler.
const RELEASES: [&str; 2] = ["bookworm", "trixie"];

/// Which compiler cargo is to use for a target.
#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The one that compiles this program.
    Current,
    /// `bin/rustc` and `bin/rustdoc` of a folder.
    Private(PathBuf),
}

impl Toolchain {
    /// The current compiler if it has the standard library of `target`, after `rustup target add` if need be; else
    /// Debian's in `folder`. `private` goes straight to the last.
    ///
    /// # Errors
    /// `Invalid` saying what to install.
    pub(crate) fn find(target: &Target, folder: &Path, private: bool) -> Result<Self> {
        let scratch = folder.join("probe");
        fs::create_dir_all(&scratch).map_err(|error| Error::io("cannot create", &scratch, error))?;
        let current = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let has_std = || compiles(&current, target, &scratch);
        if !private {
            if has_std() {
                return Ok(Self::Current);
            }
            say(&format!("rustup target add {}", target.triple));
            // Its progress is shown; if there is no rustup, the next way is tried.
            let added = Command::new("rustup").args(["target", "add", target.triple]).status();
            if added.is_ok_and(|status| status.success()) && has_std() {
                return Ok(Self::Current);
            }
        }
        Self::of_debian(target, &folder.join("debian-rust"), &scratch).map_err(|error| {
            Error::invalid(format!(
                "no Rust standard library for {}: install rustup and run `rustup target add {}` ({error})",
                target.triple, target.triple
            ))
        })
    }

    /// Tells cargo in `command` to use it.
    pub(crate) fn apply(&self, command: &mut Command) {
        if let Self::Private(folder) = self {
            command.env("RUSTC", folder.join("bin/rustc")).env("RUSTDOC", folder.join("bin/rustdoc"));
        }
    }

    /// For the folder of build products, which compilers must not share.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Private(_) => "debian",
        }
    }

    fn of_debian(target: &Target, folder: &Path, scratch: &Path) -> Result<Self> {
        let private = Self::Private(folder.to_owned());
        let rustc = folder.join("bin/rustc").into_os_string();
        if compiles(&rustc, target, scratch) {
            return Ok(private);
        }
        if !Apt::is_present() {
            return Err(Error::invalid("without rustup, apt is needed"));
        }
        say("making a private Rust toolchain from Debian packages, about 130 MB (once)");
        let host = output(Command::new("dpkg").arg("--print-architecture"), "dpkg does not tell the architecture")?;
        let system = Apt::open(folder.join("apt-system"), host.trim(), &[])?;
        let [mirror, security] = system.mirrors()?;
        let [stable, next] = RELEASES;
        let updated = [format!("{mirror} {stable} main"), format!("{security} {stable}-security main")];
        let root = folder.join("root");
        fs::create_dir_all(&root).map_err(|error| Error::io("cannot create", &root, error))?;
        if !compiles_for_host(&rustc, scratch) {
            compiler(&Apt::open(folder.join("apt-host"), host.trim(), &updated)?, folder, &root)?;
        }
        if !compiles_for_host(&rustc, scratch) {
            return Err(Error::invalid("Debian's compiler does not work here"));
        }
        let sources: [(&str, &[String]); 2] = [(stable, &updated), (next, &[format!("{mirror} {next} main")])];
        for (release, lines) in sources {
            let library = root.join("usr/lib/rustlib").join(target.triple);
            // A library of another compiler may be left from a release that did not work.
            let _ = fs::remove_dir_all(&library);
            say(&format!("the standard library for {} from {release}", target.debian));
            let apt = Apt::open(folder.join(format!("apt-{}-{release}", target.debian)), target.debian, lines);
            let unpacked = apt.and_then(|apt| apt.unpack(&["libstd-rust-web-dev".into()], &root));
            match unpacked {
                Ok(()) if compiles(&rustc, target, scratch) => return Ok(private),
                Ok(()) => say(&format!("{release} has the library of another compiler")),
                Err(error) => say(&format!("{release} does not have it: {error}")),
            }
        }
        Err(Error::invalid(format!("Debian has no library for {} that fits its compiler", target.debian)))
    }
}

/// Unpacks Debian's compiler and writes the wrappers that start it.
fn compiler(apt: &Apt, folder: &Path, root: &Path) -> Result<()> {
    let runtime = apt.dependency("libstd-rust-web-dev", "libstd-rust-web-")?;
    let llvm = apt.dependency(&runtime, "libllvm")?;
    let mut packages = vec!["rustc-web".to_owned(), "libstd-rust-web-dev".into(), runtime.clone(), llvm.clone()];
    // The compiler's libraries need others that a small system lacks; what rustc-web itself needs to link is not wanted.
    for package in apt.missing(&[&runtime, &llvm])? {
        if !packages.contains(&package) {
            packages.push(package);
        }
    }
    apt.unpack(&packages, root)?;
    let libraries = root.join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH));
    for program in ["rustc", "rustdoc"] {
        wrapper(
            &folder.join("bin").join(program),
            &format!(
                "LD_LIBRARY_PATH=\"{}${{LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}}\" exec \"{}\" \"$@\"",
                libraries.display(),
                root.join("usr/bin").join(program).display()
            ),
        )?;
    }
    Ok(())
}

/// A shell script of one line.
///
/// # Errors
/// `Io` when it cannot be written.
pub(crate) fn wrapper(path: &Path, line: &str) -> Result<()> {
    let failed = |error| Error::io("cannot write", path, error);
    fs::create_dir_all(path.parent().unwrap_or(path)).map_err(failed)?;
    fs::write(path, format!("#!/bin/sh\n{line}\n")).map_err(failed)?;
    output(Command::new("chmod").arg("755").arg(path), "cannot make the script executable").map(|_| ())
}

/// Whether `rustc` compiles one line that needs the standard library of `target`.
fn compiles(rustc: &OsString, target: &Target, scratch: &Path) -> bool {
    probe(rustc, &["--target", target.triple], scratch)
}

fn compiles_for_host(rustc: &OsString, scratch: &Path) -> bool {
    probe(rustc, &[], scratch)
}

fn probe(rustc: &OsString, options: &[&str], scratch: &Path) -> bool {
    let source = scratch.join("probe.rs");
    let written = fs::write(&source, "fn main() { println!(\"\") }\n").is_ok();
    let mut command = Command::new(rustc);
    command.args(options).arg("--emit=metadata").arg("-o").arg(scratch.join("probe.rmeta")).arg(source);
    written && succeeds(&mut command)
}
