//! The scales that calibration found.

use std::path::Path;

use crate::whole_file::{read_text, write_whole};
use crate::{Limits, Result, table};

/// A `.table`: one row of multipliers per key, in file order.
///
/// A key `<layer>_param_0` carries the weight scales of a layer, the bare layer
/// name the scale of its input blob. A scale is 127 / threshold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScaleTable {
    /// Rows in file order.
    pub rows: Vec<TableRow>,
}

/// One line of a `.table`.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    /// `<layer>_param_0` or `<layer>`.
    pub key: String,
    /// Multipliers.
    pub values: Vec<f32>,
}

impl ScaleTable {
    /// Reads the text of a `.table`.
    ///
    /// Stricter than ncnn2int8 where that guesses, which repeats the previous
    /// number in place of a field that is none; and more forgiving where it is
    /// blind: a blank line does not end the table, and a line that starts with `#`
    /// is a comment (ncnn2int8 keeps it as a key that nobody asks for). Infinities
    /// and NaN are numbers. Rows with equal keys are all kept.
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
        table::parse_table(text, limits)
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

    /// The text that ncnn2table would write: six decimals, a blank after each value.
    pub fn to_text(&self) -> String {
        table::write_table(self)
    }

    /// Writes a `.table` file, whole or not at all.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`](crate::ErrorKind::Invalid) when a key is empty, has
    /// blanks, starts with `#` or has no values, and
    /// [`ErrorKind::Io`](crate::ErrorKind::Io).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        table::check_writable(self).map_err(|error| error.in_file(path))?;
        write_whole(path, self.to_text().as_bytes())
    }

    /// The weight scales of `layer`: row `<layer>_param_0`; the last one wins, as in ncnn2int8.
    pub fn weight_scales(&self, layer: &str) -> Option<&[f32]> {
        self.rows
            .iter()
            .rev()
            .find(|row| row.key.strip_suffix("_param_0") == Some(layer))
            .map(|row| row.values.as_slice())
    }

    /// The scale of the input blob of `layer`: row `<layer>`; the last one wins.
    pub fn input_scale(&self, layer: &str) -> Option<f32> {
        self.rows.iter().rev().find(|row| row.key == layer).and_then(|row| row.values.first().copied())
    }

    /// Appends a row.
    pub fn push(&mut self, key: impl Into<String>, values: Vec<f32>) {
        self.rows.push(TableRow { key: key.into(), values });
    }
}
