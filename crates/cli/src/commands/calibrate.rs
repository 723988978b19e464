//! `ncnn-quant calibrate`: model and images in, table out.

use std::path::PathBuf;

use clap::Args;
use ncnn_format::Result;
use quantizer::calibrate::{Calibration, LayerCalibration, calibrate};
use quantizer::{Dataset, Progress};
use serde_json::{Value, json};

use super::outputs::prepare;
use crate::args::MethodArgs;
use crate::output::{Output, json_float, table};
use crate::plots::save_plots;
use crate::{InputArgs, ModelArgs};

/// Arguments of `calibrate`.
#[derive(Debug, Clone, Args)]
pub struct CalibrateArgs {
    /// The network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// A folder of images (JPEG, PNG, BMP, PNM) or .npy files, or a list of them, one per line.
    #[arg(long, value_name = "DIR|LIST")]
    pub images: PathBuf,
    /// How thresholds are chosen.
    #[command(flatten)]
    pub method: MethodArgs,
    /// The table to write.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Also draws the histogram of every layer's input with the thresholds of all rules, as SVG files in this folder.
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,
    /// How an image becomes the input.
    #[command(flatten)]
    pub input: InputArgs,
}

/// Calibrates and writes the table.
///
/// # Errors
/// Those of reading the model and the images, of calibrating and of writing.
pub fn run(args: &CalibrateArgs, progress: &dyn Progress) -> Result<Output> {
    let model = args.model.load()?;
    prepare(std::slice::from_ref(&args.out), &args.model)?;
    let dataset = args.input.dataset(&model, &args.images)?;
    let calibration = calibrate(&model, &dataset, args.method.options(), progress)?;
    calibration.table().save(&args.out)?;
    let warnings = warnings(&calibration, &dataset);
    let mut text = describe(&calibration);
    if let Some(folder) = &args.plots {
        let plots = save_plots(&calibration, folder)?;
        text += &format!("drew {} histograms in {}\n", plots.len(), folder.display());
    }
    for warning in &warnings {
        text += &format!("note: {warning}\n");
    }
    text +=
        &format!("wrote {}: {} layers from {} samples\n", args.out.display(), calibration.layers.len(), dataset.len());
    Ok(Output {
        text,
        json: json!({
            "table": args.out,
            "method": args.method.method.to_string(),
            "samples": calibration.samples,
            "layers": to_json(&calibration),
            "warnings": warnings,
        }),
        ..Output::default()
    })
}

/// What calibration and reading the samples gave cause to mention.
pub(crate) fn warnings(calibration: &Calibration, dataset: &quantizer::FileDataset) -> Vec<String> {
    let mut warnings = Vec::from_iter(left_out(dataset));
    warnings.extend(calibration.warnings());
    warnings
}

/// Says what stood among the samples and was not read.
pub(crate) fn left_out(dataset: &quantizer::FileDataset) -> Option<String> {
    let skipped = dataset.samples().skipped();
    let first = skipped.first()?;
    Some(format!("{} entries are no images and were left out (first: {})", skipped.len(), first.display()))
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
                format!("{:.6}", layer.range.absmax),
                format!("{:.6}", layer.threshold.value),
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
        .filter(|(bin, _)| (*bin as f32 + 0.5) * histogram.bin_width() > layer.threshold.value)
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
                    "threshold": json_float(other.threshold.value.into()),
                    "error": json_float(other.error),
                })),
                "error": layer.choice.as_ref().map(|choice| json_float(choice.winner.error)),
                "signed_costs_db": layer.half_range().map(|half| json_float(half.unsigned_db - half.sqnr_db)),
                "reduced_channels": layer.weights.reduced.iter().map(|&channel| json!({
                    "channel": channel,
                    "bits": json_float(layer.weights.bits(channel).into()),
                })).collect::<Vec<_>>(),
                "observed_channels": layer.weights.observed,
                "absmax": json_float(layer.range.absmax.into()),
                "threshold": json_float(layer.threshold.value.into()),
                "threshold_bin": layer.threshold.bin,
                "scale": json_float(layer.input_scale.into()),
                "clipped": clipped(layer),
                "dead_channels": layer.weights.dead,
            })
        })
        .collect()
}
