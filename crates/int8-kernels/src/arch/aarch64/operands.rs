//! Loads and stores: references instead of pointers.

use std::arch::aarch64::{
    int8x16_t, int32x4_t, vaddvq_s32, vcombine_s8, vcreate_s8, vld1q_s8, vld1q_s32, vst1q_s8, vst1q_s32,
};
use std::arch::asm;

/// 32-bit lanes of a vector: output channels.
pub(super) const LANES: usize = 4;

#[inline(always)]
pub(super) fn load_weights(weights: &[i8; 16]) -> int8x16_t {
    // SAFETY: the reference is valid for a vector; every ARMv8 target of Rust's has NEON.
    unsafe { vld1q_s8(weights.as_ptr()) }
}

#[inline(always)]
pub(super) fn load_activations(bytes: &[u8; 16]) -> int8x16_t {
    // SAFETY: the reference is valid for a vector; every ARMv8 target of Rust's has NEON.
    unsafe { vld1q_s8(bytes.as_ptr().cast()) }
}

/// The first `count` columns of `P` pixels of `B` bytes: what `as_chunks` twice would give, without divisions.
#[inline(always)]
pub(super) fn columns<const B: usize, const P: usize>(bytes: &[u8], count: usize) -> &[[[u8; B]; P]] {
    let bytes = &bytes[..count.saturating_mul(P * B)];
    // SAFETY: the slice holds as many bytes as the arrays, which are bytes themselves.
    unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), count) }
}

/// Two vectors of two halves each as the first halves and the second halves.
#[inline(always)]
pub(super) fn transpose(a: int32x4_t, b: int32x4_t) -> [int32x4_t; 2] {
    let (low, high);
    // In assembly because the compiler makes two instructions of the first.
    // SAFETY: the instructions touch nothing but their operands; every ARMv8 target of Rust's has NEON.
    unsafe {
        asm!(
            "zip1 {0:v}.2d, {2:v}.2d, {3:v}.2d",
            "zip2 {1:v}.2d, {2:v}.2d, {3:v}.2d",
            out(vreg) low, lateout(vreg) high, in(vreg) a, in(vreg) b,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    [low, high]
}

#[inline(always)]
pub(super) fn store_activations(to: &mut [u8; 16], values: int8x16_t) {
    // SAFETY: the reference is valid for a vector; every ARMv8 target of Rust's has NEON.
    unsafe { vst1q_s8(to.as_mut_ptr().cast(), values) }
}

#[inline(always)]
pub(super) fn load_ints(values: &[i32; LANES]) -> int32x4_t {
    // SAFETY: the reference is valid for a vector; every ARMv8 target of Rust's has NEON.
    unsafe { vld1q_s32(values.as_ptr()) }
}

#[inline(always)]
pub(super) fn store_ints(to: &mut [i32; LANES], values: int32x4_t) {
    // SAFETY: the reference is valid for a vector; every ARMv8 target of Rust's has NEON.
    unsafe { vst1q_s32(to.as_mut_ptr(), values) }
}

/// What the sums of a pixel begin with.
#[inline(always)]
pub(super) fn load_initial<const V: usize>(initial: &[i32]) -> [int32x4_t; V] {
    let from = &initial.as_chunks().0[..V];
    let mut vectors = [load_ints(&from[0]); V];
    for v in 1..V {
        vectors[v] = load_ints(&from[v]);
    }
    vectors
}

/// Stores the sums of a tile.
#[inline(always)]
pub(super) fn store_tile<const P: usize, const V: usize>(sums: &[[int32x4_t; V]; P], out: &mut [i32]) {
    let out = &mut out.as_chunks_mut::<LANES>().0[..P * V];
    // Indexed by constants alone: an array that anything else indexes does not stay in registers.
    for p in 0..P {
        for v in 0..V {
            store_ints(&mut out[p * V + v], sums[p][v]);
        }
    }
}

/// Eight activations and eight zeros.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_half(bytes: &[u8; 8]) -> int8x16_t {
    vcombine_s8(vcreate_s8(u64::from_le_bytes(*bytes)), vcreate_s8(0))
}

/// The sum of all lanes.
#[target_feature(enable = "neon")]
pub(super) fn total(sums: &[int32x4_t]) -> i32 {
    let mut total = 0i32;
    for &sums in sums {
        total = total.wrapping_add(vaddvq_s32(sums));
    }
    total
}
