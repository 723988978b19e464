//! `ncnn-quant calibrate`: model and images in, table out.

use clap::{Arg, ArgGroup, Args};
use ncnn_format::{Error, Remark, Result};
use quantizer::calibrate::{Calibration, LayerCalibration, Passes};
use quantizer::{Inputs, Options, Pipeline, Prepared, Progress, comment_out};
use serde_json::{Value, json};

use super::outputs::prepare;
use crate::given::{CommandOptions, Given, JobArg, model_files};
use crate::output::{Output, json_float, note_lines, note_texts, table};
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
    Ok(Output {
        text: text + &note_lines(&remarks) + &wrote,
        json: json!({
            "table": options.table,
            "stats": options.stats,
            "method": options.method.unwrap_or_default().to_string(),
            "samples": calibration.as_ref().map(|calibration| calibration.samples),
            "layers": calibration.as_ref().map(to_json),
            "warnings": note_texts(&remarks),
        }),
        ..Output::default()
    })
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
    let excluded = prepared.excluded.iter().map(|excluded| Remark::note("stays-float", excluded.to_string()));
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
    let warnings = calibration.iter().flat_map(Calibration::warnings);
    remarks.extend(warnings.map(|warning| Remark::note("calibration", warning)));
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
                format!("{:.3} %", 100.0 * clipped(layer)),
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

/// The share of non-zero values beyond the threshold, to the width of a bin.
pub(crate) fn clipped(layer: &LayerCalibration) -> f64 {
    let histogram = &layer.histogram;
    let beyond: u64 = histogram
        .counts()
        .iter()
        .enumerate()
        .filter(|(bin, _)| (*bin as f32 + 0.5) * histogram.bin_width() > layer.reported_threshold())
        .map(|(_, count)| count)
        .sum();
    if histogram.total() == 0 { 0.0 } else { beyond as f64 / histogram.total() as f64 }
}

/// The layers of a calibration as JSON.
pub(crate) fn to_json(calibration: &Calibration) -> Vec<Value> {
    calibration
        .layers
        .iter()
        .map(|layer| {
            json!({
                "layer": layer.layer,
                "blob": layer.blob,
                "rule": layer.rule.to_string(),
                "runner_up": layer.choice.as_ref().and_then(|choice| choice.runner_up).map(|other| json!({
                    "rule": other.rule.to_string(),
                    "threshold": other.threshold.map(|threshold| json_float(threshold.value().into())),
                    "error": json_float(other.error),
                })),
                "error": layer.choice.as_ref().map(|choice| json_float(choice.winner.error)),
                "cosine": layer.similarity.map(|found| json!({
                    "start": json_float(found.start),
                    "reached": json_float(found.reached),
                })),
                "signed_costs_db": layer.half_range().map(|half| json_float(half.unsigned_db - half.sqnr_db)),
                "reduced_channels": layer.weights.reduced.iter().map(|&channel| json!({
                    "channel": channel,
                    "bits": json_float(layer.weights.bits(channel).into()),
                })).collect::<Vec<_>>(),
                "observed_channels": layer.weights.observed,
                "absmax": json_float(layer.range.absmax().into()),
                "threshold": json_float(layer.reported_threshold().into()),
                "threshold_bin": layer.threshold.and_then(|threshold| threshold.bin()),
                "scale": json_float(layer.input_scale.into()),
                "clipped": clipped(layer),
                "dead_channels": layer.weights.dead,
            })
        })
        .collect()
}
