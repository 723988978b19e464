//! Operations on 512 bits (AVX-512 F, BW, VL).

use std::arch::x86_64::*;

/// 32-bit lanes of a vector.
pub(super) const LANES: usize = 16;
/// Bytes of a vector.
pub(super) const BYTES: usize = 64;

pub(super) type Ints = __m512i;
pub(super) type Floats = __m512;

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load_bytes(bytes: &[i8; BYTES]) -> Ints {
    // SAFETY: the reference is valid for 64 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load_ints(values: &[i32; LANES]) -> Ints {
    // SAFETY: the reference is valid for 64 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(values.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store_ints(to: &mut [i32; LANES], values: Ints) {
    // SAFETY: the reference is valid for 64 bytes; the store needs no alignment.
    unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), values) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn load_floats(values: &[f32; LANES]) -> Floats {
    // SAFETY: the reference is valid for 16 floats; the load needs no alignment.
    unsafe { _mm512_loadu_ps(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn store_floats(to: &mut [f32; LANES], values: Floats) {
    // SAFETY: the reference is valid for 16 floats; the store needs no alignment.
    unsafe { _mm512_storeu_ps(to.as_mut_ptr(), values) }
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn int_zero() -> Ints {
    _mm512_setzero_si512()
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn add_ints(a: Ints, b: Ints) -> Ints {
    _mm512_add_epi32(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn splat(value: f32) -> Floats {
    _mm512_set1_ps(value)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn to_floats(values: Ints) -> Floats {
    _mm512_cvtepi32_ps(values)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn multiply(a: Floats, b: Floats) -> Floats {
    _mm512_mul_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn add(a: Floats, b: Floats) -> Floats {
    _mm512_add_ps(a, b)
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn multiply_add(a: Floats, b: Floats, c: Floats) -> Floats {
    _mm512_fmadd_ps(a, b, c)
}

/// `a > b ? a : b`; `b` if either is NaN or both are zero.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn larger(a: Floats, b: Floats) -> Floats {
    _mm512_max_ps(a, b)
}

/// `a < b ? a : b`; `b` if either is NaN or both are zero.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn smaller(a: Floats, b: Floats) -> Floats {
    _mm512_min_ps(a, b)
}

/// `x > 0 ? x : other`.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn positive_or(x: Floats, other: Floats) -> Floats {
    let positive = _mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, _mm512_setzero_ps());
    _mm512_mask_blend_ps(positive, other, x)
}

/// Stored int8 values of `product`s, already multiplied by the scale (see `quantize`): adding the
/// largest float below 0.5 with the value's sign and cutting the fraction off rounds halves away
/// from zero, for all values whose sum is exact enough, which those up to 2^22 are.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) fn store_stored(to: &mut [u8; LANES], product: Floats) {
    const SIGN: i32 = i32::MIN;
    let half = _mm512_set1_epi32(HALF.to_bits() as i32);
    // half | (product & SIGN)
    let signed_half = _mm512_ternarylogic_epi32::<0xF8>(half, _mm512_castps_si512(product), _mm512_set1_epi32(SIGN));
    let moved = _mm512_add_ps(product, _mm512_castsi512_ps(signed_half));
    // NaN is the second operand, so it stays.
    store_cut(to, larger(splat(-127.0), moved));
}

/// As [`store_stored`] for products that are positive, zero or NaN.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(super) fn store_positive(to: &mut [u8; LANES], product: Floats) {
    store_cut(to, _mm512_add_ps(product, splat(HALF)));
}

/// The largest float below 0.5.
const HALF: f32 = f32::from_bits(0x3EFF_FFFF);

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

/// Four vectors of bytes as four of lanes that hold one byte of each: lane `i` of part `j` of the
/// 128-bit block `b` holds byte `16 b + 4 j + i`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) fn interleave(rows: [Ints; 4]) -> [Ints; 4] {
    let (low, high) = (_mm512_unpacklo_epi8(rows[0], rows[1]), _mm512_unpackhi_epi8(rows[0], rows[1]));
    let (low2, high2) = (_mm512_unpacklo_epi8(rows[2], rows[3]), _mm512_unpackhi_epi8(rows[2], rows[3]));
    [
        _mm512_unpacklo_epi16(low, low2),
        _mm512_unpackhi_epi16(low, low2),
        _mm512_unpacklo_epi16(high, high2),
        _mm512_unpackhi_epi16(high, high2),
    ]
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

/// The same value, of which the compiler knows nothing.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn opaque(mut values: Ints) -> Ints {
    // SAFETY: the assembly is a comment.
    unsafe { std::arch::asm!("/* {0} */", inout(zmm_reg) values, options(nomem, nostack, preserves_flags)) };
    values
}

#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn sum_lanes(values: Ints) -> i32 {
    _mm512_reduce_add_epi32(values)
}

/// Products by `vpdpbusd`: unsigned by signed bytes, four to a lane, added without saturation.
pub(super) mod vnni {
    use super::*;
    use crate::micro_kernel::WeightForm;

    pub(in super::super) const FORM: WeightForm = WeightForm::Bytes;
    /// Bytes of the weights of one vector of lanes.
    pub(in super::super) const WEIGHT_BYTES: usize = 64;

    pub(in super::super) type Weights = Ints;
    pub(in super::super) type Activations = Ints;

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) fn load_weights(bytes: &[i8; WEIGHT_BYTES]) -> Weights {
        load_bytes(bytes)
    }

    /// Four stored bytes for every lane.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) fn spread(bytes: i32) -> Activations {
        _mm512_set1_epi32(bytes)
    }

    /// Four stored bytes per lane.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) fn widen(bytes: Ints) -> Activations {
        bytes
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) fn opaque_activations(activations: Activations) -> Activations {
        opaque(activations)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(in super::super) fn add_products(sums: Ints, activations: Activations, weights: Weights) -> Ints {
        _mm512_dpbusd_epi32(sums, activations, weights)
    }
}

/// Products by `vpmaddwd`: bytes become words by masking and shifting, which pairs depths
/// `(k, k + 2)` and `(k + 1, k + 3)`.
pub(super) mod words {
    use super::*;
    use crate::micro_kernel::WeightForm;

    pub(in super::super) const FORM: WeightForm = WeightForm::WordPairs;
    /// Bytes of the weights of one vector of lanes.
    pub(in super::super) const WEIGHT_BYTES: usize = 128;

    pub(in super::super) type Weights = [Ints; 2];
    pub(in super::super) type Activations = [Ints; 2];

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) fn load_weights(bytes: &[i8; WEIGHT_BYTES]) -> Weights {
        let (halves, _) = bytes.as_chunks();
        [load_bytes(&halves[0]), load_bytes(&halves[1])]
    }

    /// Four stored bytes for every lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(in super::super) fn spread(bytes: i32) -> Activations {
        widen(_mm512_set1_epi32(bytes))
    }

    /// Four stored bytes per lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(in super::super) fn widen(bytes: Ints) -> Activations {
        [_mm512_and_si512(bytes, _mm512_set1_epi16(0xFF)), _mm512_srli_epi16::<8>(bytes)]
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    pub(in super::super) fn opaque_activations(activations: Activations) -> Activations {
        [opaque(activations[0]), opaque(activations[1])]
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    pub(in super::super) fn add_products(sums: Ints, activations: Activations, weights: Weights) -> Ints {
        let even = _mm512_madd_epi16(activations[0], weights[0]);
        let odd = _mm512_madd_epi16(activations[1], weights[1]);
        _mm512_add_epi32(sums, _mm512_add_epi32(even, odd))
    }
}
