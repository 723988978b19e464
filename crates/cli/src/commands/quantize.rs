//! `ncnn-quant quantize`: model and table (or images) in, int8 model out.

use std::path::PathBuf;

use clap::Args;
use ncnn_format::{Error, Model, Result, ScaleTable};
use quantizer::calibrate::calibrate;
use quantizer::{ConvertOptions, Progress, convert};
use serde_json::{Value, json};

use super::calibrate::{describe, to_json, warnings};
use super::outputs::{file_size, of_prefix, prepare, save};
use crate::args::MethodArgs;
use crate::output::{Output, bytes};
use crate::{InputArgs, ModelArgs};

/// Arguments of `quantize`.
#[derive(Debug, Clone, Args)]
pub struct QuantizeArgs {
    /// The network.
    #[command(flatten)]
    pub model: ModelArgs,
    /// The scales, from `calibrate` or ncnn2table.
    #[arg(long, value_name = "FILE", conflicts_with = "images", required_unless_present = "images")]
    pub table: Option<PathBuf>,
    /// The table is one of July 2018, with the scale of what each layer makes: rename its rows to
    /// the layers that read them.
    #[arg(long, requires = "table")]
    pub remap_table: bool,
    /// Images to calibrate on first, as for `calibrate`.
    #[arg(long, value_name = "DIR|LIST")]
    pub images: Option<PathBuf>,
    /// How thresholds are chosen.
    #[command(flatten)]
    pub method: MethodArgs,
    /// Leave Embed, Gemm, GRU, LSTM, MultiHeadAttention, RNN and SDPA float, which ncnn2int8 quantizes.
    #[arg(long)]
    pub float_sequence: bool,
    /// Writes PREFIX.param and PREFIX.bin (and PREFIX.table when calibrating).
    #[arg(long, value_name = "PREFIX")]
    pub out: PathBuf,
    /// How an image becomes the input.
    #[command(flatten)]
    pub input: InputArgs,
}

/// Converts, after calibrating if there is no table, and writes the model.
///
/// # Errors
/// Those of reading, calibrating, converting and writing.
pub fn run(args: &QuantizeArgs, progress: &dyn Progress) -> Result<Output> {
    check_options(args)?;
    let model = args.model.load()?;
    let fp32_bin_bytes = file_size(&args.model.bin)?;
    prepare(&of_prefix(&args.out)?, &args.model)?;
    let scales = scales(args, &model, progress)?;
    let options = ConvertOptions { sequence_layers: !args.float_sequence, ..ConvertOptions::default() };
    let converted = convert(&model, &scales.table, options)?;
    let mut notes = scales.notes;
    notes.extend(converted.notes.iter().map(ToString::to_string));
    let files = save(&converted.model, args.images.is_some().then_some(&scales.table), &args.out)?;
    let mut text = scales.text;
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
    text: String,
    notes: Vec<String>,
    json: Value,
}

/// From the table, or by calibrating on the images.
fn scales(args: &QuantizeArgs, model: &Model, progress: &dyn Progress) -> Result<Scales> {
    match (&args.table, &args.images) {
        (Some(path), None) => {
            let table = ScaleTable::load(path)?;
            let table = if args.remap_table { table.remap_producers(model)? } else { table };
            Ok(Scales { table, text: String::new(), notes: Vec::new(), json: Value::Null })
        }
        (None, Some(images)) => {
            let dataset = args.input.dataset(model, images)?;
            let calibration = calibrate(model, &dataset, args.method.options(), progress)?;
            Ok(Scales {
                table: calibration.table(),
                text: describe(&calibration),
                notes: warnings(&calibration, &dataset),
                json: json!(to_json(&calibration)),
            })
        }
        _ => Err(Error::invalid("give either --table or --images")),
    }
}

/// # Errors
/// `Invalid` for options of calibrating beside a table, which would do nothing.
fn check_options(args: &QuantizeArgs) -> Result<()> {
    if args.table.is_some() && (args.input.is_given() || args.method.is_given()) {
        return Err(Error::invalid(
            "--method, --passes, --mean, --norm, --pixel and --shape are for --images; a table has its scales",
        ));
    }
    Ok(())
}
