//! `cargo xtask cross-test`: the tests on other CPUs, emulated by qemu.

mod apt;
pub(crate) mod builds;
pub(crate) mod process;
mod suite;
mod table;
pub(crate) mod target;
mod toolchain;
mod tools;

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use ncnn_format::{Error, Result};

use self::builds::Builds;
use self::process::say;
use self::suite::Suite;
use self::target::{Cpu, TARGETS, Target};
use crate::python::target_folder;

/// Which architectures to test, and what may be lacking.
#[derive(Debug, Args)]
pub(crate) struct CrossArgs {
    /// Architectures: aarch64, armv7, riscv64, x86-64-v2, x86-64-v3
    #[arg(required = true)]
    architectures: Vec<String>,
    /// Instruction sets whose kernels must run, instead of all that each CPU has
    #[arg(long, value_delimiter = ',')]
    require: Option<Vec<String>>,
    /// Only these CPUs
    #[arg(long, value_delimiter = ',')]
    cpu: Option<Vec<String>>,
    /// Run only what depends on instruction sets
    #[arg(long)]
    quick: bool,
    /// Take the compiler and the tools from Debian packages under target/, even if the system has them
    #[arg(long)]
    private: bool,
}

/// Tests one architecture after the other.
///
/// # Errors
/// `Invalid` saying what to install, or naming the tests that failed and the instruction sets that did not run.
pub(crate) fn run(args: &CrossArgs) -> Result<()> {
    let named = |name: &String| {
        let names = || TARGETS.iter().map(|target| target.name).collect::<Vec<_>>().join(", ");
        Target::by_name(name).ok_or_else(|| Error::invalid(format!("{name} is none of {}", names())))
    };
    let targets = args.architectures.iter().map(named).collect::<Result<Vec<_>>>()?;
    let mut misses = Vec::new();
    for target in targets {
        misses.extend(test(target, args)?);
    }
    if misses.is_empty() { Ok(()) } else { Err(Error::invalid(misses.join("; "))) }
}

/// Tests on every CPU of `target`, prints the table, returns what is amiss.
fn test(target: &'static Target, args: &CrossArgs) -> Result<Vec<String>> {
    let start = Instant::now();
    let builds = Builds::open(target, &folder(), args.private)?;
    let found = start.elapsed().as_secs();
    let suite = Suite::build(&builds)?;
    let built = start.elapsed().as_secs();
    let mut columns: Vec<table::Column> = Vec::new();
    let mut misses = Vec::new();
    for (index, cpu) in target.cpus.iter().enumerate().filter(|(_, cpu)| args.wants(cpu)) {
        let whole = index == 0 && target.whole_suite && !args.quick;
        say(&format!("{} on {}", if whole { "all tests" } else { "kernels and networks" }, cpu.name));
        let required: Vec<&str> = match &args.require {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => cpu.isas.to_vec(),
        };
        let outcome = suite.run(cpu, &required, whole)?;
        misses.extend(outcome.misses(cpu, &required));
        columns.push((cpu.name, outcome));
    }
    println!("{}", table::describe(target.name, &columns));
    let total = start.elapsed().as_secs();
    println!(
        "{}: {total} s: tools and toolchain {found} s, build {} s, tests {} s",
        target.name,
        built - found,
        total - built
    );
    Ok(misses)
}

impl CrossArgs {
    fn wants(&self, cpu: &Cpu) -> bool {
        self.cpu.as_ref().is_none_or(|names| names.iter().any(|name| name == cpu.name))
    }
}

/// Where everything for other architectures goes.
pub(crate) fn folder() -> PathBuf {
    target_folder().join("cross")
}
