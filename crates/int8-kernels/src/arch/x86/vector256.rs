//! Operations on 256 bits (AVX2, FMA).

use std::arch::x86_64::*;

operations!(
    "avx2", lanes 8, __m256i, __m256,
    load _mm256_loadu_si256 _mm256_loadu_ps, store _mm256_storeu_si256 _mm256_storeu_ps,
    zero _mm256_setzero_si256, splat _mm256_set1_ps, add _mm256_add_epi32 _mm256_add_ps, multiply _mm256_mul_ps,
    max _mm256_max_ps, min _mm256_min_ps, convert _mm256_cvtepi32_ps,
    unpack _mm256_unpacklo_epi8 _mm256_unpackhi_epi8 _mm256_unpacklo_epi16 _mm256_unpackhi_epi16,
    register ymm_reg
);
byte_products!("avx2,avxvnni", dot _mm256_dpbusd_avx_epi32 _mm256_dpwssd_avx_epi32, splat _mm256_set1_epi32);
word_products!(
    "avx2", dot _mm256_madd_epi16, splat _mm256_set1_epi32 _mm256_set1_epi16, and _mm256_and_si256,
    shift _mm256_srli_epi16
);
word_operations!(
    "avx2", splat _mm256_set1_epi32, add _mm256_add_epi16, subtract _mm256_sub_epi16 _mm256_sub_epi32,
    shift _mm256_slli_epi16 _mm256_slli_epi32 _mm256_srai_epi32, multiply _mm256_mullo_epi32,
    widen _mm256_cvtepi8_epi16 _mm_loadu_si128 _mm_xor_si128 _mm_set1_epi8
);

#[inline]
#[target_feature(enable = "avx2,fma")]
pub(super) fn multiply_add(a: Floats, b: Floats, c: Floats) -> Floats {
    _mm256_fmadd_ps(a, b, c)
}

/// `x > 0 ? x : other`.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn positive_or(x: Floats, other: Floats) -> Floats {
    _mm256_blendv_ps(other, x, _mm256_cmp_ps::<_CMP_GT_OQ>(x, _mm256_setzero_ps()))
}

/// The largest float below 0.5 with the signs of `values`.
#[inline]
#[target_feature(enable = "avx2")]
fn half_like(values: Floats) -> Floats {
    _mm256_or_ps(_mm256_and_ps(values, splat(-0.0)), splat(HALF))
}

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
