//! Channels-last images of int8 values.

use std::ops::Range;

use crate::error::{Error, check_at_least, checked_product};

/// A channels-last int8 image that is read: element `(y, x, c)` is at
/// `(y · width + x) · pixel_stride + c`.
///
/// Bytes are *stored* values: the int8 value plus [`ZERO`] ([`stored`]). How bytes are stored is the
/// choice of the architecture, so what leaves a program must go through [`unstored`].
///
/// A pixel may have more bytes than this image has channels (`pixel_stride >= channels`), so that an
/// image can be some channels of a wider one: start the slice at the first of them.
///
/// ```
/// use int8_kernels::Image;
///
/// // The last two of three channels of two pixels.
/// let bytes = [1, 2, 3, 4, 5, 6];
/// let part = Image::new(&bytes[1..], 1, 2, 2, 3)?;
/// assert_eq!((part.channels(), part.pixel_stride()), (2, 3));
/// assert!(Image::new(&bytes, 2, 2, 2, 2).is_err());
/// # Ok::<(), int8_kernels::Error>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    bytes: &'a [u8],
    height: usize,
    width: usize,
    channels: usize,
    pixel_stride: usize,
}

/// The stored byte of the int8 value 0: 128 on x86, whose dot product multiplies unsigned by signed
/// bytes; 0 (two's complement) elsewhere, where dot products are signed.
pub const ZERO: u8 = if cfg!(target_arch = "x86_64") { 128 } else { 0 };

/// The byte that stands for an int8 value: the value plus [`ZERO`].
#[inline]
pub const fn stored(value: i8) -> u8 {
    value as u8 ^ ZERO
}

/// The int8 value of a stored byte.
#[inline]
pub const fn unstored(byte: u8) -> i8 {
    (byte ^ ZERO) as i8
}

/// The stored byte of the larger of two values.
#[inline(always)]
pub(crate) const fn larger(a: u8, b: u8) -> u8 {
    // Bytes of values plus 128 have the order of their values.
    const FLIP: u8 = ZERO ^ 128;
    if a ^ FLIP > b ^ FLIP { a } else { b }
}

impl<'a> Image<'a> {
    /// A view of `height · width` pixels.
    ///
    /// # Errors
    /// `Zero` if a size is zero, `PixelStride` below `channels`, `TooShort` if the slice ends before
    /// the last channel of the last pixel.
    pub fn new(
        bytes: &'a [u8],
        height: usize,
        width: usize,
        channels: usize,
        pixel_stride: usize,
    ) -> Result<Self, Error> {
        for (what, size) in [("image height", height), ("image width", width), ("image channels", channels)] {
            if size == 0 {
                return Err(Error::Zero { what });
            }
        }
        check_extent("image", bytes.len(), height, width, channels, pixel_stride)?;
        Ok(Self { bytes, height, width, channels, pixel_stride })
    }

    /// The stored bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Channels of this image.
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Bytes from one pixel to the next.
    pub fn pixel_stride(&self) -> usize {
        self.pixel_stride
    }
}

/// Fails unless a slice holds `rows` rows of `width` pixels of `channels` channels.
pub(crate) fn check_extent(
    what: &'static str,
    length: usize,
    rows: usize,
    width: usize,
    channels: usize,
    pixel_stride: usize,
) -> Result<(), Error> {
    if pixel_stride < channels {
        return Err(Error::PixelStride { what, channels, pixel_stride });
    }
    let pixels = checked_product(what, &[rows, width])?;
    if pixels == 0 || channels == 0 {
        return Ok(());
    }
    let last = checked_product(what, &[pixels - 1, pixel_stride])?;
    check_at_least(what, last.checked_add(channels).ok_or(Error::TooLarge { what })?, length)
}

/// Fails unless `rows` lies within `0..height`.
pub(crate) fn check_rows(rows: &Range<usize>, height: usize) -> Result<(), Error> {
    if rows.start <= rows.end && rows.end <= height {
        Ok(())
    } else {
        Err(Error::Rows { first: rows.start, end: rows.end, height })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_bytes_are_values_plus_that_of_zero() {
        assert_eq!([-127, 0, 127].map(stored), [-127i8, 0, 127].map(|value| (value as u8).wrapping_add(ZERO)));
        assert!((i8::MIN..=i8::MAX).all(|value| unstored(stored(value)) == value));
    }

    #[test]
    fn the_larger_byte_is_that_of_the_larger_value() {
        for (a, b) in (i8::MIN..=i8::MAX).flat_map(|a| [-128, -3, 0, 127].map(|b| (a, b))) {
            assert_eq!(larger(stored(a), stored(b)), stored(a.max(b)));
        }
    }

    #[test]
    fn an_image_needs_every_channel_of_its_last_pixel() {
        assert!(Image::new(&[0; 11], 2, 2, 2, 3).is_ok());
        let error = |length, stride| Image::new(&[0; 20][..length], 2, 2, 2, stride).unwrap_err().to_string();
        assert_eq!(error(10, 3), "image must have at least 11 elements, found 10");
        assert_eq!(error(11, 1), "image: 1 elements per pixel are too few for 2 channels");
        assert_eq!(error(11, usize::MAX), "image is too large to address");
    }
}
