//! `Interp`: nearest, linear and cubic resizing.

use crate::support::{Array, Draw, Trial, float};

/// Where an output lies between the inputs of an axis.
fn position(at: usize, size: usize, out: usize, corners: bool) -> f64 {
    if corners {
        if out == 1 { 0.0 } else { at as f64 * (size as f64 - 1.0) / (out as f64 - 1.0) }
    } else {
        (at as f64 + 0.5) * size as f64 / out as f64 - 0.5
    }
}

/// The kernel of linear interpolation at a distance.
fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

/// Keys' cubic kernel with A = -0.75.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.75;
    match x.abs() {
        x if x < 1.0 => (A + 2.0) * x.powi(3) - (A + 3.0) * x * x + 1.0,
        x if x < 2.0 => A * x.powi(3) - 5.0 * A * x * x + 8.0 * A * x - 4.0 * A,
        _ => 0.0,
    }
}

/// The weight of every input of an axis for an output; inputs beyond the edge are those at the edge.
fn weights(at: usize, size: usize, out: usize, corners: bool, kernel: fn(f64) -> f64) -> Vec<f64> {
    let place = position(at, size, out, corners);
    let mut weights = vec![0.0; size];
    for tap in place.floor() as i64 - 2..=place.floor() as i64 + 3 {
        weights[tap.clamp(0, size as i64 - 1) as usize] += kernel(place - tap as f64);
    }
    weights
}

fn resized(input: &Array, h: usize, w: usize, corners: bool, kernel: fn(f64) -> f64) -> Array {
    let [c, in_h, in_w] = input.dims[..] else { unreachable!() };
    Array::build(&[c, h, w], |i| {
        let down = weights(i[1], in_h, h, corners, kernel);
        let across = weights(i[2], in_w, w, corners, kernel);
        let mut sum = 0.0;
        for (y, wy) in down.iter().enumerate() {
            for (x, wx) in across.iter().enumerate() {
                sum += wy * wx * input.at(&[i[0], y, x]);
            }
        }
        sum
    })
}

/// The input of an output for a whole number of outputs per input or of inputs per output.
fn nearest(input: &Array, h: usize, w: usize) -> Array {
    let [c, in_h, in_w] = input.dims[..] else { unreachable!() };
    Array::build(&[c, h, w], |i| input.at(&[i[0], i[1] * in_h / h, i[2] * in_w / w]))
}

#[test]
fn linear_and_cubic_resizing_weigh_the_inputs_around() {
    for case in 0..120 {
        let mut draw = Draw::new(case);
        // A cubic needs four inputs in ncnn, and a line two.
        let (kind, kernel, least): (i32, fn(f64) -> f64, usize) =
            if draw.flag() { (2, triangle, 2) } else { (3, cubic, 4) };
        let dims = [draw.size(1, 3), draw.size(least, 8), draw.size(least, 8)];
        let (h, w) = (draw.size(1, 15), draw.size(1, 15));
        let corners = draw.flag();
        let input = draw.array(&dims, -1.0, 1.0);
        let expected = resized(&input, h, w, corners, kernel);
        let corner = u8::from(corners);
        Trial::new("Interp", format!("0={kind} 3={h} 4={w} 6={corner}"), &[&input]).gives(&expected);
        // The same by a second blob and by an expression.
        let reference = draw.array(&[1, h, w], -1.0, 1.0);
        Trial::new("Interp", format!("0={kind} 5=1 6={corner}"), &[&input, &reference]).gives(&expected);
        Trial::new("Interp", format!("0={kind} 6={corner} 9=\"1w,1h\""), &[&input, &reference]).gives(&[expected]);
    }
}

#[test]
fn nearest_resizing_repeats_or_skips_inputs() {
    for case in 0..60 {
        let mut draw = Draw::new(500 + case);
        let dims = [draw.size(1, 3), draw.size(1, 7), draw.size(1, 7)];
        let input = draw.array(&dims, -1.0, 1.0);
        let scales = [draw.pick(&[1, 2, 3, 4]), draw.pick(&[1, 2, 3, 4])];
        let (h, w) = (dims[1] * scales[0], dims[2] * scales[1]);
        let expected = nearest(&input, h, w);
        Trial::new("Interp", format!("0=1 3={h} 4={w}"), &[&input]).gives(&expected);
        let params = format!("0=1 1={} 2={}", float(scales[0] as f64), float(scales[1] as f64));
        Trial::new("Interp", params, &[&input]).gives(&[expected]);
    }
}

