//! Products of matrices: inner products, `Gemm` and `MatMul`.

use crate::support::{Array, Draw, Trial, float};
use crate::windows::activation;

/// The transpose of a matrix.
fn transposed(matrix: &Array) -> Array {
    Array::build(&[matrix.dims[1], matrix.dims[0]], |i| matrix.at(&[i[1], i[0]]))
}

fn product(a: &Array, b: &Array) -> Array {
    assert_eq!(a.dims[1], b.dims[0]);
    Array::build(&[a.dims[0], b.dims[1]], |i| (0..a.dims[1]).map(|k| a.at(&[i[0], k]) * b.at(&[k, i[1]])).sum())
}

#[test]
fn an_inner_product_is_a_weighted_sum_of_all_inputs() {
    for case in 0..60 {
        let mut draw = Draw::new(case);
        let rank = draw.size(1, 4);
        let dims = draw.dims(rank, 5);
        let input = draw.array(&dims, -1.0, 1.0);
        let outputs = draw.pick(&[1, 2, 7, 8, 9, 33]);
        let inputs = input.values.len();
        let weights = draw.array(&[outputs, inputs], -1.0, 1.0);
        let bias = draw.floats(outputs, -1.0, 1.0);
        let (fused, activate) = activation(&mut draw);
        let params = format!("0={outputs} 2={} {fused}", outputs * inputs);
        let sums = product(&weights, &input.reshaped(&[inputs, 1]));
        // A matrix of one row as wide as the weights is a batch of one.
        let shape = if rank == 2 && dims[0] == 1 { vec![1, outputs] } else { vec![outputs] };
        Trial::new("InnerProduct", params.clone(), &[&input])
            .weights(&[&weights.values])
            .gives(&[sums.map(&activate).reshaped(&shape)]);
        let moved = Array::build(&[outputs, 1], |i| activate(sums.at(i) + bias[i[0]]));
        Trial::new("InnerProduct", format!("{params} 1=1"), &[&input])
            .weights(&[&weights.values, &bias])
            .gives(&[moved.reshaped(&shape)]);
    }
}

#[test]
fn an_inner_product_takes_a_matrix_row_by_row() {
    for case in 0..40 {
        let mut draw = Draw::new(100 + case);
        let [rows, inputs, outputs] = [draw.size(1, 17), draw.size(1, 20), draw.size(1, 20)];
        let input = draw.array(&[rows, inputs], -1.0, 1.0);
        let weights = draw.array(&[outputs, inputs], -1.0, 1.0);
        let bias = draw.floats(outputs, -1.0, 1.0);
        let (fused, activate) = activation(&mut draw);
        let sums = product(&input, &transposed(&weights));
        let expected = Array::build(&sums.dims, |i| activate(sums.at(i) + bias[i[1]]));
        Trial::new("InnerProduct", format!("0={outputs} 1=1 2={} {fused}", weights.values.len()), &[&input])
            .weights(&[&weights.values, &bias])
            .gives(&[expected]);
    }
}

#[test]
fn an_inner_product_of_another_number_of_inputs_is_refused() {
    let input = Array::row(&[1.0; 5]);
    Trial::new("InnerProduct", "0=2 2=8", &[&input]).weights(&[&[1.0; 8]]).refused();
}

/// What C is added to, by its kind: -1 none, 0 all, 1 and 2 rows, 3 elements, 4 columns.
fn addend(draw: &mut Draw, kind: i64, m: usize, n: usize) -> Array {
    let dims = match kind {
        -1 => vec![],
        0 => vec![1],
        1 => vec![m],
        2 => vec![m, 1],
        3 => vec![m, n],
        _ => vec![n],
    };
    draw.array(&dims, -1.0, 1.0)
}

fn added(c: &Array, kind: i64, [i, j]: [usize; 2]) -> f64 {
    match kind {
        -1 => 0.0,
        0 => c.values[0],
        1 | 2 => c.values[i],
        3 => c.at(&[i, j]),
        _ => c.values[j],
    }
}

#[test]
fn gemm_multiplies_in_every_form() {
    for case in 0..400_u64 {
        let mut draw = Draw::new(1000 + case);
        let [m, n, k] = [draw.size(1, 9), draw.size(1, 9), draw.size(1, 9)];
        let [trans_a, trans_b, constant_a, constant_b, constant_c, turned, spread] = [(); 7].map(|()| draw.flag());
        let (alpha, beta) = (draw.pick(&[1.0, 0.5, -2.0]), draw.pick(&[1.0, 0.25, -1.5]));
        let a = draw.array(&[m, k], -1.0, 1.0);
        let b = draw.array(&[k, n], -1.0, 1.0);
        let kind = draw.pick(&[-1, 0, 1, 2, 3, 4]);
        let c = addend(&mut draw, kind, m, n);
        let stored_a = if trans_a { transposed(&a) } else { a.clone() };
        let stored_b = if trans_b { transposed(&b) } else { b.clone() };
        let (mut inputs, mut weights) = (Vec::new(), Vec::new());
        for (constant, matrix) in [(constant_a, &stored_a), (constant_b, &stored_b)] {
            if constant { weights.push(&matrix.values[..]) } else { inputs.push(matrix) }
        }
        if kind >= 0 {
            if constant_c { weights.push(&c.values[..]) } else { inputs.push(&c) }
        }
        // An input is added to what its shape fits; where several fit, columns go before rows.
        let fits = if kind < 0 || constant_c {
            kind
        } else {
            match c.dims[..] {
                [w] if w == n => 4,
                [w] if w == m => 1,
                [1, w] if w == n => 4,
                [h, w] if (h, w) == (m, n) => 3,
                [h, 1] if h == m => 2,
                _ => 0,
            }
        };
        let sums = product(&a, &b);
        let full = Array::build(&[m, n], |i| alpha * (sums.at(i) + beta * added(&c, fits, [i[0], i[1]])));
        let matrix = if turned { transposed(&full) } else { full };
        let shape = if spread { vec![matrix.dims[0], 1, matrix.dims[1]] } else { matrix.dims.clone() };
        let flag = u8::from;
        let params = format!(
            "0={} 1={} 2={} 3={} 4={} 5={} 6={} 7={m} 8={n} 9={k} 10={kind} 11={} 14={}",
            float(alpha),
            float(beta),
            flag(trans_a),
            flag(trans_b),
            flag(constant_a),
            flag(constant_b),
            flag(constant_c || kind < 0),
            flag(spread),
            flag(turned)
        );
        let trial = Trial::new("Gemm", params, &inputs).weights(&weights);
        if inputs.is_empty() {
            // All of it is constant; the executor still runs it.
            trial.gives(&[matrix.reshaped(&shape)]);
            continue;
        }
        trial.gives(&[matrix.reshaped(&shape)]);
    }
}

