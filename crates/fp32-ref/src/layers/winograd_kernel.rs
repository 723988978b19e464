//! 3×3 convolution by Winograd's minimal filtering, F(4×4, 3×3).
//!
//! A tile of 4×4 results takes 36 products per pair of channels in place of 144
//! (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015,
//! with the interpolation points 0, ±1, ±2 and infinity). In f32 the results
//! differ from the plain sum by about 1e-5 of the largest value.

use std::array::from_fn;

use ncnn_format::Result;

use super::packed_weights::PackedWeights;
use super::pixel_windows::Image;
use super::window::Placement;
use crate::simd::vectorized;
use crate::{Activate, Activation, Workspace};

/// The transformed kernels: one matrix per element of a 6×6 tile.
pub(super) struct WinogradKernel {
    elements: Vec<PackedWeights>,
}

/// What the convolution adds to the products.
#[derive(Clone, Copy)]
pub(super) struct Finish<'a> {
    pub(super) bias: &'a [f32],
    pub(super) activation: Activation,
    /// What stands outside the image.
    pub(super) pad_value: f32,
}

/// Rows and columns of a tile of results.
const TILE: usize = 4;
/// Rows and columns of the input of a tile.
const PATCH: usize = TILE + 2;
/// Channels worked on at a time.
const WIDE: usize = 16;
/// Transformed inputs and results of a block of tiles have about this many elements.
const BLOCK_ELEMENTS: usize = 3 << 17;

impl WinogradKernel {
    /// `weights` are `[outputs][channels][3][3]` in row-major order.
    pub(super) fn new(weights: &[f32], outputs: usize) -> Result<Self> {
        let mut elements = vec![vec![0.0; weights.len() / 9]; PATCH * PATCH];
        for (pair, kernel) in weights.chunks_exact(9).enumerate() {
            let kernel: [[f64; 3]; 3] = from_fn(|y| from_fn(|x| f64::from(kernel[3 * y + x])));
            let columns: [[f64; PATCH]; 3] = from_fn(|x| transform_kernel(kernel.map(|row| row[x])));
            for y in 0..PATCH {
                for (x, value) in transform_kernel(columns.map(|column| column[y])).into_iter().enumerate() {
                    elements[PATCH * y + x][pair] = value as f32;
                }
            }
        }
        let elements = elements.iter().map(|element| PackedWeights::new(element, outputs)).collect::<Result<_>>()?;
        Ok(Self { elements })
    }

    /// Whether this pays for results of `at`: every tile multiplies all transformed kernels,
    /// which are four times as large as the plain ones.
    pub(super) fn pays(at: Placement) -> bool {
        at.out_h.div_ceil(TILE) * at.out_w.div_ceil(TILE) >= LEAST_TILES
    }

    /// Convolves `image` into `output`, `[out_h · out_w][outputs]`.
    pub(super) fn apply(
        &self,
        image: Image<'_>,
        at: Placement,
        finish: Finish<'_>,
        output: &mut [f32],
        workspace: &mut Workspace,
    ) -> Result<()> {
        let (channels, outputs) = (image.c, finish.bias.len());
        let columns = at.out_w.div_ceil(TILE);
        let tiles = at.out_h.div_ceil(TILE) * columns;
        let block = (BLOCK_ELEMENTS / (PATCH * PATCH * (channels + outputs))).clamp(48, 512).min(tiles);
        let mut patches = workspace.take(PATCH * PATCH * block * channels);
        let mut products = workspace.take(PATCH * PATCH * block * outputs);
        for first in (0..tiles).step_by(block) {
            let count = block.min(tiles - first);
            let patches = &mut patches[..PATCH * PATCH * count * channels];
            let products = &mut products[..PATCH * PATCH * count * outputs];
            let places = (first..first + count).map(|tile| (tile / columns * TILE, tile % columns * TILE));
            vectorized(
                #[inline(always)]
                || {
                    for (index, (y, x)) in places.clone().enumerate() {
                        read_tile(image, at, finish.pad_value, (y, x), index, count, patches);
                    }
                },
            );
            let elements = self.elements.iter().zip(patches.chunks_exact(count * channels));
            for ((weights, patch), product) in elements.zip(products.chunks_exact_mut(count * outputs)) {
                weights.multiply(patch, channels, None, product)?;
            }
            vectorized(
                #[inline(always)]
                || {
                    for (index, (y, x)) in places.clone().enumerate() {
                        write_tile(products, index, count, finish, (y, x), at, output);
                    }
                },
            );
        }
        workspace.give(patches);
        workspace.give(products);
        Ok(())
    }
}

