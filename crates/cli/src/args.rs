//! The command line as clap sees it.

use clap::{Args, Parser, Subcommand};

/// Turn an fp32 ncnn model into an int8 model that stock ncnn loads, and say how good it is.
#[derive(Debug, Parser)]
#[command(name = "ncnn-quant", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub options: RunOptions,
}

const EXAMPLES: &str = "\
Examples:
  # one go: images in, int8 model out (small.param, small.bin, small.table)
  ncnn-quant quantize --param net.param --bin net.bin --images photos/ \\
      --shape 224,224,3 --pixel RGB --mean 123.675,116.28,103.53 --norm 0.01712,0.01751,0.01743 --out small
  # the same from a file of options (docs/job-file.md); fewer layers first
  ncnn-quant quantize --job net.toml --optimize
  # how much accuracy went, and where
  ncnn-quant compare --param net.param --bin net.bin --int8-param small.param --int8-bin small.bin \\
      --images test/ --labels test/labels.tsv --shape 224,224,3 --pixel RGB --mean … --norm …
  # what one image gives
  ncnn-quant run --param small.param --bin small.bin --image cat.jpg --shape 224,224,3 …
  # what is in a file, what is wrong with it, what changed
  ncnn-quant inspect --params --weights net.param
  ncnn-quant check net.param small.table
  ncnn-quant diff net.param small.param

Exit codes: 0 done, 1 failed (the reason is on standard error), 2 wrong usage.
check: 1 also when it finds an error. diff, as diff(1): 0 the same, 1 different, 2 failed or wrong usage.";

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct RunOptions {
    /// Threads to use, 1 to 512; default: one per processor. Results do not depend on it.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub threads: Option<u16>,
    /// Print the result as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not show progress.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prepare an fp32 model: fold, fuse and remove layers, with the same outputs.
    Optimize(crate::commands::optimize::OptimizeArgs),
    /// Find the scales: model and sample images in, a `.table` for ncnn2int8 or `quantize` out.
    Calibrate(crate::commands::calibrate::CalibrateArgs),
    /// Choose thresholds by another method from statistics that `calibrate --stats` kept, without running the network.
    Thresholds(crate::commands::thresholds::ThresholdsArgs),
    /// Add up statistics that several runs of `calibrate --stats --shard` counted.
    Merge(crate::commands::merge::MergeArgs),
    /// Make the int8 model, from a table or from images in one go.
    Quantize(crate::commands::quantize::QuantizeArgs),
    /// Run a model, fp32 or int8, on one image or on .npy inputs.
    Run(crate::commands::run::RunArgs),
    /// Run the fp32 and the int8 model on images and say how they differ.
    Compare(crate::commands::compare::CompareArgs),
    /// Say what is in a model or a table.
    Inspect(crate::commands::inspect::InspectArgs),
    /// Say what differs between two models or two tables.
    Diff(crate::commands::diff::DiffArgs),
    /// Turn a .param into a .param.bin or back, and change how a .bin stores floats.
    Convert(crate::commands::convert::ConvertArgs),
    /// Find what ncnn accepts silently and fails on later.
    Check(crate::commands::check::CheckArgs),
    /// Time a model, fp32 or int8, as a whole and layer by layer.
    Bench(crate::commands::bench::BenchArgs),
    /// Say how an int8 model is going to run: what is fused, with which kernels, in how much memory.
    Plan(crate::commands::plan::PlanArgs),
}
