//! Our scale table against ncnn2table's.

use std::collections::HashMap;

use ncnn_format::{Error, Result, ScaleTable};
use quantizer::calibrate::{Calibration, LayerCalibration};

use super::tie::is_tie;

/// Bins of ncnn2table's histogram.
const BINS: f64 = 2048.0;
/// Bins that a threshold may be off where another order of fp32 sums moved counts across edges.
const TOLERANCE: f64 = 2.0;

/// Where two tables of the same network differ.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct TableDifference {
    /// Layers compared.
    pub layers: usize,
    /// Layers whose weight scales are not the same as printed.
    pub weights: Vec<String>,
    /// Layers that read the network's input and whose input scale is not the same as printed.
    pub first: Vec<String>,
    /// Other layers with the threshold in the same bin, where the absolute maximum
    /// differs in its last digits and the printed scale with it.
    pub same_bin: Vec<String>,
    /// Other layers whose threshold is off by one or two bins, with the distance.
    pub near: Vec<(String, f64)>,
    /// Other layers that are further off, to a bin whose divergence is the same.
    pub ties: Vec<(String, f64)>,
    /// Other layers that are further off.
    pub far: Vec<(String, f64)>,
}

/// Compares a calibration by `ncnn-kl` with ncnn2table's `golden`.
///
/// `input` is the blob that feeds the network.
///
/// # Errors
/// `Invalid` when the tables do not have the same rows.
pub(crate) fn compare(calibration: &Calibration, golden: &ScaleTable, input: &str) -> Result<TableDifference> {
    let ours = calibration.table();
    let keys = |table: &ScaleTable| table.rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>();
    if keys(&ours) != keys(golden) {
        return Err(Error::invalid(format!(
            "the tables have different rows: {} and {} of them",
            ours.rows.len(),
            golden.rows.len()
        )));
    }
    let rows: HashMap<&str, &[f32]> = golden.rows.iter().map(|row| (row.key.as_str(), row.values.as_slice())).collect();
    let mut difference = TableDifference { layers: calibration.layers.len(), ..TableDifference::default() };
    for layer in &calibration.layers {
        let row = |key: &str| rows.get(key).copied().unwrap_or_default();
        if printed(&layer.weights.scales) != printed(row(&format!("{}_param_0", layer.layer))) {
            difference.weights.push(layer.layer.clone());
        }
        let scale = row(&layer.layer);
        if printed(&[layer.input_scale]) == printed(scale) {
            continue;
        }
        if layer.blob == input {
            difference.first.push(layer.layer.clone());
            continue;
        }
        let distance = distance_in_bins(layer, scale.first().copied().unwrap_or_default());
        if distance == 0.0 {
            difference.same_bin.push(layer.layer.clone());
        } else {
            let list = if distance <= TOLERANCE {
                &mut difference.near
            } else if chose_between_equals(layer, scale.first().copied().unwrap_or_default()) {
                &mut difference.ties
            } else {
                &mut difference.far
            };
            list.push((layer.layer.clone(), distance));
        }
    }
    Ok(difference)
}

/// How far our threshold is from the one behind the `golden` scale.
fn distance_in_bins(layer: &LayerCalibration, golden: f32) -> f64 {
    let bin = f64::from(layer.range.absmax()) / BINS;
    let distance = (127.0 / f64::from(layer.input_scale) - 127.0 / f64::from(golden)).abs() / bin;
    // Bins are whole; the rest is the last digits of the absolute maximum.
    if distance.is_nan() { f64::INFINITY } else { distance.round() }
}

/// Whether our bin and the one behind the `golden` scale have the same divergence.
fn chose_between_equals(layer: &LayerCalibration, golden: f32) -> bool {
    let theirs = 127.0 / f64::from(golden) / f64::from(layer.range.absmax()) * BINS - 0.5;
    let is_bin = theirs.is_finite() && (0.0..BINS).contains(&theirs);
    layer
        .threshold
        .and_then(|threshold| threshold.bin())
        .is_some_and(|ours| is_bin && is_tie(layer.histogram.counts(), ours, theirs.round() as usize))
}

/// Six decimals, as ncnn2table prints.
fn printed(values: &[f32]) -> Vec<String> {
    values.iter().map(|value| format!("{value:.6}")).collect()
}
