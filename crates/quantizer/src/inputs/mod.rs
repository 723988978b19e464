//! From the words of options to the samples that a network takes.

mod choice;
mod readable;
mod settings;
mod source;

pub use readable::with_readable;
pub(crate) use readable::{list_unreadable, skipped_remarks};
pub use source::Inputs;
