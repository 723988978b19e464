//! The `.table` file (spec §4).

mod parse;
mod write;

pub(crate) use parse::parse_table;
pub(crate) use write::{check_writable, write_table};
