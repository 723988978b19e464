//! The best vector instructions of this machine for plain loops.

use pulp::Arch;

/// Runs `work` compiled for the widest vectors that this CPU has.
///
/// Only what is inlined into `work` profits: mark it `#[inline(always)]`. No
/// operations are fused or reordered, so the result is the same everywhere.
#[inline(always)]
pub(crate) fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    Arch::new().dispatch(work)
}

/// `e^x` to within two units of the last place; 0 where the result would be below the smallest normal float.
///
/// Plain operations only, so that loops over it use vectors and give the same everywhere, which the C library's
/// function does not. The argument is reduced by multiples of `ln 2`, taken in two parts (Cody and Waite); the
/// rest, at most `ln 2 / 2`, goes through the Taylor polynomial of degree 7.
#[inline(always)]
pub(crate) fn exponential(x: f32) -> f32 {
    /// Adding this rounds to an integer and leaves it in the lowest bits.
    const ROUNDER: f32 = 12_582_912.0;
    /// `ln 2` in ten bits, so that its multiples are exact, and what is left of it.
    const LN_2: [f32; 2] = [355.0 / 512.0, -2.121_944_4e-4];
    const LEAST: f32 = -87.336_54;
    const MOST: f32 = 88.722_84;
    let rounded = x * std::f32::consts::LOG2_E + ROUNDER;
    let whole = rounded - ROUNDER;
    let rest = x - whole * LN_2[0] - whole * LN_2[1];
    let mut power = 1.0 / 5040.0;
    for factor in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        power = power * rest + factor;
    }
    let exponent = rounded.to_bits().wrapping_sub(ROUNDER.to_bits()) as i32;
    // In two halves, because 2^128 is no float.
    let half = exponent >> 1;
    let power_of_two = |exponent: i32| f32::from_bits((exponent.wrapping_add(127) as u32) << 23);
    let value = power * power_of_two(half) * power_of_two(exponent.wrapping_sub(half));
    if x < LEAST {
        0.0
    } else if x > MOST {
        f32::INFINITY
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_right_to_two_units_of_the_last_place() {
        for step in -87_336..=88_722 {
            let x = step as f32 * 1e-3;
            let (found, expected) = (exponential(x), f64::from(x).exp());
            let unit = f64::from((expected as f32).next_up()) - f64::from(expected as f32);
            assert!((f64::from(found) - expected).abs() <= 2.0 * unit, "e^{x} is {expected}, found {found}");
        }
    }

    #[test]
    fn exponentials_have_limits() {
        let limits = [f32::NEG_INFINITY, -1000.0, -87.4, 0.0, 88.8, f32::INFINITY];
        assert_eq!(limits.map(exponential), [0.0, 0.0, 0.0, 1.0, f32::INFINITY, f32::INFINITY]);
        assert!(exponential(f32::NAN).is_nan());
        assert!(exponential(88.722_83).is_finite());
    }
}
