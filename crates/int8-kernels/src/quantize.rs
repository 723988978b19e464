//! From floats to int8 values.

use crate::error::{Error, check_length};

/// `clamp(round(x · scale), −127, 127)`, rounding halves away from zero.
///
/// `scale` is a multiplier (127 / threshold). The product is one f32 operation; then the rule is
/// C's `round` as in ncnn's `src/layer/quantize.cpp`. The result is never −128.
///
/// Values outside the int8 range, infinities included, give ±127. NaN gives 0: ncnn's builds differ
/// from each other there (−127 on x86, 0 on aarch64), and 0 adds nothing to a sum.
///
/// ```
/// use int8_kernels::quantize;
/// assert_eq!([quantize(0.5, 1.0), quantize(-2.5, 1.0), quantize(9.0, 100.0)], [1, -3, 127]);
/// ```
#[inline]
pub fn quantize(x: f32, scale: f32) -> i8 {
    // C's `round` without a call or a branch, so that loops over it become vector code on every CPU.
    // Adding 1.5 · 2²³ leaves no bits for a fraction: the sum rounds to the nearest integer, ties to
    // even, and its low bits are that integer. Ties that went towards zero are then moved away.
    const SHIFT: f32 = 12_582_912.0;
    let product = x * scale;
    let raised = if product < -127.0 { -127.0 } else { product };
    let limited = if raised > 127.0 { 127.0 } else { raised };
    let shifted = limited + SHIFT;
    let rest = limited - (shifted - SHIFT);
    let up = i32::from((rest == 0.5) & (limited > 0.0));
    let down = i32::from((rest == -0.5) & (limited < 0.0));
    let rounded = (shifted.to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32).wrapping_add(up).wrapping_sub(down);
    if product.is_nan() { 0 } else { rounded as i8 }
}

/// Quantizes every element of `input` with one scale into `out`.
///
/// # Errors
/// `Length` if the slices differ in length.
///
/// ```
/// let mut bytes = [0; 3];
/// int8_kernels::quantize_slice(&[0.1, -0.25, 2.0], 10.0, &mut bytes)?;
/// assert_eq!(bytes, [1, -3, 20]);
/// # Ok::<(), int8_kernels::Error>(())
/// ```
pub fn quantize_slice(input: &[f32], scale: f32, out: &mut [i8]) -> Result<(), Error> {
    check_length("quantized values", input.len(), out.len())?;
    for (&x, q) in input.iter().zip(out) {
        *q = quantize(x, scale);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(x: f32, scale: f32) -> i8 {
        let rounded = (x * scale).round();
        if rounded.is_nan() { 0 } else { rounded.clamp(-127.0, 127.0) as i8 }
    }

    #[test]
    fn equals_plain_rounding_at_every_value_near_a_tie() {
        for half in -300..=300 {
            let tie = half as f32 / 2.0;
            for x in [tie.next_down().next_down(), tie.next_down(), tie, tie.next_up(), tie.next_up().next_up()] {
                assert_eq!(quantize(x, 1.0), plain(x, 1.0), "x = {x:e}");
            }
        }
    }

    #[test]
    fn equals_plain_rounding_on_patterns_of_all_bits() {
        for step in 0..1_000_000u32 {
            let x = f32::from_bits(step.wrapping_mul(0x9E37_79B1));
            assert_eq!(quantize(x, 1.0), plain(x, 1.0), "x = {x:e}");
        }
    }

    #[test]
    fn extremes_saturate_and_nan_is_zero() {
        assert_eq!(quantize(f32::INFINITY, 1.0), 127);
        assert_eq!(quantize(f32::NEG_INFINITY, 1.0), -127);
        assert_eq!(quantize(f32::MAX, f32::MAX), 127);
        assert_eq!(quantize(-128.0, 1.0), -127);
        assert_eq!(quantize(f32::NAN, 1.0), 0);
        assert_eq!(quantize(0.0, f32::INFINITY), 0);
        assert_eq!(quantize(f32::from_bits(0x3EFF_FFFF), 1.0), 0);
    }

    #[test]
    fn a_slice_is_quantized_element_by_element() {
        let mut out = [0; 3];
        quantize_slice(&[0.1, -0.25, 2.0], 10.0, &mut out).unwrap();
        assert_eq!(out, [1, -3, 20]);
    }

    #[test]
    fn slices_of_different_lengths_are_refused() {
        let error = quantize_slice(&[0.0], 1.0, &mut []).unwrap_err();
        assert_eq!(error.to_string(), "quantized values must have 1 elements, found 0");
    }
}