/// With fewer tiles than this, reading the kernels takes longer than is saved.
const LEAST_TILES: usize = 12;

/// Transforms the input of the tile whose first result is at `(y, x)`.
#[inline(always)]
fn read_tile(
    image: Image<'_>,
    at: Placement,
    pad_value: f32,
    (y, x): (usize, usize),
    index: usize,
    count: usize,
    patches: &mut [f32],
) {
    let mut channel = 0;
    while channel + WIDE <= image.c {
        read_channels::<WIDE>(image, at, pad_value, (y, x), channel, index, count, patches);
        channel += WIDE;
    }
    while channel < image.c {
        read_channels::<1>(image, at, pad_value, (y, x), channel, index, count, patches);
        channel += 1;
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments, clippy::needless_range_loop, reason = "one loop body, split off for its constant")]
fn read_channels<const N: usize>(
    image: Image<'_>,
    at: Placement,
    pad_value: f32,
    (y, x): (usize, usize),
    channel: usize,
    index: usize,
    count: usize,
    patches: &mut [f32],
) {
    let pixel = |row: usize, column: usize| -> [f32; N] {
        let inside = (y + row).checked_sub(at.top).zip((x + column).checked_sub(at.left));
        match inside.filter(|&(y, x)| y < image.h && x < image.w) {
            Some((y, x)) => {
                let mut values = [0.0; N];
                values.copy_from_slice(&image.values[(y * image.w + x) * image.c + channel..][..N]);
                values
            }
            None => [pad_value; N],
        }
    };
    // Columns first, then rows. Loops, as `from_fn` is not inlined into vector code.
    let mut columns = [[[0.0; N]; PATCH]; PATCH];
    for column in 0..PATCH {
        for row in 0..PATCH {
            columns[column][row] = pixel(row, column);
        }
        columns[column] = transform_input(columns[column]);
    }
    for row in 0..PATCH {
        let mut line = [[0.0; N]; PATCH];
        for column in 0..PATCH {
            line[column] = columns[column][row];
        }
        let values = transform_input(line);
        for (column, values) in values.iter().enumerate() {
            let start = ((row * PATCH + column) * count + index) * image.c + channel;
            patches[start..start + N].copy_from_slice(values);
        }
    }
}

/// Writes the results of the tile whose first result is at `(y, x)`.
#[inline(always)]
fn write_tile(
    products: &[f32],
    index: usize,
    count: usize,
    finish: Finish<'_>,
    (y, x): (usize, usize),
    at: Placement,
    output: &mut [f32],
) {
    let outputs = finish.bias.len();
    let mut channel = 0;
    while channel + WIDE <= outputs {
        write_channels::<WIDE>(products, index, count, finish, (y, x), at, channel, output);
        channel += WIDE;
    }
    while channel < outputs {
        write_channels::<1>(products, index, count, finish, (y, x), at, channel, output);
        channel += 1;
    }
}

#[inline(always)]
#[allow(clippy::too_many_arguments, clippy::needless_range_loop, reason = "one loop body, split off for its constant")]
fn write_channels<const N: usize>(
    products: &[f32],
    index: usize,
    count: usize,
    finish: Finish<'_>,
    (y, x): (usize, usize),
    at: Placement,
    channel: usize,
    output: &mut [f32],
) {
    let outputs = finish.bias.len();
    let product = |row: usize, column: usize| -> [f32; N] {
        let mut values = [0.0; N];
        let start = ((row * PATCH + column) * count + index) * outputs + channel;
        values.copy_from_slice(&products[start..start + N]);
        values
    };
    let mut columns = [[[0.0; N]; TILE]; PATCH];
    for column in 0..PATCH {
        let mut line = [[0.0; N]; PATCH];
        for row in 0..PATCH {
            line[row] = product(row, column);
        }
        columns[column] = transform_output(line);
    }
    for row in 0..TILE.min(at.out_h - y) {
        let mut line = [[0.0; N]; PATCH];
        for column in 0..PATCH {
            line[column] = columns[column][row];
        }
        let values = transform_output(line);
        for (column, values) in values.iter().enumerate().take(at.out_w - x) {
            let start = ((y + row) * at.out_w + x + column) * outputs + channel;
            let output = &mut output[start..start + N];
            for (i, result) in output.iter_mut().enumerate() {
                *result = values[i] + finish.bias[channel + i];
            }
            finish.activation.apply_all(output);
        }
    }
}

