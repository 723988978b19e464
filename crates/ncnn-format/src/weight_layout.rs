//! Which weights a layer owns, in file order.

use crate::{Layer, Result, WeightRole};

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
}

/// The weights that `layer` owns according to its parameters, in file order.
///
/// # Errors
/// `Malformed` when the parameters contradict each other (negative sizes), and
/// `Unsupported` for types whose layout is not known (custom layers own nothing).
pub fn weight_layout(layer: &Layer) -> Result<Vec<WeightSpec>> {
    let _ = layer;
    Ok(Vec::new())
}
