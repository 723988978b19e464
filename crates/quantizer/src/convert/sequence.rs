//! Layers for sequences to int8, as ncnn's `tools/quantize/ncnn2int8.cpp` does it.

use ncnn_format::{Error, F32Tag, Layer, LayerKind, Remark, Result, ScaleTable, Weight, WeightData, WeightRole, typed};

use super::{remarks, rows, storage};
use crate::sequence_weights::{self, SequenceWeight};
use crate::weight_slices::WeightSlices;

/// Makes `layer` int8: by the table's rows for its weights, or by itself if it is a Gemm or SDPA.
///
/// # Errors
/// `Invalid` when some of its rows are missing or one cannot be used, `Malformed` when its
/// parameters or weights do not work; all name the layer.
pub(super) fn convert(layer: &mut Layer, table: &ScaleTable, found: &mut Vec<Remark>) -> Result<()> {
    match layer.kind {
        LayerKind::Gemm => gemm(layer).map_err(|error| error.in_layer(&layer.name)),
        LayerKind::SDPA => layer.set_int8_term(2),
        _ => by_rows(layer, table, found),
    }
}

fn by_rows(layer: &mut Layer, table: &ScaleTable, found: &mut Vec<Remark>) -> Result<()> {
    let weights = sequence_weights::of(layer).map_err(|error| error.in_layer(&layer.name))?;
    let keys: Vec<String> = (0..weights.len()).map(|index| sequence_weights::row_key(layer, index)).collect();
    if keys.iter().all(|key| rows::last(table, key).is_none()) {
        found.push(remarks::no_rows(&layer.name));
        return Ok(());
    }
    let mut scales = Vec::with_capacity(weights.len());
    for (&weight, key) in weights.iter().zip(&keys) {
        let row = rows::last(table, key).ok_or_else(|| {
            Error::invalid(format!("the table has other rows of it but no row {key}")).in_layer(&layer.name)
        })?;
        let slices = WeightSlices::of_weight(layer, weight.weight, weight.count)?;
        let (of_weight, dead) = rows::usable(row, &slices).map_err(|error| error.in_layer(&layer.name))?;
        if !dead.is_empty() {
            found.push(remarks::dead_channels(&layer.name, &dead));
        }
        scales.push(of_weight);
    }
    for (weight, scales) in weights.into_iter().zip(scales) {
        quantize(layer, weight, scales)?;
    }
    layer.set_int8_term(2)
}

/// Constants become integers with A along rows and B along columns of the product; C stays float.
fn gemm(layer: &mut Layer) -> Result<()> {
    let params = typed::Gemm::read(layer)?;
    let count = |name, value: i32| {
        usize::try_from(value).map_err(|_| Error::malformed(format!("{name} is {value}, expected a positive number")))
    };
    let (a, b) = (params.constant_a == 1, params.constant_b == 1);
    if a && params.trans_a != 0 {
        transpose(layer, WeightRole::MatrixA, count("constantM", params.constant_m)?)?;
        layer.params.remove(typed::Gemm::TRANS_A);
    }
    if b && params.trans_b == 0 {
        transpose(layer, WeightRole::MatrixB, count("constantN", params.constant_n)?)?;
        layer.params.set(typed::Gemm::TRANS_B, 1);
    }
    let rows = if a { count("constantM", params.constant_m)? } else { 0 };
    let matrices = [
        (a, SequenceWeight { weight: WeightRole::MatrixA, scales: WeightRole::MatrixAScales, count: rows }),
        (b, SequenceWeight { weight: WeightRole::MatrixB, scales: WeightRole::MatrixBScale, count: 1 }),
    ];
    for (_, matrix) in matrices.into_iter().filter(|(is_constant, _)| *is_constant) {
        let scales = sequence_weights::scales(layer, matrix)?;
        quantize(layer, matrix, scales)?;
    }
    layer.set_int8_term(2)
}

/// Turns a weight with rows of `columns` values.
fn transpose(layer: &mut Layer, role: WeightRole, columns: usize) -> Result<()> {
    let turned = turned(role, &layer.weight_f32(role)?, columns)?;
    replace(layer, role, WeightData::F32(turned, F32Tag::Tagged));
    Ok(())
}

fn turned(role: WeightRole, values: &[f32], columns: usize) -> Result<Vec<f32>> {
    if columns == 0 || !values.len().is_multiple_of(columns) {
        return Err(Error::malformed(format!("{role} has {} elements, in rows of {columns}", values.len())));
    }
    Ok((0..columns).flat_map(|column| values.iter().skip(column).step_by(columns).copied()).collect())
}

/// Makes a weight int8 and appends its scales.
fn quantize(layer: &mut Layer, weight: SequenceWeight, scales: Vec<f32>) -> Result<()> {
    let integers = storage::integers(&WeightSlices::of_weight(layer, weight.weight, weight.count)?, &scales);
    replace(layer, weight.weight, WeightData::I8(integers));
    storage::push_raw(layer, weight.scales, scales);
    Ok(())
}

fn replace(layer: &mut Layer, role: WeightRole, data: WeightData) {
    if let Some(weight) = layer.weights.iter_mut().find(|weight| weight.role == role) {
        *weight = Weight { role, data };
    }
}
