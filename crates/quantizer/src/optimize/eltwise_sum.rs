//! A sum of multiples.

use ncnn_format::{Layer, LayerKind, ParamDict, Result, typed};

use super::network::Network;

/// Makes one Eltwise of a BinaryOp that adds blobs of one shape of which at least one was
/// multiplied by a number just before.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    let ([a, b], [_]) = (layer.inputs.as_slice(), layer.outputs.as_slice()) else { return Ok(false) };
    if layer.kind != LayerKind::BinaryOp || typed::BinaryOp::read(layer)?.op_type != 0 || a == b {
        return Ok(false);
    }
    let multiples = [multiple(network, a)?, multiple(network, b)?];
    if multiples.iter().all(Option::is_none) {
        return Ok(false);
    }
    // Eltwise does not broadcast.
    if network.shape(a).is_none() || network.shape(a) != network.shape(b) {
        return Ok(network.refuse(index, "its operands are not known to have one shape"));
    }
    let factors = multiples.iter().map(|multiple| multiple.map_or(1.0, |(_, factor)| factor)).collect();
    let inputs: Vec<String> = multiples
        .iter()
        .zip([a, b])
        .map(|(multiple, plain)| multiple.map_or(plain, |(maker, _)| &network.layers[maker].inputs[0]).clone())
        .collect();
    network.note(index, "became a weighted sum with the multiplications before it");
    let layer = &mut network.layers[index];
    layer.kind = LayerKind::Eltwise;
    layer.params = ParamDict::default();
    layer.params.set(typed::Eltwise::OP_TYPE, 1);
    layer.params.set(typed::Eltwise::COEFFS, factors);
    network.set_inputs(index, inputs);
    multiples.iter().flatten().for_each(|&(maker, _)| network.remove(maker));
    Ok(false)
}

/// The layer that makes `blob` by multiplying with a number, for this reader only, and the number.
fn multiple(network: &Network, blob: &str) -> Result<Option<(usize, f32)>> {
    let Some(maker) = network.producer(blob) else { return Ok(None) };
    let layer: &Layer = &network.layers[maker];
    if layer.kind != LayerKind::BinaryOp || layer.inputs.len() != 1 || !network.is_read_once(blob) {
        return Ok(None);
    }
    let typed::BinaryOp { op_type, with_scalar, b, .. } = typed::BinaryOp::read(layer)?;
    Ok((op_type == 2 && with_scalar != 0).then_some((maker, b)))
}
