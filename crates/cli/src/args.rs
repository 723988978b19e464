//! The command line as clap sees it.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use ncnn_format::{Error, Limits, Model, Result};
use quantizer::calibrate::{CalibrateOptions, Method, Passes};
use quantizer::{Excluded, Selection, WeightRule, WinogradGuard};

use crate::job::Job;

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

/// The fp32 model.
#[derive(Debug, Clone, Args)]
pub struct ModelArgs {
    /// The network's .param file.
    #[arg(long, value_name = "FILE")]
    pub param: PathBuf,
    /// The network's .bin file.
    #[arg(long, value_name = "FILE")]
    pub bin: PathBuf,
}

impl ModelArgs {
    /// Reads both files; oddities in the text are said on standard error.
    ///
    /// # Errors
    /// Those of reading them, naming the file.
    pub fn load(&self) -> Result<Model> {
        let (model, oddities) = Model::load_with(&self.param, &self.bin, &Limits::default())?;
        for oddity in oddities {
            // A courtesy: a closed standard error is no reason to stop.
            let _ = writeln!(std::io::stderr(), "{}", oddity.in_file(&self.param));
        }
        Ok(model)
    }
}

/// The fp32 model, or where a job says that it is.
#[derive(Debug, Clone, Args)]
pub struct JobModelArgs {
    /// The network's .param file.
    #[arg(long, value_name = "FILE", required_unless_present = "job")]
    pub param: Option<PathBuf>,
    /// The network's .bin file.
    #[arg(long, value_name = "FILE", required_unless_present = "job")]
    pub bin: Option<PathBuf>,
}

impl JobModelArgs {
    /// The files.
    ///
    /// # Errors
    /// `Invalid` when neither the command line nor `job` says where they are.
    pub(crate) fn or_of(&self, job: &Job) -> Result<ModelArgs> {
        let file = |given: &Option<PathBuf>, of_job: &Option<PathBuf>, name: &str| {
            let missing = || Error::invalid(format!("neither the command line nor the job has --{name}"));
            given.clone().or_else(|| of_job.clone()).ok_or_else(missing)
        };
        Ok(ModelArgs { param: file(&self.param, &job.param, "param")?, bin: file(&self.bin, &job.bin, "bin")? })
    }
}

/// Which layers become int8.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Mixed precision")]
pub struct SelectionArgs {
    /// Leave layers float: a layer's name, a glob such as 'head/*', or a type such as InnerProduct; may be repeated
    #[arg(long, value_name = "NAME|GLOB|TYPE")]
    pub exclude: Vec<String>,
    /// Leave all other layers float; may be repeated, and --exclude takes from it
    #[arg(long, value_name = "NAME|GLOB|TYPE")]
    pub only: Vec<String>,
    /// Leave the first layers float: those that no other int8 layer leads to
    #[arg(long)]
    pub float_first: bool,
    /// Leave the last layers float: those that lead to no other int8 layer
    #[arg(long)]
    pub float_last: bool,
}

impl SelectionArgs {
    /// Takes what was not given from a job.
    pub(crate) fn fill(&mut self, job: &Job) {
        if self.exclude.is_empty() {
            self.exclude.clone_from(&job.exclude);
        }
        if self.only.is_empty() {
            self.only.clone_from(&job.only);
        }
        self.float_first |= job.float_first;
        self.float_last |= job.float_last;
    }

    /// The layers of `model` that stay float by these options.
    ///
    /// # Errors
    /// As [`Selection::excluded`].
    pub(crate) fn excluded(&self, model: &Model) -> Result<Vec<Excluded>> {
        let selection = Selection {
            only: self.only.clone(),
            exclude: self.exclude.clone(),
            float_first: self.float_first,
            float_last: self.float_last,
        };
        if selection.is_everything() { Ok(Vec::new()) } else { selection.excluded(model) }
    }
}

/// The calibration method.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct MethodArgs {
    /// How thresholds are chosen: auto (the best of all by the error of the outputs), kl, kl-merge, js, mse,
    /// percentile:P, aciq-gauss, aciq-laplace, aciq-ncnn, absmax, moving-average, kl-ncnn; eq (weights and
    /// activations searched in turn for the cosine of the outputs, slower); ncnn-kl and ncnn-aciq give ncnn2table's
    /// tables digit for digit [default: auto]
    #[arg(long, value_name = "METHOD")]
    pub method: Option<Method>,
    /// How often every image goes through the network: 1, or 2 for exact histograms; default: 2 for the kl methods, else 1
    #[arg(long, value_name = "N", value_parser = passes)]
    pub passes: Option<Passes>,
    /// Weights that ncnn may run through Winograd: observed (eight bits where no sum can wrap or none came near it
    /// in calibration), proven, exact, ncnn (six bits) or off [default: observed]
    #[arg(long, value_name = "GUARD")]
    pub winograd: Option<WinogradGuard>,
    /// How far the weights of a channel reach: absmax, mse or aciq [default: absmax]
    #[arg(long, value_name = "RULE")]
    pub weights: Option<WeightRule>,
    /// Add up 3x3 convolutions product by product instead of by Winograd's algorithm: slower, values differ by 1e-5
    #[arg(long)]
    pub plain_sums: bool,
}

impl MethodArgs {
    /// Whether anything was chosen.
    pub(crate) fn is_given(&self) -> bool {
        self.method.is_some()
            || self.passes.is_some()
            || self.winograd.is_some()
            || self.weights.is_some()
            || self.plain_sums
    }

    /// The method.
    pub(crate) fn chosen(&self) -> Method {
        self.method.unwrap_or_default()
    }

    /// Takes what was not given from a job.
    ///
    /// # Errors
    /// `Invalid` for a number of passes that is not 1 or 2.
    pub(crate) fn fill(&mut self, job: &Job) -> Result<()> {
        self.method = self.method.or(job.method);
        if let (None, Some(number)) = (self.passes, job.passes) {
            let of_job = |message| Error::invalid(format!("passes of the job: {message}, found {number}"));
            self.passes = Some(passes(&number.to_string()).map_err(of_job)?);
        }
        self.plain_sums |= job.plain_sums;
        Ok(())
    }

    /// As the library takes it.
    pub(crate) fn options(&self) -> CalibrateOptions {
        CalibrateOptions {
            method: self.chosen(),
            passes: self.passes,
            winograd: self.winograd.unwrap_or_default(),
            weights: self.weights.unwrap_or_default(),
            plain_sums: self.plain_sums,
        }
    }
}

fn passes(text: &str) -> std::result::Result<Passes, String> {
    match text {
        "1" => Ok(Passes::One),
        "2" => Ok(Passes::Two),
        _ => Err("expected 1 or 2".to_owned()),
    }
}
