//! `ncnn-quant inspect`: what is in a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use ncnn_format::{Error, Model, Result};
use serde_json::{Value, json};

use super::inspect_layers::{layer_json, layer_rows};
use super::inspect_params::describe_params;
use super::inspect_shapes::{Shapes, layer_macs};
use super::inspect_table::inspect_table;
use super::inspect_weights::{WeightFacts, describe_weights};
use super::model_file::{FileKind, ModelFile, OpenWeights, sibling_bin};
use crate::output::{Output, bytes, count, table, wrap};

/// Columns of a line of text.
const WIDTH: usize = 120;

/// Arguments of `inspect`.
#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// .param or .param.bin files (with the .bin beside them, if there is one), or .table files.
    #[arg(required_unless_present = "table", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// A scale table of any name.
    #[arg(long, value_name = "FILE")]
    pub table: Vec<PathBuf>,
    /// The .bin of the only model, if it is not beside it.
    #[arg(long, value_name = "FILE")]
    pub bin: Option<PathBuf>,
    /// Shape of the only input, or of one of several [default: what the Input layer says]
    #[arg(long, value_name = "[BLOB=]W,H,C")]
    pub shape: Vec<String>,
    /// List the parameters that are not at their defaults, by name.
    #[arg(long)]
    pub params: bool,
    /// Read the weights and list them with their extremes.
    #[arg(long)]
    pub weights: bool,
}

/// Describes every file.
///
/// # Errors
/// Those of reading the first file that cannot be read.
pub fn run(args: &InspectArgs) -> Result<Output> {
    if args.bin.is_some() && args.files.len() != 1 {
        return Err(Error::invalid("--bin goes with a single .param"));
    }
    let mut texts = Vec::new();
    let mut json = Vec::new();
    for file in &args.files {
        let output = match FileKind::of(file)? {
            FileKind::Model => inspect_model(file, args)?,
            FileKind::Table => inspect_table(file)?,
        };
        texts.push(output.text);
        json.push(output.json);
    }
    for file in &args.table {
        let output = inspect_table(file)?;
        texts.push(output.text);
        json.push(output.json);
    }
    Ok(Output { text: texts.join("\n"), json: Value::Array(json), ..Output::default() })
}

fn inspect_model(param: &Path, args: &InspectArgs) -> Result<Output> {
    let file = ModelFile::load(param, args.bin.as_deref())?;
    let model = &file.model;
    let shapes = Shapes::infer(model, &args.shape).map_err(|error| error.in_file(param))?;
    let macs: Vec<Option<u64>> = model.layers.iter().map(|layer| layer_macs(layer, &shapes)).collect();
    let total: u64 = macs.iter().flatten().fold(0, |sum, macs| sum.saturating_add(*macs));
    let bin = read_bin(&file, args.weights);
    let mut text = heading(param, &file);
    text += &table(
        &["layer", "type", "output", "MACs", "weights", "stored as", "bytes"],
        layer_rows(model, &bin.weights, &shapes, &macs),
        2,
    );
    if args.params {
        text += &format!("\n{}", describe_params(model));
    }
    if args.weights && bin.size.is_some() {
        text += &format!("\n{}", describe_weights(model, &bin.weights));
    }
    text += &summary(&file, &bin, param, total);
    let unknown: Vec<Value> = shapes.failures().map(|(layer, why)| json!({ "layer": layer, "why": why })).collect();
    if let Some((layer, why)) = shapes.failures().next() {
        text += &format!("the shapes behind layer {layer} are not known: {why}\n");
    }
    let layers = model.layers.iter().zip(&bin.weights).zip(&macs);
    let layers = layers.map(|((layer, weights), macs)| layer_json(layer, weights, &shapes, *macs));
    let json = json!({
        "file": param,
        "inputs": inputs(model),
        "outputs": outputs(model),
        "blobs": model.blob_count(),
        "layers": layers.collect::<Vec<_>>(),
        "macs": total,
        "shapes_unknown": unknown,
        "warnings": file.oddities.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "weights_loaded": bin.size.is_some(),
        "bin": file.bin,
        "bin_error": bin.error.as_ref().map(ToString::to_string),
        "bin_bytes": bin.size.unwrap_or(0),
        "trailing_bytes": bin.trailing,
    });
    Ok(Output { text, json, ..Output::default() })
}

