//! The weights of layers for sequences that have an int8 form, and their scales.

use fp32_ref::sequence::RecurrentForm;
use ncnn_format::{Error, Layer, LayerKind, Model, Result, TableRow, WeightRole, typed};

use crate::weight_slices::WeightSlices;
use crate::winograd::as_printed;

/// A weight that becomes int8, with the scales that it gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SequenceWeight {
    /// What is quantized.
    pub(crate) weight: WeightRole,
    /// What its scales are in the file.
    pub(crate) scales: WeightRole,
    /// How many scales, each for an equal part of the weight.
    pub(crate) count: usize,
}

/// The types of layers for sequences with rows in a table, in the order of ncnn2table.
const KINDS: [LayerKind; 5] =
    [LayerKind::Embed, LayerKind::MultiHeadAttention, LayerKind::RNN, LayerKind::LSTM, LayerKind::GRU];

/// Whether `kind` becomes int8 by the scales of its weights in a table; activations get
/// theirs while running.
pub(crate) fn has_rows(kind: &LayerKind) -> bool {
    KINDS.contains(kind)
}

/// Whether `kind` becomes int8 without a row in a table.
pub(crate) fn needs_no_rows(kind: &LayerKind) -> bool {
    matches!(kind, LayerKind::Gemm | LayerKind::SDPA)
}

/// The weights of `layer` that have rows, in the order of the rows.
///
/// # Errors
/// `Malformed` when its parameters do not work.
pub(crate) fn of(layer: &Layer) -> Result<Vec<SequenceWeight>> {
    let weight = |weight, scales, count| SequenceWeight { weight, scales, count };
    Ok(match layer.kind {
        LayerKind::Embed => vec![weight(WeightRole::Weight, WeightRole::WeightScales, 1)],
        LayerKind::MultiHeadAttention => {
            let embed = typed::MultiHeadAttention::read(layer)?.embed_dim;
            let embed = usize::try_from(embed).map_err(|_| Error::malformed(format!("embed_dim is {embed}")))?;
            vec![
                weight(WeightRole::QueryWeight, WeightRole::QueryScales, embed),
                weight(WeightRole::KeyWeight, WeightRole::KeyScales, embed),
                weight(WeightRole::ValueWeight, WeightRole::ValueScales, embed),
                weight(WeightRole::OutWeight, WeightRole::OutScale, 1),
            ]
        }
        LayerKind::RNN | LayerKind::LSTM | LayerKind::GRU => {
            let form = RecurrentForm::read(layer)?;
            let rows = form.total(form.rows);
            vec![
                weight(WeightRole::InputWeight, WeightRole::InputWeightScales, rows),
                weight(WeightRole::HiddenWeight, WeightRole::HiddenWeightScales, rows),
            ]
        }
        _ => Vec::new(),
    })
}

/// 127 / largest magnitude of each part of a weight; 1 where that is no number.
///
/// # Errors
/// Those of [`WeightSlices::of_weight`].
pub(crate) fn scales(layer: &Layer, weight: SequenceWeight) -> Result<Vec<f32>> {
    let slices = WeightSlices::of_weight(layer, weight.weight, weight.count)?;
    Ok(slices
        .iter()
        .map(|slice| 127.0 / slice.iter().fold(0.0_f32, |largest, x| largest.max(x.abs())))
        .map(|scale| if scale.is_finite() { scale } else { 1.0 })
        .collect())
}

/// The rows of a table for the weights of `model`'s layers for sequences (Embed,
/// MultiHeadAttention, RNN, LSTM, GRU), as ncnn's `tools/quantize/ncnn2table.cpp`
/// writes them behind all others. No sample is needed for them; Gemm and SDPA have none.
///
/// Values are rounded to the six decimals of the file.
///
/// # Errors
/// `Malformed` when parameters do not work or a weight is NaN or infinite, `Invalid` when no
/// weights were read; all name the layer.
pub fn sequence_rows(model: &Model) -> Result<Vec<TableRow>> {
    let mut rows = Vec::new();
    for kind in KINDS {
        for layer in model.layers.iter().filter(|layer| layer.kind == kind) {
            let weights = of(layer).map_err(|error| error.in_layer(&layer.name))?;
            for (index, weight) in weights.into_iter().enumerate() {
                let values = scales(layer, weight)?.into_iter().map(as_printed).collect();
                rows.push(TableRow::new(row_key(layer, index), values));
            }
        }
    }
    Ok(rows)
}

/// The key of the row for the weight at `index` of [`of`].
pub(crate) fn row_key(layer: &Layer, index: usize) -> String {
    format!("{}_param_{index}", layer.name)
}
