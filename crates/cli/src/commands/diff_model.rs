//! Differences of two models, in words.

use std::collections::{BTreeSet, HashMap};

use ncnn_format::{Layer, Model, Result};

use super::diff_weights::{diff_trailing_bytes, diff_weights};
use super::inspect_params::{effective, param_name, param_text};
use super::model_file::OpenWeights;

/// One line per difference; `weights` are those of both, if they are to be compared.
///
/// # Errors
/// Those of reading weights.
pub(crate) fn diff_models(
    old: &Model,
    new: &Model,
    weights: Option<&(OpenWeights<'_>, OpenWeights<'_>)>,
) -> Result<Vec<String>> {
    let pairs = pair(old, new);
    let mut changes = Vec::new();
    for (index, (layer, partner)) in old.layers.iter().zip(&pairs).enumerate() {
        let Some((at, other)) = partner.and_then(|at| Some((at, new.layers.get(at)?))) else {
            changes.push(format!("layer {} ({}): removed", layer.name, layer.kind));
            continue;
        };
        diff_layers(layer, other, &mut changes);
        if let Some((before, after)) = weights {
            let lines = diff_weights(before.of_layer(index), after.of_layer(at))?;
            changes.extend(lines.iter().map(|line| format!("layer {}: {line}", layer.name)));
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
    if let Some((before, after)) = weights {
        changes.extend(diff_trailing_bytes(before, after)?);
    }
    Ok(changes)
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

fn diff_layers(old: &Layer, new: &Layer, changes: &mut Vec<String>) {
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
    let ids: BTreeSet<u8> = old.params.iter().chain(new.params.iter()).map(|(id, _)| id).collect();
    for id in ids {
        // What is given in one file only may be what the other leaves to the default.
        if effective(old, id) != effective(new, id) {
            say(format!("{} {} -> {}", param_name(new, id), shown(old, id), shown(new, id)));
        }
    }
}

/// The value of a parameter, also when the file leaves it to the default.
fn shown(layer: &Layer, id: u8) -> String {
    let text = effective(layer, id).map(|value| param_text(layer, id, &value));
    match (text, layer.params.raw(id)) {
        (None, _) => "not given".to_owned(),
        (Some(text), None) => format!("{text} (default)"),
        (Some(text), Some(_)) => text,
    }
}