/// What a .bin that may be missing or damaged has to say.
struct Bin {
    /// Of every layer; empty when nothing could be read.
    weights: Vec<Vec<WeightFacts>>,
    /// Bytes in the file, if it could be read.
    size: Option<u64>,
    /// Bytes behind the last weight.
    trailing: u64,
    /// Why a file that is there could not be read.
    error: Option<Error>,
}

/// An error is something to tell, for there is much to say without weights.
fn read_bin(file: &ModelFile, with_statistics: bool) -> Bin {
    let read = || -> Result<Option<Bin>> {
        let Some(opened) = file.open_bin()? else { return Ok(None) };
        let found = OpenWeights::find(&file.model, &opened)?;
        let weights = WeightFacts::gather(&found.index, with_statistics)?;
        Ok(Some(Bin { weights, size: Some(opened.len()), trailing: found.trailing(), error: None }))
    };
    let without = |error| {
        let weights = file.model.layers.iter().map(|_| Vec::new()).collect();
        Bin { weights, size: None, trailing: 0, error }
    };
    read().map_or_else(|error| without(Some(error)), |bin| bin.unwrap_or_else(|| without(None)))
}

fn heading(param: &Path, file: &ModelFile) -> String {
    let model = &file.model;
    let words = [
        format!("{}: {} layers, {} blobs;", param.display(), model.layers.len(), model.blob_count()),
        format!("inputs: {};", list(&inputs(model))),
        format!("outputs: {}", list(&outputs(model))),
    ];
    let mut text = wrap(&words.join(" "), WIDTH);
    if let Some(oddity) = file.oddities.first() {
        let more = file.oddities.len() - 1;
        let more = if more > 0 { format!(" (and {more} more: ncnn-quant check)") } else { String::new() };
        text += &format!("odd: {oddity}{more}\n");
    }
    text + "\n"
}

fn summary(file: &ModelFile, bin: &Bin, param: &Path, macs: u64) -> String {
    let kinds: Vec<String> = kinds(&file.model).iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let mut text = format!("\n{}", wrap(&kinds.join(", "), WIDTH));
    if macs > 0 {
        text += &format!("{} multiply-adds\n", count(macs));
    }
    match (&file.bin, &bin.error) {
        (_, Some(error)) => text += &format!("weights not read: {error}\n"),
        (Some(path), None) => text += &format!("{}: {}\n", path.display(), bytes(bin.size.unwrap_or(0))),
        (None, None) => text += &format!("no {}: weights not shown\n", sibling_bin(param).display()),
    }
    if bin.trailing > 0 {
        text += &format!("{} bytes follow the last weight; ncnn ignores them\n", bin.trailing);
    }
    text
}

fn list(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Blobs that Input layers make.
fn inputs(model: &Model) -> Vec<&str> {
    let layers = model.layers.iter().filter(|layer| layer.kind == ncnn_format::LayerKind::Input);
    layers.flat_map(|layer| &layer.outputs).map(String::as_str).collect()
}

/// Blobs that nobody reads.
fn outputs(model: &Model) -> Vec<&str> {
    let read: std::collections::HashSet<&String> = model.layers.iter().flat_map(|layer| &layer.inputs).collect();
    model
        .layers
        .iter()
        .flat_map(|layer| &layer.outputs)
        .filter(|blob| !read.contains(blob))
        .map(String::as_str)
        .collect()
}

fn kinds(model: &Model) -> BTreeMap<&str, usize> {
    let mut kinds = BTreeMap::new();
    for layer in &model.layers {
        *kinds.entry(layer.kind.as_str()).or_default() += 1;
    }
    kinds
}
