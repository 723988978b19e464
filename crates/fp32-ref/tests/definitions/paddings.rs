//! Padding.

use crate::support::{Array, Draw, Trial, float};

/// Where the padded index of an axis comes from; `None` is a constant.
fn source(kind: usize, at: usize, before: usize, size: usize) -> Option<usize> {
    let (at, last) = (at as i64 - before as i64, size as i64 - 1);
    let place = match kind {
        0 => at,
        1 => at.clamp(0, last),
        _ => last - (last - at.abs()).abs(),
    };
    usize::try_from(place).ok().filter(|&place| place < size)
}

/// Padding of one case: before and after for the channels (3-D) or planes (4-D), rows, columns.
fn padded(input: &Array, pads: [[usize; 2]; 3], kind: usize, value: impl Fn(usize) -> f64) -> Array {
    let rank = input.rank();
    let pads: Vec<[usize; 2]> = match rank {
        4 => [&[[0, 0]], &pads[..]].concat(),
        rank => pads[3 - rank..].to_vec(),
    };
    let dims: Vec<usize> = input.dims.iter().zip(&pads).map(|(size, pad)| size + pad[0] + pad[1]).collect();
    Array::build(&dims, |index| {
        let place: Option<Vec<usize>> =
            (0..rank).map(|axis| source(kind, index[axis], pads[axis][0], input.dims[axis])).collect();
        place.map_or_else(|| value(index[0]), |place| input.at(&place))
    })
}

#[test]
fn padding_adds_constants_copies_or_mirrored_values() {
    let mut draw = Draw::new(11);
    for kind in 0..=2 {
        for rank in (1..=4).cycle().take(40) {
            let dims: Vec<usize> = (0..rank).map(|_| draw.size(3, 5)).collect();
            let input = draw.array(&dims, -1.0, 1.0);
            let pads = [(); 3].map(|()| [draw.size(0, 2), draw.size(0, 2)]);
            let [[front, behind], [top, bottom], [left, right]] = pads;
            let value = draw.float(-3.0, 3.0);
            let params =
                format!("0={top} 1={bottom} 2={left} 3={right} 4={kind} 5={} 7={front} 8={behind}", float(value));
            // Without anything to add the rank does not matter.
            Trial::new("Padding", params, &[&input]).gives(&[padded(&input, pads, kind, |_| value)]);
        }
    }
}

#[test]
fn padding_has_a_constant_per_channel() {
    let mut draw = Draw::new(12);
    for rank in [3, 4] {
        for _ in 0..8 {
            let input = draw.array(&draw_dims(rank), -1.0, 1.0);
            let mut pads = [(); 3].map(|()| [draw.size(0, 2), draw.size(0, 2)]);
            if rank == 3 {
                pads[0] = [0, 0];
            }
            pads[2][0] = 1;
            let [[front, behind], [top, bottom], [left, right]] = pads;
            let values = draw.floats(input.dims[0], -3.0, 3.0);
            let params = format!("0={top} 1={bottom} 2={left} 3={right} 6={} 7={front} 8={behind}", values.len());
            Trial::new("Padding", params, &[&input])
                .weights(&[&values])
                .gives(&[padded(&input, pads, 0, |channel| values[channel])]);
        }
    }
}

fn draw_dims(rank: usize) -> Vec<usize> {
    [3, 2, 4, 5][..rank].to_vec()
}
