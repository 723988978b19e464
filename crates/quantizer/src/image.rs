//! A decoded picture.

use ncnn_format::{Error, Result};

/// The largest picture, in pixels, that is decoded or made by resizing: room for
/// any camera, not for a decompression bomb.
pub(crate) const MAX_PIXELS: usize = 1 << 27;

/// Three bytes per pixel (red, green, blue), rows from the top, without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage8 {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

impl RgbImage8 {
    /// An image of `width` × `height` over `pixels`.
    ///
    /// # Errors
    /// `Malformed` when a side is 0, `TooLarge` beyond 2^27 pixels, `Invalid` when
    /// there are not 3 × width × height bytes.
    pub fn new(width: usize, height: usize, pixels: Vec<u8>) -> Result<Self> {
        let expected = 3 * check_size(width, height)?;
        if pixels.len() != expected {
            return Err(Error::invalid(format!(
                "an image of {width}x{height} has {expected} bytes, found {}",
                pixels.len()
            )));
        }
        Ok(Self { width, height, pixels })
    }

    /// Columns; at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows; at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The bytes, row by row.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The bytes of row `y`; empty when there is no such row.
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        self.pixels.chunks_exact(3 * self.width).nth(y).unwrap_or_default()
    }
}

/// The number of pixels of an image of `width` × `height`.
///
/// # Errors
/// `Malformed` when a side is 0, `TooLarge` beyond 2^27 pixels.
pub(crate) fn check_size(width: usize, height: usize) -> Result<usize> {
    let pixels = width.saturating_mul(height);
    if pixels == 0 {
        Err(Error::malformed(format!("an image needs at least one pixel, found {width}x{height}")))
    } else if pixels > MAX_PIXELS {
        Err(Error::too_large(format!("an image may have {MAX_PIXELS} pixels, found {width}x{height}")))
    } else {
        Ok(pixels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_checked() {
        assert!(RgbImage8::new(2, 1, vec![0; 6]).is_ok());
        let message = |width, height, bytes| RgbImage8::new(width, height, vec![0; bytes]).unwrap_err().to_string();
        assert_eq!(message(2, 1, 5), "an image of 2x1 has 6 bytes, found 5");
        assert_eq!(message(0, 7, 0), "an image needs at least one pixel, found 0x7");
        assert_eq!(message(65535, 65535, 0), "an image may have 134217728 pixels, found 65535x65535");
        assert!(check_size(usize::MAX, 2).is_err());
    }
}
