//! Operations on 512 bits (AVX-512 F, BW, VL).

use std::arch::x86_64::*;

operations!(
    "avx512f,avx512bw,avx512vl", lanes 16, __m512i, __m512,
    load _mm512_loadu_si512 _mm512_loadu_ps, store _mm512_storeu_si512 _mm512_storeu_ps,
    zero _mm512_setzero_si512, splat _mm512_set1_ps, add _mm512_add_epi32 _mm512_add_ps, multiply _mm512_mul_ps,
    max _mm512_max_ps, min _mm512_min_ps, convert _mm512_cvtepi32_ps,
    unpack _mm512_unpacklo_epi8 _mm512_unpackhi_epi8 _mm512_unpacklo_epi16 _mm512_unpackhi_epi16,
    register zmm_reg
);
byte_products!("avx512f,avx512bw,avx512vl,avx512vnni", dot _mm512_dpbusd_epi32 _mm512_dpwssd_epi32, splat _mm512_set1_epi32);
word_products!(
    "avx512f,avx512bw,avx512vl", dot _mm512_madd_epi16, splat _mm512_set1_epi32 _mm512_set1_epi16, and _mm512_and_si512,
    shift _mm512_srli_epi16
);
word_operations!(
    "avx512f,avx512bw,avx512vl", splat _mm512_set1_epi32, add _mm512_add_epi16, subtract _mm512_sub_epi16 _mm512_sub_epi32,
    shift _mm512_slli_epi16 _mm512_slli_epi32 _mm512_srai_epi32, multiply _mm512_mullo_epi32,
    widen _mm512_cvtepi8_epi16 _mm256_loadu_si256 _mm256_xor_si256 _mm256_set1_epi8
);

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn multiply_add(a: Floats, b: Floats, c: Floats) -> Floats {
    _mm512_fmadd_ps(a, b, c)
}

/// `x > 0 ? x : other`.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn positive_or(x: Floats, other: Floats) -> Floats {
    let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, _mm512_setzero_ps());
    _mm512_mask_blend_ps(positive, other, x)
}

/// The largest float below 0.5 with the signs of `values`.
#[inline]
#[target_feature(enable = "avx512f")]
fn half_like(values: Floats) -> Floats {
    let (half, sign) = (_mm512_set1_epi32(HALF.to_bits() as i32), _mm512_set1_epi32(i32::MIN));
    // half | (values & sign)
    _mm512_castsi512_ps(_mm512_ternarylogic_epi32::<0xF8>(half, _mm512_castps_si512(values), sign))
}

/// Cuts fractions off and stores the integers, at most 127. NaN becomes `i32::MIN` and, as its lowest
/// byte, zero.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn store_cut(to: &mut [u8; LANES], moved: Floats) {
    let whole = _mm512_cvttps_epi32(smaller(splat(127.0), moved));
    let bytes = _mm_xor_si128(_mm512_cvtepi32_epi8(whole), _mm_set1_epi8(i8::MIN));
    // SAFETY: the reference is valid for 16 bytes; the store needs no alignment.
    unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), bytes) }
}

/// The int8 values of stored bytes as floats.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load_stored(bytes: &[u8; LANES]) -> Floats {
    // SAFETY: the reference is valid for 16 bytes; the load needs no alignment.
    let bytes = unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) };
    _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_cvtepu8_epi32(bytes), _mm512_set1_epi32(128)))
}

/// The sums of [`interleave`]d lanes in the order of the bytes: a transpose of 128-bit blocks.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn in_byte_order(parts: [Ints; 4]) -> [Ints; 4] {
    let a = _mm512_shuffle_i32x4::<0b01_00_01_00>(parts[0], parts[1]);
    let b = _mm512_shuffle_i32x4::<0b11_10_11_10>(parts[0], parts[1]);
    let c = _mm512_shuffle_i32x4::<0b01_00_01_00>(parts[2], parts[3]);
    let d = _mm512_shuffle_i32x4::<0b11_10_11_10>(parts[2], parts[3]);
    [
        _mm512_shuffle_i32x4::<0b10_00_10_00>(a, c),
        _mm512_shuffle_i32x4::<0b11_01_11_01>(a, c),
        _mm512_shuffle_i32x4::<0b10_00_10_00>(b, d),
        _mm512_shuffle_i32x4::<0b11_01_11_01>(b, d),
    ]
}
