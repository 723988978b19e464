//! `ncnn-quant optimize`: fewer layers, the same outputs.

use std::path::PathBuf;

use clap::Args;
use ncnn_format::{Error, Result};
use quantizer::optimize::OptimizeOptions;
use quantizer::{Optimization, OutputCheck, model_paths};
use serde_json::{Value, json};

use super::outputs::{prepare, save};
use crate::given::{CommandOptions, Given};
use crate::model_args::ModelArgs;
use crate::output::{Output, json_float};

/// Arguments of `optimize`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub struct OptimizeArgs {
    /// The fp32 network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// Writes PREFIX.param and PREFIX.bin.
    #[arg(long, value_name = "PREFIX")]
    pub out: PathBuf,
    /// The shapes of inputs.
    #[command(flatten)]
    pub input: Given<ShapeOptions>,
    /// The only output that is wanted; may be repeated. Layers that do not lead to it are removed [default: every blob that no layer reads]
    #[arg(long, value_name = "BLOB")]
    pub output: Vec<String>,
    /// A blob between layers that your program extracts and that must stay; may be repeated.
    #[arg(long, value_name = "BLOB")]
    pub keep: Vec<String>,
    /// Largest difference of an output, relative to its largest value, that passes as rounding.
    #[arg(long, value_name = "X", default_value_t = OutputCheck::default().tolerance)]
    pub tolerance: f64,
    /// Random inputs to compare the outputs on, the same in every run of the command; 0 compares nothing.
    #[arg(long, value_name = "N", default_value_t = OutputCheck::default().runs)]
    pub runs: usize,
}

/// What `optimize` takes of a job's options.
#[derive(Debug, Clone)]
pub struct ShapeOptions;

impl CommandOptions for ShapeOptions {
    const NAMES: &'static [&'static str] = &["shape"];
}

const AFTER_HELP: &str = "\
Do this before calibrating, not after: a convolution that ends with its activation can hand int8 to the
next one. Outputs keep their names. The written model is compared with the original on random inputs;
if an output differs by more than --tolerance, nothing is written. docs/optimize.md lists the passes.";

/// Optimizes, compares, and writes the model.
///
/// # Errors
/// Those of reading, optimizing, running and writing; `Invalid` when an output differs by
/// more than the tolerance.
pub fn run(args: &OptimizeArgs) -> Result<Output> {
    let model = args.model.load()?;
    prepare(&model_paths(&args.out)?[..2], &args.model)?;
    let options = OptimizeOptions::default()
        .with_input_shapes(args.input.options().input_shapes(&model)?)
        .with_outputs(&args.output)
        .with_keep(&args.keep);
    let check = OutputCheck { runs: args.runs, tolerance: args.tolerance };
    let hint = |error: Error| match error.message().ends_with("give option shape") {
        true => Error::invalid(format!("{}, or compare nothing with --runs 0", error.message())),
        false => error,
    };
    let (optimized, done) = Optimization::of(&model, &options, check).map_err(hint)?;
    let files = save(&optimized, None, &args.out)?;
    let mut text = describe(&done);
    text += &format!("{done}\nwrote {} and {}\n", files.param.display(), files.bin.display());
    let strings = |lines: Vec<String>| Value::from(lines);
    Ok(Output {
        text,
        json: json!({
            "param": files.param,
            "bin": files.bin,
            "layers_before": done.layers_before,
            "layers": done.layers,
            "changes": strings(done.changes.iter().map(ToString::to_string).collect()),
            "refusals": strings(done.refusals.iter().map(ToString::to_string).collect()),
            "remarks": done.remarks(),
            "outputs": done.outputs.iter().map(|output| json!({
                "blob": output.blob,
                "relative_difference": json_float(output.relative),
            })).collect::<Vec<_>>(),
        }),
        ..Output::default()
    })
}

fn describe(done: &Optimization) -> String {
    let changes = done.changes.iter().map(|change| format!("{change}\n"));
    let refusals = done.refusals.iter().map(|refusal| format!("note: {refusal}\n"));
    changes.chain(refusals).collect()
}
