//! The vocabulary of Winograd's transforms in NEON.

use std::arch::aarch64::*;
use std::arch::asm;

pub(super) use super::operands::{LANES, load_ints, store_ints};

pub(super) type Ints = int32x4_t;
/// Twice as many words.
pub(super) type Words = int16x8_t;

/// The words of as many stored bytes.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_stored_words(bytes: &[u8; 2 * LANES]) -> Words {
    // SAFETY: the reference is valid for eight bytes.
    vmovl_s8(unsafe { vld1_s8(bytes.as_ptr().cast()) })
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn store_words(to: &mut [i32; LANES], words: Words) {
    store_ints(to, vreinterpretq_s32_s16(words));
}

/// The words that `store_words` stored.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn load_words(from: &[i32; LANES]) -> Words {
    vreinterpretq_s16_s32(load_ints(from))
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn word_zero() -> Words {
    vdupq_n_s16(0)
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn int_zero() -> Ints {
    vdupq_n_s32(0)
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn add_words(a: Words, b: Words) -> Words {
    vaddq_s16(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn subtract_words(a: Words, b: Words) -> Words {
    vsubq_s16(a, b)
}

/// `a + 2 · b`.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn add_twice_words(a: Words, b: Words) -> Words {
    vmlaq_s16(a, b, factor::<2>())
}

/// `a − 2 · b`.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn subtract_twice_words(a: Words, b: Words) -> Words {
    vmlsq_s16(a, b, factor::<2>())
}

/// `a + 4 · b`.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn add_four_times_words(a: Words, b: Words) -> Words {
    vmlaq_s16(a, b, factor::<4>())
}

/// `a − 4 · b`.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn subtract_four_times_words(a: Words, b: Words) -> Words {
    vmlsq_s16(a, b, factor::<4>())
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn add_ints(a: Ints, b: Ints) -> Ints {
    vaddq_s32(a, b)
}

#[inline]
#[target_feature(enable = "neon")]
pub(super) fn subtract_ints(a: Ints, b: Ints) -> Ints {
    vsubq_s32(a, b)
}

/// `a + 2 · b`.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn add_twice_ints(a: Ints, b: Ints) -> Ints {
    vmlaq_s32(a, b, int_factor::<2>())
}

/// `a + 4 · b`.
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn add_four_times_ints(a: Ints, b: Ints) -> Ints {
    vmlaq_s32(a, b, int_factor::<4>())
}

/// The lanes of `576 · sums` as sums (see [`crate::winograd`]).
#[inline]
#[target_feature(enable = "neon")]
pub(super) fn unscale_ints(a: Ints) -> Ints {
    vshrq_n_s32::<6>(vmulq_s32(a, vdupq_n_s32(crate::contract::NINTH)))
}

/// Words of a value of which the compiler knows nothing: it makes two instructions of products with powers of two.
#[inline]
#[target_feature(enable = "neon")]
fn factor<const N: i16>() -> Words {
    let mut words = vdupq_n_s16(N);
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {0:v} */", inout(vreg) words, options(pure, nomem, nostack, preserves_flags)) };
    words
}

/// As [`factor`].
#[inline]
#[target_feature(enable = "neon")]
fn int_factor<const N: i32>() -> Ints {
    let mut ints = vdupq_n_s32(N);
    // SAFETY: no instruction at all.
    unsafe { asm!("/* {0:v} */", inout(vreg) ints, options(pure, nomem, nostack, preserves_flags)) };
    ints
}
