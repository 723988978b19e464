//! Differences of two models, in words.

use std::collections::HashMap;

use ncnn_format::{Layer, Model, ParamValue, Weight, WeightData};

use super::inspect_params::{param_name, param_text};
use crate::output::float;

/// One line per difference; weights are looked at `with_weights`.
pub(crate) fn diff_models(old: &Model, new: &Model, with_weights: bool) -> Vec<String> {
    let pairs = pair(old, new);
    let mut changes = Vec::new();
    for (layer, partner) in old.layers.iter().zip(&pairs) {
        match partner.and_then(|index| new.layers.get(index)) {
            None => changes.push(format!("layer {} ({}): removed", layer.name, layer.kind)),
            Some(other) => diff_layers(layer, other, with_weights, &mut changes),
        }
    }
    for (index, layer) in new.layers.iter().enumerate() {
        if !pairs.contains(&Some(index)) {
            changes.push(format!("layer {} ({}): added", layer.name, layer.kind));
        }
    }
    if !pairs.iter().flatten().is_sorted() {
        changes.push("the layers are in another order".to_owned());
    }
    let (before, after) = (old.trailing_bytes.len(), new.trailing_bytes.len());
    if with_weights && old.trailing_bytes != new.trailing_bytes {
        changes.push(format!("bytes behind the last weight: {before}, now {after}"));
    }
    changes
}

/// For each old layer the index of the new one: by name, else the layer of the same
/// type behind the layer before, or on the same line.
fn pair(old: &Model, new: &Model) -> Vec<Option<usize>> {
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (index, layer) in new.layers.iter().enumerate() {
        by_name.entry(&layer.name).or_insert(index);
    }
    let mut pairs: Vec<Option<usize>> = old.layers.iter().map(|layer| by_name.remove(layer.name.as_str())).collect();
    let mut taken = vec![false; new.layers.len()];
    pairs.iter().flatten().for_each(|&index| taken[index] = true);
    for position in 0..pairs.len() {
        if pairs[position].is_some() {
            continue;
        }
        let behind = match position.checked_sub(1) {
            None => Some(0),
            Some(before) => pairs[before].map(|index| index + 1),
        };
        pairs[position] = [behind, Some(position)].into_iter().flatten().find(|&index| {
            let same_kind = new.layers.get(index).is_some_and(|layer| layer.kind == old.layers[position].kind);
            same_kind && !taken[index]
        });
        if let Some(index) = pairs[position] {
            taken[index] = true;
        }
    }
    pairs
}

fn diff_layers(old: &Layer, new: &Layer, with_weights: bool, changes: &mut Vec<String>) {
    let name = &old.name;
    let mut say = |what: String| changes.push(format!("layer {name}: {what}"));
    if old.name != new.name {
        say(format!("is called {} now", new.name));
    }
    if old.kind != new.kind {
        say(format!("type {} -> {}", old.kind, new.kind));
    }
    for (what, old, new) in [("inputs", &old.inputs, &new.inputs), ("outputs", &old.outputs, &new.outputs)] {
        if old != new {
            say(format!("{what} {} -> {}", old.join(" "), new.join(" ")));
        }
    }
    for (id, value) in old.params.iter() {
        match new.params.get(id) {
            Some(other) if other == value => {}
            other => say(param_change(old, new, id, Some(value), other)),
        }
    }
    for (id, value) in new.params.iter().filter(|(id, _)| old.params.get(*id).is_none()) {
        say(param_change(old, new, id, None, Some(value)));
    }
    if with_weights {
        diff_weights(old, new, &mut say);
    }
}

/// `stride_w 1 -> 2`; the type decides what an id is called.
fn param_change(old: &Layer, new: &Layer, id: u8, from: Option<&ParamValue>, to: Option<&ParamValue>) -> String {
    let text = |layer: &Layer, value: Option<&ParamValue>| {
        value.map_or_else(|| "not given".to_owned(), |value| param_text(layer, id, value))
    };
    format!("{} {} -> {}", param_name(new, id), text(old, from), text(new, to))
}

fn diff_weights(old: &Layer, new: &Layer, say: &mut impl FnMut(String)) {
    for weight in &old.weights {
        match new.weight(weight.role) {
            None => say(format!("{} removed", weight.role)),
            Some(other) => {
                if let Some(change) = diff_weight(weight, other) {
                    say(format!("{} {change}", weight.role));
                }
            }
        }
    }
    for weight in new.weights.iter().filter(|weight| old.weight(weight.role).is_none()) {
        say(format!("{} added ({} x {})", weight.role, weight.data.len(), weight.data.storage()));
    }
}

fn diff_weight(old: &Weight, new: &Weight) -> Option<String> {
    let (from, to) = (old.data.storage(), new.data.storage());
    let mut words = Vec::new();
    if from != to {
        words.push(format!("stored as {from} -> {to}"));
    }
    if old.data.len() != new.data.len() {
        words.push(format!("{} elements -> {}", old.data.len(), new.data.len()));
    } else if let Some(change) = difference(&old.data, &new.data) {
        words.push(change);
    } else if from == to && old.data != new.data && !has_nan(&old.data) {
        words.push("stored behind another tag or table".to_owned());
    }
    (!words.is_empty()).then(|| words.join(", "))
}

/// How many elements differ and by how much; int8 and floats are not comparable.
fn difference(old: &WeightData, new: &WeightData) -> Option<String> {
    let (old, new) = match (old.as_i8(), new.as_i8()) {
        (Some(old), Some(new)) => (widened(old), widened(new)),
        (None, None) => (old.to_f32()?.into_owned(), new.to_f32()?.into_owned()),
        _ => return None,
    };
    let changed = old.iter().zip(&new).filter(|(old, new)| old.to_bits() != new.to_bits());
    let count = changed.clone().count();
    let most = changed.map(|(old, new)| (new - old).abs()).fold(0.0, f32::max);
    (count > 0).then(|| format!("{count} of {} elements differ, by at most {}", old.len(), float(most)))
}

fn widened(values: &[i8]) -> Vec<f32> {
    values.iter().map(|&value| f32::from(value)).collect()
}

/// NaN is unequal to itself although its bits are the same.
fn has_nan(data: &WeightData) -> bool {
    data.to_f32().is_some_and(|values| values.iter().any(|value| value.is_nan()))
}
