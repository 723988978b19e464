//! A weight before it is read.

use crate::WeightRole;

/// One weight that a layer's parameters call for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightSpec {
    /// What it is.
    pub role: WeightRole,
    /// How many elements.
    pub len: usize,
    /// How it starts in the file.
    pub encoding: Encoding,
}

/// Whether a weight starts with a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// A tag says how the elements are stored.
    Tagged,
    /// Plain f32 values, no tag.
    Raw,
    /// Packed integers, with or without the tag of int8. [`WeightSpec::len`] counts bytes.
    Packed,
}
