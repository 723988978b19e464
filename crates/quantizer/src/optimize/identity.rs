//! Layers that hand their input on unchanged.

use ncnn_format::{Layer, LayerKind, Result};

use super::network::Network;

/// Removes a Dropout by 1, a pooling of single cells, a Noop, a Concat of one blob, and
/// arithmetic with a number that has no effect.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    if layer.outputs.is_empty() || layer.inputs.len() < layer.outputs.len() || !has_no_effect(layer)? {
        return Ok(false);
    }
    Ok(network.bypass(index, "it has no effect"))
}

fn has_no_effect(layer: &Layer) -> Result<bool> {
    Ok(match layer.kind {
        // A Split goes when it has one reader, with the reasons that it has then.
        LayerKind::Split => false,
        // One that swallows inputs still hands the first ones on.
        LayerKind::Noop => true,
        LayerKind::Concat => layer.inputs.len() == 1,
        LayerKind::BinaryOp => {
            let params = layer.binary_op()?;
            // Added to, subtracted; multiplied by, divided by.
            params.with_scalar != 0
                && match params.op_type {
                    0 | 1 => params.b == 0.0,
                    2 | 3 => params.b == 1.0,
                    _ => false,
                }
        }
        _ => layer.effect()?.is_identity(),
    })
}
