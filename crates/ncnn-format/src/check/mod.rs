//! What ncnn accepts silently and fails on later.

mod graph;
mod lines;
mod params;
mod rules;
mod table;
mod weights;

use crate::{Model, Remark};
use lines::layer_lines;

pub use table::check_table;

/// Everything about `model` that ncnn would accept silently and later fail on, or
/// refuse when it loads: in the order of the layers, those of the reader first.
///
/// `of_reader` are those of [`Model::from_param_text_with`] or
/// [`Model::load_with`](crate::Model::load_with). Weights are looked at if they
/// were read. Lines are given while every layer still has its [`crate::SourceText`].
pub fn check(model: &Model, of_reader: &[Remark]) -> Vec<Remark> {
    let mut findings: Vec<Remark> = of_reader.to_vec();
    let mut by_layer = graph::check(model);
    for (layer, found) in model.layers.iter().zip(&mut by_layer) {
        found.extend(params::check(layer));
        found.extend(rules::check(layer));
        found.extend(weights::check(layer));
    }
    let lines = layer_lines(model);
    for ((index, layer), found) in model.layers.iter().enumerate().zip(by_layer) {
        findings.extend(found.into_iter().map(|mut finding| {
            finding.place.line = lines.get(index).copied();
            finding.in_layer(&layer.name)
        }));
    }
    findings.extend(graph::check_whole(model));
    if !model.trailing_bytes.is_empty() {
        let left = model.trailing_bytes.len();
        findings.push(
            Remark::warning(
                "bytes-after-weights",
                format!("{left} bytes follow the last weight in the .bin; ncnn ignores them"),
            )
            .advise("see that the .param and the .bin belong together"),
        );
    }
    findings
}
