//! The columns of a convolution: for each output pixel the inputs that it sums.

use std::ops::Range;

use crate::geometry::{ConvShape, Padding, inside};

/// One group's input planes and the geometry that turns them into columns.
pub(crate) struct Patches<'a> {
    pub(crate) shape: &'a ConvShape,
    pub(crate) padding: &'a Padding,
    /// `[channels of the group][height][width]`.
    pub(crate) input: &'a [i8],
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) out_width: usize,
}

impl Patches<'_> {
    /// Writes the columns of a range of output pixels into `columns`, laid out
    /// `[channel][kernel row][kernel column][pixel]`, the order of the weights' depth.
    pub(crate) fn write(&self, pixels: Range<usize>, columns: &mut Vec<i8>) {
        columns.clear();
        for plane in self.input.chunks_exact(self.height * self.width) {
            for kernel_y in 0..self.shape.kernel_h {
                for kernel_x in 0..self.shape.kernel_w {
                    self.write_tap(plane, kernel_y, kernel_x, pixels.clone(), columns);
                }
            }
        }
    }

    /// What one tap of the kernel reads for a range of output pixels, output row by output row.
    fn write_tap(&self, plane: &[i8], kernel_y: usize, kernel_x: usize, pixels: Range<usize>, columns: &mut Vec<i8>) {
        let (shape, padding) = (self.shape, self.padding);
        let tap_x = kernel_x * shape.dilation_w;
        let within = inside(tap_x, shape.stride_w, padding.left, self.width, self.out_width);
        let mut pixel = pixels.start;
        while pixel < pixels.end {
            let (out_y, out_x) = (pixel / self.out_width, pixel % self.out_width);
            let end = self.out_width.min(out_x + (pixels.end - pixel));
            pixel += end - out_x;
            let y = out_y * shape.stride_h + kernel_y * shape.dilation_h;
            let row = y.checked_sub(padding.top).filter(|&y| y < self.height);
            let (from, to) = match row {
                Some(_) => (within.start.clamp(out_x, end), within.end.clamp(out_x, end)),
                None => (end, end),
            };
            columns.resize(columns.len() + (from - out_x), padding.value);
            if let (Some(y), true) = (row, from < to) {
                let first = y * self.width + from * shape.stride_w + tap_x - padding.left;
                let values = &plane[first..=first + (to - from - 1) * shape.stride_w];
                match shape.stride_w {
                    1 => columns.extend_from_slice(values),
                    stride => columns.extend(values.iter().step_by(stride)),
                }
            }
            columns.resize(columns.len() + (end - to), padding.value);
        }
    }
}
