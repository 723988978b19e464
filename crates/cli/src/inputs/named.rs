//! A value for one input or for all.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// `VALUE`, or `BLOB=VALUE` for one input of several.
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

    /// The last value for `blob`, or else the last one for all.
    pub(super) fn of<'a>(values: &'a [Self], blob: &str) -> Option<&'a T> {
        let last = |wanted: Option<&str>| values.iter().rev().find(|named| named.blob() == wanted);
        last(Some(blob)).or_else(|| last(None)).map(Self::value)
    }

    /// The inputs that are named.
    pub(super) fn names(values: &[Self]) -> impl Iterator<Item = &str> {
        values.iter().filter_map(Self::blob)
    }
}

impl Named<PathBuf> {
    /// A path, or `BLOB=PATH`. A file that exists is a file, whatever its name holds.
    pub(super) fn path(text: &str) -> std::result::Result<Self, String> {
        Ok(match text.split_once('=') {
            Some((blob, path)) if !Path::new(text).exists() => Self::new(Some(blob.to_owned()), path.into()),
            _ => Self::new(None, text.into()),
        })
    }
}

/// Types whose words hold no equals sign, unlike paths.
pub trait Plain: FromStr {}

impl<T: Plain<Err: std::fmt::Display>> FromStr for Named<T> {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (blob, value) = match text.rsplit_once('=') {
            Some((blob, value)) => (Some(blob.to_owned()), value),
            None => (None, text),
        };
        let value = value.parse().map_err(|error: T::Err| error.to_string())?;
        Ok(Self { blob, value })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Floats;
    use super::*;

    #[test]
    fn a_value_may_be_for_one_input() {
        let values: Vec<Named<Floats>> = ["1,2", "left=3", "left=4"].map(|text| text.parse().unwrap()).to_vec();
        assert_eq!(Named::of(&values, "left").unwrap().0, [4.0]);
        assert_eq!(Named::of(&values, "right").unwrap().0, [1.0, 2.0]);
        assert_eq!(Named::names(&values).collect::<Vec<_>>(), ["left", "left"]);
        assert!("left=x".parse::<Named<Floats>>().is_err());
    }

    #[test]
    fn a_file_that_exists_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("a=b");
        std::fs::write(&odd, "").unwrap();
        let text = odd.to_str().unwrap();
        assert_eq!(Named::path(text).unwrap(), Named::new(None, odd.clone()));
        assert_eq!(Named::path("left=photos").unwrap(), Named::new(Some("left".into()), "photos".into()));
    }
}
