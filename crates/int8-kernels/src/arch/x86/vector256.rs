//! Operations on 256 bits (AVX2, FMA).

use std::arch::x86_64::*;

/// 32-bit lanes of a vector.
pub(super) const LANES: usize = 8;
/// Bytes of a vector.
pub(super) const BYTES: usize = 32;

pub(super) type Ints = __m256i;
pub(super) type Floats = __m256;

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_bytes(bytes: &[i8; BYTES]) -> Ints {
    // SAFETY: the reference is valid for 32 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_ints(values: &[i32; LANES]) -> Ints {
    // SAFETY: the reference is valid for 32 bytes; the load needs no alignment.
    unsafe { _mm256_loadu_si256(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store_ints(to: &mut [i32; LANES], values: Ints) {
    // SAFETY: the reference is valid for 32 bytes; the store needs no alignment.
    unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), values) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_floats(values: &[f32; LANES]) -> Floats {
    // SAFETY: the reference is valid for 8 floats; the load needs no alignment.
    unsafe { _mm256_loadu_ps(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store_floats(to: &mut [f32; LANES], values: Floats) {
    // SAFETY: the reference is valid for 8 floats; the store needs no alignment.
    unsafe { _mm256_storeu_ps(to.as_mut_ptr(), values) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn int_zero() -> Ints {
    _mm256_setzero_si256()
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn add_ints(a: Ints, b: Ints) -> Ints {
    _mm256_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn splat(value: f32) -> Floats {
    _mm256_set1_ps(value)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn to_floats(values: Ints) -> Floats {
    _mm256_cvtepi32_ps(values)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn multiply(a: Floats, b: Floats) -> Floats {
    _mm256_mul_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn add(a: Floats, b: Floats) -> Floats {
    _mm256_add_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn multiply_add(a: Floats, b: Floats, c: Floats) -> Floats {
    _mm256_fmadd_ps(a, b, c)
}

/// `a > b ? a : b`; `b` if either is NaN or both are zero.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn larger(a: Floats, b: Floats) -> Floats {
    _mm256_max_ps(a, b)
}

/// `a < b ? a : b`; `b` if either is NaN or both are zero.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn smaller(a: Floats, b: Floats) -> Floats {
    _mm256_min_ps(a, b)
}

/// `x > 0 ? x : other`.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn positive_or(x: Floats, other: Floats) -> Floats {
    _mm256_blendv_ps(other, x, _mm256_cmp_ps::<_CMP_GT_OQ>(x, _mm256_setzero_ps()))
}

/// Stored int8 values of `product`s, already multiplied by the scale: as in `vector512`, rounded by
/// adding the largest float below 0.5 with the value's sign and cutting the fraction off.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store_stored(to: &mut [u8; LANES], product: Floats) {
    let sign = _mm256_and_ps(product, splat(-0.0));
    let moved = add(product, _mm256_or_ps(sign, splat(HALF)));
    // NaN is the second operand, so it stays.
    store_cut(to, larger(splat(-127.0), moved));
}

/// As [`store_stored`] for products that are positive, zero or NaN.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn store_positive(to: &mut [u8; LANES], product: Floats) {
    store_cut(to, add(product, splat(HALF)));
}

/// The largest float below 0.5.
const HALF: f32 = f32::from_bits(0x3EFF_FFFF);

/// Cuts fractions off and stores the integers, at most 127. NaN becomes `i32::MIN` and, as its lowest
/// byte, zero.
#[inline]
#[target_feature(enable = "avx2")]
fn store_cut(to: &mut [u8; LANES], moved: Floats) {
    let whole = _mm256_and_si256(_mm256_cvttps_epi32(smaller(splat(127.0), moved)), _mm256_set1_epi32(0xFF));
    let words = _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256::<1>(whole));
    let bytes = _mm_xor_si128(_mm_packus_epi16(words, words), _mm_set1_epi8(i8::MIN));
    *to = _mm_cvtsi128_si64(bytes).to_le_bytes();
}

/// The int8 values of stored bytes as floats.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load_stored(bytes: &[u8; LANES]) -> Floats {
    let bytes = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(i64::from_le_bytes(*bytes)));
    _mm256_cvtepi32_ps(_mm256_sub_epi32(bytes, _mm256_set1_epi32(128)))
}

/// Four vectors of bytes as four of lanes that hold one byte of each: lane `i` of part `j` of the
/// 128-bit block `b` holds byte `16 b + 4 j + i`.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn interleave(rows: [Ints; 4]) -> [Ints; 4] {
    let (low, high) = (_mm256_unpacklo_epi8(rows[0], rows[1]), _mm256_unpackhi_epi8(rows[0], rows[1]));
    let (low2, high2) = (_mm256_unpacklo_epi8(rows[2], rows[3]), _mm256_unpackhi_epi8(rows[2], rows[3]));
    [
        _mm256_unpacklo_epi16(low, low2),
        _mm256_unpackhi_epi16(low, low2),
        _mm256_unpacklo_epi16(high, high2),
        _mm256_unpackhi_epi16(high, high2),
    ]
}

/// The sums of [`interleave`]d lanes in the order of the bytes: a transpose of 128-bit blocks.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn in_byte_order(parts: [Ints; 4]) -> [Ints; 4] {
    [
        _mm256_permute2x128_si256::<0x20>(parts[0], parts[1]),
        _mm256_permute2x128_si256::<0x20>(parts[2], parts[3]),
        _mm256_permute2x128_si256::<0x31>(parts[0], parts[1]),
        _mm256_permute2x128_si256::<0x31>(parts[2], parts[3]),
    ]
}

/// The same value, of which the compiler knows nothing.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn opaque(mut values: Ints) -> Ints {
    // SAFETY: the assembly is a comment.
    unsafe { std::arch::asm!("/* {0} */", inout(ymm_reg) values, options(nomem, nostack, preserves_flags)) };
    values
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn sum_lanes(values: Ints) -> i32 {
    let mut lanes = [0; LANES];
    store_ints(&mut lanes, values);
    lanes.iter().fold(0, |sum, &lane| sum.wrapping_add(lane))
}

/// Products by `vpdpbusd`: unsigned by signed bytes, four to a lane, added without saturation.
pub(super) mod vnni {
    use super::*;
    use crate::micro_kernel::WeightForm;

    pub(in super::super) const FORM: WeightForm = WeightForm::Bytes;
    /// Bytes of the weights of one vector of lanes.
    pub(in super::super) const WEIGHT_BYTES: usize = 32;

    pub(in super::super) type Weights = Ints;
    pub(in super::super) type Activations = Ints;

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn load_weights(bytes: &[i8; WEIGHT_BYTES]) -> Weights {
        load_bytes(bytes)
    }

    /// Four stored bytes for every lane.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn spread(bytes: i32) -> Activations {
        _mm256_set1_epi32(bytes)
    }

    /// Four stored bytes per lane.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn widen(bytes: Ints) -> Activations {
        bytes
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn opaque_activations(activations: Activations) -> Activations {
        opaque(activations)
    }

    #[inline]
    #[target_feature(enable = "avx2,avxvnni")]
    pub(in super::super) fn add_products(sums: Ints, activations: Activations, weights: Weights) -> Ints {
        _mm256_dpbusd_avx_epi32(sums, activations, weights)
    }
}

/// Products by `vpmaddwd`: bytes become words by masking and shifting, which pairs depths
/// `(k, k + 2)` and `(k + 1, k + 3)`. (`vpmaddubsw` would saturate.)
pub(super) mod words {
    use super::*;
    use crate::micro_kernel::WeightForm;

    pub(in super::super) const FORM: WeightForm = WeightForm::WordPairs;
    /// Bytes of the weights of one vector of lanes.
    pub(in super::super) const WEIGHT_BYTES: usize = 64;

    pub(in super::super) type Weights = [Ints; 2];
    pub(in super::super) type Activations = [Ints; 2];

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn load_weights(bytes: &[i8; WEIGHT_BYTES]) -> Weights {
        let (halves, _) = bytes.as_chunks();
        [load_bytes(&halves[0]), load_bytes(&halves[1])]
    }

    /// Four stored bytes for every lane.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn spread(bytes: i32) -> Activations {
        widen(_mm256_set1_epi32(bytes))
    }

    /// Four stored bytes per lane.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn widen(bytes: Ints) -> Activations {
        [_mm256_and_si256(bytes, _mm256_set1_epi16(0xFF)), _mm256_srli_epi16::<8>(bytes)]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn opaque_activations(activations: Activations) -> Activations {
        [opaque(activations[0]), opaque(activations[1])]
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    pub(in super::super) fn add_products(sums: Ints, activations: Activations, weights: Weights) -> Ints {
        let even = _mm256_madd_epi16(activations[0], weights[0]);
        let odd = _mm256_madd_epi16(activations[1], weights[1]);
        _mm256_add_epi32(sums, _mm256_add_epi32(even, odd))
    }
}
