//! Between floats and stored int8 values, whole slices at a time.

use crate::error::{Error, check_length, checked_product};
use crate::image::{check_extent, stored, unstored};
use crate::isa::Isa;
use crate::quantize::quantize;

/// `quantize(value, scale)` of every value, as stored bytes.
///
/// # Errors
/// `Length` if the slices differ in length.
pub fn quantize_values(values: &[f32], scale: f32, out: &mut [u8], _: Isa) -> Result<(), Error> {
    check_length("quantized values", values.len(), out.len())?;
    out.iter_mut().zip(values).for_each(|(byte, &value)| *byte = stored(quantize(value, scale)));
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
    _: Isa,
) -> Result<(), Error> {
    let pixels = planes.len().checked_div(channels).ok_or(Error::Zero { what: "channels" })?;
    check_length("planes", checked_product("planes", &[pixels, channels])?, planes.len())?;
    check_extent("quantized image", out.len(), 1, pixels, channels, pixel_stride)?;
    for (channel, plane) in planes.chunks_exact(pixels.max(1)).enumerate() {
        for (byte, &value) in out[channel..].iter_mut().step_by(pixel_stride).zip(plane) {
            *byte = stored(quantize(value, scale));
        }
    }
    Ok(())
}

/// `f32(q) · step` of every stored value; `step` is `1 / scale`, or 0 for a scale of 0.
///
/// # Errors
/// `Length` if the slices differ in length.
pub fn dequantize_values(bytes: &[u8], step: f32, out: &mut [f32], _: Isa) -> Result<(), Error> {
    check_length("dequantized values", bytes.len(), out.len())?;
    out.iter_mut().zip(bytes).for_each(|(value, &byte)| *value = f32::from(unstored(byte)) * step);
    Ok(())
}

/// `quantize(f32(q) · step, scale)` of every stored value: from one scale to another.
///
/// # Errors
/// `Length` if the slices differ in length.
pub fn requantize_values(bytes: &[u8], step: f32, scale: f32, out: &mut [u8], _: Isa) -> Result<(), Error> {
    check_length("requantized values", bytes.len(), out.len())?;
    let rescale = |byte: u8| stored(quantize(f32::from(unstored(byte)) * step, scale));
    out.iter_mut().zip(bytes).for_each(|(to, &byte)| *to = rescale(byte));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_become_pixels() {
        let mut out = [7; 6];
        quantize_planes(&[1.0, 2.0, -1.0, f32::NAN], 2, 10.0, &mut out, 3, Isa::scalar()).unwrap();
        assert_eq!(out, [138, 118, 7, 148, 128, 7]);
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
