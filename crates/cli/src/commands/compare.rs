//! `ncnn-quant compare`: fp32 against int8.

use std::path::PathBuf;

use clap::{Arg, ArgGroup, Args};
use ncnn_format::{Error, Model, Result};
use quantizer::compare::Comparison;
use quantizer::{Pipeline, Progress};

use super::outputs::with_suffix;
use crate::given::{CommandOptions, Given, JobArg, model_files};
use crate::output::{Output, decibels, note_lines, serialized, share, table};

/// Arguments of `compare`.
#[derive(Debug, Clone, Args)]
#[command(group = ArgGroup::new("source").args(["images", "job"]).required(true).multiple(true))]
pub struct CompareArgs {
    /// The options.
    #[command(flatten)]
    pub given: Given<CompareOptions>,
    /// The job.
    #[command(flatten)]
    pub job: JobArg,
}

/// What `compare` takes.
#[derive(Debug, Clone)]
pub struct CompareOptions;

impl CommandOptions for CompareOptions {
    #[rustfmt::skip]
    const NAMES: &'static [&'static str] = &[
        "param", "bin", "int8-param", "int8-bin", "labels", "output",
        "images", "limit", "shuffle-seed", "skip-bad", "mean", "norm", "pixel", "shape", "resize",
    ];
    // What `quantize` writes by the job is what is compared.
    const FROM_JOB: &'static [&'static str] = &["out"];

    fn rule(name: &str, arg: Arg) -> Arg {
        match name {
            "param" | "bin" | "int8-param" | "int8-bin" => arg.required_unless_present("job"),
            _ => arg,
        }
    }
}

/// Runs both networks on every image and reports the differences.
///
/// # Errors
/// Those of reading, and of running either network.
pub fn run(args: &CompareArgs, progress: &dyn Progress) -> Result<Output> {
    let options = args.given.with_job(&args.job)?;
    let fp32 = model_files(&options)?.load()?;
    let made = |given: &Option<PathBuf>, suffix: &str| {
        let missing = || Error::invalid(format!("neither the command line has --int8-{suffix} nor the job an out"));
        given.clone().or_else(|| options.out.as_deref().map(|out| with_suffix(out, suffix))).ok_or_else(missing)
    };
    let int8 = Model::load(made(&options.int8_param, "param")?, made(&options.int8_bin, "bin")?)?;
    let inputs = options.dataset(&fp32)?;
    let compared = Pipeline::new(&fp32).options(options).compare(&int8, &inputs, progress)?;
    let comparison = &compared.comparison;
    let mut text = describe_blobs(comparison) + "\n" + &note_lines(&compared.remarks);
    text += &format!("{} samples\n{}", comparison.samples, describe_scores(comparison));
    Ok(Output { text, json: serialized(comparison)?, ..Output::default() })
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
