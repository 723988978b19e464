//! Reading a `.param.bin`.

use super::names::{blob_name, custom_kind, layer_name};
use super::{ARRAY, CUSTOM, END, MAGIC, TEXT, TEXT_BYTES, WORD};
use crate::model::SourceText;
use crate::typed::param_specs;
use crate::{Error, Layer, LayerKind, Limits, Model, Number, ParamDict, ParamValue, Remark, Result};

/// Whether `bytes` start as a `.param.bin` does (and no `.param` text can).
pub(crate) fn is_param_binary(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC.to_le_bytes())
}

/// Reads a whole file.
pub(crate) fn parse_binary(bytes: &[u8], limits: &Limits) -> Result<(Model, Vec<Remark>)> {
    if bytes.len() as u64 > limits.text_bytes {
        return Err(Error::too_large(format!("{} bytes, the limit is {}", bytes.len(), limits.text_bytes)));
    }
    let mut words = Words { bytes, position: 0, limits, remarks: Vec::new() };
    let magic = words.word("the number 7767517")?;
    if magic != MAGIC {
        return Err(words.malformed_word(format!("expected {MAGIC} at the start, found {magic}")));
    }
    let layers = words.word("the number of layers")?;
    let layer_count = usize::try_from(layers).ok().filter(|count| *count > 0);
    let layer_count = layer_count.ok_or_else(|| words.malformed_word(format!("{layers} layers: ncnn wants some")))?;
    if layer_count > limits.layers {
        let most = limits.layers;
        return Err(Error::too_large(format!("{layer_count} layers, the limit is {most}")).at_byte(WORD as u64));
    }
    let blobs = words.word("the number of blobs")?;
    if blobs <= 0 {
        return Err(words.malformed_word(format!("{blobs} blobs: ncnn wants some")));
    }
    let header = SourceText(Some(format!("{MAGIC}\n{layers} {blobs}\n").into()));
    let mut model = Model { header, ..Model::default() };
    for index in 0..layer_count {
        model.layers.push(words.layer(index, blobs)?);
    }
    words.note_rest();
    Ok((model, words.remarks))
}

/// The bytes still to be read.
struct Words<'a> {
    bytes: &'a [u8],
    position: usize,
    limits: &'a Limits,
    remarks: Vec<Remark>,
}

impl<'a> Words<'a> {
    fn layer(&mut self, index: usize, blobs: i32) -> Result<Layer> {
        let kind = self.kind()?;
        let mut layer = Layer::new(kind, "");
        layer.name = layer_name(&layer.kind, index);
        match self.rest_of_layer(&mut layer, blobs) {
            Ok(()) => Ok(layer),
            Err(error) => Err(error.in_layer(&layer.name)),
        }
    }

    fn kind(&mut self) -> Result<LayerKind> {
        let number = self.word("the number of a layer type")?;
        let builtin = usize::try_from(number).ok().and_then(|number| LayerKind::BUILTIN.get(number));
        match builtin {
            Some(kind) => Ok(kind.clone()),
            None if number > 0 && number & CUSTOM != 0 => Ok(custom_kind(number & !CUSTOM)),
            None => Err(self.malformed_word(format!(
                "type {number} is neither one of ncnn's own (0..{}) nor a custom one (256 and above)",
                LayerKind::BUILTIN.len()
            ))),
        }
    }

    fn rest_of_layer(&mut self, layer: &mut Layer, blobs: i32) -> Result<()> {
        let inputs = self.count("the number of inputs")?;
        let outputs = self.count("the number of outputs")?;
        let (sum, most) = (inputs.saturating_add(outputs), self.limits.blobs_per_layer);
        if sum > most {
            let message = format!("{sum} inputs and outputs, the limit is {most}");
            return Err(Error::too_large(message).at_byte(self.last()));
        }
        for _ in 0..inputs {
            layer.inputs.push(self.blob("input", blobs)?);
        }
        for _ in 0..outputs {
            layer.outputs.push(self.blob("output", blobs)?);
        }
        loop {
            let id = self.word("a parameter id")?;
            if id == END {
                return Ok(());
            }
            self.record(id, layer)?;
        }
    }

    fn blob(&mut self, side: &str, blobs: i32) -> Result<String> {
        let index = self.word("the number of a blob")?;
        if !(0..blobs).contains(&index) {
            return Err(self.malformed_word(format!("{side} blob {index} is not in 0..{blobs}")));
        }
        Ok(blob_name(index))
    }

