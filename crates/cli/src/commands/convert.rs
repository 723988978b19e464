//! `ncnn-quant convert`: the same model in another form.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use ncnn_format::{Error, F32Tag, Limits, Model, Result, Storage, Weight, WeightData, write_all_whole};
use serde_json::json;

use super::model_file::FileKind;
use crate::output::{Output, bytes};

/// Arguments of `convert`.
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "A .param.bin keeps no names: layers and blobs get numbers when it becomes text, and ncnn2int8 \
    cannot use it.\nint8 weights and weights without a storage tag (biases, scales) stay as they are."
)]
pub struct ConvertArgs {
    /// A .param or .param.bin file.
    #[arg(value_name = "IN")]
    pub input: PathBuf,
    /// Where to write it: .param for the text, .param.bin for the binary form.
    #[arg(value_name = "OUT")]
    pub output: PathBuf,
    /// The weights of IN.
    #[arg(long, value_name = "FILE", requires = "out_bin")]
    pub bin: Option<PathBuf>,
    /// Where to write them.
    #[arg(long, value_name = "FILE", requires = "bin")]
    pub out_bin: Option<PathBuf>,
    /// How to store float weights that have a storage tag.
    #[arg(long, value_enum, default_value_t, requires = "bin")]
    pub storage: FloatStorage,
}

/// What becomes of float weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum FloatStorage {
    /// As they are.
    #[default]
    Keep,
    /// Half floats, rounded as ncnn2int8 does.
    Fp16,
    /// 32-bit floats.
    Fp32,
}

/// Converts the model.
///
/// # Errors
/// Those of reading and writing; `Invalid` for an output of another name, above all a .bin,
/// whose weights it would replace, and when a value is too large for half floats.
pub fn run(args: &ConvertArgs) -> Result<Output> {
    if FileKind::of(&args.output)? != FileKind::Model {
        return Err(Error::invalid("expected a name that ends in .param or .param.bin").in_file(&args.output));
    }
    let (mut model, oddities) = Model::load_param_with(&args.input, &Limits::default())?;
    let param = if args.output.to_string_lossy().ends_with(".param.bin") {
        model.to_param_binary()
    } else {
        model.check_param_text().map(|()| model.to_param_text().into_bytes())
    };
    let param = param.map_err(|error| error.in_file(&args.input))?;
    let mut text: String = oddities.iter().map(|oddity| format!("odd: {oddity}\n")).collect();
    let mut written = json!({ "param": args.output });
    match (&args.bin, &args.out_bin) {
        (Some(bin), Some(out_bin)) => {
            if *out_bin == args.output {
                return Err(Error::invalid("the .param and the .bin cannot be one file").in_file(out_bin));
            }
            let weights = std::fs::read(bin).map_err(|error| Error::io("cannot read", bin, error))?;
            model.read_bin(&weights).map_err(|error| error.in_file(bin))?;
            let changed = store(&mut model, args.storage).map_err(|error| error.in_file(bin))?;
            let stored = model.bin_bytes()?;
            write_all_whole(&[(&args.output, &param), (out_bin, &stored)])?;
            text += &format!(
                "wrote {} and {} ({}, was {}): {changed} weights stored anew\n",
                args.output.display(),
                out_bin.display(),
                bytes(stored.len() as u64),
                bytes(weights.len() as u64)
            );
            written =
                json!({ "param": args.output, "bin": out_bin, "bin_bytes": stored.len(), "weights_changed": changed });
        }
        _ => {
            write_all_whole(&[(&args.output, &param)])?;
            text += &format!("wrote {}\n", args.output.display());
        }
    }
    Ok(Output { text, json: written, ..Output::default() })
}

/// Stores float weights anew; gives how many were.
fn store(model: &mut Model, storage: FloatStorage) -> Result<usize> {
    let mut changed = 0;
    for layer in &mut model.layers {
        for weight in &mut layer.weights {
            let data = match storage {
                FloatStorage::Keep => None,
                FloatStorage::Fp16 => to_fp16(weight),
                FloatStorage::Fp32 => to_fp32(weight),
            };
            let Some(data) = data else { continue };
            check_range(weight, &data).map_err(|error| error.in_layer(&layer.name))?;
            weight.data = data;
            changed += 1;
        }
    }
    Ok(changed)
}

fn to_fp16(weight: &Weight) -> Option<WeightData> {
    match &weight.data {
        WeightData::F32(_, F32Tag::Raw) | WeightData::F16(_) | WeightData::I8(_) | WeightData::Packed { .. } => None,
        data => data.to_f16_as_ncnn2int8(),
    }
}

fn to_fp32(weight: &Weight) -> Option<WeightData> {
    match weight.data.storage() {
        Storage::F16 | Storage::Table => Some(WeightData::F32(weight.data.to_f32()?.into_owned(), F32Tag::Tagged)),
        _ => None,
    }
}

/// Half floats end at 65504.
fn check_range(weight: &Weight, converted: &WeightData) -> Result<()> {
    let (Some(before), Some(after)) = (weight.data.to_f32(), converted.to_f32()) else { return Ok(()) };
    match before.iter().zip(after.iter()).position(|(before, after)| before.is_finite() && !after.is_finite()) {
        Some(index) => {
            let value = before.get(index).copied().unwrap_or_default();
            Err(Error::invalid(format!("{} {index} is {value}, too large for fp16", weight.role)))
        }
        None => Ok(()),
    }
}
