//! A PReLU with one slope is a ReLU.

use ncnn_format::{LayerKind, ParamDict, Result, WeightRole, typed};

use super::network::Network;

/// Makes a ReLU of a PReLU whose slopes are all the same.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    if layer.kind != LayerKind::PReLU {
        return Ok(false);
    }
    let shared = typed::PReLU::read(layer)?.num_slope == 1;
    let slopes = layer.weight_f32(WeightRole::Slope)?;
    let Some(&slope) = slopes.first() else { return Ok(false) };
    if !slope.is_finite() || slopes.iter().any(|other| other.to_bits() != slope.to_bits()) {
        // Different slopes are the rule, not something to explain.
        return Ok(shared && network.refuse(index, format!("its slope is {slope}")));
    }
    network.note(index, format!("became a ReLU of slope {slope}"));
    let layer = &mut network.layers[index];
    layer.kind = LayerKind::ReLU;
    layer.weights.clear();
    layer.params = ParamDict::default();
    if slope != 0.0 {
        layer.params.set(typed::ReLU::SLOPE, slope);
    }
    Ok(true)
}
