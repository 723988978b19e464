//! Parameters by name.

use ncnn_format::typed::{ParamKind, ParamSpec, layer_spec};
use ncnn_format::{Layer, Model, Number, ParamDict, ParamValue};
use serde_json::{Map, Value};

use crate::output::{fit, float, json_float};

/// One line per layer that has parameters other than its defaults.
pub(crate) fn describe_params(model: &Model) -> String {
    let mut text = String::new();
    let width = model.layers.iter().map(|layer| layer.name.chars().count()).max().unwrap_or(0).min(40);
    for layer in &model.layers {
        let words: Vec<String> = unusual(layer)
            .map(|(id, value)| format!("{}={}", param_name(layer, id), param_text(layer, id, value)))
            .collect();
        if !words.is_empty() {
            text += &format!("{:width$}  {}\n", fit(&layer.name, width), words.join(" "));
        }
    }
    text
}

/// All parameters that the file gives, as ncnn reads them.
pub(crate) fn params_json(layer: &Layer) -> Value {
    let numbers = |id, numbers: &[Number]| -> Vec<Value> {
        numbers.iter().map(|number| number_json(kind(layer, id), *number)).collect()
    };
    let entries = layer.params.iter().map(|(id, value)| {
        let value = match value {
            ParamValue::Number(number) => number_json(kind(layer, id), *number),
            ParamValue::Array(array) => Value::Array(numbers(id, array)),
            ParamValue::Text(text) => Value::from(text.as_str()),
        };
        (param_name(layer, id), value)
    });
    Value::Object(entries.collect::<Map<_, _>>())
}

/// The name of a parameter, or its id if it has none.
pub(crate) fn param_name(layer: &Layer, id: u8) -> String {
    match (row(layer, id), id) {
        (Some(row), _) => row.name.to_owned(),
        (None, 30) => "shape_hints".to_owned(),
        (None, 31) => "feature_mask".to_owned(),
        (None, _) => id.to_string(),
    }
}

/// A parameter as ncnn reads it.
pub(crate) fn param_text(layer: &Layer, id: u8, value: &ParamValue) -> String {
    let number = |number: &Number| match typed_number(kind(layer, id), *number) {
        Number::Int(value) => value.to_string(),
        Number::Float(value) => float(value),
    };
    match value {
        ParamValue::Number(value) => number(value),
        ParamValue::Array(values) => format!("[{}]", values.iter().map(number).collect::<Vec<_>>().join(",")),
        ParamValue::Text(text) => format!("{text:?}"),
    }
}

/// The parameters that say something else than they would by not being there.
fn unusual(layer: &Layer) -> impl Iterator<Item = (u8, &ParamValue)> {
    layer.params.iter().filter(|(id, value)| default_value(layer, *id) != Some(as_read(layer, *id, value)))
}

/// What ncnn takes a parameter for, by the type that it asks for.
fn as_read(layer: &Layer, id: u8, value: &ParamValue) -> ParamValue {
    let number = |number: &Number| typed_number(kind(layer, id), *number);
    match value {
        ParamValue::Number(value) => ParamValue::Number(number(value)),
        ParamValue::Array(values) => ParamValue::Array(values.iter().map(number).collect()),
        ParamValue::Text(text) => ParamValue::Text(text.clone()),
    }
}

/// What a parameter is, given or not, if that can be known; an array that is not given is nothing.
pub(crate) fn effective(layer: &Layer, id: u8) -> Option<ParamValue> {
    match layer.params.raw(id) {
        Some(value) => Some(as_read(layer, id, value)),
        None => default_value(layer, id),
    }
}

fn default_value(layer: &Layer, id: u8) -> Option<ParamValue> {
    row(layer, id).and_then(|row| default(&layer.params, row, layer))
}

/// What `row` is when the file does not give it, if that is a constant or the
/// value of another parameter; an array has no default that can be written.
fn default(params: &ParamDict, row: &ParamSpec, layer: &Layer) -> Option<ParamValue> {
    let text = row.default.replace('_', "");
    let number = match row.kind {
        ParamKind::Int => text.parse().ok().map(Number::Int),
        ParamKind::Float => text.parse().ok().map(Number::Float),
        _ => None,
    };
    if let Some(number) = number {
        return Some(ParamValue::Number(number));
    }
    let other = layer_spec(&layer.kind)?.params.iter().find(|other| other.name == row.default)?;
    match params.raw(other.id) {
        Some(value) => Some(value.clone()),
        None => default(params, other, layer),
    }
}

fn row(layer: &Layer, id: u8) -> Option<&'static ParamSpec> {
    layer_spec(&layer.kind)?.param(id)
}

fn kind(layer: &Layer, id: u8) -> Option<ParamKind> {
    row(layer, id).map(|row| row.kind)
}

fn typed_number(kind: Option<ParamKind>, number: Number) -> Number {
    match kind {
        Some(ParamKind::Int | ParamKind::Ints) => Number::Int(number.as_int()),
        Some(ParamKind::Float | ParamKind::Floats) => Number::Float(number.as_float()),
        _ => number,
    }
}

fn number_json(kind: Option<ParamKind>, number: Number) -> Value {
    match typed_number(kind, number) {
        Number::Int(value) => value.into(),
        Number::Float(value) => json_float(value.into()),
    }
}
