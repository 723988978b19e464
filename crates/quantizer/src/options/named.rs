//! A value for one input or for all.

/// `VALUE`, or `BLOB=VALUE` for one input of several.
///
/// ```
/// use quantizer::{Named, Pixel};
///
/// let left = Named::new(Some("left".into()), Pixel::Gray);
/// assert_eq!((left.blob(), *left.value()), (Some("left"), Pixel::Gray));
/// assert_eq!(Named::from(Pixel::Rgb).blob(), None);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Named<T> {
    blob: Option<String>,
    value: T,
}

impl<T> Named<T> {
    /// A value for the input `blob`, or for all.
    pub fn new(blob: Option<String>, value: T) -> Self {
        Self { blob, value }
    }

    /// The input that it is for, if it says so.
    pub fn blob(&self) -> Option<&str> {
        self.blob.as_deref()
    }

    /// The value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// The value, to be changed.
    pub(crate) fn value_mut(&mut self) -> &mut T {
        &mut self.value
    }

    /// The last value for `blob`, or else the last one for all.
    pub(crate) fn of<'a>(values: &'a [Self], blob: &str) -> Option<&'a T> {
        let last = |wanted: Option<&str>| values.iter().rev().find(|named| named.blob() == wanted);
        last(Some(blob)).or_else(|| last(None)).map(Self::value)
    }

    /// The inputs that are named.
    pub(crate) fn names(values: &[Self]) -> impl Iterator<Item = &str> {
        values.iter().filter_map(Self::blob)
    }
}

impl<T> From<T> for Named<T> {
    /// A value for all inputs.
    fn from(value: T) -> Self {
        Self::new(None, value)
    }
}
