//! Values that are written as one word.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use super::named::Named;
use super::values::{Floats, InputShape, Shard};
use crate::calibrate::{Method, Passes};
use crate::{Pixel, ResizeMode, WeightRule, WinogradGuard};

/// How a value stands in a job file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "serde"), allow(dead_code, reason = "only readers of job files ask"))]
pub(crate) enum Form {
    /// In quotes.
    Text,
    /// A number.
    Number,
    /// A number, or several in brackets.
    Numbers,
}

/// A value that is written as one word, by a user or by a program.
pub(crate) trait Word: Sized + Clone {
    /// How it stands in a job file.
    #[cfg_attr(not(feature = "serde"), allow(dead_code, reason = "only readers of job files ask"))]
    const FORM: Form;

    /// The value.
    fn from_word(word: &str) -> Result<Self, String>;

    /// The input that a word is for, if it names one, and the rest of it.
    fn split(word: &str) -> (Option<&str>, &str) {
        word.rsplit_once('=').map_or((None, word), |(blob, rest)| (Some(blob), rest))
    }

    /// Starts a relative path at `folder`.
    fn start_at(&mut self, _folder: &Path) {}
}

macro_rules! words {
    ($($type:ty: $form:ident),* $(,)?) => {
        $(
            impl Word for $type {
                const FORM: Form = Form::$form;

                fn from_word(word: &str) -> Result<Self, String> {
                    word.parse::<Self>().map_err(|error| error.to_string())
                }
            }
        )*
    };
}

words! {
    String: Text,
    Method: Text,
    WinogradGuard: Text,
    WeightRule: Text,
    Pixel: Text,
    ResizeMode: Text,
    Shard: Text,
    Passes: Number,
    usize: Number,
    u64: Number,
    NonZeroUsize: Number,
    Floats: Numbers,
    InputShape: Numbers,
}

impl Word for PathBuf {
    const FORM: Form = Form::Text;

    fn from_word(word: &str) -> Result<Self, String> {
        Ok(word.into())
    }

    /// A file that exists is a file, whatever its name holds.
    fn split(word: &str) -> (Option<&str>, &str) {
        match word.split_once('=') {
            Some((blob, path)) if !Path::new(word).exists() => (Some(blob), path),
            _ => (None, word),
        }
    }

    fn start_at(&mut self, folder: &Path) {
        // Joining an absolute path gives that path.
        *self = folder.join(&*self);
    }
}

impl<T: Word> Word for Named<T> {
    const FORM: Form = T::FORM;

    fn from_word(word: &str) -> Result<Self, String> {
        let (blob, value) = T::split(word);
        Ok(Self::new(blob.map(str::to_owned), T::from_word(value)?))
    }

    fn start_at(&mut self, folder: &Path) {
        self.value_mut().start_at(folder);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_be_for_one_input() {
        let values: Vec<Named<Floats>> =
            ["1,2", "left=3", "left=4"].map(|text| Named::from_word(text).unwrap()).to_vec();
        assert_eq!(Named::of(&values, "left").unwrap().0, [4.0]);
        assert_eq!(Named::of(&values, "right").unwrap().0, [1.0, 2.0]);
        assert_eq!(Named::names(&values).collect::<Vec<_>>(), ["left", "left"]);
        assert!(Named::<Floats>::from_word("left=x").is_err());
    }

    #[test]
    fn a_file_that_exists_is_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("a=b");
        std::fs::write(&odd, "").unwrap();
        assert_eq!(Named::from_word(odd.to_str().unwrap()).unwrap(), Named::new(None, odd.clone()));
        let left: Named<PathBuf> = Named::from_word("left=photos").unwrap();
        assert_eq!(left, Named::new(Some("left".into()), "photos".into()));
    }
}
