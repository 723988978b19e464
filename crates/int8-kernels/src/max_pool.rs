//! The largest value of every window of an int8 image.
//!
//! Quantization is monotone, so pooling int8 values gives the bits that pooling floats and then
//! quantizing would. No average is here: an average of floats rounds at every addition, and no
//! integer sum has those bits.

use std::ops::Range;

use crate::error::Error;
use crate::geometry::{ConvShape, Padding};
use crate::image::{Image, check_extent, check_rows, larger, stored};
use crate::isa::Isa;
use crate::micro_kernel::kernels_of;
use crate::sink::Place;

/// The windows of a pooling layer. Elements outside the image never win.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolWindow {
    /// Rows of a window.
    pub kernel_h: usize,
    /// Columns of a window.
    pub kernel_w: usize,
    /// Input rows from one window to the next.
    pub stride_h: usize,
    /// Input columns from one window to the next.
    pub stride_w: usize,
    /// Rows above and below, columns left and right; its `value` is not used.
    pub padding: Padding,
}

impl PoolWindow {
    /// Height and width of the output; `None` if the window does not fit the padded image.
    pub fn output_size(&self, height: usize, width: usize) -> Option<(usize, usize)> {
        let shape = ConvShape {
            kernel_h: self.kernel_h,
            kernel_w: self.kernel_w,
            stride_h: self.stride_h,
            stride_w: self.stride_w,
            ..ConvShape::pointwise(1, 1)
        };
        shape.output_size(height, width, &self.padding)
    }

    /// The part of the input that window `index` of an axis covers.
    fn span(index: usize, stride: usize, kernel: usize, before: usize, size: usize) -> Range<usize> {
        let start = (index * stride).saturating_sub(before);
        let end = (index * stride + kernel).saturating_sub(before).min(size);
        start.min(end)..end
    }
}

/// Windows of one size, `step` bytes apart.
#[derive(Debug, Clone, Copy)]
pub struct MaxWindows<'a> {
    /// Stored values.
    pub bytes: &'a [u8],
    /// First channel of the first pixel of the first window.
    pub start: usize,
    /// Rows of a window and bytes between them.
    pub rows: (usize, usize),
    /// Columns of a window and bytes between them.
    pub columns: (usize, usize),
    /// Number of windows.
    pub count: usize,
    /// Bytes from one window to the next.
    pub step: usize,
    /// Channels.
    pub channels: usize,
    /// Bytes from one pixel of the output to the next.
    pub out_step: usize,
}

/// Writes the rows `rows` of the pooled image; `out` begins at the first of them, its channels lie
/// as `place` says. A window that is all padding gives −127.
///
/// # Errors
/// `Zero` for a window or stride of zero, `KernelTooLarge` if the window does not fit, `Rows` beyond the output,
/// `TooShort` or `PixelStride` if `out` does not hold the rows.
pub fn max_pool(
    input: &Image<'_>,
    window: &PoolWindow,
    rows: Range<usize>,
    out: &mut [u8],
    place: Place,
    isa: Isa,
) -> Result<(), Error> {
    if window.kernel_h == 0 || window.kernel_w == 0 {
        return Err(Error::Zero { what: "pooling window" });
    }
    let (height, width) = window.output_size(input.height(), input.width()).ok_or(Error::KernelTooLarge {
        kernel: (window.kernel_h, window.kernel_w),
        input: (input.height(), input.width()),
    })?;
    check_rows(&rows, height)?;
    let end = place.first_channel.checked_add(input.channels()).ok_or(Error::TooLarge { what: "sink" })?;
    check_extent("sink", out.len(), rows.len(), width, end, place.pixel_stride)?;
    let kernels = kernels_of(isa).ok_or(Error::NoKernel { isa: isa.name() })?;
    let padding = &window.padding;
    let first_row = rows.start;
    for out_y in rows {
        let span_y = PoolWindow::span(out_y, window.stride_h, window.kernel_h, padding.top, input.height());
        let mut x = 0;
        while x < width {
            let span_x = PoolWindow::span(x, window.stride_w, window.kernel_w, padding.left, input.width());
            // Windows that no border cuts are computed together.
            let whole = (input.width() + padding.left).checked_sub(x * window.stride_w + window.kernel_w);
            let count = match whole {
                Some(rest) if span_x.len() == window.kernel_w => (rest / window.stride_w + 1).min(width - x),
                _ => 1,
            };
            let start = ((out_y - first_row) * width + x) * place.pixel_stride + place.first_channel;
            let windows = MaxWindows {
                bytes: input.bytes(),
                start: (span_y.start * input.width() + span_x.start) * input.pixel_stride(),
                rows: (span_y.len(), input.width() * input.pixel_stride()),
                columns: (span_x.len(), input.pixel_stride()),
                count,
                step: window.stride_w * input.pixel_stride(),
                channels: input.channels(),
                out_step: place.pixel_stride,
            };
            (kernels.rows.max)(&windows, &mut out[start..]);
            x += count;
        }
    }
    Ok(())
}

/// The largest bytes of every window, `N` channels at a time, then 16, then one by one.
#[inline(always)]
pub(crate) fn largest<const N: usize>(windows: &MaxWindows<'_>, out: &mut [u8]) {
    for (index, out) in out.chunks_mut(windows.out_step).take(windows.count).enumerate() {
        let start = windows.start + index * windows.step;
        let out = &mut out[..windows.channels];
        let wide = out.len() / N * N;
        let (wide_out, rest) = out.split_at_mut(wide);
        for (chunk, out) in wide_out.as_chunks_mut::<N>().0.iter_mut().enumerate() {
            *out = largest_chunk(windows, start + chunk * N);
        }
        let (chunks, rest) = rest.as_chunks_mut::<16>();
        let at = start + wide;
        let narrow = chunks.len() * 16;
        for (chunk, out) in chunks.iter_mut().enumerate() {
            *out = largest_chunk(windows, at + chunk * 16);
        }
        for (channel, out) in rest.iter_mut().enumerate() {
            [*out] = largest_chunk(windows, at + narrow + channel);
        }
    }
}

/// The largest of `N` channels of one window.
#[inline(always)]
fn largest_chunk<const N: usize>(windows: &MaxWindows<'_>, start: usize) -> [u8; N] {
    let mut best = [stored(-127); N];
    for y in 0..windows.rows.0 {
        for x in 0..windows.columns.0 {
            let at = start + y * windows.rows.1 + x * windows.columns.1;
            let Some(bytes) = windows.bytes.get(at..).and_then(|bytes| bytes.first_chunk::<N>()) else { return best };
            for (best, &byte) in best.iter_mut().zip(bytes) {
                *best = larger(*best, byte);
            }
        }
    }
    best
}
