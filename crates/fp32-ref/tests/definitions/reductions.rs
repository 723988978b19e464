//! `Reduction`: every operation over every set of axes, with and without keeping dimensions.

use crate::support::{Array, Draw, Trial, float, indices, ints};

/// In the order of ncnn's numbers, of the values that are reduced together.
const OPERATIONS: [fn(&[f64]) -> f64; 11] = [
    |x| x.iter().sum(),
    |x| x.iter().map(|x| x.abs()).sum(),
    |x| x.iter().map(|x| x * x).sum(),
    |x| x.iter().sum::<f64>() / x.len() as f64,
    |x| x.iter().copied().fold(f64::NEG_INFINITY, f64::max),
    |x| x.iter().copied().fold(f64::INFINITY, f64::min),
    |x| x.iter().product(),
    |x| x.iter().map(|x| x.abs()).sum(),
    |x| x.iter().map(|x| x * x).sum::<f64>().sqrt(),
    |x| x.iter().sum::<f64>().ln(),
    |x| x.iter().map(|x| x.exp()).sum::<f64>().ln(),
];

/// The definition: one value per index of the axes that stay.
fn reduced(input: &Array, axes: &[usize], keep: bool, f: impl Fn(&[f64]) -> f64) -> Array {
    let rank = input.rank();
    let kept: Vec<usize> = (0..rank).map(|axis| if axes.contains(&axis) { 1 } else { input.dims[axis] }).collect();
    let gone: Vec<usize> = (0..rank).map(|axis| if axes.contains(&axis) { input.dims[axis] } else { 1 }).collect();
    let all = Array::build(&kept, |outer| {
        let values: Vec<f64> = indices(&gone)
            .iter()
            .map(|inner| input.at(&outer.iter().zip(inner).map(|(a, b)| a + b).collect::<Vec<_>>()))
            .collect();
        f(&values)
    });
    if keep {
        return all;
    }
    let mut dims: Vec<usize> = (0..rank).filter(|axis| !axes.contains(axis)).map(|axis| input.dims[axis]).collect();
    if dims.is_empty() {
        dims.push(1);
    }
    all.reshaped(&dims)
}

/// Values that every operation can work on: sums must have logarithms, products stay small.
fn operand(draw: &mut Draw, operation: usize, dims: &[usize]) -> Array {
    match operation {
        9 => draw.array(dims, 0.25, 2.0),
        6 => Array::build(dims, |_| if draw.flag() { draw.float(0.75, 1.25) } else { -draw.float(0.75, 1.25) }),
        _ => draw.array(dims, -2.0, 3.0),
    }
}

#[test]
fn every_operation_reduces_every_set_of_axes() {
    let mut draw = Draw::new(1);
    for (operation, f) in OPERATIONS.into_iter().enumerate() {
        for rank in 1..=4_usize {
            for chosen in 1..1_usize << rank {
                let axes: Vec<usize> = (0..rank).filter(|axis| chosen >> axis & 1 == 1).collect();
                for keep in [false, true] {
                    let dims = draw.dims(rank, 5);
                    let input = operand(&mut draw, operation, &dims);
                    let expected = [reduced(&input, &axes, keep, f)];
                    let negative = draw.flag();
                    let written: Vec<i64> = axes
                        .iter()
                        .map(|&axis| if negative { axis as i64 - rank as i64 } else { axis as i64 })
                        .collect();
                    let keep = u8::from(keep);
                    let params = format!("0={operation} 1=0 {} 4={keep} 5=1", ints(3, &written));
                    // Sums of both signs may cancel.
                    Trial::new("Reduction", params, &[&input]).tolerance(3e-5).gives(&expected);
                }
            }
        }
    }
}

#[test]
fn every_operation_reduces_all_and_has_a_coefficient() {
    let mut draw = Draw::new(2);
    for (operation, f) in OPERATIONS.into_iter().enumerate() {
        for rank in 1..=4_usize {
            for coefficient in [1.0, 0.5, -3.0] {
                let dims = draw.dims(rank, 5);
                let input = operand(&mut draw, operation, &dims);
                let all: Vec<usize> = (0..rank).collect();
                for keep in [false, true] {
                    let expected = reduced(&input, &all, keep, |values| f(values) * coefficient);
                    let params = format!("0={operation} 1=1 2={} 4={}", float(coefficient), u8::from(keep));
                    Trial::new("Reduction", params, &[&input]).tolerance(3e-5).gives(&[expected]);
                }
            }
        }
    }
}

#[test]
fn the_default_is_the_sum_of_all() {
    let mut draw = Draw::new(3);
    let input = draw.array(&[2, 3, 4], 0.0, 1.0);
    Trial::new("Reduction", "", &[&input]).gives(&[Array::row(&[input.values.iter().sum()])]);
}

#[test]
fn axes_from_before_they_were_counted_as_now_are_refused() {
    let input = Array::new(&[2, 2], vec![1.0; 4]);
    Trial::new("Reduction", format!("1=0 {}", ints(3, &[1])), &[&input]).refused();
    Trial::new("Reduction", format!("1=0 {} 5=1", ints(3, &[2])), &[&input]).refused();
    Trial::new("Reduction", format!("1=0 {} 5=1", ints(3, &[-3])), &[&input]).refused();
    Trial::new("Reduction", "0=11", &[&input]).refused();
    Trial::new("Reduction", "0=-1", &[&input]).refused();
}
