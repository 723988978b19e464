//! `ncnn-quant calibrate`: model and images in, table out.

use clap::{Arg, ArgGroup, Args};
use ncnn_format::{Error, Remark, Result};
use quantizer::calibrate::{Calibration, LayerCalibration, Passes};
use quantizer::{Inputs, Options, Pipeline, Prepared, Progress, comment_out};
use serde_json::{Value, json};

use super::outputs::prepare;
use crate::given::{CommandOptions, Given, JobArg, model_files};
use crate::output::{Output, note_lines, note_texts, serialized, table};
use crate::plots::save_plots;

/// Arguments of `calibrate`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("source").args(["images", "job"]).required(true).multiple(true))]
pub struct CalibrateArgs {
    /// The options.
    #[command(flatten)]
    pub given: Given<CalibrateOptions>,
    /// The job.
    #[command(flatten)]
    pub job: JobArg,
}

/// What `calibrate` takes.
#[derive(Debug, Clone)]
pub struct CalibrateOptions;

impl CommandOptions for CalibrateOptions {
    #[rustfmt::skip]
    const NAMES: &'static [&'static str] = &[
        "param", "bin", "table", "plots", "optimize", "method", "passes", "winograd", "weights", "plain-sums",
        "images", "limit", "shuffle-seed", "skip-bad", "mean", "norm", "pixel", "shape", "resize",
        "exclude", "only", "float-first", "float-last", "stats", "shard", "checkpoint-every",
    ];

    fn rule(name: &str, arg: Arg) -> Arg {
        match name {
            "param" | "bin" => arg.required_unless_present("job"),
            "table" => out_table(arg).required_unless_present_any(["job", "shard"]),
            "shard" => arg.requires("stats").conflicts_with("table"),
            _ => arg,
        }
    }
}

/// The table as what a command writes.
pub(super) fn out_table(arg: Arg) -> Arg {
    arg.long("out").alias("table").help("The table to write")
}

/// Calibrates and writes the table.
///
/// # Errors
/// Those of reading the model and the images, of calibrating and of writing.
pub fn run(args: &CalibrateArgs, progress: &dyn Progress) -> Result<Output> {
    let options = args.given.with_job(&args.job)?;
    let files = model_files(&options)?;
    let options = checked(options)?;
    let model = files.load()?;
    prepare(&Vec::from_iter(options.table.iter().chain(&options.stats).cloned()), &files)?;
    let prepared = Pipeline::new(&model).options(options.clone()).prepare()?;
    let mut text = String::new();
    if let Some(optimization) = &prepared.optimization {
        text += &format!("{optimization}\n");
        text += "note: the table is for the optimized model; give --optimize to `quantize` too\n";
    }
    let inputs = options.dataset(&prepared.model)?;
    let Counts { calibration, stats, remarks } = counts(&options, &prepared, &inputs, progress)?;
    let mut wrote = stats;
    if let (Some(calibration), Some(out)) = (&calibration, &options.table) {
        comment_out(&calibration.table(), &prepared.excluded).save(out)?;
        text += &describe(calibration);
        if let Some(folder) = &options.plots {
            let plots = save_plots(calibration, folder)?;
            wrote += &format!("drew {} histograms in {}\n", plots.len(), folder.display());
        }
        let (layers, samples) = (calibration.layers.len(), calibration.samples);
        wrote += &format!("wrote {}: {layers} layers from {samples} samples\n", out.display());
    }
    let none = || Ok(json!({ "samples": null, "layers": null }));
    let mut json = calibration.as_ref().map_or_else(none, to_json)?;
    json["table"] = json!(options.table);
    json["stats"] = json!(options.stats);
    json["method"] = json!(options.method.unwrap_or_default());
    json["warnings"] = json!(note_texts(&remarks));
    json["remarks"] = json!(remarks);
    Ok(Output { text: text + &note_lines(&remarks) + &wrote, json, ..Output::default() })
}

/// What running the network on the samples gave.
struct Counts {
    /// None for a shard.
    calibration: Option<Calibration>,
    /// A line about the statistics, if they are kept.
    stats: String,
    remarks: Vec<Remark>,
}

fn counts(options: &Options, prepared: &Prepared<'_>, inputs: &Inputs, progress: &dyn Progress) -> Result<Counts> {
    let excluded = prepared.excluded.iter().cloned();
    let Some(path) = &options.stats else {
        let calibrated = prepared.calibrate(inputs, progress)?;
        let remarks = calibrated.remarks.into_iter().chain(excluded).collect();
        return Ok(Counts { calibration: calibrated.calibration, stats: String::new(), remarks });
    };
    let counted = prepared.count(path, inputs, progress)?;
    let (samples, of) = (counted.statistics.samples().len(), counted.statistics.origin().samples);
    let stats = format!("wrote {}: {samples} of {of} samples\n", path.display());
    let calibrate = |_| counted.statistics.calibrate(&prepared.model, options.calibrate_options(), progress);
    let calibration = options.table.as_ref().map(calibrate).transpose()?;
    let mut remarks = quantizer::Dataset::remarks(inputs);
    remarks.extend(counted.remarks);
    remarks.extend(calibration.iter().flat_map(Calibration::remarks));
    remarks.extend(excluded);
    Ok(Counts { calibration, stats, remarks })
}

/// The options, if they go together.
fn checked(mut options: Options) -> Result<Options> {
    if options.shard.is_some() {
        if options.stats.is_none() {
            return Err(Error::invalid("--shard needs --stats: a part of the samples makes no table"));
        }
        options.table = None;
    } else if options.table.is_none() {
        return Err(Error::invalid("neither the command line has --out nor the job a table to write"));
    }
    if options.stats.is_some() {
        if options.passes == Some(Passes::Two) {
            return Err(needs_two_passes());
        }
        // Before all samples are counted for nothing.
        options.method.unwrap_or_default().check_counts_suffice()?;
    }
    Ok(options)
}

/// Statistics are counted in one pass, in bins that grow.
pub(super) fn needs_two_passes() -> Error {
    Error::invalid("--passes 2 finds the ranges of all samples first, which statistics that merge and grow cannot")
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