#[test]
fn scales_give_the_sizes_that_they_multiply_to() {
    for case in 0..40 {
        let mut draw = Draw::new(900 + case);
        let dims = [draw.size(1, 3), draw.size(4, 8), draw.size(4, 8)];
        let input = draw.array(&dims, -1.0, 1.0);
        // These scales give whole sizes; what others give differs between versions of ncnn.
        let (scale, [h, w]) = draw.pick(&[(1.5, [3, 3]), (2.0, [2, 2]), (2.5, [5, 5]), (0.5, [1, 1])]);
        let of = |size: usize, [times, _]: [usize; 2]| (size as f64 * scale).floor() as usize * times / times;
        let (h, w) = (of(dims[1], [h, 1]), of(dims[2], [w, 1]));
        if (dims[1] as f64 * scale).fract() != 0.0 || (dims[2] as f64 * scale).fract() != 0.0 {
            continue;
        }
        let params = format!("0=2 1={} 2={}", float(scale), float(scale));
        Trial::new("Interp", params, &[&input]).gives(&[resized(&input, h, w, false, triangle)]);
    }
}

#[test]
fn the_rows_of_a_matrix_are_resized_each_by_itself() {
    for case in 0..40 {
        let mut draw = Draw::new(1300 + case);
        let (kind, kernel, least): (i32, fn(f64) -> f64, usize) =
            if draw.flag() { (2, triangle, 2) } else { (3, cubic, 4) };
        let (rows, columns, w) = (draw.size(1, 4), draw.size(least, 9), draw.size(1, 15));
        let input = draw.array(&[rows, columns], -1.0, 1.0);
        let corners = draw.flag();
        let rows_as_channels = input.reshaped(&[rows, 1, columns]);
        let expected = Array::build(&[rows, w], |i| {
            let across = weights(i[1], columns, w, corners, kernel);
            across.iter().enumerate().map(|(x, weight)| weight * rows_as_channels.at(&[i[0], 0, x])).sum()
        });
        Trial::new("Interp", format!("0={kind} 3={rows} 4={w} 6={}", u8::from(corners)), &[&input]).gives(&[expected]);
    }
}

#[test]
fn the_values_of_a_vector_are_pixels_that_fill_planes() {
    let mut draw = Draw::new(3);
    for kind in 1..=3 {
        let [count, h, w] = [draw.size(1, 5), draw.size(1, 5), draw.size(1, 5)];
        let input = draw.array(&[count], -1.0, 1.0);
        let expected = Array::build(&[count, h, w], |i| input.values[i[0]]);
        Trial::new("Interp", format!("0={kind} 3={h} 4={w}"), &[&input]).gives(&[expected]);
    }
}

#[test]
fn a_constant_stays_a_constant() {
    for kind in 1..=3 {
        for corners in [0, 1] {
            let input = Array::build(&[2, 5, 6], |_| 0.75);
            for (h, w) in [(1, 1), (3, 4), (5, 6), (11, 7), (20, 24)] {
                let expected = Array::build(&[2, h, w], |_| 0.75);
                Trial::new("Interp", format!("0={kind} 3={h} 4={w} 6={corners}"), &[&input]).gives(&[expected]);
            }
        }
    }
}

#[test]
fn corners_that_are_aligned_keep_their_values() {
    let mut draw = Draw::new(4);
    for kind in 2..=3 {
        for (h, w) in [(2, 2), (9, 4), (7, 13)] {
            let input = draw.array(&[1, 5, 6], -1.0, 1.0);
            let found = Trial::new("Interp", format!("0={kind} 3={h} 4={w} 6=1"), &[&input]).run().unwrap().remove(0);
            for (y, x) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                let (there, here) = ([0, y * (h - 1), x * (w - 1)], [0, y * 4, x * 5]);
                assert!((found.at(&there) - input.at(&here)).abs() < 1e-6, "kind {kind}, {h} x {w}");
            }
        }
    }
}

#[test]
fn sizes_that_cannot_be_made_are_refused() {
    let input = Array::build(&[1, 4, 4], |_| 1.0);
    for params in ["0=0 3=2 4=2", "0=4 3=2 4=2", "0=2 3=-1 4=2", "0=2 1=0.0 2=1.0", "0=2 1=0.1 2=1.0", "0=2 5=1"] {
        Trial::new("Interp", params, &[&input]).refused();
    }
    Trial::new("Interp", "0=2 3=2 4=2", &[&Array::build(&[1, 2, 2, 2], |_| 1.0)]).refused();
}
