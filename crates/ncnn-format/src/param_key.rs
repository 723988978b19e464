//! Names for parameters that know the type of their value.

use std::fmt;
use std::marker::PhantomData;

use crate::param_value::{Number, ParamValue};
use crate::{Error, Result};

/// A parameter of a layer type: its id, its name and the Rust type of its value.
///
/// The keys are constants of the types in [`typed`](crate::typed), named as their fields. A value of another
/// type does not compile, so that a float cannot stand where ncnn reads an integer:
///
/// ```
/// use ncnn_format::{ParamDict, typed::ReLU};
///
/// let mut params = ParamDict::default();
/// params.set(ReLU::SLOPE, 0.1);
/// assert_eq!(params.get(ReLU::SLOPE)?, Some(0.1));
/// # Ok::<(), ncnn_format::Error>(())
/// ```
///
/// ```compile_fail
/// # use ncnn_format::{ParamDict, typed::ReLU};
/// ParamDict::default().set(ReLU::SLOPE, 1);
/// ```
pub struct ParamKey<T> {
    id: u8,
    name: &'static str,
    value: PhantomData<fn() -> T>,
}

impl<T> ParamKey<T> {
    pub(crate) const fn new(id: u8, name: &'static str) -> Self {
        Self { id, name, value: PhantomData }
    }

    /// A parameter of a layer type that is not ncnn's own; `id` is below
    /// [`ParamDict::MAX_ID`](crate::ParamDict::MAX_ID).
    ///
    /// ```
    /// use ncnn_format::{Model, typed::ParamKey};
    ///
    /// const FACTOR: ParamKey<f32> = ParamKey::custom(0, "factor");
    /// let model = Model::from_param_text("7767517\n1 1\nMirror m 0 1 out 0=0.5\n")?;
    /// assert_eq!(model.layers[0].params.get(FACTOR)?, Some(0.5));
    /// # Ok::<(), ncnn_format::Error>(())
    /// ```
    pub const fn custom(id: u8, name: &'static str) -> Self {
        Self::new(id, name)
    }

    /// The id in front of the `=`.
    pub const fn id(self) -> u8 {
        self.id
    }

    /// The name in ncnn's sources, in snake case.
    pub const fn name(self) -> &'static str {
        self.name
    }
}

// Derived, these would ask the same of `T`.
impl<T> Clone for ParamKey<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for ParamKey<T> {}

impl<T> PartialEq for ParamKey<T> {
    fn eq(&self, other: &Self) -> bool {
        (self.id, self.name) == (other.id, other.name)
    }
}

impl<T> Eq for ParamKey<T> {}

impl<T> fmt::Debug for ParamKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (parameter {})", self.name, self.id)
    }
}

/// The types of parameters: `i32`, `f32`, vectors of them, and `String`.
pub trait ParamType: sealed::Word {}

pub(crate) mod sealed {
    use super::{ParamValue, Result};

    /// What only this crate does with a value.
    pub trait Word: Clone {
        /// The value as it is kept.
        fn into_value(self) -> ParamValue;

        /// The value of the parameter `id`.
        ///
        /// # Errors
        /// `Malformed` when it has another form.
        fn from_value(id: u8, value: &ParamValue) -> Result<Self>;

        /// Whether both say the same to ncnn; a NaN says what any NaN says.
        fn means(&self, other: &Self) -> bool;
    }
}

impl ParamType for i32 {}

impl sealed::Word for i32 {
    fn into_value(self) -> ParamValue {
        ParamValue::Number(Number::Int(self))
    }

    fn from_value(id: u8, value: &ParamValue) -> Result<Self> {
        Ok(number(id, value)?.as_int())
    }

    fn means(&self, other: &Self) -> bool {
        self == other
    }
}

impl ParamType for f32 {}

impl sealed::Word for f32 {
    fn into_value(self) -> ParamValue {
        ParamValue::Number(Number::Float(self))
    }

    fn from_value(id: u8, value: &ParamValue) -> Result<Self> {
        Ok(number(id, value)?.as_float())
    }

    fn means(&self, other: &Self) -> bool {
        self.to_bits() == other.to_bits() || self.is_nan() && other.is_nan()
    }
}

impl ParamType for Vec<i32> {}

impl sealed::Word for Vec<i32> {
    fn into_value(self) -> ParamValue {
        ParamValue::Array(self.into_iter().map(Number::Int).collect())
    }

    fn from_value(id: u8, value: &ParamValue) -> Result<Self> {
        Ok(array(id, value)?.iter().map(|number| number.as_int()).collect())
    }

    fn means(&self, other: &Self) -> bool {
        self == other
    }
}

impl ParamType for Vec<f32> {}

impl sealed::Word for Vec<f32> {
    fn into_value(self) -> ParamValue {
        ParamValue::Array(self.into_iter().map(Number::Float).collect())
    }

    fn from_value(id: u8, value: &ParamValue) -> Result<Self> {
        Ok(array(id, value)?.iter().map(|number| number.as_float()).collect())
    }

    fn means(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().zip(other).all(|(a, b)| a.means(b))
    }
}

impl ParamType for String {}

impl sealed::Word for String {
    fn into_value(self) -> ParamValue {
        ParamValue::Text(self)
    }

    fn from_value(id: u8, value: &ParamValue) -> Result<Self> {
        match value {
            ParamValue::Text(text) => Ok(text.clone()),
            other => Err(Error::malformed(format!("parameter {id} should be text, found {}", other.noun()))),
        }
    }

    fn means(&self, other: &Self) -> bool {
        self == other
    }
}

fn number(id: u8, value: &ParamValue) -> Result<Number> {
    match value {
        ParamValue::Number(number) => Ok(*number),
        other => Err(Error::malformed(format!("parameter {id} should be a number, found {}", other.noun()))),
    }
}

/// A scalar (`10=0.1`) where an array belongs is an error: ncnn reads it as an empty array and crashes.
fn array(id: u8, value: &ParamValue) -> Result<&[Number]> {
    match value {
        ParamValue::Array(numbers) => Ok(numbers),
        other => Err(Error::malformed(format!(
            "parameter {id} should be an array, found {}; an array of one element is written -233{id:02}=1,x",
            other.noun()
        ))),
    }
}
