//! Layers that hand their input on unchanged.

use ncnn_format::{Layer, LayerKind, Result, typed};

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
        LayerKind::Noop => true,
        LayerKind::Concat => layer.inputs.len() == 1,
        LayerKind::Dropout => typed::Dropout::read(layer)?.scale == 1.0,
        LayerKind::Pooling => is_single_cell(&typed::Pooling::read(layer)?),
        LayerKind::BinaryOp => {
            let params = typed::BinaryOp::read(layer)?;
            // Added to, subtracted; multiplied by, divided by.
            params.with_scalar != 0
                && match params.op_type {
                    0 | 1 => params.b == 0.0,
                    2 | 3 => params.b == 1.0,
                    _ => false,
                }
        }
        _ => false,
    })
}

fn is_single_cell(pooling: &typed::Pooling) -> bool {
    let ones = [pooling.kernel_w, pooling.kernel_h, pooling.stride_w, pooling.stride_h];
    let zeros = [
        pooling.global_pooling,
        pooling.adaptive_pooling,
        pooling.pad_left,
        pooling.pad_right,
        pooling.pad_top,
        pooling.pad_bottom,
    ];
    ones.iter().all(|&one| one == 1) && zeros.iter().all(|&zero| zero == 0)
}
