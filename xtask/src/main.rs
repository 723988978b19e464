//! The project's own chores.

#![forbid(unsafe_code)]

mod accuracy;
mod batch;
mod bench_ncnn;
mod calibrate;
mod cost;
mod cross;
mod docs;
mod fuzz;
mod golden;
mod models;
mod optimize;
mod parity;
mod python;
mod tidy;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's own chores", version)]
struct Arguments {
    /// The folder of further networks, which are not part of the repository [default: `shared` next to it]
    #[arg(long, global = true, value_name = "FOLDER")]
    networks: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Score every method on the networks of the folder of networks in the stock ncnn runtime
    Accuracy(accuracy::AccuracyArgs),
    /// Count the instructions that kernels execute on ARM CPUs, emulated by qemu
    ArmCost(cost::CostArgs),
    /// Time our int8 executor and the stock ncnn runtime in turn
    BenchNcnn(bench_ncnn::BenchArgs),
    /// Do the whole job on the fixtures: calibrate, convert to int8, run, score.
    /// With arguments: the same as `ncnn-quant calibrate`.
    Calibrate {
        /// Arguments of `ncnn-quant calibrate`.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
    /// Run the tests on other CPUs, emulated by qemu; gets the compiler and the tools that it needs
    CrossTest(cross::CrossArgs),
    /// Regenerate docs/layer-parameters.md from the parameter tables
    Docs,
    /// Run the fuzz targets, each for a while; needs a C++ compiler
    Fuzz(fuzz::FuzzArgs),
    /// Regenerate fixtures/golden/fp32 with the stock ncnn runtime
    Golden,
    /// Compare outputs, tables and int8 files with the stock ncnn runtime
    NcnnParity(parity::ParityArgs),
    /// Compare optimized networks with the original ones and with ncnnoptimize's
    OptimizeParity(optimize::OptimizeArgs),
    /// Check what clippy cannot: unsafe, circles of modules, dependencies, links, file lengths and more
    Tidy(tidy::TidyArgs),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(folder) = arguments.networks {
        models::take_networks_from(folder);
    }
    let result = match arguments.command {
        Command::Accuracy(args) => accuracy::run(&args),
        Command::ArmCost(args) => cost::run(&args),
        Command::BenchNcnn(args) => bench_ncnn::run(&args),
        Command::Calibrate { args } if args.is_empty() => calibrate::run(),
        Command::Calibrate { args } => return calibrate::forward(args),
        Command::CrossTest(args) => cross::run(&args),
        Command::Docs => docs::run(),
        Command::Fuzz(args) => fuzz::run(&args),
        Command::Golden => golden::run(),
        Command::NcnnParity(args) => parity::run(&args),
        Command::OptimizeParity(args) => optimize::run(&args),
        Command::Tidy(args) => tidy::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
