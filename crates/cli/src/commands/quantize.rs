//! `ncnn-quant quantize`: model and table (or images) in, int8 model out.

use clap::{Arg, Args};
use ncnn_format::{Error, Result, ScaleTable};
use quantizer::{Options, Pipeline, Progress, model_paths};
use serde_json::json;

use super::calibrate::{describe, to_json};
use super::outputs::{file_size, prepare};
use crate::given::{CommandOptions, Given, JobArg, model_files};
use crate::output::{Output, bytes, note_lines, note_texts};

/// Arguments of `quantize`.
#[derive(Debug, Clone, Args)]
pub struct QuantizeArgs {
    /// The options.
    #[command(flatten)]
    pub given: Given<QuantizeOptions>,
    /// The job.
    #[command(flatten)]
    pub job: JobArg,
}

/// What `quantize` takes.
#[derive(Debug, Clone)]
pub struct QuantizeOptions;

impl CommandOptions for QuantizeOptions {
    #[rustfmt::skip]
    const NAMES: &'static [&'static str] = &[
        "param", "bin", "table", "remap-table", "method", "passes", "winograd", "weights", "plain-sums",
        "equalize", "correct-bias", "float-sequence", "out", "optimize",
        "images", "limit", "shuffle-seed", "skip-bad", "mean", "norm", "pixel", "shape", "resize",
        "exclude", "only", "float-first", "float-last",
    ];
    // A job's table is what `calibrate` writes.
    const NOT_FROM_JOB: &'static [&'static str] = &["table"];

    fn rule(name: &str, arg: Arg) -> Arg {
        match name {
            "param" | "bin" | "out" => arg.required_unless_present("job"),
            "table" => arg.conflicts_with("images").required_unless_present_any(["images", "job"]),
            "remap-table" => arg.requires("table"),
            "equalize" | "correct-bias" => arg.conflicts_with("table"),
            _ => arg,
        }
    }
}

/// Converts, after calibrating if there is no table, and writes the model.
///
/// # Errors
/// Those of reading, calibrating, converting and writing.
pub fn run(args: &QuantizeArgs, progress: &dyn Progress) -> Result<Output> {
    check_options(args.given.options())?;
    let options = args.given.with_job(&args.job)?;
    let files = model_files(&options)?;
    let missing = || Error::invalid("neither the command line nor the job has --out");
    let out = options.out.as_ref().ok_or_else(missing)?;
    let model = files.load()?;
    let fp32_bin_bytes = file_size(&files.bin)?;
    prepare(&model_paths(out)?, &files)?;
    let prepared = Pipeline::new(&model).options(options.clone()).prepare()?;
    let calibrated = match &options.table {
        Some(path) => prepared.with_table(ScaleTable::load(path)?)?,
        None => prepared.calibrate(&options.dataset(&prepared.model)?, progress)?,
    };
    let quantized = calibrated.convert()?;
    let saved = quantized.save(out)?;
    let mut text = quantized.optimization.as_ref().map_or_else(String::new, |done| format!("{done}\n"));
    text += &quantized.calibration.as_ref().map_or_else(String::new, describe);
    text += &note_lines(&quantized.remarks);
    text += &format!(
        "wrote {} and {} ({}; fp32 model: {})\n",
        saved.param.display(),
        saved.bin.display(),
        bytes(saved.bin_bytes),
        bytes(fp32_bin_bytes),
    );
    let layers = quantized.calibration.as_ref().map(to_json).transpose()?.map(|mut json| json["layers"].take());
    Ok(Output {
        text,
        json: json!({
            "param": saved.param,
            "bin": saved.bin,
            "table": saved.table,
            "bin_bytes": saved.bin_bytes,
            "fp32_bin_bytes": fp32_bin_bytes,
            "layers": layers,
            "notes": note_texts(&quantized.remarks),
            "remarks": quantized.remarks,
        }),
        ..Output::default()
    })
}

/// # Errors
/// `Invalid` for options of calibrating beside a table, which would do nothing.
fn check_options(given: &Options) -> Result<()> {
    const OF_METHOD: [&str; 5] = ["method", "passes", "winograd", "weights", "plain-sums"];
    let input_is_used = given.table.is_none() || given.optimize;
    let has_method = OF_METHOD.iter().any(|name| given.is_given(name));
    if !input_is_used && given.has_input_options() || given.table.is_some() && has_method {
        return Err(Error::invalid(
            "--method, --passes, --winograd, --weights, --plain-sums, --mean, --norm, --pixel, --shape and --resize are for \
             --images; a table has its scales",
        ));
    }
    Ok(())
}
