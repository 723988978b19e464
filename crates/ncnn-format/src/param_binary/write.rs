//! Writing a `.param.bin`.

use std::collections::HashMap;

use super::names::{blob_index, custom_index};
use super::{ARRAY, CUSTOM, END, MAGIC, TEXT, TEXT_BYTES, WORD};
use crate::param::header_blob_count;
use crate::{Error, Layer, LayerKind, Model, Number, ParamDict, ParamValue, Result};

/// The `.param.bin` of `model`.
pub(crate) fn write_binary(model: &Model) -> Result<Vec<u8>> {
    if model.layers.is_empty() {
        return Err(Error::invalid("a model without layers cannot be written: ncnn refuses to read it"));
    }
    let blobs = blob_numbers(model)?;
    let kinds = kind_numbers(model)?;
    let declared = header_blob_count(model).unwrap_or(0);
    let mut words = Words::default();
    words.push(MAGIC);
    words.count(model.layers.len(), "layers")?;
    words.count(declared.max(blobs.count).max(1), "blobs")?;
    for ((layer, inputs_and_outputs), kind) in model.layers.iter().zip(&blobs.of_layers).zip(kinds) {
        write_layer(&mut words, layer, inputs_and_outputs, kind).map_err(|error| error.in_layer(&layer.name))?;
    }
    Ok(words.bytes)
}

fn write_layer(words: &mut Words, layer: &Layer, blobs: &[i32], kind: i32) -> Result<()> {
    words.push(kind);
    words.count(layer.inputs.len(), "inputs")?;
    words.count(layer.outputs.len(), "outputs")?;
    blobs.iter().for_each(|&blob| words.push(blob));
    for (id, value) in layer.params.iter() {
        if id >= ParamDict::MAX_ID {
            return Err(Error::invalid(format!("parameter id {id} is not in 0..{}", ParamDict::MAX_ID)));
        }
        words.record(i32::from(id), value)?;
    }
    words.push(END);
    Ok(())
}

/// The blobs of every layer, inputs before outputs, as numbers.
struct BlobNumbers {
    of_layers: Vec<Vec<i32>>,
    /// One more than the largest number.
    count: usize,
}

/// Numbers that the names tell (the model was read from a `.param.bin`), else
/// numbers in order of appearance, as ncnn gives them to the blobs of a text.
fn blob_numbers(model: &Model) -> Result<BlobNumbers> {
    let told = model.layers.iter().map(told_numbers).collect::<Option<Vec<_>>>();
    let count = |of_layers: &[Vec<i32>]| {
        let largest = of_layers.iter().flatten().max();
        largest.map_or(0, |&largest| usize::try_from(largest).unwrap_or(0).saturating_add(1))
    };
    if let Some(of_layers) = told {
        let count = count(&of_layers);
        // Names like these that a person chose need not be dense.
        if count <= header_blob_count(model).unwrap_or(0) {
            return Ok(BlobNumbers { of_layers, count });
        }
    }
    let of_layers = numbers_by_appearance(model)?;
    let count = count(&of_layers);
    Ok(BlobNumbers { of_layers, count })
}

fn told_numbers(layer: &Layer) -> Option<Vec<i32>> {
    if layer.source.0.is_some() {
        return None;
    }
    layer.inputs.iter().chain(&layer.outputs).map(|name| blob_index(name)).collect()
}

/// An output always is a new blob; an input is the first blob of its name, or a
/// new one that nobody makes.
fn numbers_by_appearance(model: &Model) -> Result<Vec<Vec<i32>>> {
    let mut first: HashMap<&str, i32> = HashMap::new();
    let mut next = 0_i32;
    let mut of_layers = Vec::with_capacity(model.layers.len());
    for layer in &model.layers {
        let mut numbers = Vec::with_capacity(layer.inputs.len() + layer.outputs.len());
        for (name, is_output) in
            layer.inputs.iter().map(|name| (name, false)).chain(layer.outputs.iter().map(|name| (name, true)))
        {
            let known = first.get(name.as_str()).copied().filter(|_| !is_output);
            let number = known.unwrap_or(next);
            if known.is_none() {
                first.entry(name).or_insert(next);
                next = next.checked_add(1).ok_or_else(|| Error::invalid("more blobs than 32 bits can count"))?;
            }
            numbers.push(number);
        }
        of_layers.push(numbers);
    }
    Ok(of_layers)
}

/// The type number of every layer; custom types count from 256 in order of
/// appearance, unless their names tell the number that they were read with.
fn kind_numbers(model: &Model) -> Result<Vec<i32>> {
    let custom = model.layers.iter().filter_map(|layer| match &layer.kind {
        LayerKind::Custom(name) => Some((layer, &**name)),
        _ => None,
    });
    let told = custom.clone().all(|(layer, name)| layer.source.0.is_none() && custom_index(name).is_some());
    let mut custom_numbers: HashMap<&str, i32> = HashMap::new();
    for (layer, name) in custom {
        let next = i32::try_from(custom_numbers.len()).unwrap_or(i32::MAX);
        let number = custom_index(name).filter(|_| told).unwrap_or(next);
        let number = *custom_numbers.entry(name).or_insert(number);
        if number & CUSTOM != 0 {
            let message = format!("the format has no number for custom type {number} ({name}): 256 marks all of them");
            return Err(Error::invalid(message).in_layer(&layer.name));
        }
    }
    let builtin: HashMap<&LayerKind, i32> = LayerKind::BUILTIN.iter().zip(0..).collect();
    let number = |layer: &Layer| match &layer.kind {
        LayerKind::Custom(name) => CUSTOM | custom_numbers.get(&**name).copied().unwrap_or(0),
        kind => builtin.get(kind).copied().unwrap_or(0),
    };
    Ok(model.layers.iter().map(number).collect())
}

#[derive(Default)]
struct Words {
    bytes: Vec<u8>,
}

impl Words {
    fn push(&mut self, word: i32) {
        self.bytes.extend_from_slice(&word.to_le_bytes());
    }

    fn count(&mut self, count: usize, noun: &str) -> Result<()> {
        let word = i32::try_from(count).map_err(|_| Error::invalid(format!("{count} {noun} do not fit 32 bits")))?;
        self.push(word);
        Ok(())
    }

    fn record(&mut self, id: i32, value: &ParamValue) -> Result<()> {
        match value {
            ParamValue::Number(number) => {
                self.push(id);
                self.push(number.as_int());
            }
            ParamValue::Array(numbers) => {
                self.push(ARRAY - id);
                self.count(numbers.len(), "elements")?;
                numbers.iter().copied().map(Number::as_int).for_each(|word| self.push(word));
            }
            ParamValue::Text(text) if text.len() > TEXT_BYTES => {
                let message = format!("the text of parameter {id} has {} bytes, ncnn takes {TEXT_BYTES}", text.len());
                return Err(Error::invalid(message));
            }
            ParamValue::Text(text) => {
                self.push(TEXT - id);
                self.count(text.len(), "bytes")?;
                self.bytes.extend_from_slice(text.as_bytes());
                self.bytes.resize(self.bytes.len().next_multiple_of(WORD), 0);
            }
        }
        Ok(())
    }
}
