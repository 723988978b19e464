//! Parameters against the table of names and types.

use crate::typed::{ParamKind, ParamSpec, layer_spec};
use crate::{Layer, Number, ParamDict, ParamValue, Remark};

/// Ids with a meaning in every layer: shape hints and the feature mask.
const SHARED: [u8; 2] = [30, 31];

/// Findings about the form of each parameter of `layer`.
pub(super) fn check(layer: &Layer) -> Vec<Remark> {
    let Some(spec) = layer_spec(&layer.kind) else { return Vec::new() };
    let mut findings = Vec::new();
    for (id, value) in layer.params.iter() {
        if id >= ParamDict::MAX_ID {
            findings
                .push(Remark::error("parameter-id", format!("parameter id {id} is not in 0..{}", ParamDict::MAX_ID)));
            continue;
        }
        match spec.param(id) {
            Some(row) => findings.extend(form(row, value)),
            None if SHARED.contains(&id) => {}
            None => findings.push(
                Remark::warning(
                    "unknown-parameter",
                    format!("a {} has no parameter {id}; ncnn ignores it", layer.kind),
                )
                .advise("docs/layer-parameters.md lists those that it has"),
            ),
        }
    }
    findings
}

fn form(row: &ParamSpec, value: &ParamValue) -> Option<Remark> {
    let ParamSpec { id, name, kind, .. } = *row;
    match (kind, value) {
        (ParamKind::Int, ParamValue::Number(number)) => int_word(id, name, *number),
        (ParamKind::Float, ParamValue::Number(number)) => float_word(id, name, *number),
        (ParamKind::Ints, ParamValue::Array(numbers)) => numbers.iter().find_map(|number| int_word(id, name, *number)),
        (ParamKind::Floats, ParamValue::Array(numbers)) => {
            numbers.iter().find_map(|number| float_word(id, name, *number))
        }
        (ParamKind::Text, ParamValue::Text(_)) => None,
        (ParamKind::Ints | ParamKind::Floats, ParamValue::Number(number)) => {
            let value = match number {
                Number::Int(value) => value.to_string(),
                Number::Float(value) => format!("{value:?}"),
            };
            Some(
                Remark::error("parameter-type", format!(
                    "{name} (parameter {id}) should be an array, found the number {value}; ncnn takes it for an empty \
                     array and crashes"
                ))
                .advise(format!("write -233{id:02}=1,{value}")),
            )
        }
        _ => Some(Remark::error(
            "parameter-type",
            format!("{name} (parameter {id}) should be {}, found {}", noun(kind), found(value)),
        )),
    }
}

fn int_word(id: u8, name: &str, number: Number) -> Option<Remark> {
    let Number::Float(value) = number else { return None };
    let read = number.as_int();
    (read != 0).then(|| {
        Remark::error(
            "parameter-type",
            format!("{name} (parameter {id}) should be an int, found the float {value:?}; ncnn reads {read}"),
        )
        .advise("write it without a '.' and without an 'e'")
    })
}

fn float_word(id: u8, name: &str, number: Number) -> Option<Remark> {
    let Number::Int(value) = number else { return None };
    let bits = Number::float_of_word(value);
    let found = format!(
        "{name} (parameter {id}) should be a float, found the int {value}; old ncnn reads {bits:?}, new ncnn {:?}",
        value as f32
    );
    match value {
        0 => None,
        // Some tools write the bits of floats; an int that was meant as a number is far smaller.
        _ if bits.is_normal() => Some(
            Remark::warning("parameter-type", found)
                .advise(format!("these are the bits of {bits:?}; write that, unless the int is wrong")),
        ),
        _ => Some(Remark::error("parameter-type", found).advise(format!("write {value}.0"))),
    }
}

fn noun(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::Int => "an int",
        ParamKind::Float => "a float",
        ParamKind::Ints => "an array of ints",
        ParamKind::Floats => "an array of floats",
        ParamKind::Text => "text",
    }
}

fn found(value: &ParamValue) -> String {
    match value {
        ParamValue::Number(_) => "a number".to_owned(),
        ParamValue::Array(numbers) => format!("an array of {}", numbers.len()),
        ParamValue::Text(text) => format!("the text {text:?}"),
    }
}
