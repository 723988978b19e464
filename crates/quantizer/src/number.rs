//! Floats as data: JSON has no infinity and no NaN, so those become the words `inf`, `-inf` and `NaN`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A float of 32 or 64 bits; widening and narrowing again changes nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number(pub(crate) f64);

impl From<f32> for Number {
    fn from(value: f32) -> Self {
        Self(value.into())
    }
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        Self(value)
    }
}

impl From<Number> for f32 {
    fn from(number: Number) -> Self {
        number.0 as Self
    }
}

impl From<Number> for f64 {
    fn from(number: Number) -> Self {
        number.0
    }
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Digits(f64),
    Word(String),
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(value) = *self;
        if value.is_finite() { Form::Digits(value) } else { Form::Word(value.to_string()) }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Form::deserialize(deserializer)? {
            Form::Digits(value) => Ok(Self(value)),
            Form::Word(word) => match &*word {
                "inf" => Ok(Self(f64::INFINITY)),
                "-inf" => Ok(Self(f64::NEG_INFINITY)),
                "NaN" => Ok(Self(f64::NAN)),
                _ => Err(D::Error::custom(format!("expected a number, inf, -inf or NaN, found {word}"))),
            },
        }
    }
}

/// For `#[serde(with = "number")]` on an `f64`.
pub(crate) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    Number(*value).serialize(serializer)
}

/// For `#[serde(with = "number")]` on an `f64`.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Number::deserialize(deserializer).map(f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_float_comes_back_with_its_bits() {
        for value in [0.0, -0.0, 1.0, 0.1, f32::MIN_POSITIVE, 1e-45, f32::MAX, f32::INFINITY, f32::NEG_INFINITY] {
            let text = serde_json::to_string(&Number::from(value)).unwrap();
            let again: f32 = serde_json::from_str::<Number>(&text).unwrap().into();
            assert_eq!(again.to_bits(), value.to_bits(), "{text}");
        }
        for value in [1e-300, f64::MAX, 1.0 / 3.0, f64::NEG_INFINITY] {
            let text = serde_json::to_string(&Number::from(value)).unwrap();
            assert_eq!(f64::from(serde_json::from_str::<Number>(&text).unwrap()), value, "{text}");
        }
    }

    #[test]
    fn what_json_has_no_number_for_is_a_word() {
        let text = |value: f64| serde_json::to_string(&Number(value)).unwrap();
        let words = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN].map(text);
        assert_eq!(words, ["\"inf\"", "\"-inf\"", "\"NaN\""]);
        assert!(serde_json::from_str::<Number>("\"NaN\"").unwrap().0.is_nan());
        assert_eq!(serde_json::from_str::<Number>("3").unwrap(), Number(3.0));
    }

    #[test]
    fn other_words_are_refused() {
        let message = serde_json::from_str::<Number>("\"many\"").unwrap_err().to_string();
        assert_eq!(message, "expected a number, inf, -inf or NaN, found many");
        assert!(serde_json::from_str::<Number>("null").is_err());
    }
}