    fn record(&mut self, id: i32, layer: &mut Layer) -> Result<()> {
        let start = self.last();
        let real = if id <= TEXT {
            i64::from(TEXT) - i64::from(id)
        } else if id <= ARRAY {
            i64::from(ARRAY) - i64::from(id)
        } else {
            i64::from(id)
        };
        let Some(real) = u8::try_from(real).ok().filter(|real| *real < ParamDict::MAX_ID) else {
            return Err(self.malformed_word(format!("parameter id {id} stands for none in 0..{}", ParamDict::MAX_ID)));
        };
        let as_float = is_float(&layer.kind, real);
        let value = if id <= TEXT {
            ParamValue::Text(self.text(real)?)
        } else if id <= ARRAY {
            ParamValue::Array(self.array(real, as_float)?)
        } else {
            ParamValue::Number(number(self.word("the value of a parameter")?, as_float))
        };
        if layer.params.raw(real).is_some() {
            let message = format!("parameter {real} is given again; the later value counts");
            self.remark(Remark::warning("repeated-parameter", message).at_byte(start).in_layer(&layer.name));
        }
        layer.params.set_raw(real, value);
        Ok(())
    }

    fn array(&mut self, id: u8, as_float: bool) -> Result<Vec<Number>> {
        let len = self.count("the length of an array")?;
        if len > self.limits.array_len {
            let most = self.limits.array_len;
            let message = format!("array {id} has length {len}, the limit is {most}");
            return Err(Error::too_large(message).at_byte(self.last()));
        }
        let bytes = self.take(len.saturating_mul(WORD), "an array")?;
        Ok(bytes.as_chunks::<WORD>().0.iter().map(|word| number(i32::from_le_bytes(*word), as_float)).collect())
    }

    fn text(&mut self, id: u8) -> Result<String> {
        let len = self.count("the length of a text")?;
        if len > TEXT_BYTES {
            return Err(self.malformed_word(format!("text {id} has {len} bytes, ncnn takes {TEXT_BYTES}")));
        }
        let start = self.position as u64;
        let (text, padding) = self.take(len.next_multiple_of(WORD), "a text")?.split_at(len);
        if padding.iter().any(|byte| *byte != 0) {
            let message = format!("the bytes behind text {id} are not zero");
            self.remark(Remark::warning("odd-padding", message).at_byte(start));
        }
        match std::str::from_utf8(text) {
            Ok(text) => Ok(text.to_owned()),
            Err(_) => Err(Error::malformed(format!("text {id} is not UTF-8")).at_byte(start)),
        }
    }

    fn count(&mut self, expected: &str) -> Result<usize> {
        let found = self.word(expected)?;
        usize::try_from(found).map_err(|_| self.malformed_word(format!("expected {expected}, found {found}")))
    }

    fn word(&mut self, expected: &str) -> Result<i32> {
        let bytes = self.take(WORD, expected)?;
        Ok(i32::from_le_bytes(bytes.try_into().unwrap_or_default()))
    }

    fn take(&mut self, len: usize, expected: &str) -> Result<&'a [u8]> {
        let left = self.bytes.get(self.position..).unwrap_or(&[]);
        let Some(bytes) = left.get(..len) else {
            let message = format!("expected {expected} of {len} bytes, the file has {} left", left.len());
            return Err(Error::malformed(message).at_byte(self.position as u64));
        };
        self.position += len;
        Ok(bytes)
    }

    /// Where the word read last starts.
    fn last(&self) -> u64 {
        self.position.saturating_sub(WORD) as u64
    }

    /// An error at the word read last.
    fn malformed_word(&self, message: String) -> Error {
        Error::malformed(message).at_byte(self.last())
    }

    fn remark(&mut self, remark: Remark) {
        /// A hostile file could hold an oddity every few bytes.
        const MOST: usize = 1000;
        if self.remarks.len() < MOST {
            self.remarks.push(remark);
        }
    }

    fn note_rest(&mut self) {
        let left = self.bytes.len().saturating_sub(self.position);
        if left > 0 {
            let message = format!("{left} bytes behind the last layer are ignored");
            self.remark(Remark::warning("bytes-after-layers", message).at_byte(self.position as u64));
        }
    }
}

/// The word as the type that the layer reads it as. The bits are the same in any
/// case, so a wrong guess changes how the number looks, not what it does.
fn number(word: i32, as_float: bool) -> Number {
    // Text has no word for what is not finite; a tool wrote an int there, such as -233.
    let float = Number::float_of_word(word);
    if as_float && float.is_finite() { Number::Float(float) } else { Number::Int(word) }
}

fn is_float(kind: &LayerKind, id: u8) -> bool {
    let spec = param_specs(kind).and_then(|specs| specs.iter().find(|spec| spec.id == id));
    spec.is_some_and(|spec| matches!(spec.kind, crate::typed::ParamKind::Float | crate::typed::ParamKind::Floats))
}
