//! One line, or one JSON object, per layer.

use ncnn_format::{Layer, Model};
use serde_json::{Value, json};

use super::inspect_params::params_json;
use super::inspect_shapes::Shapes;
use super::inspect_weights::{WeightFacts, weight_json};
use crate::output::{count, fit};

/// Keeps a line under 120 columns.
const NAME_WIDTH: usize = 40;

/// Layer, type, output shapes, MACs, weights, storage, bytes.
pub(crate) fn layer_rows(
    model: &Model,
    weights: &[Vec<WeightFacts>],
    shapes: &Shapes,
    macs: &[Option<u64>],
) -> Vec<Vec<String>> {
    model
        .layers
        .iter()
        .zip(weights)
        .zip(macs)
        .map(|((layer, weights), macs)| {
            let elements: u64 = weights.iter().map(|weight| weight.elements as u64).sum();
            let stored: u64 = weights.iter().map(|weight| weight.bytes).sum();
            let first = weights.first().map(|weight| weight.storage.to_string());
            let shown = |value: u64| if weights.is_empty() { String::new() } else { value.to_string() };
            vec![
                fit(&layer.name, NAME_WIDTH),
                fit(layer.kind.as_str(), 24),
                outputs(layer, shapes),
                macs.map(count).unwrap_or_default(),
                shown(elements),
                first.unwrap_or_default(),
                shown(stored),
            ]
        })
        .collect()
}

/// The shape of the first output, and how many more there are.
fn outputs(layer: &Layer, shapes: &Shapes) -> String {
    let shape = |name: &String| shapes.get(name).map_or("?".to_owned(), |shape| shape.to_string());
    match layer.outputs.as_slice() {
        [] => String::new(),
        [only] => shape(only),
        [first, rest @ ..] if rest.iter().all(|name| shapes.get(name) == shapes.get(first)) => {
            format!("{} * {}", shape(first), layer.outputs.len())
        }
        [first, rest @ ..] => format!("{} +{}", shape(first), rest.len()),
    }
}

/// Everything about a layer.
pub(crate) fn layer_json(layer: &Layer, weights: &[WeightFacts], shapes: &Shapes, macs: Option<u64>) -> Value {
    let output_shapes: Vec<Value> =
        layer.outputs.iter().map(|name| shapes.get(name).map_or(Value::Null, |shape| shape.dims().into())).collect();
    json!({
        "name": layer.name,
        "type": layer.kind.as_str(),
        "inputs": layer.inputs,
        "outputs": layer.outputs,
        "output_shapes": output_shapes,
        "macs": macs,
        "params": params_json(layer),
        "weights": weights.iter().map(weight_json).collect::<Vec<_>>(),
    })
}
