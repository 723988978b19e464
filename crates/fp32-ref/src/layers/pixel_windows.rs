//! Windows of a channels-last image as rows of a matrix.

use super::window::{ConvWindow, Placement};
use crate::{Pixels, Shape};

/// A channels-last image: `h · w` pixels of `c` values.
#[derive(Clone, Copy)]
pub(super) struct Image<'a> {
    pub(super) values: &'a [f32],
    pub(super) h: usize,
    pub(super) w: usize,
    pub(super) c: usize,
}

impl<'a> Image<'a> {
    /// `pixels`, which are of `shape`.
    pub(super) fn of(pixels: &'a Pixels, shape: Shape) -> Self {
        Self { values: pixels.as_slice(), h: shape.h(), w: shape.w(), c: shape.c() }
    }
}

/// Which windows of an image to copy, and which channels of them.
pub(super) struct WindowRows<'a> {
    pub(super) image: Image<'a>,
    pub(super) window: ConvWindow,
    pub(super) at: Placement,
    /// First channel and number of channels.
    pub(super) channels: (usize, usize),
    /// What stands outside the image.
    pub(super) pad_value: f32,
}

impl WindowRows<'_> {
    /// Writes the windows of the output pixels from `first` on, one per row:
    /// kernel row by kernel row, kernel column by kernel column, channel by channel.
    pub(super) fn fill(&self, first: usize, rows: &mut [f32]) {
        let ConvWindow { kernel_h, kernel_w, stride_h, stride_w, dilation_h, .. } = self.window;
        let line = kernel_w * self.channels.1;
        for (index, row) in rows.chunks_exact_mut(kernel_h * line).enumerate() {
            let (out_y, out_x) = ((first + index) / self.at.out_w, (first + index) % self.at.out_w);
            for (tap_y, line) in row.chunks_exact_mut(line).enumerate() {
                match (out_y * stride_h + tap_y * dilation_h).checked_sub(self.at.top) {
                    Some(y) if y < self.image.h => self.fill_line(y, out_x * stride_w, line),
                    _ => line.fill(self.pad_value),
                }
            }
        }
    }

    /// Writes one kernel row that begins in column `x` of the padded image row `y`.
    fn fill_line(&self, y: usize, x: usize, line: &mut [f32]) {
        let Image { values, w, c, .. } = self.image;
        let (channel, len) = self.channels;
        let dilation = self.window.dilation_w;
        let source = &values[y * w * c..(y + 1) * w * c];
        if dilation == 1 && len == c && x >= self.at.left && x - self.at.left + self.window.kernel_w <= w {
            let start = (x - self.at.left) * c;
            line.copy_from_slice(&source[start..start + line.len()]);
            return;
        }
        for (tap, part) in line.chunks_exact_mut(len).enumerate() {
            match (x + tap * dilation).checked_sub(self.at.left) {
                Some(x) if x < w => part.copy_from_slice(&source[x * c + channel..x * c + channel + len]),
                _ => part.fill(self.pad_value),
            }
        }
    }
}
