//! `ncnn-quant optimize`: fewer layers, the same outputs.

use std::path::PathBuf;

use clap::Args;
use fp32_ref::Shape;
use ncnn_format::{Error, Model, Result};
use quantizer::optimize::{OptimizeOptions, Optimized, OutputDifference, differences, optimize};
use serde_json::{Value, json};

use super::outputs::{of_prefix, prepare, save};
use crate::output::{Output, json_float};
use crate::{InputArgs, InputShape, ModelArgs, Named};

/// The largest relative difference of outputs that rounding may make.
const TOLERANCE: f64 = 1e-4;

/// How many random inputs are compared.
const RUNS: usize = 3;

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
    /// Sizes of an input, innermost first; as BLOB=W,H,C for networks with several [default: what the Input layer says]
    #[arg(long, value_name = "W,H,C")]
    pub shape: Vec<Named<InputShape>>,
    /// The only output that is wanted; may be repeated. Layers that do not lead to it are removed [default: every blob that no layer reads]
    #[arg(long, value_name = "BLOB")]
    pub output: Vec<String>,
    /// A blob between layers that your program extracts and that must stay; may be repeated.
    #[arg(long, value_name = "BLOB")]
    pub keep: Vec<String>,
    /// Largest difference of an output, relative to its largest value, that passes as rounding.
    #[arg(long, value_name = "X", default_value_t = TOLERANCE)]
    pub tolerance: f64,
    /// Random inputs to compare the outputs on, the same in every run of the command; 0 compares nothing.
    #[arg(long, value_name = "N", default_value_t = RUNS)]
    pub runs: usize,
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
    prepare(&of_prefix(&args.out)?[..2], &args.model)?;
    let options = OptimizeOptions {
        input_shapes: InputArgs { shape: args.shape.clone(), ..InputArgs::default() }.shapes(&model)?,
        outputs: args.output.clone(),
        keep: args.keep.clone(),
    };
    let optimized = optimize(&model, &options)?;
    let found = match args.runs {
        0 => Vec::new(),
        runs => compared(&model, &optimized.model, &options.input_shapes, runs, args.tolerance)?,
    };
    let files = save(&optimized.model, None, &args.out)?;
    let mut text = describe(&optimized);
    text += &summary(&model, &optimized, &found);
    text += &format!("wrote {} and {}\n", files.param.display(), files.bin.display());
    let strings = |lines: Vec<String>| Value::from(lines);
    Ok(Output {
        text,
        json: json!({
            "param": files.param,
            "bin": files.bin,
            "layers_before": model.layers.len(),
            "layers": optimized.model.layers.len(),
            "changes": strings(optimized.changes.iter().map(ToString::to_string).collect()),
            "refusals": strings(optimized.refusals.iter().map(ToString::to_string).collect()),
            "outputs": found.iter().map(|output| json!({
                "blob": output.blob,
                "relative_difference": json_float(output.relative),
            })).collect::<Vec<_>>(),
        }),
        ..Output::default()
    })
}

/// The optimized form of `model` for the commands that do it on the way, checked on random
/// inputs, and what to say about it.
///
/// # Errors
/// As [`run`], without the files.
pub(crate) fn optimized_on_the_way(model: &Model, input_shapes: Vec<(String, Shape)>) -> Result<(Model, String)> {
    let options = OptimizeOptions { input_shapes, ..OptimizeOptions::default() };
    let optimized = optimize(model, &options)?;
    let found = compared(model, &optimized.model, &options.input_shapes, RUNS, TOLERANCE)?;
    let text = summary(model, &optimized, &found);
    Ok((optimized.model, text))
}

fn compared(
    before: &Model,
    after: &Model,
    shapes: &[(String, Shape)],
    runs: usize,
    tolerance: f64,
) -> Result<Vec<OutputDifference>> {
    let hint = |error: Error| {
        let hint = "give --shape, or compare nothing with --runs 0";
        if error.message().contains("how large") {
            Error::invalid(format!("{}; {hint}", error.message()))
        } else {
            error
        }
    };
    let found = differences(before, after, shapes, runs, 0).map_err(hint)?;
    // NaN is no small difference.
    match found.iter().find(|output| output.relative.is_nan() || output.relative > tolerance) {
        Some(output) => Err(Error::invalid(format!(
            "the optimized network's output {} differs by {:.2e} of its largest value, more than {tolerance:e}; \
             nothing was written",
            output.blob, output.relative
        ))),
        None => Ok(found),
    }
}

fn describe(optimized: &Optimized) -> String {
    let changes = optimized.changes.iter().map(|change| format!("{change}\n"));
    let refusals = optimized.refusals.iter().map(|refusal| format!("note: {refusal}\n"));
    changes.chain(refusals).collect()
}

fn summary(before: &Model, optimized: &Optimized, found: &[OutputDifference]) -> String {
    let layers = format!("{} layers, {} before", optimized.model.layers.len(), before.layers.len());
    match found.iter().max_by(|a, b| a.relative.total_cmp(&b.relative)) {
        Some(worst) => {
            format!("{layers}; largest relative difference {:.1e} (output {})\n", worst.relative, worst.blob)
        }
        None => format!("{layers}; outputs were not compared\n"),
    }
}
