//! The `id=value` list of a layer.

use crate::typed::{Key, ParamKey, ParamType};
use crate::{Error, Result};

/// Parameters of a layer in the order in which they were written.
///
/// The getters answer what the *file means to ncnn*, whose parameters are untyped
/// 32-bit words: asking for the float of `1=6` gives 8.4e-45, not 6.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParamDict {
    entries: Vec<(u8, ParamValue)>,
}

/// The value of one parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum ParamValue {
    /// `0=20` or `0=0.5`.
    Number(Number),
    /// `-23309=2,0.1,0.2` or `9=0.1,0.2`.
    Array(Vec<Number>),
    /// `6="0w,1h"`.
    Text(String),
}

/// A 32-bit word that was written as an integer or as a float.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// Written without `.`, `e` or `E`.
    Int(i32),
    /// Written with one of them.
    Float(f32),
}

impl PartialEq for Number {
    /// Equal bits of the same type, so that NaN equals itself and 0.0 is not -0.0.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a.to_bits() == b.to_bits(),
            _ => false,
        }
    }
}

impl Number {
    /// The word as ncnn reads it where it wants an integer.
    pub fn as_int(self) -> i32 {
        match self {
            Self::Int(value) => value,
            Self::Float(value) => i32::from_ne_bytes(value.to_ne_bytes()),
        }
    }

    /// The word where a float is wanted. Versions of ncnn differ on an int: older ones read it as the
    /// bits of a float, those of 2026 as its value. Taken is what can have been meant: the bits if they
    /// are those of a normal float, else the value.
    pub fn as_float(self) -> f32 {
        match self {
            Self::Int(value) => {
                let bits = Self::float_of_word(value);
                if bits.is_normal() { bits } else { value as f32 }
            }
            Self::Float(value) => value,
        }
    }

    /// The float that has the bits of `word`.
    pub(crate) fn float_of_word(word: i32) -> f32 {
        f32::from_ne_bytes(word.to_ne_bytes())
    }
}

impl ParamDict {
    /// One more than the largest id that ncnn accepts.
    pub const MAX_ID: u8 = 32;

    /// The value of a parameter; `None` when it is not given, and ncnn's default holds.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) when it has another form.
    pub fn get<T: ParamType>(&self, key: ParamKey<T>) -> Result<Option<T>> {
        T::find(self, key.id())
    }

    /// The value of `id` as it was written, for inspectors.
    pub fn raw(&self, id: u8) -> Option<&ParamValue> {
        self.entries.iter().find(|(key, _)| *key == id).map(|(_, value)| value)
    }

    /// Sets a parameter, in its old place if it had one, else at the end.
    ///
    /// The key should be one of the layer's type: ncnn ignores an id that the type does not read.
    pub fn set<K: Key>(&mut self, key: K, value: K::Value) {
        self.set_raw(key.number(), K::keep(value));
    }

    /// Sets the parameter `id`, as a reader of files does.
    pub(crate) fn set_raw(&mut self, id: u8, value: ParamValue) {
        match self.entries.iter_mut().find(|(key, _)| *key == id) {
            Some((_, old)) => *old = value,
            None => self.entries.push((id, value)),
        }
    }

    /// Sets a parameter unless it means `value` already, `default` being what it means when absent.
    pub(crate) fn set_unless_meant<T: ParamType>(&mut self, key: ParamKey<T>, value: &T, default: T) {
        let is_meant = self.get(key).is_ok_and(|found| found.unwrap_or(default).means(value));
        if !is_meant {
            self.set(key, value.clone());
        }
    }

    /// Sets `id` to an integer.
    pub fn set_int(&mut self, id: u8, value: i32) {
        self.set(id, ParamValue::Number(Number::Int(value)));
    }

    /// Sets `id` to a float.
    pub fn set_float(&mut self, id: u8, value: f32) {
        self.set(id, ParamValue::Number(Number::Float(value)));
    }

    /// Removes a parameter, so that ncnn's default holds.
    pub fn remove<K: Key>(&mut self, key: K) {
        let id = key.number();
        self.entries.retain(|(key, _)| *key != id);
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &ParamValue)> {
        self.entries.iter().map(|(id, value)| (*id, value))
    }

    /// Whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The integer `id`, or `default` when it is absent.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) when it is an array or text.
    pub fn int(&self, id: u8, default: i32) -> Result<i32> {
        self.number(id, default, Number::as_int)
    }

    /// The float `id`, or `default` when it is absent.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) when it is an array or text.
    pub fn float(&self, id: u8, default: f32) -> Result<f32> {
        self.number(id, default, Number::as_float)
    }

    fn number<T>(&self, id: u8, default: T, cast: impl Fn(Number) -> T) -> Result<T> {
        match self.raw(id) {
            None => Ok(default),
            Some(ParamValue::Number(number)) => Ok(cast(*number)),
            Some(other) => Err(Error::malformed(format!("parameter {id} should be a number, found {}", other.noun()))),
        }
    }

    /// The array `id` as integers, or `default` when it is absent.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) when it is text, or
    /// a scalar (`10=0.1`), which ncnn reads as an empty array and crashes on.
    pub fn ints(&self, id: u8, default: Vec<i32>) -> Result<Vec<i32>> {
        self.array(id, default, Number::as_int)
    }

    /// The array `id` as floats, or `default` when it is absent.
    ///
    /// # Errors
    /// As [`ParamDict::ints`].
    pub fn floats(&self, id: u8, default: Vec<f32>) -> Result<Vec<f32>> {
        self.array(id, default, Number::as_float)
    }

    fn array<T>(&self, id: u8, default: Vec<T>, cast: impl Fn(Number) -> T) -> Result<Vec<T>> {
        match self.raw(id) {
            None => Ok(default),
            Some(ParamValue::Array(numbers)) => Ok(numbers.iter().map(|&number| cast(number)).collect()),
            Some(other) => Err(Error::malformed(format!(
                "parameter {id} should be an array, found {}; an array of one element is written -233{id:02}=1,x",
                other.noun()
            ))),
        }
    }

    /// The text `id`, or `default` when it is absent.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) when it is a number or an array.
    pub fn text(&self, id: u8, default: String) -> Result<String> {
        match self.raw(id) {
            None => Ok(default),
            Some(ParamValue::Text(text)) => Ok(text.clone()),
            Some(other) => Err(Error::malformed(format!("parameter {id} should be text, found {}", other.noun()))),
        }
    }
}

impl ParamValue {
    /// The value in words, for messages.
    fn noun(&self) -> String {
        match self {
            Self::Number(Number::Int(value)) => format!("the number {value}"),
            Self::Number(Number::Float(value)) => format!("the number {value}"),
            Self::Array(numbers) => format!("an array of {}", numbers.len()),
            Self::Text(text) => format!("the text \"{text}\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_read_as_a_float_is_its_bits_if_they_are_a_float_and_else_its_value() {
        let mut params = ParamDict::default();
        for (word, float) in [(6, 6.0), (-233, -233.0), (0, 0.0), (0x4040_0000, 3.0), (0x80_0000, f32::MIN_POSITIVE)] {
            params.set_int(1, word);
            assert_eq!(params.float(1, 9.0).unwrap(), float);
        }
    }

    #[test]
    fn a_scalar_where_an_array_belongs_says_how_to_write_it() {
        let mut params = ParamDict::default();
        params.set_float(10, 0.1);
        let message = params.floats(10, vec![]).unwrap_err().to_string();
        assert!(message.contains("-23310=1,x"), "{message}");
    }
}
