//! A convolution of a vector is an inner product.

use ncnn_format::{LayerKind, ParamDict, Result, typed};

use super::linear::{ACTIVATION_PARAMS, ACTIVATION_TYPE};
use super::network::Network;

/// Makes an inner product of a 1x1 convolution behind a global pooling or an inner product.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    let [input] = layer.inputs.as_slice() else { return Ok(false) };
    let behind_vector = |kind: &LayerKind| matches!(kind, LayerKind::Pooling | LayerKind::InnerProduct);
    let follows = network.producer(input).is_some_and(|maker| behind_vector(&network.layers[maker].kind));
    if layer.kind != LayerKind::Convolution || !follows {
        return Ok(false);
    }
    let params = typed::Convolution::read(layer)?;
    let Some(vector) = network.shape(input).filter(|shape| shape.rank() == 1) else { return Ok(false) };
    let weights_needed = i64::from(params.num_output) * vector.w() as i64;
    let obstacle = if [params.kernel_w, params.kernel_h] != [1, 1] {
        Some("its kernel is larger than 1x1")
    } else if [params.pad_left, params.pad_right, params.pad_top, params.pad_bottom] != [0; 4] {
        Some("it pads its input")
    } else if params.dynamic_weight != 0 {
        Some("it takes its weights from blobs")
    } else if params.int8_scale_term != 0 {
        Some("it is int8 already")
    } else if i64::from(params.weight_data_size) != weights_needed {
        Some("its channels are not those of the vector")
    } else {
        None
    };
    if let Some(obstacle) = obstacle {
        return Ok(network.refuse(index, obstacle));
    }
    network.note(index, "became an inner product");
    let layer = &mut network.layers[index];
    let activation = layer.params.raw(ACTIVATION_PARAMS).cloned();
    layer.kind = LayerKind::InnerProduct;
    layer.params = ParamDict::default();
    layer.params.set_int(0, params.num_output);
    layer.params.set_int(1, params.bias_term);
    layer.params.set_int(2, params.weight_data_size);
    if params.activation_type != 0 {
        layer.params.set_int(ACTIVATION_TYPE, params.activation_type);
    }
    if let Some(activation) = activation {
        layer.params.set(ACTIVATION_PARAMS, activation);
    }
    Ok(true)
}
