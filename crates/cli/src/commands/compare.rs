//! `ncnn-quant compare`: fp32 against int8.

use std::path::PathBuf;

use clap::Args;
use ncnn_format::{Model, Result};
use quantizer::compare::{CompareOptions, Comparison, Scores, compare};
use quantizer::{Dataset, Labels, Progress, TopK};
use serde_json::{Value, json};

use super::calibrate::left_out;
use crate::output::{Output, decibels, json_float, share, table};
use crate::{InputArgs, ModelArgs};

/// Arguments of `compare`.
#[derive(Debug, Clone, Args)]
pub struct CompareArgs {
    /// The fp32 network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The int8 network's .param file.
    #[arg(long, value_name = "FILE")]
    pub int8_param: PathBuf,
    /// The int8 network's .bin file.
    #[arg(long, value_name = "FILE")]
    pub int8_bin: PathBuf,
    /// A folder of images or .npy files, or a list of them.
    #[arg(long, value_name = "DIR|LIST")]
    pub images: PathBuf,
    /// Classes: file name, tab, class number (and, after another tab, accepted alternates).
    #[arg(long, value_name = "TSV")]
    pub labels: Option<PathBuf>,
    /// The output to rank classes by; needed when the network has several.
    #[arg(long, value_name = "BLOB")]
    pub output: Option<String>,
    /// How an image becomes the input.
    #[command(flatten)]
    pub input: InputArgs,
}

/// Runs both networks on every image and reports the differences.
///
/// # Errors
/// Those of reading, and of running either network.
pub fn run(args: &CompareArgs, progress: &dyn Progress) -> Result<Output> {
    let fp32 = args.model.load()?;
    let int8 = Model::load(&args.int8_param, &args.int8_bin)?;
    let labels = args.labels.as_ref().map(Labels::load).transpose()?;
    let dataset = args.input.dataset(&fp32, &args.images)?;
    let options = CompareOptions { labels: labels.as_ref(), output: args.output.as_deref() };
    let comparison = compare(&fp32, &int8, &dataset, &options, progress)?;
    let note = left_out(&dataset).map(|note| format!("note: {note}\n")).unwrap_or_default();
    let text =
        format!("{}\n{note}{} samples\n{}", describe_blobs(&comparison), dataset.len(), describe_scores(&comparison));
    Ok(Output { text, json: to_json(&comparison), ..Output::default() })
}

/// One line per blob: how far int8 is from fp32.
fn describe_blobs(comparison: &Comparison) -> String {
    let rows = comparison
        .blobs
        .iter()
        .map(|blob| {
            vec![
                blob.layer.clone(),
                blob.kind.to_string(),
                if blob.int8 { "int8" } else { "fp32" }.to_owned(),
                decibels(blob.sqnr_db),
                format!("{:.6}", blob.cosine),
            ]
        })
        .collect();
    table(&["layer", "type", "runs in", "SQNR", "cosine"], rows, 3)
}

/// Top-1, top-5 and agreement in a few lines.
pub fn describe_scores(comparison: &Comparison) -> String {
    let Some(scores) = &comparison.scores else {
        return "several outputs: give --output BLOB to rank classes by one of them\n".to_owned();
    };
    let mut text = String::new();
    if scores.fp32.total > 0 {
        let rows = [("fp32", &scores.fp32), ("int8", &scores.int8)]
            .map(|(name, accuracy)| {
                vec![name.to_owned(), share(accuracy.top1, accuracy.total), share(accuracy.top5, accuracy.total)]
            })
            .to_vec();
        text += &table(&["", "top-1", "top-5"], rows, 1);
    }
    text + &format!("same top-1 class: {}\n", share(scores.agreement.same, scores.agreement.total))
}

/// A comparison as JSON.
pub fn to_json(comparison: &Comparison) -> Value {
    let blobs: Vec<Value> = comparison
        .blobs
        .iter()
        .map(|blob| {
            json!({
                "layer": blob.layer,
                "type": blob.kind.to_string(),
                "blob": blob.blob,
                "int8": blob.int8,
                "sqnr_db": json_float(blob.sqnr_db),
                "cosine": json_float(blob.cosine),
            })
        })
        .collect();
    json!({ "samples": comparison.samples, "layers": blobs, "scores": comparison.scores.as_ref().map(scores_json) })
}

fn scores_json(scores: &Scores) -> Value {
    let accuracy = |accuracy: &TopK| json!({ "top1": accuracy.top1, "top5": accuracy.top5 });
    json!({
        "samples": scores.agreement.total,
        "labelled": scores.fp32.total,
        "fp32": accuracy(&scores.fp32),
        "int8": accuracy(&scores.int8),
        "agree_top1": scores.agreement.same,
    })
}
