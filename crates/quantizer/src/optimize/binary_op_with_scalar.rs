//! A number that came as a blob.

use ncnn_format::{LayerKind, Result, WeightRole, typed, typed::BinaryOp};

use super::network::Network;

/// The operation with its operands exchanged, by ncnn's numbers.
const EXCHANGED: [i32; 19] = [0, 7, 2, 8, 4, 5, 9, 1, 3, 6, 11, 10, 13, 12, 14, 16, 15, 18, 17];

/// Gives a BinaryOp the number that one of its inputs always is.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let layer = &network.layers[index];
    if layer.kind != LayerKind::BinaryOp || layer.inputs.len() != 2 {
        return Ok(false);
    }
    let params = BinaryOp::read(layer)?;
    let numbers = [number(network, &layer.inputs[0])?, number(network, &layer.inputs[1])?];
    let (position, number) = match numbers {
        // Two constants would make a constant, which no layer with an input does.
        [None, Some(number)] => (1, number),
        [Some(number), None] => (0, number),
        _ => return Ok(false),
    };
    let exchanged = usize::try_from(params.op_type).ok().and_then(|op| EXCHANGED.get(op).copied());
    let Some(exchanged) = exchanged.filter(|_| params.with_scalar == 0) else { return Ok(false) };
    let (constant, other) = (layer.inputs[position].clone(), layer.inputs[1 - position].clone());
    network.note(index, format!("takes {number} as a parameter instead of the blob {constant}"));
    network.set_inputs(index, vec![other]);
    let params = &mut network.layers[index].params;
    if position == 0 {
        params.set(BinaryOp::OP_TYPE, exchanged);
    }
    params.set(BinaryOp::WITH_SCALAR, 1);
    params.set(BinaryOp::B, number);
    Ok(true)
}

/// The only element of a constant vector. One in three dimensions may stretch the other
/// operand to three.
fn number(network: &Network, blob: &str) -> Result<Option<f32>> {
    let Some(layer) = network.constant(blob) else { return Ok(None) };
    let typed::MemoryData { w, h, d, c, .. } = typed::MemoryData::read(layer)?;
    if [w, h, d, c] != [1, 0, 0, 0] {
        return Ok(None);
    }
    Ok(layer.weight_f32(WeightRole::Data)?.first().copied())
}

#[cfg(test)]
mod tests {
    use super::EXCHANGED;

    #[test]
    fn exchanging_twice_changes_nothing() {
        for (op, &other) in EXCHANGED.iter().enumerate() {
            assert_eq!(EXCHANGED[other as usize], op as i32);
        }
    }
}