#[test]
fn gemm_takes_single_rows_of_channels_for_a_matrix() {
    let mut draw = Draw::new(5);
    for _ in 0..20 {
        let [m, n, k] = [draw.size(1, 6), draw.size(1, 6), draw.size(1, 6)];
        let (a, b) = (draw.array(&[m, k], -1.0, 1.0), draw.array(&[k, n], -1.0, 1.0));
        let expected = product(&a, &b);
        Trial::new("Gemm", "", &[&a.reshaped(&[m, 1, k]), &b.reshaped(&[k, 1, n])]).gives(&expected);
    }
    let (a, b) = (draw.array(&[2, 3], -1.0, 1.0), draw.array(&[4, 2], -1.0, 1.0));
    Trial::new("Gemm", "", &[&a, &b]).refused();
    Trial::new("Gemm", "", &[&a]).refused();
}

/// The definition of `MatMul` with a broadcast over leading dimensions.
fn matmul(a: &Array, b: &Array, trans_b: bool) -> Array {
    // Rows and columns, then the rest as in numpy: vectors are a row or a column that goes again.
    let full = |array: &Array, row: bool| match array.rank() {
        1 if row => array.reshaped(&[1, 1, 1, array.dims[0]]),
        1 => array.reshaped(&[1, 1, array.dims[0], 1]),
        rank => array.reshaped(&[vec![1; 4 - rank], array.dims.clone()].concat()),
    };
    let (left, mut right) = (full(a, true), full(b, false));
    if trans_b && b.rank() > 1 {
        let [p, q, h, w] = right.dims[..] else { unreachable!() };
        right = Array::build(&[p, q, w, h], |i| right.at(&[i[0], i[1], i[3], i[2]]));
    }
    let (l, r) = (&left.dims, &right.dims);
    let dims = [l[0].max(r[0]), l[1].max(r[1]), l[2], r[3]];
    let fold = |index: usize, size: usize| if size == 1 { 0 } else { index };
    let all = Array::build(&dims, |i| {
        (0..l[3])
            .map(|k| {
                left.at(&[fold(i[0], l[0]), fold(i[1], l[1]), i[2], k])
                    * right.at(&[fold(i[0], r[0]), fold(i[1], r[1]), k, i[3]])
            })
            .sum()
    });
    let rank = a.rank().max(b.rank());
    let mut shape = dims[4 - rank..].to_vec();
    if a.rank() == 1 {
        shape.remove(shape.len().saturating_sub(2).min(shape.len() - 1));
    }
    if b.rank() == 1 && !shape.is_empty() && rank > 1 {
        shape.pop();
    }
    if shape.is_empty() {
        shape.push(1);
    }
    all.reshaped(&shape)
}

#[test]
fn matmul_multiplies_every_pair_of_ranks() {
    let mut draw = Draw::new(6);
    for a_rank in 1..=4_usize {
        for b_rank in 1..=4_usize {
            for trans_b in [false, true] {
                for _ in 0..6 {
                    let [m, n, k] = [draw.size(1, 6), draw.size(1, 6), draw.size(1, 6)];
                    let lead: Vec<usize> = (0..2).map(|_| draw.size(1, 4)).collect();
                    let mut dims = |rank: usize, matrix: [usize; 2], vector: usize| -> Vec<usize> {
                        if rank == 1 {
                            return vec![vector];
                        }
                        let lead: Vec<usize> =
                            lead[4 - rank..].iter().map(|&size| if draw.size(0, 3) == 0 { 1 } else { size }).collect();
                        [&lead[..], &matrix].concat()
                    };
                    let a = dims(a_rank, [m, k], k);
                    let b = dims(b_rank, if trans_b { [n, k] } else { [k, n] }, k);
                    let (a, b) = (draw.array(&a, -1.0, 1.0), draw.array(&b, -1.0, 1.0));
                    let expected = matmul(&a, &b, trans_b);
                    Trial::new("MatMul", format!("0={}", u8::from(trans_b)), &[&a, &b]).gives(&[expected]);
                }
            }
        }
    }
}

#[test]
fn matmul_refuses_what_cannot_be_multiplied() {
    let mut draw = Draw::new(7);
    let shapes: [(&[usize], &[usize]); 5] =
        [(&[3], &[4]), (&[2, 3], &[2, 3]), (&[2, 3], &[4]), (&[2, 2, 3], &[3, 3, 2]), (&[2, 2, 2, 3], &[3, 2, 3, 2])];
    for (a, b) in shapes {
        let (a, b) = (draw.array(a, -1.0, 1.0), draw.array(b, -1.0, 1.0));
        Trial::new("MatMul", "0=0", &[&a, &b]).refused();
    }
}
