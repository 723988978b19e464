//! Small int8 networks whose outputs the stock ncnn runtime made, run here and compared.
//!
//! `xtask/python/int8_goldens.py` makes the files and describes their form. Used by the test
//! `layer_goldens` on the committed cases and by `cargo xtask ncnn-parity` on all of them.

mod case;
mod draw;
mod replay;
mod tally;
mod unrounded;
mod verdict;

pub(crate) use case::parse;
pub(crate) use tally::Tally;
