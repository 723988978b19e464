//! A float model and a table to an int8 model, as ncnn2int8 does it.

mod remarks;
mod requantize;
mod rows;
mod sequence;
mod storage;

use ncnn_format::{Error, Layer, Model, Remark, Result, ScaleTable};

use crate::sequence_weights::{has_rows, needs_no_rows};
use crate::setters::setters;
use crate::weight_slices::quantizable;
use rows::Rows;

/// How weights that stay float are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FloatStorage {
    /// As ncnn2int8 does: fp16 where the file has a tag, else fp32 with
    /// magnitudes below 1e-30 as 0. Bytes equal ncnn2int8's.
    #[default]
    Half,
    /// As they are in the float model.
    Keep,
}

/// Options of [`convert`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ConvertOptions {
    /// How weights that stay float are stored.
    pub float_storage: FloatStorage,
    /// Whether a convolution hands int8 to the convolutions behind it.
    pub requantize: bool,
    /// Whether layers for sequences become int8 as by ncnn2int8: Embed, MultiHeadAttention, RNN,
    /// LSTM and GRU that have rows in the table, and every Gemm and SDPA.
    pub sequence_layers: bool,
}

impl Default for ConvertOptions {
    fn default() -> Self {
        Self { float_storage: FloatStorage::default(), requantize: true, sequence_layers: true }
    }
}

impl ConvertOptions {
    setters! {
        with_float_storage(float_storage: FloatStorage) "another storage of weights that stay float";
        with_requantize(requantize: bool) "int8 between convolutions or without";
        with_sequence_layers(sequence_layers: bool) "layers for sequences in int8 or in float";
    }
}

/// An int8 model and what is to be said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The model.
    pub model: Model,
    /// Remarks, in layer order by kind of remark.
    pub remarks: Vec<Remark>,
}

/// Converts `model` to int8 with the scales of `table`. Source: ncnn's
/// `tools/quantize/ncnn2int8.cpp`.
///
/// A convolution of images or an inner product with both rows becomes
/// int8; without one of them it stays float, which is how a layer is kept out.
/// Differences from ncnn2int8, which writes the same bytes otherwise:
///
/// - A layer that lacks one row or both stays float, with a remark; without the weight
///   row alone ncnn2int8 leaves all later layers of that type float.
/// - A row of a wrong length or a scale that cannot be used is an error; ncnn2int8 reads
///   out of bounds.
/// - An input scale of `inf` (ncnn2table's answer to a blob that is always 0) is such
///   an error: calibrate with another method than `ncnn-kl`.
/// - A weight scale `inf` on an all-zero channel gives weights 0 and a stored scale
///   of 1, where ncnn2int8 stores −127 and infinity (x86). Both infer zeros.
/// - An Embed, MultiHeadAttention, RNN, LSTM or GRU without any of its rows stays float, with a
///   remark; ncnn2int8 then leaves this and all later layers of its type float.
/// - Gemm and SDPA need no rows and always become int8, as by ncnn2int8, unless
///   [`ConvertOptions::sequence_layers`] is off.
/// - The scale of a Gemm's weight B is that of its largest value; ncnn2int8 looks at the first
///   row only of a B that is stored as N × K, and clips the others.
/// - A blob becomes int8 only when everything that reads it takes int8.
///
/// # Errors
/// `Invalid` when the model is int8 already or has no weights loaded, no row of the
/// table fits the model, or for rows as above; `Malformed` when a weight to quantize
/// is NaN or infinite. All name the layer.
pub fn convert(model: &Model, table: &ScaleTable, options: ConvertOptions) -> Result<Converted> {
    model.layers.iter().try_for_each(check_is_float)?;
    table.check_dialect(model)?;
    let mut found = Vec::new();
    check_rows(model, table, options, &mut found)?;
    let mut model = model.clone();
    for layer in &mut model.layers {
        convert_layer(layer, table, options, &mut found)?;
    }
    if options.requantize {
        requantize::fuse(&mut model, &mut found)?;
    }
    if options.float_storage == FloatStorage::Half {
        store_floats(&mut model, &mut found);
    }
    if !model.trailing_bytes.is_empty() {
        found.push(remarks::trailing_bytes(model.trailing_bytes.len()));
        model.trailing_bytes.clear();
    }
    Ok(Converted { model, remarks: found })
}

fn check_is_float(layer: &Layer) -> Result<()> {
    let term = layer.int8_term()?.unwrap_or(0);
    if term != 0 || layer.stores_int8() {
        let message = format!("is int8 already (int8_scale_term {term}); convert the float model");
        return Err(Error::invalid(message).in_layer(&layer.name));
    }
    Ok(())
}

/// Remarks on rows that name no layer; that not a single one does means a wrong table.
fn check_rows(model: &Model, table: &ScaleTable, options: ConvertOptions, found: &mut Vec<Remark>) -> Result<()> {
    let is_known = |key: &str| {
        let owner = key.rsplit_once("_param_").map_or(key, |(owner, _)| owner);
        model.layers.iter().any(|layer| layer.name == owner || layer.name == key)
    };
    let unknown: Vec<_> = table.rows.iter().filter(|row| !is_known(&row.key)).collect();
    let needs_rows = !options.sequence_layers || !model.layers.iter().any(|layer| needs_no_rows(&layer.kind));
    if unknown.len() == table.rows.len() && (needs_rows || !table.rows.is_empty()) {
        let first = table.rows.first().map_or("it is empty".to_owned(), |row| format!("the first is {}", row.key));
        return Err(Error::invalid(format!("no row of the table names a layer of the model; {first}")));
    }
    found.extend(unknown.into_iter().map(|row| remarks::unknown_row(&row.key)));
    Ok(())
}

fn convert_layer(
    layer: &mut Layer,
    table: &ScaleTable,
    options: ConvertOptions,
    found: &mut Vec<Remark>,
) -> Result<()> {
    let Some(linear) = quantizable(layer)? else {
        if !has_rows(&layer.kind) && !needs_no_rows(&layer.kind) {
            return Ok(());
        }
        if options.sequence_layers {
            return sequence::convert(layer, table, found);
        }
        found.push(remarks::not_quantized(&layer.name, &layer.kind));
        return Ok(());
    };
    match Rows::find(table, layer)? {
        Rows::None => found.push(remarks::no_rows(&layer.name)),
        Rows::InputOnly => found.push(remarks::no_weight_scales(&layer.name)),
        Rows::WeightsOnly => found.push(remarks::no_input_scale(&layer.name)),
        Rows::Both(scales) => {
            storage::store_int8(layer, &linear, &scales)?;
            if !scales.dead.is_empty() {
                found.push(remarks::dead_channels(&layer.name, &scales.dead));
            }
        }
    }
    Ok(())
}

fn store_floats(model: &mut Model, found: &mut Vec<Remark>) {
    for layer in &mut model.layers {
        let count = storage::store_floats_as_ncnn2int8(layer);
        if count > 0 {
            found.push(remarks::half_overflow(&layer.name, count));
        }
    }
}
