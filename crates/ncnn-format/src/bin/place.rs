//! Where a weight stands in a `.bin`, found out from its layer's parameters and its
//! tag alone.

use super::{ALIGNMENT, Source, TABLE_LEN, TAG_F16, TAG_F32, TAG_I8, TAG_LEGACY};
use crate::{
    Encoding, Error, ErrorKind, F32Tag, Layer, LayerKind, Limits, Model, Result, Storage, WeightRole, WeightSpec,
    weight_layout,
};

/// The place of one weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Located {
    pub(super) role: WeightRole,
    pub(super) form: Form,
    /// Elements.
    pub(super) len: usize,
    /// Where it starts, at its tag if it has one.
    pub(super) byte: u64,
    /// Bytes from there to the next weight: tag, table, elements and padding.
    pub(super) bytes: u64,
}

/// How the elements are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    F32(F32Tag),
    F16,
    I8,
    /// With the tag that was found.
    Table(u32),
    /// Whether with a tag.
    Packed(bool),
}

impl Form {
    pub(super) fn storage(self) -> Storage {
        match self {
            Self::F32(_) => Storage::F32,
            Self::F16 => Storage::F16,
            Self::I8 => Storage::I8,
            Self::Table(_) => Storage::Table,
            Self::Packed(_) => Storage::Packed,
        }
    }

    /// The bytes in front of the elements.
    pub(super) fn bytes_before(self) -> usize {
        match self {
            Self::F32(F32Tag::Raw) | Self::Packed(false) => 0,
            Self::Table(_) => ALIGNMENT + 4 * TABLE_LEN,
            _ => ALIGNMENT,
        }
    }

    /// The bytes of an element.
    pub(super) fn element(self) -> usize {
        match self {
            Self::F32(_) => 4,
            Self::F16 => 2,
            Self::I8 | Self::Table(_) | Self::Packed(_) => 1,
        }
    }
}

/// What was made of every weight of every layer, and the first byte behind them.
pub(super) type Walked<T> = (Vec<Vec<T>>, u64);

/// Goes through the weights that the layers of `model` call for, and makes
/// something of each.
pub(super) fn walk<T>(
    model: &Model,
    source: Source<'_>,
    limits: &Limits,
    mut make: impl FnMut(&Layer, &Located) -> Result<T>,
) -> Result<Walked<T>> {
    if source.len() > limits.bin_bytes {
        return Err(Error::too_large(format!("{} bytes of weights, the limit is {}", source.len(), limits.bin_bytes)));
    }
    let mut walk = Walk { source, position: 0, limits };
    let mut custom: Option<&Layer> = None;
    let mut layers = Vec::new();
    for layer in &model.layers {
        if matches!(layer.kind, LayerKind::Custom(_)) {
            custom = custom.or(Some(layer));
        }
        let made = walk.layer(layer, &mut make).map_err(|error| suspect(error, custom).in_layer(&layer.name))?;
        layers.push(made);
    }
    Ok((layers, walk.position))
}

/// Adds that a custom layer may have weights, if one came before the error.
fn suspect(error: Error, custom: Option<&Layer>) -> Error {
    let Some(layer) = custom.filter(|_| error.kind() != ErrorKind::Io) else { return error };
    let message = format!(
        "{}; the weights of custom layer {} ({}), if it has any, are not known and were not skipped",
        error.message(),
        layer.name,
        layer.kind
    );
    let with_hint = Error::new(error.kind(), message);
    match error.place().byte {
        Some(byte) => with_hint.at_byte(byte),
        None => with_hint,
    }
}

/// A place in the file that moves from weight to weight.
struct Walk<'a> {
    source: Source<'a>,
    position: u64,
    limits: &'a Limits,
}

impl Walk<'_> {
    fn layer<T>(&mut self, layer: &Layer, make: &mut impl FnMut(&Layer, &Located) -> Result<T>) -> Result<Vec<T>> {
        let mut made = Vec::new();
        for spec in weight_layout(layer)? {
            made.push(make(layer, &self.next(spec)?)?);
        }
        Ok(made)
    }

    /// Finds the weight that `spec` says comes next, checks that all of it is
    /// there, and goes behind it.
    fn next(&mut self, spec: WeightSpec) -> Result<Located> {
        if spec.len > self.limits.weight_elements {
            let (role, len, most) = (spec.role, spec.len, self.limits.weight_elements);
            return Err(Error::too_large(format!("{role} has {len} elements, the limit is {most}")));
        }
        let byte = self.position;
        let form = match spec.encoding {
            Encoding::Raw => Form::F32(F32Tag::Raw),
            Encoding::Tagged => self.tag(spec)?,
            Encoding::Packed => self.packed()?,
        };
        let elements = spec.len.checked_mul(form.element()).ok_or_else(too_many_bytes)?;
        let padded = elements.checked_next_multiple_of(ALIGNMENT).ok_or_else(too_many_bytes)?;
        if let Form::Table(tag) = form {
            let behind = |error: Error| {
                let message = format!("{} behind tag 0x{tag:08X} (a table of 256 values)", error.message());
                Error::new(error.kind(), message).at_byte(byte)
            };
            self.skip(spec, 4 * TABLE_LEN).and_then(|()| self.skip(spec, padded)).map_err(behind)?;
        } else {
            self.skip(spec, padded)?;
        }
        Ok(Located { role: spec.role, form, len: spec.len, byte, bytes: self.position.saturating_sub(byte) })
    }

    fn tag(&mut self, spec: WeightSpec) -> Result<Form> {
        let byte = self.position;
        self.skip(spec, ALIGNMENT)?;
        Ok(match self.source.word(byte)? {
            TAG_F32 => Form::F32(F32Tag::Tagged),
            TAG_LEGACY => Form::F32(F32Tag::Legacy),
            TAG_F16 => Form::F16,
            TAG_I8 => Form::I8,
            tag => Form::Table(tag),
        })
    }

    /// Packed values begin at once, or behind the tag of int8 in older files.
    fn packed(&mut self) -> Result<Form> {
        let left = self.source.len().saturating_sub(self.position);
        let tagged = left >= ALIGNMENT as u64 && self.source.word(self.position)? == TAG_I8;
        if tagged {
            self.position = self.position.saturating_add(ALIGNMENT as u64);
        }
        Ok(Form::Packed(tagged))
    }

    fn skip(&mut self, spec: WeightSpec, len: usize) -> Result<()> {
        let left = self.source.len().saturating_sub(self.position);
        if len as u64 > left {
            let (role, elements) = (spec.role, spec.len);
            return Err(Error::malformed(format!(
                "{role} of {elements} elements needs {len} bytes, the file has {left} left"
            ))
            .at_byte(self.position));
        }
        self.position = self.position.saturating_add(len as u64);
        Ok(())
    }
}

fn too_many_bytes() -> Error {
    Error::too_large("a weight has more bytes than this machine can address")
}
