//! A convolution of a vector is an inner product.

use ncnn_format::{LayerKind, LinearLayer, Result};

use super::network::Network;

/// Makes an inner product of a 1x1 convolution behind a global pooling or an inner product.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    let [input] = layer.inputs.as_slice() else { return Ok(false) };
    let behind_vector = |kind: &LayerKind| matches!(kind, LayerKind::Pooling | LayerKind::InnerProduct);
    let follows = network.producer(input).is_some_and(|maker| behind_vector(&network.layers[maker].kind));
    let Some(linear) = LinearLayer::of(layer)?.filter(|linear| linear.is_image_convolution() && !linear.has_groups())
    else {
        return Ok(false);
    };
    let Some(vector) = network.shape(input).filter(|shape| follows && shape.rank() == 1) else { return Ok(false) };
    let obstacle = if linear.window.iter().any(|axis| axis.kernel != 1) {
        Some("its kernel is larger than 1x1")
    } else if linear.window.iter().any(|axis| axis.pads != [0, 0]) {
        Some("it pads its input")
    } else if linear.is_dynamic {
        Some("it takes its weights from blobs")
    } else if linear.is_int8() {
        Some("it is int8 already")
    } else if linear.depth() != vector.w() || linear.weight_len != linear.outputs * vector.w() {
        Some("its channels are not those of the vector")
    } else {
        None
    };
    if let Some(obstacle) = obstacle {
        return Ok(network.refuse(index, obstacle));
    }
    network.note(index, "became an inner product");
    linear.become_inner_product(&mut network.layers[index]);
    Ok(true)
}
