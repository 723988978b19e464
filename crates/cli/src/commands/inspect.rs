//! `ncnn-quant inspect`: what is in a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use fp32_ref::Graph;
use ncnn_format::{Error, Model, Result, ScaleTable};
use serde_json::{Value, json};

use crate::output::{Output, bytes, json_float, table};

/// Arguments of `inspect`.
#[derive(Debug, Clone, Args)]
pub struct InspectArgs {
    /// .param (with the .bin beside it, if there is one) or .table files.
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Describes every file.
///
/// # Errors
/// Those of reading the first file that cannot be read.
pub fn run(args: &InspectArgs) -> Result<Output> {
    let mut text = String::new();
    let mut json = Vec::new();
    for file in &args.files {
        let output = match file.extension().and_then(|extension| extension.to_str()) {
            Some("param") => inspect_model(file)?,
            Some("table") => inspect_table(file)?,
            Some("bin") => {
                return Err(Error::invalid("a .bin has no names or sizes; inspect the .param beside it").in_file(file));
            }
            _ => return Err(Error::invalid("expected a .param or a .table file").in_file(file)),
        };
        text += &output.text;
        json.push(output.json);
    }
    Ok(Output { text, json: Value::Array(json) })
}

fn inspect_model(param: &Path) -> Result<Output> {
    let bin = param.with_extension("bin");
    let model = if bin.is_file() { Model::load(param, &bin)? } else { Model::load_param(param)? };
    let graph = Graph::new(&model).map_err(|error| error.in_file(param))?;
    let names =
        |blobs: &[fp32_ref::BlobId]| blobs.iter().map(|&blob| graph.blob_name(blob).to_owned()).collect::<Vec<_>>();
    let (inputs, outputs) = (names(graph.inputs()), names(graph.outputs()));
    let mut text = format!(
        "{}: {} layers, {} blobs; inputs: {}; outputs: {}\n\n",
        param.display(),
        model.layers.len(),
        model.blob_count(),
        inputs.join(", "),
        outputs.join(", ")
    );
    text += &table(&["layer", "type", "reads", "makes", "weights", "stored as", "bytes"], layer_rows(&model), 3);
    text +=
        &format!("\n{}\n", kinds(&model).iter().map(|(kind, n)| format!("{kind} {n}")).collect::<Vec<_>>().join(", "));
    if bin.is_file() {
        text += &format!("{}: {}\n", bin.display(), bytes(stored_bytes(&model)));
        if !model.trailing_bytes.is_empty() {
            text += &format!("{} bytes follow the last weight; ncnn ignores them\n", model.trailing_bytes.len());
        }
    } else {
        text += &format!("no {}: weights not shown\n", bin.display());
    }
    let json = json!({
        "file": param,
        "inputs": inputs,
        "outputs": outputs,
        "layers": model.layers.iter().map(layer_json).collect::<Vec<_>>(),
        "weights_loaded": bin.is_file(),
        "bin_bytes": stored_bytes(&model),
        "trailing_bytes": model.trailing_bytes.len(),
    });
    Ok(Output { text, json })
}

fn layer_rows(model: &Model) -> Vec<Vec<String>> {
    model
        .layers
        .iter()
        .map(|layer| {
            let elements: usize = layer.weights.iter().map(|weight| weight.data.len()).sum();
            let stored: usize = layer.weights.iter().map(|weight| weight.data.stored_bytes()).sum();
            let first = layer.weights.first().map(|weight| weight.data.storage().to_string());
            vec![
                layer.name.clone(),
                layer.kind.to_string(),
                layer.inputs.join(" "),
                layer.outputs.join(" "),
                elements.to_string(),
                first.unwrap_or_default(),
                stored.to_string(),
            ]
        })
        .collect()
}

fn layer_json(layer: &ncnn_format::Layer) -> Value {
    let weights: Vec<Value> = layer
        .weights
        .iter()
        .map(|weight| {
            json!({
                "role": weight.role.to_string(),
                "elements": weight.data.len(),
                "storage": weight.data.storage().to_string(),
                "bytes": weight.data.stored_bytes(),
            })
        })
        .collect();
    json!({
        "name": layer.name,
        "type": layer.kind.as_str(),
        "inputs": layer.inputs,
        "outputs": layer.outputs,
        "weights": weights,
    })
}

fn kinds(model: &Model) -> BTreeMap<&str, usize> {
    let mut kinds = BTreeMap::new();
    for layer in &model.layers {
        *kinds.entry(layer.kind.as_str()).or_default() += 1;
    }
    kinds
}

fn stored_bytes(model: &Model) -> u64 {
    let weights: usize =
        model.layers.iter().flat_map(|layer| &layer.weights).map(|weight| weight.data.stored_bytes()).sum();
    (weights + model.trailing_bytes.len()) as u64
}

fn inspect_table(path: &Path) -> Result<Output> {
    let scales = ScaleTable::load(path)?;
    let extremes = |values: &[f32]| {
        (values.iter().copied().fold(f32::INFINITY, f32::min), values.iter().copied().fold(f32::NEG_INFINITY, f32::max))
    };
    let rows = scales
        .rows
        .iter()
        .map(|row| {
            let (min, max) = extremes(&row.values);
            vec![row.key.clone(), row.values.len().to_string(), format!("{min:.6}"), format!("{max:.6}")]
        })
        .collect();
    let text = format!(
        "{}: {} rows\n\n{}",
        path.display(),
        scales.rows.len(),
        table(&["row", "scales", "smallest", "largest"], rows, 1)
    );
    let json_rows: Vec<Value> = scales
        .rows
        .iter()
        .map(|row| {
            let values: Vec<Value> = row.values.iter().map(|&value| json_float(value.into())).collect();
            json!({ "key": row.key, "values": values })
        })
        .collect();
    Ok(Output { text, json: json!({ "file": path, "rows": json_rows }) })
}
