//! A logarithm that the compiler can turn into vector code.

/// The natural logarithm of a number from 1e-6 to 1e6; the error is below [`ERROR`].
///
/// With x = 2^e · m, √½ ≤ m < √2 and z = (m − 1) / (m + 1), ln x = e · ln 2 + 2 (z + z³/3 + z⁵/5 + …).
/// No branch and no table: a loop over an array becomes vector code.
#[inline(always)]
pub(crate) fn ln(x: f32) -> f32 {
    const ONE: u32 = 127 << 23;
    // The bits of 1 less those of √½: adding them moves the step of the exponent from 1 to √½.
    const SHIFT: u32 = ONE - 0x3f35_04f3;
    let exponent = x.to_bits().wrapping_add(SHIFT) >> 23;
    let mantissa = f32::from_bits(x.to_bits().wrapping_add(ONE).wrapping_sub(exponent << 23));
    let exponent = exponent as i32 as f32 - 127.0;
    let z = (mantissa - 1.0) / (mantissa + 1.0);
    let z2 = z * z;
    let series = z2 * (1.0 / 3.0 + z2 * (1.0 / 5.0 + z2 * (1.0 / 7.0)));
    exponent * std::f32::consts::LN_2 + (2.0 * z + 2.0 * z * series)
}

/// Two roundings of 14, the largest magnitude, the first term left out (2 z⁹ / 9 at z = 0.1716), and
/// what f32 knows of ln 2.
pub(crate) const ERROR: f64 = 2e-6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_is_below_its_bound() {
        let off = |x: f32| (f64::from(ln(x)) - f64::from(x).ln()).abs();
        for step in -13_800..13_800 {
            let x = (step as f32 / 1000.0).exp();
            assert!(off(x) < ERROR, "ln {x} = {}", ln(x));
        }
        for edge in [0.5f32.sqrt(), 2f32.sqrt(), 1.0, 2.0, 1e-4, 1.2] {
            for x in [edge, edge * (1.0 + f32::EPSILON), edge * (1.0 - f32::EPSILON)] {
                assert!(off(x) < ERROR);
            }
        }
        // What the search asks for: shares.
        let worst = (100..11_000).map(|step| off(step as f32 / 10_000.0)).fold(0.0, f64::max);
        assert!(worst < ERROR / 4.0, "{worst:e}");
    }
}
