//! A vector that was made an image of single cells to meet the channels of another.

use ncnn_format::{LayerKind, Result, typed};

use super::network::Network;

/// Lets a BinaryOp read a vector itself: it goes with the channels anyway.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    if layer.kind != LayerKind::BinaryOp || layer.inputs.len() != 2 {
        return Ok(false);
    }
    for position in 0..2 {
        let (vector, image) = (layer.inputs[position].clone(), layer.inputs[1 - position].clone());
        let Some(reshape) = network.producer(&vector) else { continue };
        if !makes_single_cells(network, reshape)? {
            continue;
        }
        let source = network.layers[reshape].inputs[0].clone();
        if !network.is_read_once(&vector) {
            return Ok(network.refuse(reshape, "others read its output"));
        }
        // A vector goes with the outermost dimension only if the lengths agree.
        let meets_channels = match (network.shape(&source), network.shape(&image)) {
            (Some(source), Some(image)) => source.rank() == 1 && image.rank() == 3 && image.c() == source.w(),
            _ => false,
        };
        if !meets_channels {
            return Ok(network.refuse(reshape, format!("not known to have one value per channel of {image}")));
        }
        network.note(reshape, format!("removed, {} broadcasts the vector itself", network.layers[index].name));
        let mut inputs = network.layers[index].inputs.clone();
        inputs[position] = source;
        network.set_inputs(index, inputs);
        network.remove(reshape);
        return Ok(false);
    }
    Ok(false)
}

fn makes_single_cells(network: &Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    if layer.kind != LayerKind::Reshape || layer.inputs.len() != 1 {
        return Ok(false);
    }
    let typed::Reshape { w, h, c, d, shape_expr, input_batch_axis, output_batch_axis, .. } =
        typed::Reshape::read(layer)?;
    let plain = d == -233 && shape_expr.is_empty() && [input_batch_axis, output_batch_axis] == [233; 2];
    Ok(plain && [w, h] == [1, 1] && c != -233)
}
