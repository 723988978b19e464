//! A float model and a table to an int8 model, as ncnn2int8 does it.

mod note;
mod requantize;
mod rows;
mod sequence;
mod storage;

use ncnn_format::{Error, Layer, Model, Result, ScaleTable};

pub use note::Note;

use crate::sequence_weights::{has_rows, needs_no_rows};
use crate::weight_slices::quantizable;
use rows::Rows;

/// How weights that stay float are stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
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

/// An int8 model and what is to be said about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The model.
    pub model: Model,
    /// Remarks, in layer order by kind of remark.
    pub notes: Vec<Note>,
}

/// Converts `model` to int8 with the scales of `table`. Source: ncnn's
/// `tools/quantize/ncnn2int8.cpp`.
///
/// A convolution of images or an inner product with both rows becomes
/// int8; without one of them it stays float, which is how a layer is kept out.
/// Differences from ncnn2int8, which writes the same bytes otherwise:
///
/// - A layer that lacks one row or both stays float, with a [`Note`]; without the weight
///   row alone ncnn2int8 leaves all later layers of that type float.
/// - A row of a wrong length or a scale that cannot be used is an error; ncnn2int8 reads
///   out of bounds.
/// - An input scale of `inf` (ncnn2table's answer to a blob that is always 0) is such
///   an error: calibrate with another method than `ncnn-kl`.
/// - A weight scale `inf` on an all-zero channel gives weights 0 and a stored scale
///   of 1, where ncnn2int8 stores −127 and infinity (x86). Both infer zeros.
/// - An Embed, MultiHeadAttention, RNN, LSTM or GRU without any of its rows stays float, with a
///   [`Note`]; ncnn2int8 then leaves this and all later layers of its type float.
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
    let mut notes = Vec::new();
    note_unknown_rows(model, table, options, &mut notes)?;
    let mut model = model.clone();
    for layer in &mut model.layers {
        convert_layer(layer, table, options, &mut notes)?;
    }
    if options.requantize {
        requantize::fuse(&mut model, &mut notes)?;
    }
    if options.float_storage == FloatStorage::Half {
        store_floats(&mut model, &mut notes);
    }
    if !model.trailing_bytes.is_empty() {
        notes.push(Note::TrailingBytes { count: model.trailing_bytes.len() });
        model.trailing_bytes.clear();
    }
    Ok(Converted { model, notes })
}

fn check_is_float(layer: &Layer) -> Result<()> {
    let term = layer.int8_term()?.unwrap_or(0);
    if term != 0 || layer.stores_int8() {
        let message = format!("is int8 already (int8_scale_term {term}); convert the float model");
        return Err(Error::invalid(message).in_layer(&layer.name));
    }
    Ok(())
}

/// Notes rows that name no layer; that not a single one does means a wrong table.
fn note_unknown_rows(model: &Model, table: &ScaleTable, options: ConvertOptions, notes: &mut Vec<Note>) -> Result<()> {
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
    notes.extend(unknown.into_iter().map(|row| Note::UnknownRow { key: row.key.clone() }));
    Ok(())
}

fn convert_layer(layer: &mut Layer, table: &ScaleTable, options: ConvertOptions, notes: &mut Vec<Note>) -> Result<()> {
    let name = layer.name.clone();
    let Some(linear) = quantizable(layer)? else {
        if !has_rows(&layer.kind) && !needs_no_rows(&layer.kind) {
            return Ok(());
        }
        if options.sequence_layers {
            return sequence::convert(layer, table, notes);
        }
        notes.push(Note::StaysFloat { layer: name, kind: layer.kind.clone() });
        return Ok(());
    };
    match Rows::find(table, layer)? {
        Rows::None => notes.push(Note::NoRows { layer: name }),
        Rows::InputOnly => notes.push(Note::NoWeightScales { layer: name }),
        Rows::WeightsOnly => notes.push(Note::NoInputScale { layer: name }),
        Rows::Both(scales) => {
            storage::store_int8(layer, &linear, &scales)?;
            if !scales.dead.is_empty() {
                notes.push(Note::DeadChannels { layer: name, channels: scales.dead });
            }
        }
    }
    Ok(())
}

fn store_floats(model: &mut Model, notes: &mut Vec<Note>) {
    for layer in &mut model.layers {
        let count = storage::store_floats_as_ncnn2int8(layer);
        if count > 0 {
            notes.push(Note::HalfOverflow { layer: layer.name.clone(), count });
        }
    }
}
