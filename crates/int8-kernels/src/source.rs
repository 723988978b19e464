//! Where kernels read: the input itself, or a copy of some rows with their padding.

use std::ops::Range;

use crate::geometry::{ConvShape, Padding};
use crate::image::{Image, stored};

/// Bytes that a kernel may read beyond the last pixel of a copy.
const SLACK: usize = 64;

/// Windows of output pixels over bytes: the window of output `(y, x)`, counted from the first row of
/// the band, starts at `origin + y · line_step + x · pixel_step`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Source<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) origin: usize,
    pub(crate) line_step: usize,
    pub(crate) pixel_step: usize,
    /// Bytes from one input row to the next.
    pub(crate) row_stride: usize,
    /// Bytes from one input pixel to the next.
    pub(crate) pixel_stride: usize,
}

/// What a kernel asks of its source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Needs {
    /// Pixels must follow each other without gaps.
    pub(crate) is_dense: bool,
    /// Bytes read from the start of the last pixel of a window.
    pub(crate) last_pixel: usize,
}

impl<'a> Source<'a> {
    /// The windows of the output rows `rows`, `width` to a row: in place if nothing has to be added
    /// around the input and no kernel would read beyond it, else from a copy in `buffer`.
    pub(crate) fn new(
        shape: &ConvShape,
        input: &Image<'a>,
        padding: &Padding,
        rows: Range<usize>,
        width: usize,
        needs: Needs,
        buffer: &'a mut Vec<u8>,
    ) -> Self {
        let is_dense = !needs.is_dense || input.pixel_stride() == input.channels();
        if padding.is_empty() && is_dense {
            // The extent of a shape that has an output is no error.
            let (extent_h, extent_w) = shape.extent().unwrap_or((1, 1));
            let last_y = (rows.end.max(1) - 1) * shape.stride_h + extent_h - 1;
            let last_x = (width - 1) * shape.stride_w + extent_w - 1;
            let last = (last_y * input.width() + last_x).saturating_mul(input.pixel_stride());
            if last.saturating_add(needs.last_pixel) <= input.bytes().len() {
                return Self::in_place(shape, input, rows.start);
            }
        }
        Self::copied(shape, input, padding, rows, width, buffer)
    }

    fn in_place(shape: &ConvShape, input: &Image<'a>, first_row: usize) -> Self {
        let pixel_stride = input.pixel_stride();
        let row_stride = input.width() * pixel_stride;
        // A single row or column may have any stride, and nobody goes that way.
        Self {
            bytes: input.bytes(),
            origin: (first_row * shape.stride_h).saturating_mul(row_stride),
            line_step: shape.stride_h.saturating_mul(row_stride),
            pixel_step: shape.stride_w.saturating_mul(pixel_stride),
            row_stride,
            pixel_stride,
        }
    }

    /// The same from a copy, whose rows and columns may go beyond the padded input.
    pub(crate) fn copied(
        shape: &ConvShape,
        input: &Image<'_>,
        padding: &Padding,
        rows: Range<usize>,
        width: usize,
        buffer: &'a mut Vec<u8>,
    ) -> Self {
        let channels = input.channels();
        let (extent_h, extent_w) = shape.extent().unwrap_or((1, 1));
        let height = (rows.len().max(1) - 1) * shape.stride_h + extent_h;
        let row_pixels = (width - 1) * shape.stride_w + extent_w;
        let row_stride = row_pixels * channels;
        let length = height * row_stride + SLACK;
        if buffer.len() < length {
            buffer.resize(length, 0);
        }
        let value = stored(padding.value);
        let within = padding.left.min(row_pixels)..(padding.left + input.width()).min(row_pixels);
        for (index, row) in buffer.chunks_exact_mut(row_stride).take(height).enumerate() {
            let y = (rows.start * shape.stride_h + index).checked_sub(padding.top).filter(|&y| y < input.height());
            let Some(y) = y else {
                row.fill(value);
                continue;
            };
            let (before, rest) = row.split_at_mut(within.start * channels);
            let (inside, after) = rest.split_at_mut(within.len() * channels);
            before.fill(value);
            after.fill(value);
            copy_row(input, y, inside);
        }
        Self {
            bytes: buffer,
            origin: 0,
            line_step: shape.stride_h.saturating_mul(row_stride),
            pixel_step: shape.stride_w.saturating_mul(channels),
            row_stride,
            pixel_stride: channels,
        }
    }

    /// Where a tap of the kernel lies relative to the window's start.
    pub(crate) fn tap(&self, shape: &ConvShape, y: usize, x: usize) -> usize {
        y * self.row_stride * shape.dilation_h + x * self.pixel_stride * shape.dilation_w
    }
}

