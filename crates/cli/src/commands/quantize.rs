//! `ncnn-quant quantize`: model and table (or images) in, int8 model out.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use ncnn_format::{Error, Model, Result, ScaleTable};
use quantizer::calibrate::calibrate;
use quantizer::{ConvertOptions, Progress, convert};
use serde_json::json;

use super::calibrate::{describe, to_json, warnings};
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
    /// Images to calibrate on first, as for `calibrate`.
    #[arg(long, value_name = "DIR|LIST")]
    pub images: Option<PathBuf>,
    /// How thresholds are chosen.
    #[command(flatten)]
    pub method: MethodArgs,
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
    let model = args.model.load()?;
    let mut text = String::new();
    let mut notes = Vec::new();
    let mut layers = json!(null);
    let (table, table_out) = match (&args.table, &args.images) {
        (Some(path), None) => (ScaleTable::load(path)?, None),
        (None, Some(images)) => {
            let dataset = args.input.dataset(&model, images)?;
            let calibration = calibrate(&model, &dataset, args.method.method, progress)?;
            text += &describe(&calibration);
            layers = json!(to_json(&calibration));
            notes.extend(warnings(&calibration, &dataset));
            (calibration.table(), Some(with_suffix(&args.out, "table")))
        }
        _ => return Err(Error::invalid("give either --table or --images")),
    };
    let converted = convert(&model, &table, ConvertOptions::default())?;
    notes.extend(converted.notes.iter().map(ToString::to_string));
    let files = save(&converted.model, &args.out)?;
    if let Some(path) = &table_out {
        table.save(path)?;
    }
    for note in &notes {
        text += &format!("note: {note}\n");
    }
    text += &format!(
        "wrote {} and {} ({}; fp32 model: {})\n",
        files.param.display(),
        files.bin.display(),
        bytes(files.bin_bytes),
        bytes(file_size(&args.model.bin)?),
    );
    Ok(Output {
        text,
        json: json!({
            "param": files.param,
            "bin": files.bin,
            "table": table_out,
            "bin_bytes": files.bin_bytes,
            "fp32_bin_bytes": file_size(&args.model.bin)?,
            "layers": layers,
            "notes": notes,
        }),
        ..Output::default()
    })
}

/// The files of a written model.
pub struct SavedModel {
    /// PREFIX.param.
    pub param: PathBuf,
    /// PREFIX.bin.
    pub bin: PathBuf,
    /// Size of the .bin.
    pub bin_bytes: u64,
}

/// Writes `model` to PREFIX.param and PREFIX.bin, creating the folder if needed.
///
/// # Errors
/// Those of writing.
pub fn save(model: &Model, prefix: &Path) -> Result<SavedModel> {
    if let Some(folder) = prefix.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(|error| Error::io("cannot create the folder", folder, error))?;
    }
    let (param, bin) = (with_suffix(prefix, "param"), with_suffix(prefix, "bin"));
    model.save(&param, &bin)?;
    let bin_bytes = file_size(&bin)?;
    Ok(SavedModel { param, bin, bin_bytes })
}

/// `prefix.suffix`; a dot in the prefix is part of its name.
pub fn with_suffix(prefix: &Path, suffix: &str) -> PathBuf {
    let mut name = prefix.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    name.into()
}

/// The size of a file in bytes.
///
/// # Errors
/// `Io` when it cannot be asked.
pub fn file_size(path: &Path) -> Result<u64> {
    Ok(fs::metadata(path).map_err(|error| Error::io("cannot read", path, error))?.len())
}
