//! The elements of a weight whose place is known.

use half::f16;

use super::place::{Form, Located};
use super::{Source, TABLE_LEN};
use crate::{Result, Weight, WeightData};

/// Reads the weight at `place`, which lies within `source`. Gives the place of the
/// padding behind it as well if that is not zero.
pub(super) fn decode(source: Source<'_>, place: &Located) -> Result<(Weight, Option<u64>)> {
    let start = place.byte.saturating_add(place.form.bytes_before() as u64);
    let data = match place.form {
        Form::F32(tag) => WeightData::F32(floats(source, start, place.len)?, tag),
        Form::F16 => WeightData::F16(elements(source, start, place.len, f16::from_le_bytes)?),
        Form::I8 => WeightData::I8(elements(source, start, place.len, i8::from_le_bytes)?),
        Form::Packed(tagged) => {
            WeightData::Packed { tagged, bytes: elements(source, start, place.len, u8::from_le_bytes)? }
        }
        Form::Table(tag) => {
            let values = floats(source, start.saturating_sub(4 * TABLE_LEN as u64), TABLE_LEN)?;
            let mut table = Box::new([0.0_f32; TABLE_LEN]);
            table.iter_mut().zip(values).for_each(|(slot, value)| *slot = value);
            WeightData::Table { tag, table, indices: elements(source, start, place.len, u8::from_le_bytes)? }
        }
    };
    let padding = start.saturating_add((place.len * place.form.element()) as u64);
    let end = place.byte.saturating_add(place.bytes);
    let len = usize::try_from(end.saturating_sub(padding)).unwrap_or(0);
    let mut odd = false;
    if len > 0 {
        source.each_chunk(padding, len, |bytes| odd |= bytes.iter().any(|byte| *byte != 0))?;
    }
    Ok((Weight { role: place.role, data }, odd.then_some(padding)))
}

fn floats(source: Source<'_>, byte: u64, len: usize) -> Result<Vec<f32>> {
    elements(source, byte, len, f32::from_le_bytes)
}

/// `len` elements of `N` bytes each; that they are there was checked, so their
/// memory may be asked for.
fn elements<T, const N: usize>(
    source: Source<'_>,
    byte: u64,
    len: usize,
    read: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>> {
    let mut elements = Vec::with_capacity(len);
    source.each_chunk(byte, len * N, |bytes| {
        elements.extend(bytes.as_chunks::<N>().0.iter().map(|element| read(*element)));
    })?;
    Ok(elements)
}
