//! Names for parameters that know the type of their value.

use std::fmt;
use std::marker::PhantomData;

use crate::{Number, ParamDict, ParamValue, Result};

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
    pub(in crate::typed) const fn new(id: u8, name: &'static str) -> Self {
        Self { id, name, value: PhantomData }
    }

    /// A parameter of a layer type that is not ncnn's own; `id` is below [`ParamDict::MAX_ID`].
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
    use super::{ParamDict, ParamValue, Result};

    /// What only this crate does with a value.
    pub trait Word: Clone {
        /// The value as it is kept.
        fn into_value(self) -> ParamValue;

        /// The value of `id`, if there is one.
        ///
        /// # Errors
        /// `Malformed` when it has another form.
        fn find(params: &ParamDict, id: u8) -> Result<Option<Self>>;

        /// Whether both say the same to ncnn; a NaN says what any NaN says.
        fn means(&self, other: &Self) -> bool;
    }
}

macro_rules! param_type {
    ($ty:ty, $getter:ident, $into:expr, $means:expr) => {
        impl ParamType for $ty {}

        impl sealed::Word for $ty {
            fn into_value(self) -> ParamValue {
                let into: fn(Self) -> ParamValue = $into;
                into(self)
            }

            fn find(params: &ParamDict, id: u8) -> Result<Option<Self>> {
                if params.raw(id).is_none() {
                    return Ok(None);
                }
                params.$getter(id, Self::default()).map(Some)
            }

            fn means(&self, other: &Self) -> bool {
                let means: fn(&Self, &Self) -> bool = $means;
                means(self, other)
            }
        }
    };
}

param_type!(i32, int, |value| ParamValue::Number(Number::Int(value)), |a, b| a == b);
param_type!(f32, float, |value| ParamValue::Number(Number::Float(value)), same_float);
param_type!(Vec<i32>, ints, |values| ParamValue::Array(values.into_iter().map(Number::Int).collect()), |a, b| a == b);
param_type!(Vec<f32>, floats, |values| ParamValue::Array(values.into_iter().map(Number::Float).collect()), |a, b| a
    .len()
    == b.len()
    && a.iter().zip(b).all(|(a, b)| same_float(a, b)));
param_type!(String, text, ParamValue::Text, |a, b| a == b);

fn same_float(a: &f32, b: &f32) -> bool {
    a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan()
}

/// What parameters are set and removed by.
///
/// Raw ids are for readers of files; everybody else has [`ParamKey`]s.
pub trait Key: Copy {
    /// What the parameter holds.
    type Value;

    /// The id in front of the `=`.
    #[doc(hidden)]
    fn number(self) -> u8;

    /// The value as it is kept.
    #[doc(hidden)]
    fn keep(value: Self::Value) -> ParamValue;
}

impl<T: ParamType> Key for ParamKey<T> {
    type Value = T;

    fn number(self) -> u8 {
        self.id
    }

    fn keep(value: T) -> ParamValue {
        value.into_value()
    }
}

impl Key for u8 {
    type Value = ParamValue;

    fn number(self) -> u8 {
        self
    }

    fn keep(value: ParamValue) -> ParamValue {
        value
    }
}
