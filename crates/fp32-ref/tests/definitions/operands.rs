//! Layers that join blobs, or a blob and a weight, element by element.

use crate::support::{Array, Draw, Trial, float, floats};

/// The operations of `BinaryOp` in the order of ncnn's numbers.
const OPERATIONS: [fn(f64, f64) -> f64; 19] = [
    |a, b| a + b,
    |a, b| a - b,
    |a, b| a * b,
    |a, b| a / b,
    f64::max,
    f64::min,
    f64::powf,
    |a, b| b - a,
    |a, b| b / a,
    |a, b| b.powf(a),
    f64::atan2,
    |a, b| b.atan2(a),
    |a, b| a % b,
    |a, b| b % a,
    |a, b| (a.exp() + b.exp()).ln(),
    |a, b| (a / b).floor(),
    |a, b| (b / a).floor(),
    |a, b| a - (a / b).round_ties_even() * b,
    |a, b| b - (b / a).round_ties_even() * a,
];

/// Operations that jump: their operands are drawn so that quotients are exact.
const JUMPS: std::ops::RangeInclusive<usize> = 12..=18;

/// Operands of an operation: positive for powers, small integers where results jump.
fn operand(draw: &mut Draw, operation: usize, dims: &[usize]) -> Array {
    match operation {
        3 | 8 => draw.array(dims, 0.5, 4.0),
        6 | 9 => draw.array(dims, 0.25, 3.0),
        10 | 11 => draw.array(dims, 0.125, 3.0),
        jump if JUMPS.contains(&jump) && jump != 14 => Array::build(dims, |_| {
            let magnitude = draw.pick(&[1.0, 2.0, 4.0, 8.0, 3.0, 5.0, 7.0]);
            if draw.flag() { magnitude } else { -magnitude }
        }),
        _ => draw.array(dims, -3.0, 3.0),
    }
}

/// The sizes that `dims` stands for beside a blob of `rank` whose outermost size is `outer`:
/// a blob of lower rank goes with the outermost dimensions, except that a vector of another
/// length than theirs goes with the innermost.
fn stretched(dims: &[usize], rank: usize, outer: usize) -> Vec<usize> {
    let ones = vec![1; rank - dims.len()];
    if dims.len() == 1 && rank > 1 && dims[0] != outer {
        [ones, dims.to_vec()].concat()
    } else {
        [dims.to_vec(), ones].concat()
    }
}

/// The definition of an operation on two blobs.
fn joined(a: &Array, b: &Array, f: impl Fn(f64, f64) -> f64) -> Array {
    let rank = a.rank().max(b.rank());
    let (full_a, full_b) = (stretched(&a.dims, rank, b.dims[0]), stretched(&b.dims, rank, a.dims[0]));
    let dims: Vec<usize> = full_a.iter().zip(&full_b).map(|(&a, &b)| a.max(b)).collect();
    let (a, b) = (a.reshaped(&full_a), b.reshaped(&full_b));
    let place = |index: &[usize], dims: &[usize]| -> Vec<usize> {
        index.iter().zip(dims).map(|(&at, &size)| if size == 1 { 0 } else { at }).collect()
    };
    Array::build(&dims, |index| f(a.at(&place(index, &full_a)), b.at(&place(index, &full_b))))
}

/// Two shapes of these ranks that fit, with dimensions of size 1 on either side.
fn fitting(draw: &mut Draw, ranks: (usize, usize)) -> (Vec<usize>, Vec<usize>) {
    let rank = ranks.0.max(ranks.1);
    let full: Vec<usize> = (0..rank).map(|_| draw.size(1, 5)).collect();
    let mut shrink = |own: usize| -> Vec<usize> {
        // A vector may go with the innermost dimension, unless the other blob is shorter outermost.
        let innermost = own == 1 && rank > 1 && full[0] != full[rank - 1] && draw.flag();
        let part = if innermost { &full[rank - 1..] } else { &full[..own] };
        part.iter().map(|&size| if draw.size(0, 3) == 0 { 1 } else { size }).collect()
    };
    loop {
        let (a, b) = (shrink(ranks.0), shrink(ranks.1));
        // A dimension that was shrunk can make a vector go with another one than was meant.
        let (full_a, full_b) = (stretched(&a, rank, b[0]), stretched(&b, rank, a[0]));
        if full_a.iter().zip(&full_b).all(|(&a, &b)| a == b || a == 1 || b == 1) {
            return (a, b);
        }
    }
}

