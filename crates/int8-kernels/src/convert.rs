//! Between floats and stored int8 values, whole slices at a time.

use crate::arch::kernels_of;
use crate::error::{Error, check_length, checked_product};
use crate::image::check_extent;
use crate::isa::Isa;

/// Pixels that are turned from planes to pixels at a time.
const BLOCK: usize = 512;

/// `quantize(value, scale)` of every value, as stored bytes.
///
/// ```
/// use int8_kernels::{Isa, dequantize_values, quantize_values};
///
/// let (mut bytes, mut values) = ([0; 2], [0.0; 2]);
/// quantize_values(&[0.5, -0.25], 100.0, &mut bytes, Isa::detect())?;
/// dequantize_values(&bytes, 0.01, &mut values, Isa::detect())?;
/// assert_eq!(values, [0.5, -0.25]);
/// # Ok::<(), int8_kernels::Error>(())
/// ```
///
/// # Errors
/// `Length` if the slices differ in length.
pub fn quantize_values(values: &[f32], scale: f32, out: &mut [u8], isa: Isa) -> Result<(), Error> {
    check_length("quantized values", values.len(), out.len())?;
    kernels_of(isa).rows.quantize(values, scale, out);
    Ok(())
}

/// Quantizes planes, `[channels][pixels]`, into a channels-last image of `pixel_stride` bytes per
/// pixel; other bytes are left alone.
///
/// # Errors
/// `Length` if `planes` has another length, `TooShort` or `PixelStride` if `out` does not fit.
pub fn quantize_planes(
    planes: &[f32],
    channels: usize,
    scale: f32,
    out: &mut [u8],
    pixel_stride: usize,
    isa: Isa,
) -> Result<(), Error> {
    let pixels = planes.len().checked_div(channels).ok_or(Error::Zero { what: "channels" })?;
    check_length("planes", checked_product("planes", &[pixels, channels])?, planes.len())?;
    check_extent("quantized image", out.len(), 1, pixels, channels, pixel_stride)?;
    let rows = &kernels_of(isa).rows;
    let mut buffer = [[0u8; BLOCK]; 3];
    for first in (0..pixels).step_by(BLOCK) {
        let count = BLOCK.min(pixels - first);
        for channel in (0..channels).step_by(buffer.len()) {
            let taken = buffer.len().min(channels - channel);
            for (index, bytes) in buffer.iter_mut().take(taken).enumerate() {
                let plane = &planes[(channel + index) * pixels + first..][..count];
                rows.quantize(plane, scale, &mut bytes[..count]);
            }
            let out = &mut out[first * pixel_stride + channel..];
            if taken == 3 && pixel_stride == 3 {
                let planes = [&buffer[0][..count], &buffer[1][..count], &buffer[2][..count]];
                rows.interleave(planes, &mut out[..3 * count]);
                continue;
            }
            for (index, bytes) in buffer.iter().take(taken).enumerate() {
                let out = out[index..].iter_mut().step_by(pixel_stride);
                out.zip(&bytes[..count]).for_each(|(to, &byte)| *to = byte);
            }
        }
    }
    Ok(())
}

/// `f32(q) · step` of every stored value; `step` is `1 / scale`, or 0 for a scale of 0.
///
/// # Errors
/// `Length` if the slices differ in length.
pub fn dequantize_values(bytes: &[u8], step: f32, out: &mut [f32], isa: Isa) -> Result<(), Error> {
    check_length("dequantized values", bytes.len(), out.len())?;
    kernels_of(isa).rows.dequantize(bytes, step, out);
    Ok(())
}

/// `quantize(f32(q) · step, scale)` of every stored value: from one scale to another.
///
/// # Errors
/// `Length` if the slices differ in length.
pub fn requantize_values(bytes: &[u8], step: f32, scale: f32, out: &mut [u8], isa: Isa) -> Result<(), Error> {
    check_length("requantized values", bytes.len(), out.len())?;
    kernels_of(isa).rows.requantize(bytes, step, scale, out);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{stored, unstored};

    #[test]
    fn planes_become_pixels() {
        let mut out = [7; 6];
        quantize_planes(&[1.0, 2.0, -1.0, f32::NAN], 2, 10.0, &mut out, 3, Isa::scalar()).unwrap();
        assert_eq!(out, [stored(10), stored(-10), 7, stored(20), stored(0), 7]);
    }

    #[test]
    fn values_go_to_bytes_and_back() {
        let mut bytes = [0; 3];
        quantize_values(&[0.1, -0.25, 200.0], 10.0, &mut bytes, Isa::scalar()).unwrap();
        assert_eq!(bytes.map(unstored), [1, -3, 127]);
        let mut values = [0.0; 3];
        dequantize_values(&bytes, 0.5, &mut values, Isa::scalar()).unwrap();
        assert_eq!(values, [0.5, -1.5, 63.5]);
        let mut halves = [0; 3];
        requantize_values(&bytes, 0.5, 1.0, &mut halves, Isa::scalar()).unwrap();
        assert_eq!(halves.map(unstored), [1, -2, 64]);
        let error = quantize_values(&[0.0], 1.0, &mut bytes, Isa::scalar()).unwrap_err();
        assert_eq!(error.to_string(), "quantized values must have 1 elements, found 3");
    }
}
