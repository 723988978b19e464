//! A mean over rows and columns.

use ncnn_format::{Layer, LayerKind, ParamDict, Result, typed};

use super::network::Network;

/// Makes a global average pooling of a Reduction over rows and columns of an image, which
/// may be done in two steps, columns first.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    let ([input], [_]) = (layer.inputs.as_slice(), layer.outputs.as_slice()) else { return Ok(false) };
    let (input, rank) = (input.clone(), network.shape(input).map_or(0, |shape| shape.rank()));
    let Some(axes) = mean_axes(layer, rank)? else { return Ok(false) };
    if rank == 3 && axes == [1, 2] {
        network.note(index, "became a global average pooling");
        become_pooling(&mut network.layers[index]);
        return Ok(true);
    }
    // Columns are gone, so rows come last.
    let Some(first) = network.producer(&input) else { return Ok(false) };
    let [source] = network.layers[first].inputs.as_slice() else { return Ok(false) };
    let source_rank = network.shape(source).map_or(0, |shape| shape.rank());
    let in_two_steps = rank == 2
        && axes == [1]
        && source_rank == 3
        && network.is_read_once(&input)
        && mean_axes(&network.layers[first], 3)?.is_some_and(|axes| axes == [2]);
    if !in_two_steps {
        return Ok(false);
    }
    network.note(index, format!("became a global average pooling with {}", network.layers[first].name));
    network.absorb(index, &input);
    become_pooling(&mut network.layers[first]);
    Ok(true)
}

/// The axes, from the outermost, of a plain mean that drops them.
fn mean_axes(layer: &Layer, rank: usize) -> Result<Option<Vec<i32>>> {
    if layer.kind != LayerKind::Reduction {
        return Ok(None);
    }
    let params = typed::Reduction::read(layer)?;
    let is_plain = params.operation == 3
        && params.reduce_all == 0
        && params.coeff == 1.0
        && params.keepdims == 0
        // Without it axes are counted in an old way.
        && params.fixbug0 == 1;
    let rank = i32::try_from(rank).unwrap_or(0);
    let mut axes: Vec<i32> = params.axes.iter().map(|&axis| if axis < 0 { axis + rank } else { axis }).collect();
    axes.sort_unstable();
    Ok(is_plain.then_some(axes))
}

fn become_pooling(layer: &mut Layer) {
    layer.kind = LayerKind::Pooling;
    layer.params = ParamDict::default();
    layer.params.set(typed::Pooling::POOLING_TYPE, 1);
    layer.params.set(typed::Pooling::GLOBAL_POOLING, 1);
}
