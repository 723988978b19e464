//! Flattening what is flat.

use ncnn_format::{LayerKind, Result, typed};

use super::network::Network;

/// Removes a Flatten or Reshape to one dimension of a blob that has one: behind a global
/// pooling or an inner product, mostly.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    let ([input], [output]) = (layer.inputs.as_slice(), layer.outputs.as_slice()) else { return Ok(false) };
    let flattens = match layer.kind {
        LayerKind::Flatten => true,
        LayerKind::Reshape => {
            let typed::Reshape { h, d, c, shape_expr, input_batch_axis, output_batch_axis, .. } =
                typed::Reshape::read(layer)?;
            [h, d, c] == [-233; 3] && shape_expr.is_empty() && [input_batch_axis, output_batch_axis] == [233; 2]
        }
        _ => false,
    };
    let same_vector =
        network.shape(input).is_some_and(|shape| shape.rank() == 1 && network.shape(output) == Some(shape));
    if !flattens || !same_vector {
        return Ok(false);
    }
    Ok(network.bypass(index, "its input is a vector already"))
}
