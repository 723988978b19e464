//! Convolution of every channel with a kernel of its own.

use crate::geometry::{ConvShape, Padding, inside};

/// Convolves one plane; `out` is `[out height][out width]`, overwritten.
///
/// Each tap of the kernel adds its product to a whole row of sums at once: there is no reuse across
/// channels that a matrix product could exploit.
pub(crate) fn convolve_plane(
    shape: &ConvShape,
    weights: &[i8],
    plane: &[i8],
    width: usize,
    padding: &Padding,
    out: &mut [i32],
    out_width: usize,
) {
    let height = plane.len() / width;
    for (out_y, sums) in out.chunks_exact_mut(out_width).enumerate() {
        sums.fill(0);
        for (kernel_y, weights) in weights.chunks_exact(shape.kernel_w).enumerate() {
            let y = out_y * shape.stride_h + kernel_y * shape.dilation_h;
            let row = match y.checked_sub(padding.top) {
                Some(y) if y < height => Some(&plane[y * width..][..width]),
                _ => None,
            };
            add_row(shape, weights, row, padding, width, sums);
        }
    }
}

/// Adds the products of one row of the kernel; `row` is `None` where it meets only padding.
fn add_row(shape: &ConvShape, weights: &[i8], row: Option<&[i8]>, padding: &Padding, width: usize, sums: &mut [i32]) {
    for (kernel_x, &weight) in weights.iter().enumerate() {
        let weight = i32::from(weight);
        let tap = kernel_x * shape.dilation_w;
        let within = match row {
            Some(_) => inside(tap, shape.stride_w, padding.left, width, sums.len()),
            None => 0..0,
        };
        if padding.value != 0 {
            let product = weight * i32::from(padding.value);
            let outside = (0..within.start).chain(within.end..sums.len());
            outside.for_each(|x| sums[x] = sums[x].wrapping_add(product));
        }
        if let (Some(row), false) = (row, within.is_empty()) {
            let values = &row[within.start * shape.stride_w + tap - padding.left..];
            let sums = &mut sums[within];
            match shape.stride_w {
                1 => add_products(sums, values.iter(), weight),
                2 => add_every_second(sums, values, weight),
                stride => add_products(sums, values.iter().step_by(stride), weight),
            }
        }
    }
}

fn add_products<'a>(sums: &mut [i32], values: impl Iterator<Item = &'a i8>, weight: i32) {
    for (sum, &x) in sums.iter_mut().zip(values) {
        *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(x)));
    }
}

/// Stride 2 in pairs, which compilers turn into vector code where `step_by` stays scalar.
fn add_every_second(sums: &mut [i32], values: &[i8], weight: i32) {
    let (pairs, last) = values.as_chunks::<2>();
    let count = pairs.len().min(sums.len());
    let (paired, rest) = sums.split_at_mut(count);
    for (sum, pair) in paired.iter_mut().zip(pairs) {
        *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(pair[0])));
    }
    add_products(rest, last.iter(), weight);
}
