//! The first and the last of some layers of a network.

use fp32_ref::Graph;
use ncnn_format::{Model, Result};

/// Layers by index.
pub(super) struct Ends {
    /// No other of the layers leads to these.
    pub(super) first: Vec<usize>,
    /// These lead to no other of the layers.
    pub(super) last: Vec<usize>,
}

/// The ends of `layers`, indices in file order. Several branches have several ends.
///
/// # Errors
/// As [`Graph::new`].
pub(super) fn find(model: &Model, layers: &[usize]) -> Result<Ends> {
    let graph = Graph::new(model)?;
    let is_one = |index: usize| layers.contains(&index);
    // Whether one of the layers stands somewhere before, or behind, the layer of this index.
    let mut before = vec![false; graph.nodes().len()];
    for (index, node) in graph.nodes().iter().enumerate() {
        let makers = node.inputs.iter().map(|blob| graph.blobs()[blob.0].producer);
        before[index] = makers.into_iter().any(|maker| before[maker] || is_one(maker));
    }
    let mut behind = vec![false; graph.nodes().len()];
    for (index, node) in graph.nodes().iter().enumerate().rev() {
        let mut readers = node.outputs.iter().flat_map(|blob| &graph.blobs()[blob.0].consumers);
        behind[index] = readers.any(|&reader| behind[reader] || is_one(reader));
    }
    let where_not = |found: &[bool]| layers.iter().copied().filter(|&index| !found[index]).collect();
    Ok(Ends { first: where_not(&before), last: where_not(&behind) })
}
