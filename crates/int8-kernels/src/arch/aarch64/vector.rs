//! The vocabulary of the epilogue in NEON: vectors of eight lanes, which are two registers, so that the
//! bytes of a vector are one store.

use std::arch::aarch64::*;

/// Lanes of a vector.
pub(super) const LANES: usize = 8;

pub(super) type Ints = [int32x4_t; 2];
pub(super) type Floats = [float32x4_t; 2];

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_ints(values: &[i32; LANES]) -> Ints {
    let (halves, _) = values.as_chunks();
    [load_four_ints(&halves[0]), load_four_ints(&halves[1])]
}

#[inline]
#[target_feature(enable = "neon")]
fn load_four_ints(values: &[i32; 4]) -> int32x4_t {
    // SAFETY: the reference is valid for a register.
    unsafe { vld1q_s32(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_floats(values: &[f32; LANES]) -> Floats {
    let (halves, _) = values.as_chunks();
    [load_four(&halves[0]), load_four(&halves[1])]
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_four(values: &[f32; 4]) -> float32x4_t {
    // SAFETY: the reference is valid for a register.
    unsafe { vld1q_f32(values.as_ptr()) }
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn store_floats(to: &mut [f32; LANES], values: Floats) {
    let (halves, _) = to.as_chunks_mut();
    store_four(&mut halves[0], values[0]);
    store_four(&mut halves[1], values[1]);
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn store_four(to: &mut [f32; 4], values: float32x4_t) {
    // SAFETY: the reference is valid for a register.
    unsafe { vst1q_f32(to.as_mut_ptr(), values) }
}

/// Nothing: stable Rust has no hint for this architecture.
#[inline]
pub(super) fn hint_at(_place: *const f32) {}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn splat(value: f32) -> Floats {
    [vdupq_n_f32(value); 2]
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn to_floats(values: Ints) -> Floats {
    [vcvtq_f32_s32(values[0]), vcvtq_f32_s32(values[1])]
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn multiply(a: Floats, b: Floats) -> Floats {
    [vmulq_f32(a[0], b[0]), vmulq_f32(a[1], b[1])]
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn add(a: Floats, b: Floats) -> Floats {
    [vaddq_f32(a[0], b[0]), vaddq_f32(a[1], b[1])]
}

/// `a · b + c` rounded once.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn multiply_add(a: Floats, b: Floats, c: Floats) -> Floats {
    [vfmaq_f32(c[0], a[0], b[0]), vfmaq_f32(c[1], a[1], b[1])]
}

/// `a > b ? a : b`; `b` if either is NaN or both are zero, which no instruction for maxima gives.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn larger(a: Floats, b: Floats) -> Floats {
    [vbslq_f32(vcgtq_f32(a[0], b[0]), a[0], b[0]), vbslq_f32(vcgtq_f32(a[1], b[1]), a[1], b[1])]
}

/// `a < b ? a : b`; `b` if either is NaN or both are zero.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn smaller(a: Floats, b: Floats) -> Floats {
    [vbslq_f32(vcltq_f32(a[0], b[0]), a[0], b[0]), vbslq_f32(vcltq_f32(a[1], b[1]), a[1], b[1])]
}

/// `x > 0 ? x : other`.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn positive_or(x: Floats, other: Floats) -> Floats {
    [vbslq_f32(vcgtzq_f32(x[0]), x[0], other[0]), vbslq_f32(vcgtzq_f32(x[1]), x[1], other[1])]
}

/// Stored int8 values of `product`s, already multiplied by the scale (see `quantize`): the conversion
/// rounds halves away from zero, saturates, and makes zero of NaN.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn store_stored(to: &mut [u8; LANES], product: Floats) {
    let words = vqmovn_high_s32(vqmovn_s32(vcvtaq_s32_f32(product[0])), vcvtaq_s32_f32(product[1]));
    let bytes = vmax_s8(vqmovn_s16(words), vdup_n_s8(-127));
    // SAFETY: the reference is valid for eight bytes.
    unsafe { vst1_s8(to.as_mut_ptr().cast(), bytes) }
}

/// As [`store_stored`], for products that are positive, zero or NaN.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn store_positive(to: &mut [u8; LANES], product: Floats) {
    store_stored(to, product);
}

/// The int8 values of stored bytes as floats.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_stored(bytes: &[u8; LANES]) -> Floats {
    // SAFETY: the reference is valid for eight bytes.
    let words = vmovl_s8(unsafe { vld1_s8(bytes.as_ptr().cast()) });
    [vcvtq_f32_s32(vmovl_s16(vget_low_s16(words))), vcvtq_f32_s32(vmovl_high_s16(words))]
}

/// The bytes nearest to sixteen integers.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn narrow(words: [int32x4_t; 4]) -> int8x16_t {
    let low = vqmovn_high_s32(vqmovn_s32(words[0]), words[1]);
    let high = vqmovn_high_s32(vqmovn_s32(words[2]), words[3]);
    vqmovn_high_s16(vqmovn_s16(low), high)
}