#[test]
fn every_binary_operation_joins_blobs_of_every_pair_of_ranks() {
    let mut draw = Draw::new(1);
    for (number, f) in OPERATIONS.into_iter().enumerate() {
        for ranks in (1..=4).flat_map(|a| (1..=4).map(move |b| (a, b))) {
            let (a, b) = fitting(&mut draw, ranks);
            let (a, b) = (operand(&mut draw, number, &a), operand(&mut draw, number, &b));
            Trial::new("BinaryOp", format!("0={number}"), &[&a, &b]).gives(&[joined(&a, &b, f)]);
        }
    }
}

#[test]
fn broadcasting_is_the_same_for_every_mix_of_stretched_dimensions() {
    // Each of four dimensions is stretched on no side, on the first, on the second or on both.
    let mut draw = Draw::new(2);
    for mix in 0..256_usize {
        let of = |axis: usize| mix >> (2 * axis) & 3;
        let sizes = [3, 2, 4, 5];
        let a: Vec<usize> = (0..4).map(|axis| if of(axis) & 1 == 0 { sizes[axis] } else { 1 }).collect();
        let b: Vec<usize> = (0..4).map(|axis| if of(axis) & 2 == 0 { sizes[axis] } else { 1 }).collect();
        let (a, b) = (draw.array(&a, -2.0, 2.0), draw.array(&b, -2.0, 2.0));
        Trial::new("BinaryOp", "0=1", &[&a, &b]).gives(&[joined(&a, &b, |a, b| a - b)]);
        if of(0) == 0 {
            // The same as images, which the executor may hold channels-last.
            let (a, b) = (
                a.reshaped(&[&[3 * a.dims[1]], &a.dims[2..]].concat()),
                b.reshaped(&[&[3 * b.dims[1]], &b.dims[2..]].concat()),
            );
            if a.dims[0] == b.dims[0] {
                Trial::new("BinaryOp", "0=7", &[&a, &b]).gives(&[joined(&a, &b, |a, b| b - a)]);
            }
        }
    }
}

#[test]
fn every_binary_operation_takes_a_number_as_its_second_operand() {
    let mut draw = Draw::new(3);
    for (number, f) in OPERATIONS.into_iter().enumerate() {
        for rank in 1..=4 {
            let dims = draw.dims(rank, 5);
            let a = operand(&mut draw, number, &dims);
            for b in [2.0, 0.5, 1.0, 3.0] {
                if JUMPS.contains(&number) && b == 3.0 {
                    continue;
                }
                let params = format!("0={number} 1=1 2={}", float(b));
                Trial::new("BinaryOp", params, &[&a]).gives(&[a.map(|a| f(a, b))]);
            }
        }
    }
}

#[test]
fn an_operation_reads_the_same_blob_twice() {
    let mut draw = Draw::new(4);
    let a = draw.array(&[3, 4, 5], 0.5, 2.0);
    for (number, f) in OPERATIONS.into_iter().enumerate() {
        Trial::new("BinaryOp", format!("0={number}"), &[&a, &a]).gives(&[a.map(|a| f(a, a))]);
    }
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let mut draw = Draw::new(5);
    let shapes: [(&[usize], &[usize]); 6] = [
        (&[3], &[2]),
        (&[3, 4], &[2]),
        (&[3, 4], &[4, 3]),
        (&[3, 4, 5], &[3, 5]),
        (&[3, 4, 5], &[4]),
        (&[2, 3, 4, 5], &[2, 3, 5]),
    ];
    for (a, b) in shapes {
        let (a, b) = (draw.array(a, -1.0, 1.0), draw.array(b, -1.0, 1.0));
        Trial::new("BinaryOp", "0=0", &[&a, &b]).refused();
        Trial::new("BinaryOp", "0=0", &[&b, &a]).refused();
        Trial::new("Eltwise", "0=1", &[&a, &b]).refused();
    }
}

#[test]
fn eltwise_joins_any_number_of_blobs() {
    let mut draw = Draw::new(6);
    for rank in 1..=4 {
        for count in 2..=4 {
            let dims = draw.dims(rank, 6);
            let blobs: Vec<Array> = (0..count).map(|_| draw.array(&dims, -2.0, 2.0)).collect();
            let inputs: Vec<&Array> = blobs.iter().collect();
            let fold = |f: &dyn Fn(f64, (usize, f64)) -> f64, start: f64| {
                Array::build(&dims, |index| blobs.iter().map(|blob| blob.at(index)).enumerate().fold(start, f))
            };
            Trial::new("Eltwise", "0=0", &inputs).gives(&[fold(&|a, (_, b)| a * b, 1.0)]);
            Trial::new("Eltwise", "0=1", &inputs).gives(&[fold(&|a, (_, b)| a + b, 0.0)]);
            Trial::new("Eltwise", "0=2", &inputs).gives(&[fold(&|a, (_, b)| a.max(b), f64::NEG_INFINITY)]);
            let coefficients = draw.floats(count, -2.0, 2.0);
            let params = format!("0=1 {}", floats(1, &coefficients));
            Trial::new("Eltwise", params, &inputs).gives(&[fold(&|a, (at, b)| a + b * coefficients[at], 0.0)]);
        }
    }
}

