//! Convolving every channel by itself.

use std::ops::Range;

use super::pixel_windows::Image;
use super::window::{ConvWindow, Placement};
use crate::simd::vectorized;
use crate::{Activate, Activation};

/// One kernel per channel.
pub(super) struct DepthWiseKernel {
    window: ConvWindow,
    /// `[kernel_h][kernel_w][channels]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
    pad_value: f32,
    activation: Activation,
}

impl DepthWiseKernel {
    /// `weights` are `[channels][kernel_h][kernel_w]` in row-major order.
    pub(super) fn new(
        window: ConvWindow,
        weights: &[f32],
        bias: Vec<f32>,
        pad_value: f32,
        activation: Activation,
    ) -> Self {
        let taps = weights.len() / bias.len();
        let ordered = (0..taps).flat_map(|tap| weights.iter().skip(tap).step_by(taps)).copied().collect();
        Self { window, weights: ordered, bias, pad_value, activation }
    }

    /// Convolves `image` into `output`, `[out_h · out_w][channels]`.
    pub(super) fn apply(&self, image: Image<'_>, at: Placement, output: &mut [f32]) {
        vectorized(
            #[inline(always)]
            || {
                for (out_y, row) in output.chunks_exact_mut(at.out_w * image.c).enumerate() {
                    let rows = taps(
                        out_y * self.window.stride_h,
                        at.top,
                        image.h,
                        self.window.dilation_h,
                        self.window.kernel_h,
                    );
                    let inner = if rows.count == self.window.kernel_h { self.inner(at, image.w) } else { 0..0 };
                    match (self.window.kernel_h, self.window.kernel_w) {
                        _ if inner.is_empty() => {}
                        (3, 3) => self.row::<3>(image, rows.source, at.left, inner.clone(), row),
                        (5, 5) => self.row::<5>(image, rows.source, at.left, inner.clone(), row),
                        _ => {}
                    }
                    for (out_x, pixel) in row.chunks_exact_mut(image.c).enumerate() {
                        if !inner.contains(&out_x) {
                            let start = out_x * self.window.stride_w;
                            let columns = taps(start, at.left, image.w, self.window.dilation_w, self.window.kernel_w);
                            self.pixel(image, &rows, &columns, pixel);
                        }
                    }
                    self.activation.apply_all(row);
                }
            },
        );
    }

    /// The columns of the output whose windows lie in the image, for kernels that have a fast way.
    fn inner(&self, at: Placement, w: usize) -> Range<usize> {
        let ConvWindow { kernel_h, kernel_w, stride_w, dilation_h, dilation_w, .. } = self.window;
        let fast = kernel_h == kernel_w && matches!(kernel_w, 3 | 5) && (dilation_h, dilation_w) == (1, 1);
        let start = at.left.div_ceil(stride_w);
        let end = (at.left + w).checked_sub(kernel_w).map_or(0, |last| (last / stride_w + 1).min(at.out_w));
        if fast && start < end { start..end } else { 0..0 }
    }

    /// The pixels `inner` of a row; their windows begin in row `y` of the image and lie in it.
    #[inline(always)]
    fn row<const K: usize>(&self, image: Image<'_>, y: usize, left: usize, inner: Range<usize>, output: &mut [f32]) {
        let c = image.c;
        let lines: [&[f32]; K] = std::array::from_fn(|row| &image.values[(y + row) * image.w * c..][..image.w * c]);
        let weights: [[&[f32]; K]; K] =
            std::array::from_fn(|row| std::array::from_fn(|column| &self.weights[(row * K + column) * c..][..c]));
        for out_x in inner {
            let x = out_x * self.window.stride_w - left;
            let values: [[&[f32]; K]; K] =
                std::array::from_fn(|row| std::array::from_fn(|column| &lines[row][(x + column) * c..][..c]));
            let output = &mut output[out_x * c..][..c];
            let bias = &self.bias[..c];
            let mut channel = 0;
            while channel + WIDE <= c {
                whole_window::<K, WIDE>(&values, &weights, bias, channel, output);
                channel += WIDE;
            }
            while channel + NARROW <= c {
                whole_window::<K, NARROW>(&values, &weights, bias, channel, output);
                channel += NARROW;
            }
            while channel < c {
                whole_window::<K, 1>(&values, &weights, bias, channel, output);
                channel += 1;
            }
        }
    }

