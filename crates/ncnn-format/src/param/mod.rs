//! The `.param` text.

mod fault;
mod format;
mod number;
mod parse;
mod positional;
mod value;
mod write;

pub(crate) use parse::parse_model;
pub(crate) use write::{check_writable, header_blob_count, write_model};

use std::fmt;

/// Something odd in a file that ncnn would accept silently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Line, counted from 1; 0 in a binary file.
    pub line: usize,
    /// Offset in bytes, in a binary file.
    pub byte: Option<u64>,
    /// What was found.
    pub message: String,
    /// Whether ncnn loses its way here: it reads something else than is written,
    /// or writes where it must not. Else it is merely odd.
    pub misread: bool,
}

impl fmt::Display for Warning {
    /// `line 3: message` or `byte 12: message`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.byte {
            Some(byte) => write!(f, "byte {byte}: {}", self.message),
            None => write!(f, "line {}: {}", self.line, self.message),
        }
    }
}
