//! `ncnn-quant quantize`: model and table (or images) in, int8 model out.

use std::path::PathBuf;

use clap::Args;
use ncnn_format::{Error, Model, Result, ScaleTable};
use quantizer::calibrate::{calibrate, correct_biases};
use quantizer::{ConvertOptions, Note, Progress, comment_out, convert, equalize};
use serde_json::{Value, json};

use super::calibrate::{describe, to_json, warnings};
use super::optimize::optimized_on_the_way;
use super::outputs::{file_size, of_prefix, prepare, save};
use crate::inputs::with_readable;
use crate::output::{Output, bytes};
use crate::{InputArgs, JobModelArgs, MethodArgs, ModelArgs, SampleArgs, SelectionArgs};

/// Arguments of `quantize`.
#[derive(Debug, Clone, Args)]
pub struct QuantizeArgs {
    /// The network.
    #[command(flatten)]
    pub model: JobModelArgs,
    /// The scales, from `calibrate` or ncnn2table.
    #[arg(long, value_name = "FILE", conflicts_with = "images", required_unless_present_any = ["images", "job"])]
    pub table: Option<PathBuf>,
    /// The table is one of July 2018, with the scale of what each layer makes: rename its rows to
    /// the layers that read them.
    #[arg(long, requires = "table")]
    pub remap_table: bool,
    /// How thresholds are chosen.
    #[command(flatten)]
    pub method: MethodArgs,
    /// Scale the channels of blobs before calibrating, so that small ones get more levels; the float network
    /// computes the same.
    #[arg(long, requires = "images")]
    pub equalize: bool,
    /// Take the mean error of every output channel off its bias.
    #[arg(long, requires = "images")]
    pub correct_bias: bool,
    /// Leave Embed, Gemm, GRU, LSTM, MultiHeadAttention, RNN and SDPA float, which ncnn2int8 quantizes.
    #[arg(long)]
    pub float_sequence: bool,
    /// Writes PREFIX.param and PREFIX.bin (and PREFIX.table when calibrating).
    #[arg(long, value_name = "PREFIX", required_unless_present = "job")]
    pub out: Option<PathBuf>,
    /// Fold, fuse and remove layers first, as the command `optimize` does; a table must be for that model.
    #[arg(long)]
    pub optimize: bool,
    /// Samples to calibrate on first, instead of a table.
    #[command(flatten)]
    pub samples: SampleArgs,
    /// How an image becomes the input.
    #[command(flatten)]
    pub input: InputArgs,
    /// Which layers become int8.
    #[command(flatten)]
    pub selection: SelectionArgs,
}

/// Converts, after calibrating if there is no table, and writes the model.
///
/// # Errors
/// Those of reading, calibrating, converting and writing.
pub fn run(args: &QuantizeArgs, progress: &dyn Progress) -> Result<Output> {
    check_options(args)?;
    let (args, model_files, out) = with_job(args)?;
    let mut model = model_files.load()?;
    let fp32_bin_bytes = file_size(&model_files.bin)?;
    prepare(&of_prefix(&out)?, &model_files)?;
    let mut text = String::new();
    if args.optimize {
        (model, text) = optimized_on_the_way(&model, args.input.shapes(&model)?)?;
    }
    let excluded = args.selection.excluded(&model)?;
    let mut scales = scales(&args, &model, progress)?;
    scales.table = comment_out(&scales.table, &excluded);
    let options = ConvertOptions { sequence_layers: !args.float_sequence, ..ConvertOptions::default() };
    let converted = convert(scales.model.as_ref().unwrap_or(&model), &scales.table, options)?;
    let mut notes = scales.notes;
    notes.extend(excluded.iter().map(ToString::to_string));
    let is_excluded = |layer: &str| excluded.iter().any(|excluded| excluded.layer == layer);
    let news = converted.notes.iter().filter(|note| !matches!(note, Note::NoRows { layer } if is_excluded(layer)));
    notes.extend(news.map(ToString::to_string));
    let files = save(&converted.model, args.table.is_none().then_some(&scales.table), &out)?;
    text += &scales.text;
    for note in &notes {
        text += &format!("note: {note}\n");
    }
    text += &format!(
        "wrote {} and {} ({}; fp32 model: {})\n",
        files.param.display(),
        files.bin.display(),
        bytes(files.bin_bytes),
        bytes(fp32_bin_bytes),
    );
    Ok(Output {
        text,
        json: json!({
            "param": files.param,
            "bin": files.bin,
            "table": files.table,
            "bin_bytes": files.bin_bytes,
            "fp32_bin_bytes": fp32_bin_bytes,
            "layers": scales.json,
            "notes": notes,
        }),
        ..Output::default()
    })
}

/// Scales and where they came from.
struct Scales {
    table: ScaleTable,
    /// The network that the scales are for, if it is not the one that was read.
    model: Option<Model>,
    text: String,
    notes: Vec<String>,
    json: Value,
}

/// From the table, or by calibrating on the images.
fn scales(args: &QuantizeArgs, model: &Model, progress: &dyn Progress) -> Result<Scales> {
    if let Some(path) = &args.table {
        let table = ScaleTable::load(path)?;
        let table = if args.remap_table { table.remap_producers(model)? } else { table };
        return Ok(Scales { table, model: None, text: String::new(), notes: Vec::new(), json: Value::Null });
    }
    let inputs = args.input.dataset(model, &args.samples.images, args.samples.skip_bad)?;
    let chosen = args.samples.chosen(&inputs);
    let ((calibration, changed), skipped) = with_readable(&chosen, args.samples.skip_bad, progress, |samples| {
        let equalized = args.equalize.then(|| equalize(model, samples, progress)).transpose()?;
        let fp32 = equalized.as_ref().map_or(model, |equalized| &equalized.model);
        let calibration = calibrate(fp32, samples, args.method.options(), progress)?;
        let corrected = args.correct_bias.then(|| correct_biases(fp32, samples, &calibration, progress)).transpose()?;
        let changed = corrected.or_else(|| equalized.map(|equalized| equalized.model));
        Ok((calibration, changed))
    })?;
    let mut notes = warnings(&calibration, &inputs);
    notes.extend(skipped);
    Ok(Scales {
        table: calibration.table(),
        model: changed,
        text: describe(&calibration),
        notes,
        json: to_json(&calibration)?["layers"].take(),
    })
}

/// The arguments with what the job adds to them, the model's files and the prefix to write.
fn with_job(args: &QuantizeArgs) -> Result<(QuantizeArgs, ModelArgs, PathBuf)> {
    let mut args = args.clone();
    let job = args.samples.job()?;
    let files = args.model.or_of(&job)?;
    job.fill(&mut args.samples, &mut args.input, &mut args.method, &mut args.selection)?;
    args.optimize |= job.optimize;
    let missing = || Error::invalid("neither the command line nor the job has --out");
    let out = args.out.clone().or(job.out).ok_or_else(missing)?;
    Ok((args, files, out))
}

/// # Errors
/// `Invalid` for options of calibrating beside a table, which would do nothing.
fn check_options(args: &QuantizeArgs) -> Result<()> {
    let input_is_used = args.table.is_none() || args.optimize;
    if !input_is_used && args.input.is_given() || args.table.is_some() && args.method.is_given() {
        return Err(Error::invalid(
            "--method, --passes, --mean, --norm, --pixel, --shape and --resize are for --images; a table has its scales",
        ));
    }
    Ok(())
}
