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
