//! Functions that the layer above can apply itself.

use ncnn_format::{Activation, Effect, LinearLayer, Result};

use super::linear::{foldable, obstacle};
use super::network::Network;

/// Fuses an activation into the convolution or inner product that makes its input.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    let ([input], [_]) = (layer.inputs.as_slice(), layer.outputs.as_slice()) else { return Ok(false) };
    let (Effect::Activation(activation), Some(producer)) = (layer.effect()?, network.producer(input)) else {
        return Ok(false);
    };
    let input = input.clone();
    let into = &network.layers[producer];
    let Some(linear) = foldable(into)? else { return Ok(false) };
    let name = into.name.clone();
    if !has_kernel(&linear, activation) {
        return Ok(network.refuse(index, format!("{} {name} cannot have it inside", into.kind)));
    }
    if let Some(obstacle) = obstacle(into, &linear) {
        return Ok(network.refuse(index, format!("{name} {obstacle}")));
    }
    if !network.is_read_once(&input) {
        return Ok(network.refuse(index, format!("others read the output of {name} too")));
    }
    network.note(index, format!("fused into {name}"));
    linear.set_activation(&mut network.layers[producer], activation);
    network.absorb(index, &input);
    Ok(true)
}

/// Whether ncnn's own tool fuses it into such a layer: what its kernels are used with.
fn has_kernel(linear: &LinearLayer, activation: Activation) -> bool {
    match activation {
        _ if linear.has_table_rows() => true,
        Activation::HardSwish { .. } => false,
        Activation::Mish => linear.is_convolution(1),
        _ => true,
    }
}
