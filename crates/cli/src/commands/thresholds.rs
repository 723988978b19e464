//! `ncnn-quant thresholds`: statistics to a table, without running the network.

use std::path::PathBuf;

use clap::Args;
use ncnn_format::Result;
use quantizer::calibrate::Passes;
use quantizer::calibrate::statistics::Statistics;
use quantizer::{Progress, comment_out};
use serde_json::json;

use super::calibrate::{describe, needs_two_passes, to_json};
use super::optimize::optimized_on_the_way;
use super::outputs::prepare;
use crate::output::Output;
use crate::{InputArgs, InputShape, MethodArgs, ModelArgs, Named, SelectionArgs};

/// Arguments of `thresholds`.
#[derive(Debug, Clone, Args)]
pub struct ThresholdsArgs {
    /// The statistics, from `calibrate --stats` or `merge`.
    #[arg(long, value_name = "FILE")]
    pub stats: PathBuf,
    /// The network that they are of.
    #[command(flatten)]
    pub model: ModelArgs,
    /// How thresholds are chosen.
    #[command(flatten)]
    pub method: MethodArgs,
    /// The table to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Which layers become int8.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// The statistics are of the optimized network: `calibrate --optimize` made them.
    #[arg(long)]
    pub optimize: bool,
    /// With --optimize: sizes of an input that the Input layer does not state
    #[arg(long, value_name = "W,H,C", requires = "optimize")]
    pub shape: Vec<Named<InputShape>>,
}

/// Chooses thresholds and writes the table.
///
/// # Errors
/// Those of reading and writing; `Invalid` when the statistics are of another network.
pub fn run(args: &ThresholdsArgs, progress: &dyn Progress) -> Result<Output> {
    let mut model = args.model.load()?;
    prepare(std::slice::from_ref(&args.out), &args.model)?;
    let mut text = String::new();
    if args.optimize {
        let input = InputArgs { shape: args.shape.clone(), ..InputArgs::default() };
        (model, text) = optimized_on_the_way(&model, input.shapes(&model)?)?;
    }
    let excluded = args.selection.excluded(&model)?;
    let statistics = Statistics::load(&args.stats)?;
    if args.method.passes == Some(Passes::Two) {
        return Err(needs_two_passes());
    }
    let method = args.method.chosen();
    let calibration =
        statistics.calibrate(&model, args.method.options(), progress).map_err(|error| error.in_file(&args.stats))?;
    comment_out(&calibration.table(), &excluded).save(&args.out)?;
    let mut warnings: Vec<String> = calibration.remarks().iter().map(ToString::to_string).collect();
    if statistics.missing() > 0 {
        let of = statistics.origin().samples;
        warnings.push(format!("{} of {of} samples are not counted yet", statistics.missing()));
    }
    warnings.extend(excluded.iter().map(ToString::to_string));
    text += &describe(&calibration);
    warnings.iter().for_each(|warning| text += &format!("note: {warning}\n"));
    let (layers, samples) = (calibration.layers.len(), calibration.samples);
    text += &format!("wrote {}: {layers} layers from {samples} samples\n", args.out.display());
    let mut json = to_json(&calibration)?;
    json["table"] = json!(args.out);
    json["method"] = json!(method.to_string());
    json["warnings"] = json!(warnings);
    Ok(Output { text, json, ..Output::default() })
}
