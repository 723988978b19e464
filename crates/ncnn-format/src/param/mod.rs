//! The `.param` text.

mod fault;
mod format;
mod number;
mod parse;
mod value;
mod write;

pub(crate) use parse::parse_model;
pub(crate) use write::{check_writable, write_model};

/// Something odd in a file that ncnn would accept silently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Line, counted from 1.
    pub line: usize,
    /// What was found.
    pub message: String,
}
