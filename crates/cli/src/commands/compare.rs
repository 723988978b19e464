//! `ncnn-quant compare`: fp32 against int8.

use std::path::PathBuf;

use clap::{ArgGroup, Args};
use ncnn_format::{Error, Model, Result};
use quantizer::compare::{CompareOptions, Comparison, compare};
use quantizer::{Labels, Progress, Samples};

use super::outputs::with_suffix;
use crate::inputs::with_readable;
use crate::output::{Output, decibels, serialized, share, table};
use crate::{InputArgs, JobModelArgs, SampleArgs};

/// Arguments of `compare`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("source").args(["images", "job"]).required(true).multiple(true))]
pub struct CompareArgs {
    /// The fp32 network.
    #[command(flatten)]
    pub model: JobModelArgs,
    /// The int8 network's .param file [default: what `quantize` writes by the job]
    #[arg(long, value_name = "FILE", required_unless_present = "job")]
    pub int8_param: Option<PathBuf>,
    /// The int8 network's .bin file.
    #[arg(long, value_name = "FILE", required_unless_present = "job")]
    pub int8_bin: Option<PathBuf>,
    /// Classes: file name, tab, class number (and, after another tab, accepted alternates) [default: the list of --images, if it has classes]
    #[arg(long, value_name = "TSV")]
    pub labels: Option<PathBuf>,
    /// The output to rank classes by; needed when the network has several.
    #[arg(long, value_name = "BLOB")]
    pub output: Option<String>,
    /// Which samples to use.
    #[command(flatten)]
    pub samples: SampleArgs,
    /// How an image becomes the input.
    #[command(flatten)]
    pub input: InputArgs,
}

/// Runs both networks on every image and reports the differences.
///
/// # Errors
/// Those of reading, and of running either network.
pub fn run(args: &CompareArgs, progress: &dyn Progress) -> Result<Output> {
    let mut args = args.clone();
    let job = args.samples.job()?;
    let fp32 = args.model.or_of(&job)?.load()?;
    args.samples.fill(&job);
    args.input.fill(&job);
    let made = |given: &Option<PathBuf>, suffix: &str| {
        let missing = || Error::invalid(format!("neither the command line has --int8-{suffix} nor the job an out"));
        given.clone().or_else(|| job.out.as_deref().map(|out| with_suffix(out, suffix))).ok_or_else(missing)
    };
    let int8 = Model::load(made(&args.int8_param, "param")?, made(&args.int8_bin, "bin")?)?;
    let labels = args.labels.clone().or(job.labels.clone()).or_else(|| labelled_list(&args.samples));
    let labels = labels.map(Labels::load).transpose()?;
    let inputs = args.input.dataset(&fp32, &args.samples.images, args.samples.skip_bad)?;
    let chosen = args.samples.chosen(&inputs);
    let options = CompareOptions { labels: labels.as_ref(), output: args.output.as_deref() };
    let (comparison, skipped) = with_readable(&chosen, args.samples.skip_bad, progress, |samples| {
        compare(&fp32, &int8, samples, &options, progress)
    })?;
    let notes = inputs.left_out().into_iter().chain(skipped).map(|note| format!("note: {note}\n"));
    let mut text = describe_blobs(&comparison) + "\n";
    text.extend(notes);
    text += &format!("{} samples\n{}", comparison.samples, describe_scores(&comparison));
    Ok(Output { text, json: serialized(&comparison)?, ..Output::default() })
}

/// The list of samples, if classes stand in it.
fn labelled_list(samples: &SampleArgs) -> Option<PathBuf> {
    let path = samples.images.first()?.value();
    let is_sample = Samples::from_path(path).is_ok_and(|samples| samples.as_slice() == [path.clone()]);
    let is_list = path.is_file() && !is_sample;
    let has_classes = || std::fs::read_to_string(path).is_ok_and(|text| text.contains('\t'));
    (is_list && has_classes()).then(|| path.clone())
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
