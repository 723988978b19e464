//! Splits that nobody needs.

use ncnn_format::{LayerKind, Result};

use super::network::Network;

/// Drops names of a Split that nobody reads, a Split with one reader, and joins a Split of a
/// Split.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    if network.layers[index].kind != LayerKind::Split || network.layers[index].inputs.len() != 1 {
        return Ok(false);
    }
    if drop_unread(network, index) {
        return Ok(true);
    }
    if network.layers[index].outputs.len() == 1 {
        return Ok(network.bypass(index, "its blob has one reader"));
    }
    Ok(join_outer(network, index))
}

fn drop_unread(network: &mut Network, index: usize) -> bool {
    let outputs = &network.layers[index].outputs;
    let (wanted, unread): (Vec<String>, Vec<String>) =
        outputs.iter().cloned().partition(|blob| network.is_kept(blob) || !network.readers(blob).is_empty());
    // One without any reader is dead as a whole.
    if unread.is_empty() || wanted.is_empty() {
        return false;
    }
    network.note(index, format!("makes {} no more, which nobody reads", unread.join(", ")));
    network.set_outputs(index, wanted);
    true
}

/// A Split that reads another Split: that one makes its blobs too.
fn join_outer(network: &mut Network, index: usize) -> bool {
    let input = network.layers[index].inputs[0].clone();
    let Some(outer) = network.producer(&input) else { return false };
    if network.layers[outer].kind != LayerKind::Split || !network.is_read_once(&input) {
        return false;
    }
    network.note(index, format!("joined with {}", network.layers[outer].name));
    let inner = network.layers[index].outputs.clone();
    network.remove(index);
    let mut outputs = network.layers[outer].outputs.clone();
    if let Some(position) = outputs.iter().position(|blob| *blob == input) {
        outputs.splice(position..=position, inner);
    }
    network.set_outputs(outer, outputs);
    true
}
