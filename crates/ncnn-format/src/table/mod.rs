//! The `.table` file, as ncnn's `tools/quantize/ncnn2int8.cpp` reads it.

mod dialect;
mod parse;
mod write;

pub(crate) use dialect::{check_dialect, dialect, remap_producers};
pub(crate) use parse::parse_table;
pub(crate) use write::{check_writable, write_table};