/// `Bᵀ · d` for one line of the input.
#[inline(always)]
fn transform_input<const N: usize>(d: [[f32; N]; PATCH]) -> [[f32; N]; PATCH] {
    let mut out = [[0.0; N]; PATCH];
    for i in 0..N {
        let [d0, d1, d2, d3, d4, d5] = [d[0][i], d[1][i], d[2][i], d[3][i], d[4][i], d[5][i]];
        let (even, odd) = (d4 - 4.0 * d2, d3 - 4.0 * d1);
        let (even2, odd2) = (d4 - d2, 2.0 * (d3 - d1));
        out[0][i] = 4.0 * d0 - 5.0 * d2 + d4;
        out[1][i] = even + odd;
        out[2][i] = even - odd;
        out[3][i] = even2 + odd2;
        out[4][i] = even2 - odd2;
        out[5][i] = 4.0 * d1 - 5.0 * d3 + d5;
    }
    out
}

/// `Aᵀ · m` for one line of products.
#[inline(always)]
fn transform_output<const N: usize>(m: [[f32; N]; PATCH]) -> [[f32; N]; TILE] {
    let mut out = [[0.0; N]; TILE];
    for i in 0..N {
        let (sum, difference) = (m[1][i] + m[2][i], m[1][i] - m[2][i]);
        let (sum2, difference2) = (m[3][i] + m[4][i], m[3][i] - m[4][i]);
        out[0][i] = m[0][i] + sum + sum2;
        out[1][i] = difference + 2.0 * difference2;
        out[2][i] = sum + 4.0 * sum2;
        out[3][i] = difference + 8.0 * difference2 + m[5][i];
    }
    out
}

/// `G · g` for one line of a kernel.
fn transform_kernel([a, b, c]: [f64; 3]) -> [f64; PATCH] {
    [a / 4.0, -(a + b + c) / 6.0, (-a + b - c) / 6.0, (a + 2.0 * b + 4.0 * c) / 24.0, (a - 2.0 * b + 4.0 * c) / 24.0, c]
}

#[cfg(test)]
mod tests {
    use super::super::dense_kernel::DenseKernel;
    use super::super::window::{ConvWindow, Pads};
    use super::*;

    #[test]
    fn results_are_those_of_the_plain_convolution() {
        let pads = |top, bottom, left, right| Pads::Exact { top, bottom, left, right };
        for (h, w, channels, outputs, pads, pad_value) in [
            (14, 14, 32, 32, pads(1, 1, 1, 1), 0.0),
            (13, 17, 25, 24, pads(0, 2, 1, 0), 0.5),
            (12, 19, 33, 41, Pads::NONE, 0.0),
            (15, 15, 24, 40, pads(3, 0, 0, 4), -2.0),
        ] {
            let window =
                ConvWindow { kernel_h: 3, kernel_w: 3, stride_h: 1, stride_w: 1, dilation_h: 1, dilation_w: 1, pads };
            let at = window.place(h, w).unwrap();
            assert!(WinogradKernel::pays(at));
            let values = |len: usize, seed: f32| (0..len).map(|i| (i as f32 * 1.7 + seed).sin()).collect::<Vec<_>>();
            let input = values(h * w * channels, 0.3);
            let image = Image { values: &input, h, w, c: channels };
            let mut results = [true, false].map(|winograd| {
                let weights = values(outputs * channels * 9, 0.9);
                let bias = values(outputs, 0.1);
                let kernel = DenseKernel::new(window, weights, bias, 1, pad_value, Activation::Relu, winograd).unwrap();
                let mut output = vec![f32::NAN; at.out_h * at.out_w * outputs];
                kernel.apply(image, at, &mut output, &mut Workspace::default()).unwrap();
                output
            });
            let [fast, plain] = &mut results;
            let largest = plain.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
            for (a, b) in fast.iter().zip(plain) {
                // The transforms multiply by up to 8, which costs a digit.
                assert!((a - *b).abs() <= 2e-5 * largest, "found {a}, expected {b} of {largest}");
            }
        }
    }
}
