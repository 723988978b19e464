//! Operations on 128 bits (SSE4.1).

use std::arch::x86_64::*;

operations!(
    "sse4.1", lanes 4, __m128i, __m128,
    load _mm_loadu_si128 _mm_loadu_ps, store _mm_storeu_si128 _mm_storeu_ps,
    zero _mm_setzero_si128, splat _mm_set1_ps, add _mm_add_epi32 _mm_add_ps, multiply _mm_mul_ps,
    max _mm_max_ps, min _mm_min_ps, convert _mm_cvtepi32_ps,
    unpack _mm_unpacklo_epi8 _mm_unpackhi_epi8 _mm_unpacklo_epi16 _mm_unpackhi_epi16,
    register xmm_reg
);
word_products!(
    "sse4.1", dot _mm_madd_epi16, splat _mm_set1_epi32 _mm_set1_epi16, and _mm_and_si128,
    shift _mm_srli_epi16
);
word_operations!(
    "sse4.1", splat _mm_set1_epi32, add _mm_add_epi16, subtract _mm_sub_epi16 _mm_sub_epi32,
    shift _mm_slli_epi16 _mm_slli_epi32 _mm_srai_epi32, multiply _mm_mullo_epi32,
    widen _mm_cvtepi8_epi16 _mm_loadl_epi64 _mm_xor_si128 _mm_set1_epi8
);

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

/// `x > 0 ? x : other`.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn positive_or(x: Floats, other: Floats) -> Floats {
    _mm_blendv_ps(other, x, _mm_cmpgt_ps(x, _mm_setzero_ps()))
}

/// The largest float below 0.5 with the signs of `values`.
#[inline]
#[target_feature(enable = "sse4.1")]
fn half_like(values: Floats) -> Floats {
    _mm_or_ps(_mm_and_ps(values, splat(-0.0)), splat(HALF))
}

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

/// The sums of [`interleave`]d lanes in the order of the bytes, which they are in.
#[inline]
#[target_feature(enable = "sse4.1")]
pub(super) fn in_byte_order(parts: [Ints; 4]) -> [Ints; 4] {
    parts
}
