//! The largest value of every window of an int8 image.
//!
//! Quantization is monotone, so pooling int8 values gives the bits that pooling floats and then
//! quantizing would. No average is here: an average of floats rounds at every addition, and no
//! integer sum has those bits.

use std::ops::Range;

use crate::arch::kernels_of;
use crate::contract::MaxWindows;
use crate::error::Error;
use crate::geometry::{ConvShape, Padding};
use crate::image::{Image, check_extent, check_rows};
use crate::isa::Isa;
use crate::sink::Place;

/// The windows of a pooling layer. Elements outside the image never win.
///
/// ```
/// use int8_kernels::{Image, Isa, Padding, Place, PoolWindow, max_pool, stored, unstored};
///
/// let window = PoolWindow { kernel_h: 1, kernel_w: 2, stride_h: 1, stride_w: 1, padding: Padding::default() };
/// let bytes = [3, -5, 4].map(stored);
/// let mut out = [0; 2];
/// max_pool(&Image::new(&bytes, 1, 3, 1, 1)?, &window, 0..1, &mut out, Place::whole(1), Isa::detect())?;
/// assert_eq!(out.map(unstored), [3, 4]);
/// # Ok::<(), int8_kernels::Error>(())
/// ```
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
    for (what, size) in [
        ("pooling window", window.kernel_h.min(window.kernel_w)),
        ("pooling stride", window.stride_h.min(window.stride_w)),
    ] {
        if size == 0 {
            return Err(Error::Zero { what });
        }
    }
    let (height, width) = window.output_size(input.height(), input.width()).ok_or(Error::KernelTooLarge {
        kernel: (window.kernel_h, window.kernel_w),
        input: (input.height(), input.width()),
    })?;
    check_rows(&rows, height)?;
    let end = place.first_channel.checked_add(input.channels()).ok_or(Error::TooLarge { what: "sink" })?;
    check_extent("sink", out.len(), rows.len(), width, end, place.pixel_stride)?;
    let kernels = kernels_of(isa);
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
            // Nothing is read for a window of nothing but padding, which may lie far beyond the bytes.
            let is_padding = span_y.is_empty() || span_x.is_empty();
            let start = ((out_y - first_row) * width + x) * place.pixel_stride + place.first_channel;
            let windows = MaxWindows {
                bytes: input.bytes(),
                start: if is_padding {
                    0
                } else {
                    (span_y.start * input.width() + span_x.start) * input.pixel_stride()
                },
                rows: (span_y.len(), input.width() * input.pixel_stride()),
                columns: (span_x.len(), input.pixel_stride()),
                count,
                // The step of a single window may be any number, and nobody goes that way.
                step: window.stride_w.saturating_mul(input.pixel_stride()),
                channels: input.channels(),
                out_step: place.pixel_stride,
            };
            kernels.rows.max(&windows, &mut out[start..]);
            x += count;
        }
    }
    Ok(())
}