    /// All channels of one pixel.
    #[inline(always)]
    fn pixel(&self, image: Image<'_>, rows: &Taps, columns: &Taps, output: &mut [f32]) {
        let mut channel = 0;
        while channel + WIDE <= output.len() {
            self.channels::<WIDE>(image, rows, columns, channel, output);
            channel += WIDE;
        }
        while channel + NARROW <= output.len() {
            self.channels::<NARROW>(image, rows, columns, channel, output);
            channel += NARROW;
        }
        while channel < output.len() {
            self.channels::<1>(image, rows, columns, channel, output);
            channel += 1;
        }
    }

    /// `N` channels from `channel` on, the taps in row-major order.
    #[inline(always)]
    fn channels<const N: usize>(
        &self,
        image: Image<'_>,
        rows: &Taps,
        columns: &Taps,
        channel: usize,
        output: &mut [f32],
    ) {
        let c = image.c;
        let mut sums = [0.0; N];
        sums.copy_from_slice(&self.bias[channel..channel + N]);
        if self.pad_value != 0.0 {
            sums = self.with_padding(rows, columns, channel, c, sums);
        }
        for row in 0..rows.count {
            let source = (rows.source + row * self.window.dilation_h) * image.w + columns.source;
            let tap = (rows.first + row) * self.window.kernel_w + columns.first;
            for column in 0..columns.count {
                let start = (source + column * self.window.dilation_w) * c + channel;
                let values = &image.values[start..start + N];
                let start = (tap + column) * c + channel;
                let weights = &self.weights[start..start + N];
                for i in 0..N {
                    sums[i] += values[i] * weights[i];
                }
            }
        }
        output[channel..channel + N].copy_from_slice(&sums);
    }

    /// Adds the taps that meet no pixel.
    fn with_padding<const N: usize>(
        &self,
        rows: &Taps,
        columns: &Taps,
        channel: usize,
        c: usize,
        mut sums: [f32; N],
    ) -> [f32; N] {
        for tap_y in 0..self.window.kernel_h {
            for tap_x in 0..self.window.kernel_w {
                if !(rows.meet(tap_y) && columns.meet(tap_x)) {
                    let start = (tap_y * self.window.kernel_w + tap_x) * c + channel;
                    for (sum, weight) in sums.iter_mut().zip(&self.weights[start..]) {
                        *sum += self.pad_value * weight;
                    }
                }
            }
        }
        sums
    }
}

/// `N` channels from `channel` on of one pixel; all slices are as long as there are channels.
#[inline(always)]
fn whole_window<const K: usize, const N: usize>(
    values: &[[&[f32]; K]; K],
    weights: &[[&[f32]; K]; K],
    bias: &[f32],
    channel: usize,
    output: &mut [f32],
) {
    let mut sums = [0.0; N];
    sums.copy_from_slice(&bias[channel..channel + N]);
    for row in 0..K {
        for column in 0..K {
            let values = &values[row][column][channel..channel + N];
            let weights = &weights[row][column][channel..channel + N];
            for i in 0..N {
                sums[i] += values[i] * weights[i];
            }
        }
    }
    output[channel..channel + N].copy_from_slice(&sums);
}

/// Channels worked on at a time.
const WIDE: usize = 16;
/// The same for what remains of them.
const NARROW: usize = 8;

/// The taps of a window that meet the image, along one axis.
pub(super) struct Taps {
    /// The first tap.
    pub(super) first: usize,
    /// How many meet.
    pub(super) count: usize,
    /// Where in the image the first one is.
    pub(super) source: usize,
}

impl Taps {
    fn meet(&self, tap: usize) -> bool {
        (self.first..self.first + self.count).contains(&tap)
    }
}

/// Taps of a window that begins at `start` of an axis of `size` with `before` padding.
#[inline(always)]
pub(super) fn taps(start: usize, before: usize, size: usize, dilation: usize, kernel: usize) -> Taps {
    let first = before.saturating_sub(start).div_ceil(dilation).min(kernel);
    let source = (start + first * dilation).saturating_sub(before);
    let count = if source < size { (size - source).div_ceil(dilation).min(kernel - first) } else { 0 };
    Taps { first, count, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_outside_are_left_out() {
        let found = |start, before, size, dilation, kernel| {
            let taps = taps(start, before, size, dilation, kernel);
            (taps.first, taps.count, taps.source)
        };
        assert_eq!(found(0, 1, 5, 1, 3), (1, 2, 0));
        assert_eq!(found(2, 1, 5, 1, 3), (0, 3, 1));
        assert_eq!(found(4, 1, 5, 1, 3), (0, 2, 3));
        assert_eq!(found(0, 3, 5, 2, 3), (2, 1, 1));
        assert_eq!(found(9, 1, 5, 1, 3).1, 0);
        assert_eq!(found(0, 9, 5, 1, 3).1, 0);
    }
}
