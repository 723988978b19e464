//! The hyperbolic tangent.

/// `tanh x`, with the same bits on every CPU: C libraries that were compiled with fused multiply-adds give others.
///
/// fdlibm's formula, which most C libraries use: with t = e^(2|x|) − 1 it is 1 − 2 / (t + 2) from 1 on, and with
/// t = e^(−2|x|) − 1 it is −t / (t + 2) below, so that small results keep their digits.
pub fn tanh(x: f32) -> f32 {
    /// From here on the result is 1.
    const LARGE: f32 = 22.0;
    /// Below this the result is `x`.
    const TINY: f32 = 2.775_557_6e-17;
    let magnitude = x.abs();
    let value = if magnitude >= LARGE {
        1.0
    } else if magnitude >= 1.0 {
        1.0 - 2.0 / (libm::expm1f(2.0 * magnitude) + 2.0)
    } else if magnitude >= TINY {
        let t = libm::expm1f(-2.0 * magnitude);
        -t / (t + 2.0)
    } else {
        // NaN too.
        magnitude
    };
    value.copysign(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_right_to_two_units_of_the_last_place() {
        for step in -25_000..=25_000 {
            for scale in [1e-3, 1e-6] {
                let x = step as f32 * scale;
                let (found, expected) = (tanh(x), f64::from(x).tanh());
                let unit = f64::from((expected.abs() as f32).next_up()) - f64::from(expected.abs() as f32);
                assert!((f64::from(found) - expected).abs() <= 2.0 * unit, "tanh {x} is {expected}, found {found}");
            }
        }
    }

    #[test]
    fn its_ends_and_its_zeros_are_exact() {
        assert_eq!([f32::INFINITY, f32::NEG_INFINITY, 30.0, -30.0].map(tanh), [1.0, -1.0, 1.0, -1.0]);
        assert_eq!([0.0, -0.0, 1e-40, -1e-40].map(|x| tanh(x).to_bits()), [0.0, -0.0, 1e-40, -1e-40].map(f32::to_bits));
        assert!(tanh(f32::NAN).is_nan());
    }

    #[test]
    fn its_bits_are_those_of_x86s_c_library_where_it_was_written_down() {
        let known =
            [(0.5, 0x3EEC_9A9F), (1.0, 0x3F42_F7D6), (-2.0, 0xBF76_CA83), (0.1, 0x3DCC_1EBC_u32), (0.01, 0x3C23_D5A4)];
        for (x, bits) in known {
            assert_eq!(tanh(x).to_bits(), bits, "tanh {x}: {:#x}", tanh(x).to_bits());
        }
    }
}
