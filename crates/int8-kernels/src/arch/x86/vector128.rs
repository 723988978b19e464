//! Operations on 128 bits (SSE4.1).

use std::arch::x86_64::*;

/// 32-bit lanes of a vector.
pub(super) const LANES: usize = 4;
/// Bytes of a vector.
pub(super) const BYTES: usize = 16;

pub(super) type Ints = __m128i;
pub(super) type Floats = __m128;

#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn load_bytes(bytes: &[i8; BYTES]) -> Ints {
    // SAFETY: the reference is valid for 16 bytes; the load needs no alignment.
    unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn load_ints(values: &[i32; LANES]) -> Ints {
    // SAFETY: the reference is valid for 16 bytes; the load needs no alignment.
    unsafe { _mm_loadu_si128(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn store_ints(to: &mut [i32; LANES], values: Ints) {
    // SAFETY: the reference is valid for 16 bytes; the store needs no alignment.
    unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), values) }
}

#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn load_floats(values: &[f32; LANES]) -> Floats {
    // SAFETY: the reference is valid for 4 floats; the load needs no alignment.
    unsafe { _mm_loadu_ps(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn store_floats(to: &mut [f32; LANES], values: Floats) {
    // SAFETY: the reference is valid for 4 floats; the store needs no alignment.
    unsafe { _mm_storeu_ps(to.as_mut_ptr(), values) }
}

#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn int_zero() -> Ints {
    _mm_setzero_si128()
}

#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn add_ints(a: Ints, b: Ints) -> Ints {
    _mm_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn splat(value: f32) -> Floats {
    _mm_set1_ps(value)
}

#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn to_floats(values: Ints) -> Floats {
    _mm_cvtepi32_ps(values)
}

#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn multiply(a: Floats, b: Floats) -> Floats {
    _mm_mul_ps(a, b)
}

#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn add(a: Floats, b: Floats) -> Floats {
    _mm_add_ps(a, b)
}

/// `a · b + c` rounded once, which SSE4.1 has no instruction for.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn multiply_add(a: Floats, b: Floats, c: Floats) -> Floats {
    let [mut a_lanes, mut b_lanes, mut c_lanes] = [[0.0f32; LANES]; 3];
    store_floats(&mut a_lanes, a);
    store_floats(&mut b_lanes, b);
    store_floats(&mut c_lanes, c);
    for (a, (b, c)) in a_lanes.iter_mut().zip(b_lanes.iter().zip(&c_lanes)) {
        *a = a.mul_add(*b, *c);
    }
    load_floats(&a_lanes)
}

/// `a > b ? a : b`; `b` if either is NaN or both are zero.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn larger(a: Floats, b: Floats) -> Floats {
    _mm_max_ps(a, b)
}

/// `a < b ? a : b`; `b` if either is NaN or both are zero.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn smaller(a: Floats, b: Floats) -> Floats {
    _mm_min_ps(a, b)
}

/// `x > 0 ? x : other`.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn positive_or(x: Floats, other: Floats) -> Floats {
    _mm_blendv_ps(other, x, _mm_cmpgt_ps(x, _mm_setzero_ps()))
}

/// Stored int8 values of `product`s, already multiplied by the scale: as in `vector512`, rounded by
/// adding the largest float below 0.5 with the value's sign and cutting the fraction off.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn store_stored(to: &mut [u8; LANES], product: Floats) {
    let sign = _mm_and_ps(product, splat(-0.0));
    let moved = add(product, _mm_or_ps(sign, splat(HALF)));
    // NaN is the second operand, so it stays.
    store_cut(to, larger(splat(-127.0), moved));
}

/// As [`store_stored`] for products that are positive, zero or NaN.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn store_positive(to: &mut [u8; LANES], product: Floats) {
    store_cut(to, add(product, splat(HALF)));
}

/// The largest float below 0.5.
const HALF: f32 = f32::from_bits(0x3EFF_FFFF);

