//! Values of parameters: words, arrays of words, and texts.

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

impl ParamValue {
    /// The value in words, for messages.
    pub(crate) fn noun(&self) -> String {
        match self {
            Self::Number(Number::Int(value)) => format!("the number {value}"),
            Self::Number(Number::Float(value)) => format!("the number {value}"),
            Self::Array(numbers) => format!("an array of {}", numbers.len()),
            Self::Text(text) => format!("the text \"{text}\""),
        }
    }
}
