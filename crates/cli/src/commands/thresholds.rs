//! `ncnn-quant thresholds`: statistics to a table, without running the network.

use clap::{Arg, Args};
use ncnn_format::{Error, Remark, Result};
use quantizer::calibrate::Passes;
use quantizer::calibrate::statistics::Statistics;
use quantizer::{Pipeline, Progress, comment_out};
use serde_json::json;

use super::calibrate::{describe, needs_two_passes, out_table, to_json};
use super::outputs::prepare;
use crate::given::{CommandOptions, Given, JobArg, model_files};
use crate::output::{Output, note_lines, note_texts};

/// Arguments of `thresholds`.
#[derive(Debug, Clone, Args)]
pub struct ThresholdsArgs {
    /// The options.
    #[command(flatten)]
    pub given: Given<ThresholdsOptions>,
    /// The job.
    #[command(flatten)]
    pub job: JobArg,
}

/// What `thresholds` takes.
#[derive(Debug, Clone)]
pub struct ThresholdsOptions;

impl CommandOptions for ThresholdsOptions {
    #[rustfmt::skip]
    const NAMES: &'static [&'static str] = &[
        "stats", "param", "bin", "method", "passes", "winograd", "weights", "plain-sums", "table",
        "exclude", "only", "float-first", "float-last", "optimize", "shape",
    ];

    fn rule(name: &str, arg: Arg) -> Arg {
        match name {
            "stats" => arg
                .required_unless_present("job")
                .help_heading(None::<&str>)
                .help("The statistics, from `calibrate --stats` or `merge`"),
            "param" | "bin" => arg.required_unless_present("job"),
            "table" => out_table(arg).required_unless_present("job"),
            "shape" => arg
                .requires("optimize")
                .help_heading(None::<&str>)
                .help("With --optimize: sizes of an input that the Input layer does not state"),
            _ => arg,
        }
    }
}

/// Chooses thresholds and writes the table.
///
/// # Errors
/// Those of reading and writing; `Invalid` when the statistics are of another network.
pub fn run(args: &ThresholdsArgs, progress: &dyn Progress) -> Result<Output> {
    let options = args.given.with_job(&args.job)?;
    let files = model_files(&options)?;
    let (Some(stats), Some(out)) = (&options.stats, &options.table) else {
        let name = if options.stats.is_none() { "--stats" } else { "--out, or a table to write" };
        return Err(Error::invalid(format!("neither the command line nor the job has {name}")));
    };
    let model = files.load()?;
    prepare(std::slice::from_ref(out), &files)?;
    let prepared = Pipeline::new(&model).options(options.clone()).prepare()?;
    let mut text = prepared.optimization.as_ref().map_or_else(String::new, |done| format!("{done}\n"));
    let statistics = Statistics::load(stats)?;
    if options.plain_sums && !statistics.origin().plain_sums {
        let message = "the statistics were counted without --plain-sums; what was counted cannot be changed";
        return Err(Error::invalid(message).in_file(stats));
    }
    if options.passes == Some(Passes::Two) {
        return Err(needs_two_passes());
    }
    let calibration = statistics
        .calibrate(&prepared.model, options.calibrate_options(), progress)
        .map_err(|error| error.in_file(stats))?;
    comment_out(&calibration.table(), &prepared.excluded).save(out)?;
    let mut remarks = calibration.remarks();
    if statistics.missing() > 0 {
        let of = statistics.origin().samples;
        let message = format!("{} of {of} samples are not counted yet", statistics.missing());
        remarks.push(Remark::note("missing-samples", message));
    }
    remarks.extend(prepared.excluded.iter().cloned());
    text += &describe(&calibration);
    text += &note_lines(&remarks);
    let (layers, samples) = (calibration.layers.len(), calibration.samples);
    text += &format!("wrote {}: {layers} layers from {samples} samples\n", out.display());
    let mut json = to_json(&calibration)?;
    json["table"] = json!(out);
    json["method"] = json!(options.method.unwrap_or_default());
    json["warnings"] = json!(note_texts(&remarks));
    json["remarks"] = json!(remarks);
    Ok(Output { text, json, ..Output::default() })
}