/// Positions of the outermost dimension, where most layers have their channels.
fn per_channel(input: &Array, f: impl Fn(usize, f64) -> f64) -> Array {
    Array::build(&input.dims, |index| f(index[0], input.at(index)))
}

#[test]
fn scale_multiplies_the_outermost_dimension() {
    let mut draw = Draw::new(7);
    for rank in (1..=4).cycle().take(24) {
        let dims = draw.dims(rank, 7);
        let input = draw.array(&dims, -3.0, 3.0);
        let (scale, bias) = (draw.floats(dims[0], -2.0, 2.0), draw.floats(dims[0], -2.0, 2.0));
        Trial::new("Scale", format!("0={}", dims[0]), &[&input])
            .weights(&[&scale])
            .gives(&[per_channel(&input, |c, x| x * scale[c])]);
        Trial::new("Scale", format!("0={} 1=1", dims[0]), &[&input])
            .weights(&[&scale, &bias])
            .gives(&[per_channel(&input, |c, x| x * scale[c] + bias[c])]);
        let blob = Array::row(&scale);
        Trial::new("Scale", "0=-233", &[&input, &blob]).gives(&[per_channel(&input, |c, x| x * scale[c])]);
    }
}

#[test]
fn bias_adds_to_channels_and_takes_lower_ranks_for_one_channel() {
    let mut draw = Draw::new(8);
    for rank in (1..=4).cycle().take(16) {
        let dims = draw.dims(rank, 7);
        let input = draw.array(&dims, -3.0, 3.0);
        let channels = if rank < 3 { 1 } else { dims[0] };
        let bias = draw.floats(channels, -2.0, 2.0);
        Trial::new("Bias", format!("0={channels}"), &[&input])
            .weights(&[&bias])
            .gives(&[per_channel(&input, |c, x| x + if rank < 3 { bias[0] } else { bias[c] })]);
    }
}

#[test]
fn prelu_has_a_slope_for_all_or_one_per_channel() {
    let mut draw = Draw::new(9);
    for rank in (1..=4).cycle().take(24) {
        let dims = draw.dims(rank, 7);
        let input = draw.array(&dims, -3.0, 3.0);
        for count in [1, dims[0]] {
            let slopes = draw.floats(count, -1.0, 1.0);
            Trial::new("PReLU", format!("0={count}"), &[&input])
                .weights(&[&slopes])
                .gives(&[per_channel(&input, |c, x| if x < 0.0 { x * slopes[c % count] } else { x })]);
        }
    }
}

#[test]
fn batch_norm_is_its_formula_per_channel() {
    let mut draw = Draw::new(10);
    for rank in (1..=4).cycle().take(24) {
        let dims = draw.dims(rank, 7);
        let c = dims[0];
        let input = draw.array(&dims, -3.0, 3.0);
        let [slope, mean, bias] = [(); 3].map(|()| draw.floats(c, -2.0, 2.0));
        let variance = draw.floats(c, 0.01, 3.0);
        for eps in [0.0, 1e-5, 0.125] {
            Trial::new("BatchNorm", format!("0={c} 1={}", float(eps)), &[&input])
                .weights(&[&slope, &mean, &variance, &bias])
                .gives(&[per_channel(&input, |c, x| slope[c] * (x - mean[c]) / (variance[c] + eps).sqrt() + bias[c])]);
        }
    }
}

#[test]
fn weights_of_another_number_than_the_channels_are_refused() {
    let mut draw = Draw::new(11);
    for rank in 1..=4 {
        let dims = vec![4; rank];
        let input = draw.array(&dims, -3.0, 3.0);
        for count in [2, 3, 5, 8] {
            let values = draw.floats(count, 0.5, 2.0);
            Trial::new("Scale", format!("0={count}"), &[&input]).weights(&[&values]).refused();
            Trial::new("PReLU", format!("0={count}"), &[&input]).weights(&[&values]).refused();
            let four = [values.as_slice(); 4];
            Trial::new("BatchNorm", format!("0={count}"), &[&input]).weights(&four).refused();
            if rank > 2 {
                Trial::new("Bias", format!("0={count}"), &[&input]).weights(&[&values]).refused();
            }
        }
    }
}
