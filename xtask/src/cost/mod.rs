//! `cargo xtask arm-cost`: what the kernels cost on ARM, in executed instructions.
//!
//! qemu's times say nothing about a CPU's speed; its counts of instructions repeat exactly.

mod baseline;
mod count;
mod cycles;
mod report;
mod symbol;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use ncnn_format::{Error, Result};

use self::baseline::{Baseline, Inference};
use self::count::Counts;
use self::symbol::CLASSES;
use crate::cross::builds::Builds;
use crate::cross::folder;
use crate::cross::process::{output, say};
use crate::cross::target::{Cpu, Target};
use crate::models::repository;

/// What to count and what to do with it.
#[derive(Debug, Args)]
pub(crate) struct CostArgs {
    /// Fail if a kernel executes over 2 % more instructions than in benches/arm-cost.json
    #[arg(long, conflicts_with_all = ["update", "cpu", "network"])]
    check: bool,
    /// Write benches/arm-cost.json anew
    #[arg(long, conflicts_with_all = ["cpu", "network"])]
    update: bool,
    /// Only these CPUs
    #[arg(long, value_delimiter = ',')]
    cpu: Vec<String>,
    /// These networks: squeezenet_int8, mobilenet_int8, or .param files with int8 layers
    #[arg(long, default_values = ["squeezenet_int8", "mobilenet_int8"])]
    network: Vec<String>,
    /// Show every layer
    #[arg(long)]
    layers: bool,
}

/// Where kernels are counted: architecture, CPU, and the CPU that llvm-mca models for the same kernels.
const PLACES: [(&str, &str, Option<&str>); 4] = [
    ("aarch64", "cortex-a53", Some("cortex-a53")),
    ("aarch64", "cortex-a76", Some("cortex-a55")),
    ("aarch64", "max", None),
    ("armv7", "cortex-a7", None),
];

/// The counted program: an example of int8-exec.
const PROGRAM: &str = "inference";

/// Counts, prints tables, compares with the baseline or replaces it.
///
/// # Errors
/// `Invalid` saying what to install, or which kernels got dearer.
pub(crate) fn run(args: &CostArgs) -> Result<()> {
    let mca = cycles::model();
    if mca.is_none() {
        say(&format!("no llvm-mca {} (Debian: llvm): cycles are left out", cycles::LLVM));
    }
    let plugin = count::plugin(&folder())?;
    let mut now = Baseline { rustc: compiler()?, llvm: cycles::LLVM.to_owned(), ..Baseline::default() };
    let mut built: BTreeMap<&str, (Builds, PathBuf)> = BTreeMap::new();
    for (architecture, cpu, model) in PLACES {
        if !args.cpu.is_empty() && !args.cpu.iter().any(|name| name == cpu) {
            continue;
        }
        if !built.contains_key(architecture) {
            built.insert(architecture, build(architecture)?);
        }
        let Some((builds, program)) = built.get(architecture) else { continue };
        for network in &args.network {
            let cpu = Cpu { name: cpu, isas: &[] };
            let counts = count::count(builds, program, &plugin, &cpu, network)?;
            let mut inference = inference(&counts);
            if let (Some(mca), Some(model), Some(gnu)) = (mca, model, builds.target.gnu) {
                match cycles::cycles(mca, gnu, program, &counts, model) {
                    Ok(cycles) => {
                        inference.cycles = cycles;
                        inference.model = Some(model.to_owned());
                    }
                    Err(error) => say(&format!("no cycles: {error}")),
                }
            }
            println!("\n{network} on {}, one inference\n", cpu.name);
            println!("{}", report::classes(&counts));
            println!("{}", report::kernels(&counts, &inference.cycles, inference.model.as_deref()));
            if args.layers {
                println!("{}", report::layers(&counts));
            }
            inference.cycles = shortened(&inference.cycles);
            now.inferences.insert(format!("{} {network}", cpu.name), inference);
        }
    }
    if args.update {
        return now.save();
    }
    if args.check { check(&now) } else { Ok(()) }
}

/// Compares with the baseline.
fn check(now: &Baseline) -> Result<()> {
    let base = Baseline::load()?;
    let dearer = base.dearer(now);
    if dearer.is_empty() {
        println!("no kernel got dearer");
        return Ok(());
    }
    if base.rustc != now.rustc {
        // What another compiler makes of the same source is nobody's mistake.
        say(&format!("the baseline is of {}, this is {}: {}", base.rustc, now.rustc, dearer.join("; ")));
        return Ok(());
    }
    Err(Error::invalid(format!("{} (if that is intended: cargo xtask arm-cost --update)", dearer.join("; "))))
}

/// The counted program for an architecture.
fn build(architecture: &str) -> Result<(Builds, PathBuf)> {
    let target = Target::by_name(architecture).ok_or_else(|| Error::invalid("an architecture that is not there"))?;
    let builds = Builds::open(target, &folder(), false)?;
    say(&format!("building the counted program for {}", target.triple));
    let mut cargo = builds.cargo("build");
    cargo.args(["--release", "--package", "int8-exec", "--example", PROGRAM]);
    let status = cargo.status().map_err(|error| Error::io("cannot run cargo", repository(), error))?;
    if !status.success() {
        return Err(Error::invalid("the counted program does not build"));
    }
    let program = builds.programs("release").join("examples").join(PROGRAM);
    Ok((builds, program))
}

/// What the baseline keeps of an inference.
fn inference(counts: &Counts) -> Inference {
    let classes = CLASSES.map(|class| (class.name().to_owned(), counts.class(class)));
    Inference {
        classes: classes.into_iter().chain([("all".to_owned(), counts.total())]).collect(),
        kernels: shortened(counts.kernels()),
        ..Inference::default()
    }
}

fn shortened<'a>(functions: impl IntoIterator<Item = (&'a String, &'a u64)>) -> BTreeMap<String, u64> {
    functions.into_iter().map(|(path, &count)| (report::short(path).to_owned(), count)).collect()
}

fn compiler() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Ok(output(Command::new(rustc).arg("--version"), "rustc does not tell its version")?.trim().to_owned())
}
