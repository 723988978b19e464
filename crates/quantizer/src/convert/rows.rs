//! The rows of a table that belong to one layer.

use ncnn_format::{Error, Layer, Result, ScaleTable, TableRow};

use crate::weight_slices::WeightSlices;

/// What a table says about a layer.
#[derive(Debug, PartialEq)]
pub(super) enum Rows {
    /// Neither row.
    None,
    /// Weight scales, but no input scale.
    WeightsOnly,
    /// An input scale, but no weight scales.
    InputOnly,
    /// Both.
    Both(LayerScales),
}

/// The checked scales of a layer.
#[derive(Debug, PartialEq)]
pub(super) struct LayerScales {
    /// One per slice, all finite and positive.
    pub(super) weights: Vec<f32>,
    /// Finite and positive.
    pub(super) input: f32,
    /// Slices whose scale was infinite and whose weights are all zero.
    pub(super) dead: Vec<usize>,
}

impl Rows {
    /// # Errors
    /// `Invalid` when a row has another length than the layer needs, or a scale cannot be used; all name
    /// layer, row and value. As [`WeightSlices::of`] for the layer's own weights.
    pub(super) fn find(table: &ScaleTable, layer: &Layer) -> Result<Self> {
        let weight_key = format!("{}_param_0", layer.name);
        let weights = last(table, &weight_key);
        let Some(input) = last(table, &layer.name) else {
            return Ok(if weights.is_some() { Self::WeightsOnly } else { Self::None });
        };
        let Some(weights) = weights else { return Ok(Self::InputOnly) };
        let slices = WeightSlices::of(layer)?;
        let scales = check(input, weights, &slices).map_err(|error| error.in_layer(&layer.name))?;
        Ok(Self::Both(scales))
    }
}

/// The last row with `key`: the one that ncnn2int8 uses.
pub(super) fn last<'a>(table: &'a ScaleTable, key: &str) -> Option<&'a TableRow> {
    table.rows.iter().rev().find(|row| row.key == key)
}

fn check(input: &TableRow, weights: &TableRow, slices: &WeightSlices<'_>) -> Result<LayerScales> {
    check_len(input, 1)?;
    check_len(weights, slices.count())?;
    check_scale(input, 0)?;
    let (weights, dead) = usable(weights, slices)?;
    Ok(LayerScales { weights, input: input.values[0], dead })
}

/// The scales of `row`, finite and positive, and the slices for which it has infinity and whose
/// weights are all zero; those get 1.
///
/// # Errors
/// `Invalid` for another number of scales than slices, or one that cannot be used.
pub(super) fn usable(row: &TableRow, slices: &WeightSlices<'_>) -> Result<(Vec<f32>, Vec<usize>)> {
    check_len(row, slices.count())?;
    let (mut scales, mut dead) = (Vec::with_capacity(slices.count()), Vec::new());
    for (index, slice) in slices.iter().enumerate() {
        let scale = row.values[index];
        if scale == f32::INFINITY && slice.iter().all(|&weight| weight == 0.0) {
            dead.push(index);
            scales.push(1.0);
        } else {
            check_scale(row, index)?;
            scales.push(scale);
        }
    }
    Ok((scales, dead))
}

fn check_len(row: &TableRow, expected: usize) -> Result<()> {
    if row.values.len() == expected {
        return Ok(());
    }
    let found = row.values.len();
    Err(Error::invalid(format!("row {} of the table has {found} values, expected {expected}", row.key)))
}

fn check_scale(row: &TableRow, index: usize) -> Result<()> {
    let scale = row.values[index];
    if scale.is_finite() && scale > 0.0 {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "value {index} of row {} of the table is {scale}, expected a finite positive scale",
        row.key
    )))
}
