//! The values of a layer in a text of 2017.

use crate::param::fault::shown;
use crate::param::number::read_number;
use crate::{Error, Number, ParamValue, Result};

/// The values of a layer, taken from the front.
pub(super) struct Values<'a> {
    pub(super) words: &'a [&'a str],
    pub(super) taken: usize,
}

impl<'a> Values<'a> {
    /// All of `words`.
    pub(super) fn new(words: &'a [&'a str]) -> Self {
        Self { words, taken: 0 }
    }

    pub(super) fn left(&self) -> usize {
        self.words.len().saturating_sub(self.taken)
    }

    /// The next value as the type that the layer read it as: `%d` or `%f`.
    pub(super) fn number(&mut self, as_float: bool) -> Result<Number> {
        let place = self.taken + 1;
        let Some(word) = self.words.get(self.taken) else {
            return Err(Error::malformed(format!("has {} values, expected more", self.words.len())));
        };
        self.taken += 1;
        let read = read_number(word, as_float).filter(|reading| reading.rest.is_empty() && !reading.wrapped);
        let read = read.ok_or_else(|| {
            let expected = if as_float { "a number" } else { "an integer" };
            Error::malformed(format!("value {place} should be {expected}, found {}", shown(word)))
        })?;
        Ok(read.number)
    }

    pub(super) fn int(&mut self) -> Result<i32> {
        Ok(self.number(false)?.as_int())
    }

    /// As many values as `len` says, which may not be more than there are.
    pub(super) fn array(&mut self, len: i32, as_float: bool) -> Result<ParamValue> {
        let len = usize::try_from(len).unwrap_or(0);
        if len > self.left() {
            return Err(Error::malformed(format!("a list of {len} values, {} are left on the line", self.left())));
        }
        Ok(ParamValue::Array((0..len).map(|_| self.number(as_float)).collect::<Result<_>>()?))
    }
}
