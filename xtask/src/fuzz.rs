//! `cargo xtask fuzz`: every fuzz target for a while, on the stable toolchain.
//!
//! What cargo-fuzz does, without having to install it: build `fuzz/` with the
//! compiler's coverage counters and start libFuzzer on each binary. There is no
//! address sanitizer, which stable lacks and safe code has little use for; memory
//! is bounded by the allocator of `fuzz/src/lib.rs` instead.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use ncnn_format::{Error, Result};

use crate::models::repository;

/// Coverage counters and the tables that libFuzzer reads.
const COVERAGE: &[&str] = &[
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Ccodegen-units=1",
    "--cfg=fuzzing",
];

/// Which targets, and for how long.
#[derive(Debug, Args)]
pub(crate) struct FuzzArgs {
    /// Seconds for each target
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// Processes that share the work on a target
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    jobs: u32,
    /// Where the random numbers start; 0 takes another start every time
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Targets; all of them when none is named
    targets: Vec<String>,
}

/// Builds the targets, then runs one after the other.
///
/// # Errors
/// `Invalid` naming the targets that crashed, hung or took too much memory; what
/// made them do it is in `fuzz/artifacts/TARGET/`.
pub(crate) fn run(args: &FuzzArgs) -> Result<()> {
    let known = known_targets()?;
    if let Some(unknown) = args.targets.iter().find(|target| !known.contains(target)) {
        return Err(Error::invalid(format!("there is no fuzz target {unknown}, only {}", known.join(", "))));
    }
    let targets = if args.targets.is_empty() { known } else { args.targets.clone() };
    let binaries = build(&targets)?;
    let mut failed = Vec::new();
    for target in &targets {
        println!("fuzz: {target} for {} s", args.seconds);
        if !fuzz(target, &binaries.join(target), args)? {
            failed.push(target.as_str());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(Error::invalid(format!("{} failed; the inputs are in fuzz/artifacts", failed.join(", "))))
}

fn home() -> PathBuf {
    repository().join("fuzz")
}

/// The names of the files in `fuzz/fuzz_targets`.
fn known_targets() -> Result<Vec<String>> {
    let folder = home().join("fuzz_targets");
    let entries = fs::read_dir(&folder).map_err(|error| Error::io("cannot read", &folder, error))?;
    let mut names: Vec<String> =
        entries.filter_map(|entry| Some(entry.ok()?.path().file_stem()?.to_str()?.to_owned())).collect();
    names.sort();
    Ok(names)
}

/// Builds `targets` and gives the folder of the binaries.
fn build(targets: &[String]) -> Result<PathBuf> {
    // A target of its own keeps the flags away from build scripts.
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let target_folder = home().join("target");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .args(["build", "--release", "--locked", "--target", &triple, "--manifest-path"])
        .arg(home().join("Cargo.toml"))
        .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\u{1f}"))
        .env("CARGO_TARGET_DIR", &target_folder);
    for target in targets {
        cargo.args(["--bin", target]);
    }
    if !succeeds(&mut cargo, &target_folder)? {
        return Err(Error::invalid("the fuzz targets do not build"));
    }
    Ok(target_folder.join(triple).join("release"))
}

/// Runs one target; whether it survived.
fn fuzz(target: &str, binary: &Path, args: &FuzzArgs) -> Result<bool> {
    let (corpus, artifacts) = (home().join("corpus").join(target), home().join("artifacts").join(target));
    for folder in [&corpus, &artifacts] {
        fs::create_dir_all(folder).map_err(|error| Error::io("cannot create", folder, error))?;
    }
    let mut command = Command::new(binary);
    // New inputs go to the first folder, which git ignores.
    command.arg(&corpus);
    let seeds = home().join("corpus-seed").join(target);
    if seeds.is_dir() {
        command.arg(seeds);
    }
    let dictionary = home().join("dictionaries").join(target).with_extension("dict");
    if dictionary.is_file() {
        command.arg(format!("-dict={}", dictionary.display()));
    }
    command
        .arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(format!("-max_total_time={}", args.seconds))
        .arg(format!("-seed={}", args.seed))
        .args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=16384", "-print_final_stats=1", "-verbosity=0"]);
    if args.jobs > 1 {
        command.arg(format!("-fork={}", args.jobs));
    }
    succeeds(&mut command, binary)
}

fn succeeds(command: &mut Command, path: &Path) -> Result<bool> {
    let status = command.status().map_err(|error| Error::io("cannot run", path, error))?;
    Ok(status.success())
}