/// Cuts fractions off and stores the integers, at most 127. NaN becomes `i32::MIN` and, as its lowest
/// byte, zero.
#[inline]
#[target_feature(enable = "sse4.1")]
fn store_cut(to: &mut [u8; LANES], moved: Floats) {
    let whole = _mm_and_si128(_mm_cvttps_epi32(smaller(splat(127.0), moved)), _mm_set1_epi32(0xFF));
    let words = _mm_packus_epi32(whole, whole);
    let bytes = _mm_xor_si128(_mm_packus_epi16(words, words), _mm_set1_epi8(i8::MIN));
    *to = _mm_cvtsi128_si32(bytes).to_le_bytes();
}

/// The int8 values of stored bytes as floats.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn load_stored(bytes: &[u8; LANES]) -> Floats {
    let bytes = _mm_cvtepu8_epi32(_mm_cvtsi32_si128(i32::from_le_bytes(*bytes)));
    _mm_cvtepi32_ps(_mm_sub_epi32(bytes, _mm_set1_epi32(128)))
}

/// Four vectors of bytes as four of lanes that hold one byte of each: lane `i` of part `j` holds byte
/// `4 j + i`.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn interleave(rows: [Ints; 4]) -> [Ints; 4] {
    let (low, high) = (_mm_unpacklo_epi8(rows[0], rows[1]), _mm_unpackhi_epi8(rows[0], rows[1]));
    let (low2, high2) = (_mm_unpacklo_epi8(rows[2], rows[3]), _mm_unpackhi_epi8(rows[2], rows[3]));
    [
        _mm_unpacklo_epi16(low, low2),
        _mm_unpackhi_epi16(low, low2),
        _mm_unpacklo_epi16(high, high2),
        _mm_unpackhi_epi16(high, high2),
    ]
}

/// The sums of [`interleave`]d lanes in the order of the bytes, which they are in.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn in_byte_order(parts: [Ints; 4]) -> [Ints; 4] {
    parts
}

/// The same value, of which the compiler knows nothing.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn opaque(mut values: Ints) -> Ints {
    // SAFETY: the assembly is a comment.
    unsafe { std::arch::asm!("/* {0} */", inout(xmm_reg) values, options(nomem, nostack, preserves_flags)) };
    values
}

#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn sum_lanes(values: Ints) -> i32 {
    let mut lanes = [0; LANES];
    store_ints(&mut lanes, values);
    lanes.iter().fold(0, |sum, &lane| sum.wrapping_add(lane))
}

/// Products by `pmaddwd`: bytes become words by masking and shifting, which pairs depths
/// `(k, k + 2)` and `(k + 1, k + 3)`.
pub(super) mod words {
    use super::*;
    use crate::micro_kernel::WeightForm;

    pub(in super::super) const FORM: WeightForm = WeightForm::WordPairs;
    /// Bytes of the weights of one vector of lanes.
    pub(in super::super) const WEIGHT_BYTES: usize = 32;

    pub(in super::super) type Weights = [Ints; 2];
    pub(in super::super) type Activations = [Ints; 2];

    #[inline]
    #[target_feature(enable = "sse4.1")]
    pub(in super::super) fn load_weights(bytes: &[i8; WEIGHT_BYTES]) -> Weights {
        let (halves, _) = bytes.as_chunks();
        [load_bytes(&halves[0]), load_bytes(&halves[1])]
    }

    /// Four stored bytes for every lane.
    #[inline]
    #[target_feature(enable = "sse4.1")]
    pub(in super::super) fn spread(bytes: i32) -> Activations {
        widen(_mm_set1_epi32(bytes))
    }

    /// Four stored bytes per lane.
    #[inline]
    #[target_feature(enable = "sse4.1")]
    pub(in super::super) fn widen(bytes: Ints) -> Activations {
        [_mm_and_si128(bytes, _mm_set1_epi16(0xFF)), _mm_srli_epi16::<8>(bytes)]
    }

    #[inline]
    #[target_feature(enable = "sse4.1")]
    pub(in super::super) fn opaque_activations(activations: Activations) -> Activations {
        [opaque(activations[0]), opaque(activations[1])]
    }

    #[inline]
    #[target_feature(enable = "sse4.1")]
    pub(in super::super) fn add_products(sums: Ints, activations: Activations, weights: Weights) -> Ints {
        let even = _mm_madd_epi16(activations[0], weights[0]);
        let odd = _mm_madd_epi16(activations[1], weights[1]);
        _mm_add_epi32(sums, _mm_add_epi32(even, odd))
    }
}
