//! The names of the forms of results.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The name of a form and its version.
pub(crate) trait Named {
    /// Such as `ncnn-quant/calibration/1`. The version is raised by every change that older programs would
    /// misread; they ignore keys that they do not know.
    const NAME: &'static str;
}

/// The field `schema` of a result.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema<N>(std::marker::PhantomData<N>);

impl<N> Schema<N> {
    pub(crate) fn new() -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<N: Named> Serialize for Schema<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(N::NAME)
    }
}

impl<'de, N: Named> Deserialize<'de> for Schema<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match &*String::deserialize(deserializer)? {
            name if name == N::NAME => Ok(Self::new()),
            found => Err(D::Error::custom(format!("expected the schema {}, found {found}", N::NAME))),
        }
    }
}
