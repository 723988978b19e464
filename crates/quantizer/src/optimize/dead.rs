//! Layers whose results nobody reads.

use ncnn_format::{LayerKind, Result};

use super::network::Network;

/// Removes the layer at `index` if none of its blobs is read or an output. Inputs stay:
/// whoever runs the network feeds them.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    let is_sink = layer.outputs.is_empty() && layer.kind != LayerKind::Noop;
    let is_wanted = |blob: &String| network.is_kept(blob) || !network.readers(blob).is_empty();
    if layer.kind == LayerKind::Input || is_sink || layer.outputs.iter().any(is_wanted) {
        return Ok(false);
    }
    network.note(index, "removed, nobody reads what it makes");
    network.remove(index);
    Ok(true)
}
