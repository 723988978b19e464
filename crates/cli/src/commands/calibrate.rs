//! `ncnn-quant calibrate`: model and images in, table out.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use ncnn_format::{Error, Model, Result};
use quantizer::calibrate::{Calibration, LayerCalibration, Passes, calibrate};
use quantizer::{Progress, comment_out};
use serde_json::{Value, json};

use super::optimize::optimized_on_the_way;
use super::outputs::prepare;
use super::stats::{Counted, StatsArgs, count};
use crate::inputs::with_readable;
use crate::output::{Output, serialized, table};
use crate::plots::save_plots;
use crate::{InputArgs, Inputs, JobModelArgs, MethodArgs, ModelArgs, SampleArgs, SelectionArgs};

/// Arguments of `calibrate`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("source").args(["images", "job"]).required(true).multiple(true))]
pub struct CalibrateArgs {
    /// The network.
    #[command(flatten)]
    pub model: JobModelArgs,
    /// How thresholds are chosen.
    #[command(flatten)]
    pub method: MethodArgs,
    /// The table to write.
    #[arg(long, value_name = "FILE", required_unless_present_any = ["job", "shard"])]
    pub out: Option<PathBuf>,
    /// Also draws the histogram of every layer's input with the thresholds of all rules, as SVG files in this folder.
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,
    /// Fold, fuse and remove layers first, as the command `optimize` does; the table is for that model.
    #[arg(long)]
    pub optimize: bool,
    /// Which samples to use.
    #[command(flatten)]
    pub samples: SampleArgs,
    /// How an image becomes the input.
    #[command(flatten)]
    pub input: InputArgs,
    /// Which layers become int8.
    #[command(flatten)]
    pub selection: SelectionArgs,
    /// Counting into a file.
    #[command(flatten)]
    pub stats: StatsArgs,
}

/// Calibrates and writes the table.
///
/// # Errors
/// Those of reading the model and the images, of calibrating and of writing.
pub fn run(args: &CalibrateArgs, progress: &dyn Progress) -> Result<Output> {
    let (args, files) = with_job(args)?;
    let mut model = files.load()?;
    prepare(&Vec::from_iter(args.out.iter().chain(&args.stats.stats).cloned()), &files)?;
    let mut text = String::new();
    if args.optimize {
        (model, text) = optimized_on_the_way(&model, args.input.shapes(&model)?)?;
        text += "note: the table is for the optimized model; give --optimize to `quantize` too\n";
    }
    let excluded = args.selection.excluded(&model)?;
    let inputs = args.input.dataset(&model, &args.samples.images, args.samples.skip_bad)?;
    let Counts { calibration, stats, mut notes } = counts(&args, &model, &inputs, progress)?;
    notes.splice(0..0, inputs.left_out());
    notes.extend(calibration.iter().flat_map(Calibration::remarks).map(|remark| remark.to_string()));
    notes.extend(excluded.iter().map(ToString::to_string));
    let mut wrote = stats;
    if let (Some(calibration), Some(out)) = (&calibration, &args.out) {
        comment_out(&calibration.table(), &excluded).save(out)?;
        text += &describe(calibration);
        if let Some(folder) = &args.plots {
            let plots = save_plots(calibration, folder)?;
            wrote += &format!("drew {} histograms in {}\n", plots.len(), folder.display());
        }
        let (layers, samples) = (calibration.layers.len(), calibration.samples);
        wrote += &format!("wrote {}: {layers} layers from {samples} samples\n", out.display());
    }
    notes.iter().for_each(|note| text += &format!("note: {note}\n"));
    let none = || Ok(json!({ "samples": null, "layers": null }));
    let mut json = calibration.as_ref().map_or_else(none, to_json)?;
    json["table"] = json!(args.out);
    json["stats"] = json!(args.stats.stats);
    json["method"] = json!(args.method.chosen().to_string());
    json["warnings"] = json!(notes);
    Ok(Output { text: text + &wrote, json, ..Output::default() })
}

/// What running the network on the samples gave.
struct Counts {
    /// None for a shard.
    calibration: Option<Calibration>,
    /// A line about the statistics, if they are kept.
    stats: String,
    notes: Vec<String>,
}