/// The first pixels of a row of the input, without gaps.
fn copy_row(input: &Image<'_>, y: usize, to: &mut [u8]) {
    let (channels, stride) = (input.channels(), input.pixel_stride());
    let from = &input.bytes()[y * input.width() * stride..];
    if stride == channels {
        to.copy_from_slice(&from[..to.len()]);
    } else {
        for (to, from) in to.chunks_exact_mut(channels).zip(from.chunks(stride)) {
            to.copy_from_slice(&from[..channels]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDS: Needs = Needs { is_dense: false, last_pixel: 2 };

    fn shape() -> ConvShape {
        ConvShape { kernel_h: 2, kernel_w: 2, ..ConvShape::pointwise(2, 1) }
    }

    /// The bytes of the window of an output, tap by tap.
    fn window(source: &Source<'_>, shape: &ConvShape, y: usize, x: usize) -> Vec<u8> {
        let start = source.origin + y * source.line_step + x * source.pixel_step;
        let taps = (0..shape.kernel_h).flat_map(|y| (0..shape.kernel_w).map(move |x| (y, x)));
        let of_tap = |(y, x)| source.bytes[start + source.tap(shape, y, x)..][..shape.in_channels].to_vec();
        taps.flat_map(of_tap).collect()
    }

    #[test]
    fn windows_without_padding_are_read_in_place() {
        let bytes: Vec<u8> = (0..24).collect();
        let image = Image::new(&bytes, 3, 4, 2, 2).unwrap();
        let mut buffer = Vec::new();
        let source = Source::new(&shape(), &image, &Padding::default(), 1..2, 3, NEEDS, &mut buffer);
        assert_eq!(source.bytes.as_ptr(), bytes.as_ptr());
        assert_eq!(window(&source, &shape(), 0, 0), [8, 9, 10, 11, 16, 17, 18, 19]);
        assert_eq!(window(&source, &shape(), 0, 2), [12, 13, 14, 15, 20, 21, 22, 23]);
    }

    #[test]
    fn a_copy_is_made_for_padding_for_reads_beyond_the_end_and_for_gaps() {
        let bytes: Vec<u8> = (0..36).collect();
        let dense = Image::new(&bytes[..24], 3, 4, 2, 2).unwrap();
        let gaps = Image::new(&bytes, 3, 4, 2, 3).unwrap();
        let padding = Padding { left: 1, value: -7, ..Padding::default() };
        for (image, padding, needs) in [
            (dense, padding, NEEDS),
            (dense, Padding::default(), Needs { last_pixel: 3, ..NEEDS }),
            (gaps, Padding::default(), Needs { is_dense: true, ..NEEDS }),
        ] {
            let (mut buffer, width) = (Vec::new(), 3 + padding.left);
            let source = Source::new(&shape(), &image, &padding, 1..2, width, needs, &mut buffer);
            assert_ne!(source.bytes.as_ptr(), image.bytes().as_ptr());
            assert_eq!(source.pixel_stride, 2);
            let at = |y: usize, x: usize| image.bytes()[(y * 4 + x) * image.pixel_stride()];
            let first = window(&source, &shape(), 0, 0);
            let expected = if padding.left == 1 { stored(-7) } else { at(1, 0) };
            assert_eq!(first[0], expected);
            assert_eq!(window(&source, &shape(), 0, width - 1)[6], at(2, 3));
            assert!(source.bytes.len() >= 2 * source.row_stride + SLACK);
        }
    }

    #[test]
    fn a_buffer_that_held_a_larger_copy_is_written_anew() {
        let image = Image::new(&[9, 9], 1, 1, 2, 2).unwrap();
        let padding = Padding { top: 1, bottom: 0, left: 0, right: 1, value: 5 };
        let mut buffer = vec![0xEE; 10_000];
        let source = Source::new(&shape(), &image, &padding, 0..1, 1, NEEDS, &mut buffer);
        let value = stored(5);
        assert_eq!(window(&source, &shape(), 0, 0), [value, value, value, value, 9, 9, value, value]);
    }

    #[test]
    fn steps_of_single_rows_and_pixels_do_not_overflow() {
        let image = Image::new(&[1, 2], 1, 1, 2, usize::MAX).unwrap();
        let shape = ConvShape { stride_h: usize::MAX, stride_w: 3, ..ConvShape::pointwise(2, 1) };
        let source = Source::new(&shape, &image, &Padding::default(), 0..1, 1, NEEDS, &mut Vec::new()).origin;
        assert_eq!(source, 0);
    }
}
