//! f32 to half, as ncnn2int8 does it (`float32_to_float16` in ncnn's `src/mat.cpp`).

use half::f16;

use crate::WeightData;

/// Elements that ncnn converts at a time with the CPU's own instruction.
const GROUP: usize = 4;

impl WeightData {
    /// Float elements as the half floats that ncnn2int8 writes on x86 with F16C;
    /// `None` for int8.
    ///
    /// Full groups of four are rounded to the nearest half, ties to even, with
    /// subnormals. The last `len % 4` elements are truncated instead, and what is
    /// below the normal halves becomes zero: bytes equal to ncnn2int8's need both.
    pub fn to_f16_as_ncnn2int8(&self) -> Option<Self> {
        let values = self.to_f32()?;
        let (groups, tail) = values.as_chunks::<GROUP>();
        let rounded = groups.as_flattened().iter().map(|&value| f16::from_f32(value));
        Some(Self::F16(rounded.chain(tail.iter().map(|&value| truncated(value))).collect()))
    }
}

/// The half whose magnitude is the largest not above that of `value`; zero below
/// the normal halves, infinity above the largest.
fn truncated(value: f32) -> f16 {
    /// The exponent bias of f32 less that of half.
    const REBIAS: u16 = 127 - 15;
    const HALF_INFINITY: u16 = 0x7C00;
    const QUIET: u16 = 0x200;
    let bits = value.to_bits();
    let sign = lower_half(bits >> 16) & 0x8000;
    let exponent = lower_half(bits >> 23) & 0xFF;
    let magnitude = match exponent.checked_sub(REBIAS) {
        _ if value.is_nan() => HALF_INFINITY | QUIET,
        None | Some(0) => 0,
        Some(exponent @ 1..31) => exponent << 10 | lower_half((bits & 0x007F_FFFF) >> 13),
        Some(_) => HALF_INFINITY,
    };
    f16::from_bits(sign | magnitude)
}

fn lower_half(word: u32) -> u16 {
    let [low, next, ..] = word.to_le_bytes();
    u16::from_le_bytes([low, next])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::F32Tag;

    /// The bits of a group of four times `value`, and of a single one behind it.
    fn both(value: f32) -> (u16, u16) {
        match WeightData::F32(vec![value; 5], F32Tag::Raw).to_f16_as_ncnn2int8() {
            Some(WeightData::F16(halves)) => (halves[0].to_bits(), halves[4].to_bits()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn full_groups_are_rounded_and_the_tail_is_truncated() {
        assert_eq!(both(1.0), (0x3C00, 0x3C00));
        // 1 + 3/4 of the distance to the next half.
        assert_eq!(both(1.0 + 0.75 / 1024.0), (0x3C01, 0x3C00));
        // Half way: to even, down here and up there.
        assert_eq!(both(1.0 + 0.5 / 1024.0), (0x3C00, 0x3C00));
        assert_eq!(both(1.0 + 1.5 / 1024.0), (0x3C02, 0x3C01));
        assert_eq!(both(-0.1), (0xAE66, 0xAE66));
        assert_eq!(both(0.7), (0x399A, 0x3999));
    }

    #[test]
    fn subnormal_halves_survive_in_groups_only() {
        assert_eq!(both(6.0e-8), (0x0001, 0x0000));
        assert_eq!(both(-3.0e-5), (0x81F7, 0x8000));
        // The smallest normal half, and the f32 below it.
        assert_eq!(both(6.103_515_6e-5), (0x0400, 0x0400));
        assert_eq!(both(6.103_515e-5), (0x0400, 0x0000));
    }

    #[test]
    fn the_largest_half_is_a_border() {
        assert_eq!(both(65504.0), (0x7BFF, 0x7BFF));
        // Rounds up to infinity in a group, truncates to the largest half in the tail.
        assert_eq!(both(65520.0), (0x7C00, 0x7BFF));
        assert_eq!(both(65536.0), (0x7C00, 0x7C00));
        assert_eq!(both(f32::NEG_INFINITY), (0xFC00, 0xFC00));
        assert_eq!(both(f32::NAN), (0x7E00, 0x7E00));
    }

    #[test]
    fn int8_is_not_converted() {
        assert_eq!(WeightData::I8(vec![1, 2]).to_f16_as_ncnn2int8(), None);
    }

    #[test]
    fn halves_stay_as_they_are_except_subnormal_ones_in_the_tail() {
        let halves = [0x3C01, 0x0001, 0x7BFF, 0x8001, 0x0001, 0x4248].map(f16::from_bits);
        let expected = [0x3C01, 0x0001, 0x7BFF, 0x8001, 0x0000, 0x4248].map(f16::from_bits);
        let converted = WeightData::F16(halves.to_vec()).to_f16_as_ncnn2int8();
        assert_eq!(converted, Some(WeightData::F16(expected.to_vec())));
    }
}
