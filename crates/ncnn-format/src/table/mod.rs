//! The `.table` file, as ncnn's `tools/quantize/ncnn2int8.cpp` reads it.

mod dialect;
mod parse;
mod write;

use std::path::Path;

use crate::whole_file::{read_text, write_whole};
use crate::{Limits, Model, Result, ScaleTable, TableDialect};

impl ScaleTable {
    /// Reads the text of a `.table`.
    ///
    /// Stricter than ncnn2int8 where that guesses, which repeats the previous
    /// number in place of a field that is none; and more forgiving where it is
    /// blind: a blank line does not end the table, and a line that starts with `#`
    /// is a comment (ncnn2int8 keeps it as a key that nobody asks for). Infinities
    /// and NaN are numbers. Rows with equal keys are all kept. Words `name=value`
    /// between key and numbers are attributes.
    ///
    /// # Errors
    /// [`ErrorKind::Malformed`](crate::ErrorKind::Malformed) with line and key when
    /// a field is no number or a key has none.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_with(text, &Limits::default())
    }

    /// [`ScaleTable::parse`] with limits of your own.
    ///
    /// # Errors
    /// As [`ScaleTable::parse`], and [`ErrorKind::TooLarge`](crate::ErrorKind::TooLarge).
    pub fn parse_with(text: &str, limits: &Limits) -> Result<Self> {
        parse::parse_table(text, limits)
    }

    /// Reads a `.table` file.
    ///
    /// # Errors
    /// [`ErrorKind::Io`](crate::ErrorKind::Io), else as [`ScaleTable::parse`]; all
    /// name the file.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let limits = Limits::default();
        let text = read_text(path, limits.text_bytes)?;
        Self::parse_with(&text, &limits).map_err(|error| error.in_file(path))
    }

    /// The text: rows that were read and not changed as they stood, with their
    /// comments; others as ncnn2table writes them, with six decimals and a blank
    /// after each value. Blank lines, at which ncnn2int8 would stop, are left out, so
    /// ncnn2int8 reads from it what is in [`ScaleTable::rows`] (but for attributes,
    /// which it takes for numbers).
    pub fn to_text(&self) -> String {
        write::write_table(self)
    }

    /// Writes a `.table` file, whole or not at all.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when a key is empty, has
    /// blanks, starts with `#` or has no values, and
    /// [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        write::check_writable(self).map_err(|error| error.in_file(path))?;
        write_whole(path, self.to_text().as_bytes())
    }

    /// What the rows mean, judged by the model that they are for.
    pub fn dialect(&self, model: &Model) -> TableDialect {
        dialect::dialect(self, model)
    }

    /// Whether the rows mean what this crate and ncnn2int8 take them for.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported) for
    /// [`TableDialect::Producer`] and [`TableDialect::Block`], with a row that tells
    /// and what to do.
    pub fn check_dialect(&self, model: &Model) -> Result<()> {
        dialect::check_dialect(self, model)
    }

    /// Turns a table of [`TableDialect::Producer`] into today's: the scale of each
    /// layer's input blob under the layer's name.
    ///
    /// A blob is looked for under its own name, then under that of the layer that
    /// makes it, then behind Split and the layers that Caffe runs in place (ReLU,
    /// BatchNorm and the like), whose output the old tool measured under the name of
    /// their input. Weight rows are kept; rows of blobs that no layer with weight
    /// scales reads are left out.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) with the layer when there is
    /// no row for its input.
    pub fn remap_producers(&self, model: &Model) -> Result<Self> {
        dialect::remap_producers(self, model)
    }
}
