//! The `id=value` list of a layer.

use crate::Result;
use crate::param_key::{ParamKey, ParamType};
use crate::param_value::ParamValue;

/// Parameters of a layer in the order in which they were written.
///
/// They are read and set by [keys](ParamKey), which the types in [`typed`](crate::typed) have as constants. What is read
/// is what the *file means to ncnn*, whose parameters are untyped 32-bit words.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParamDict {
    entries: Vec<(u8, ParamValue)>,
}

impl ParamDict {
    /// One more than the largest id that ncnn accepts.
    pub const MAX_ID: u8 = 32;

    /// The value of a parameter; `None` when it is not given, and ncnn's default holds.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) when it has another form.
    pub fn get<T: ParamType>(&self, key: ParamKey<T>) -> Result<Option<T>> {
        self.find(key.id())
    }

    /// Sets a parameter, in its old place if it had one, else at the end.
    ///
    /// The key should be one of the layer's type: ncnn ignores an id that the type does not read.
    pub fn set<T: ParamType>(&mut self, key: ParamKey<T>, value: T) {
        self.set_raw(key.id(), value.into_value());
    }

    /// Removes a parameter, so that ncnn's default holds.
    pub fn remove<T>(&mut self, key: ParamKey<T>) {
        self.remove_raw(key.id());
    }

    /// The value of `id` as it was written, for inspectors.
    pub fn raw(&self, id: u8) -> Option<&ParamValue> {
        self.entries.iter().find(|(key, _)| *key == id).map(|(_, value)| value)
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (u8, &ParamValue)> {
        self.entries.iter().map(|(id, value)| (*id, value))
    }

    /// Whether there are no parameters.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of `id`, as a reader of files asks for it.
    ///
    /// # Errors
    /// `Malformed` when it has another form.
    pub(crate) fn find<T: ParamType>(&self, id: u8) -> Result<Option<T>> {
        self.raw(id).map(|value| T::from_value(id, value)).transpose()
    }

    /// Sets the parameter `id`, as a reader of files does.
    pub(crate) fn set_raw(&mut self, id: u8, value: ParamValue) {
        match self.entries.iter_mut().find(|(key, _)| *key == id) {
            Some((_, old)) => *old = value,
            None => self.entries.push((id, value)),
        }
    }

    /// Removes the parameter `id`.
    pub(crate) fn remove_raw(&mut self, id: u8) {
        self.entries.retain(|(key, _)| *key != id);
    }

    /// Sets a parameter unless it means `value` already, `default` being what it means when absent.
    pub(crate) fn set_unless_meant<T: ParamType>(&mut self, key: ParamKey<T>, value: &T, default: T) {
        let is_meant = self.get(key).is_ok_and(|found| found.unwrap_or(default).means(value));
        if !is_meant {
            self.set(key, value.clone());
        }
    }
}

impl FromIterator<(u8, ParamValue)> for ParamDict {
    /// Parameters as a file may have them, of any form; of several values of an id the last one counts.
    fn from_iter<I: IntoIterator<Item = (u8, ParamValue)>>(entries: I) -> Self {
        let mut params = Self::default();
        params.extend(entries);
        params
    }
}

impl Extend<(u8, ParamValue)> for ParamDict {
    /// Sets parameters of any id and form, as a file may have them.
    fn extend<I: IntoIterator<Item = (u8, ParamValue)>>(&mut self, entries: I) {
        entries.into_iter().for_each(|(id, value)| self.set_raw(id, value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Number;
    use crate::typed::{Clip, Convolution, ReLU};

    #[test]
    fn an_integer_read_as_a_float_is_its_bits_if_they_are_a_float_and_else_its_value() {
        for (word, float) in [(6, 6.0), (-233, -233.0), (0, 0.0), (0x4040_0000, 3.0), (0x80_0000, f32::MIN_POSITIVE)] {
            let params: ParamDict = [(0, ParamValue::Number(Number::Int(word)))].into_iter().collect();
            assert_eq!(params.get(ReLU::SLOPE).unwrap(), Some(float));
        }
    }

    #[test]
    fn a_scalar_where_an_array_belongs_says_how_to_write_it() {
        let params: ParamDict = [(10, ParamValue::Number(Number::Float(0.1)))].into_iter().collect();
        let message = params.get(Convolution::ACTIVATION_PARAMS).unwrap_err().to_string();
        assert!(message.contains("-23310=1,x"), "{message}");
    }

    #[test]
    fn a_parameter_keeps_its_place_when_it_is_set_again_and_is_absent_when_removed() {
        let mut params = ParamDict::default();
        params.set(Clip::MAX, 6.0);
        params.set(Clip::MIN, 0.0);
        params.set(Clip::MAX, 1.0);
        assert_eq!(params.iter().map(|(id, _)| id).collect::<Vec<_>>(), [1, 0]);
        params.remove(Clip::MAX);
        assert_eq!((params.get(Clip::MAX).unwrap(), params.get(Clip::MIN).unwrap()), (None, Some(0.0)));
    }

    #[test]
    fn of_several_values_of_an_id_the_last_one_counts() {
        let number = |value| (7, ParamValue::Number(Number::Int(value)));
        let params: ParamDict = [number(1), number(2)].into_iter().collect();
        assert_eq!(params.raw(7), Some(&number(2).1));
        assert_eq!(params.iter().count(), 1);
    }
}