fn counts(args: &CalibrateArgs, model: &Model, inputs: &Inputs, progress: &dyn Progress) -> Result<Counts> {
    let Some(path) = &args.stats.stats else {
        let chosen = args.samples.chosen(inputs);
        let (calibration, notes) = with_readable(&chosen, args.samples.skip_bad, progress, |samples| {
            calibrate(model, samples, args.method.options(), progress)
        })?;
        return Ok(Counts { calibration: Some(calibration), stats: String::new(), notes });
    };
    let Counted { statistics, notes } =
        count(&args.stats, path, (model, inputs), (&args.samples, args.method.plain_sums), progress)?;
    let (counted, of) = (statistics.samples().len(), statistics.origin().samples);
    let stats = format!("wrote {}: {counted} of {of} samples\n", path.display());
    let calibrated = args.out.as_ref().map(|_| statistics.calibrate(model, args.method.options(), progress));
    Ok(Counts { calibration: calibrated.transpose()?, stats, notes })
}

/// The arguments with what the job adds to them, and the model's files.
fn with_job(args: &CalibrateArgs) -> Result<(CalibrateArgs, ModelArgs)> {
    let mut args = args.clone();
    let job = args.samples.job()?;
    let files = args.model.or_of(&job)?;
    job.fill(&mut args.samples, &mut args.input, &mut args.method, &mut args.selection)?;
    args.optimize |= job.optimize;
    args.stats.stats = args.stats.stats.or(job.stats);
    if args.stats.shard.is_none() {
        args.out = args.out.or(job.table);
        if args.out.is_none() {
            return Err(Error::invalid("neither the command line has --out nor the job a table to write"));
        }
    }
    if args.stats.stats.is_some() {
        if args.method.passes == Some(Passes::Two) {
            return Err(needs_two_passes());
        }
        // Before all samples are counted for nothing.
        args.method.chosen().check_counts_suffice()?;
    }
    Ok((args, files))
}

/// Statistics are counted in one pass, in bins that grow.
pub(super) fn needs_two_passes() -> Error {
    Error::invalid("--passes 2 finds the ranges of all samples first, which statistics that merge and grow cannot")
}

/// What calibration and reading the samples gave cause to mention.
pub(crate) fn warnings(calibration: &Calibration, inputs: &Inputs) -> Vec<String> {
    let mut warnings = Vec::from_iter(inputs.left_out());
    warnings.extend(calibration.remarks().iter().map(ToString::to_string));
    warnings
}

/// One line per layer: what its input held and what was made of it.
pub(crate) fn describe(calibration: &Calibration) -> String {
    let rows = calibration
        .layers
        .iter()
        .map(|layer| {
            vec![
                layer.layer.clone(),
                layer.rule.to_string(),
                format!("{:.6}", layer.range.absmax()),
                format!("{:.6}", layer.reported_threshold()),
                format!("{:.6}", layer.input_scale),
                format!("{:.3} %", 100.0 * layer.clipped()),
                layer
                    .half_range()
                    .map_or_else(|| "-".to_owned(), |half| format!("{:.1} dB", half.unsigned_db - half.sqnr_db)),
                bits(layer),
            ]
        })
        .collect();
    table(&["layer", "rule", "largest |x|", "threshold", "scale", "clipped", "signed", "weights"], rows, 2)
        + "signed: what storing a blob that is never negative as signed int8 costs\n"
}

/// How many bits the weights keep.
fn bits(layer: &LayerCalibration) -> String {
    let weights = &layer.weights;
    match (weights.reduced.len(), weights.observed.len()) {
        (0, 0) => format!("{:.1} bits", weights.fewest_bits()),
        (0, seen) => format!("8.0 bits, {seen} of {} seen only", weights.scales.len()),
        (reduced, _) => {
            format!("{:.1} bits in {reduced} of {}", weights.fewest_bits(), weights.scales.len())
        }
    }
}

/// A calibration as JSON, in the form that docs/results.md describes but for the histograms, which would be most of it.
///
/// # Errors
/// `Invalid` when it has no such form.
pub(crate) fn to_json(calibration: &Calibration) -> Result<Value> {
    let mut json = serialized(calibration)?;
    for layer in json["layers"].as_array_mut().into_iter().flatten() {
        layer.as_object_mut().map(|layer| layer.remove("histogram"));
    }
    Ok(json)
}
