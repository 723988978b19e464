//! Whole slices in NEON: between floats and stored int8 values, and the largest of windows.

use std::arch::aarch64::*;

use super::vector::{load_four, narrow, store_four};
use crate::contract::{MaxWindows, RowKernels};
use crate::portable::{dequantize_each, interleave_each, largest, quantize_each, requantize_each};

/// Values at a time: as many as bytes in a register.
const LANES: usize = 16;

pub(super) const ROWS: RowKernels =
    RowKernels { quantize, dequantize, requantize: requantize_row, interleave: interleave_three, max };

#[inline(never)]
#[target_feature(enable = "neon")]
fn quantize(values: &[f32], scale: f32, out: &mut [u8]) {
    let (values, last_values) = values.as_chunks::<LANES>();
    let (out, last_out) = out.as_chunks_mut::<LANES>();
    for (values, out) in values.iter().zip(out) {
        let (fours, _) = values.as_chunks();
        store_stored(
            out,
            [load_four(&fours[0]), load_four(&fours[1]), load_four(&fours[2]), load_four(&fours[3])],
            scale,
        );
    }
    quantize_each(last_values, scale, last_out);
}

#[inline(never)]
#[target_feature(enable = "neon")]
fn dequantize(bytes: &[u8], step: f32, out: &mut [f32]) {
    let (bytes, last_bytes) = bytes.as_chunks::<LANES>();
    let (out, last_out) = out.as_chunks_mut::<LANES>();
    for (bytes, out) in bytes.iter().zip(out) {
        for (out, values) in out.as_chunks_mut().0.iter_mut().zip(load_stored(bytes, step)) {
            store_four(out, values);
        }
    }
    dequantize_each(last_bytes, step, last_out);
}

#[inline(never)]
#[target_feature(enable = "neon")]
fn requantize_row(bytes: &[u8], step: f32, scale: f32, out: &mut [u8]) {
    let (bytes, last_bytes) = bytes.as_chunks::<LANES>();
    let (out, last_out) = out.as_chunks_mut::<LANES>();
    for (bytes, out) in bytes.iter().zip(out) {
        store_stored(out, load_stored(bytes, step), scale);
    }
    requantize_each(last_bytes, step, scale, last_out);
}

/// `quantize(value, scale)` of sixteen values, as stored bytes.
#[inline]
#[target_feature(enable = "neon")]
fn store_stored(to: &mut [u8; LANES], values: [float32x4_t; 4], scale: f32) {
    let rounded = values.map(|value| vcvtaq_s32_f32(vmulq_n_f32(value, scale)));
    let bytes = vmaxq_s8(narrow(rounded), vdupq_n_s8(-127));
    // SAFETY: the reference is valid for a register.
    unsafe { vst1q_s8(to.as_mut_ptr().cast(), bytes) }
}

/// `f32(q) · step` of sixteen stored values. A byte that is the highest of four is 2²⁴ times its value,
/// which the conversion divides by.
#[inline]
#[target_feature(enable = "neon")]
fn load_stored(bytes: &[u8; LANES], step: f32) -> [float32x4_t; 4] {
    // SAFETY: the reference is valid for a register.
    let bytes = unsafe { vld1q_u8(bytes.as_ptr()) };
    let high = |first: usize| {
        // Index 16 is beyond the table, which gives zero.
        const PLACES: [[u8; LANES]; 4] = places();
        // SAFETY: the reference is valid for a register.
        let places = unsafe { vld1q_u8(PLACES[first].as_ptr()) };
        let highest = vreinterpretq_s32_u8(vqtbl1q_u8(bytes, places));
        vmulq_n_f32(vcvtq_n_f32_s32::<24>(highest), step)
    };
    [high(0), high(1), high(2), high(3)]
}

/// For each four bytes of a vector, where they go to become the highest bytes of lanes.
const fn places() -> [[u8; LANES]; 4] {
    let mut places = [[LANES as u8; LANES]; 4];
    let mut byte = 0;
    while byte < LANES {
        places[byte / 4][byte % 4 * 4 + 3] = byte as u8;
        byte += 1;
    }
    places
}

#[inline(never)]
#[target_feature(enable = "neon")]
fn interleave_three(planes: [&[u8]; 3], out: &mut [u8]) {
    let (blocks, last_out) = out.as_chunks_mut::<{ 3 * LANES }>();
    let done = blocks.len() * LANES;
    let [a, b, c] = planes.map(|plane| plane.as_chunks::<LANES>().0);
    for (out, ((a, b), c)) in blocks.iter_mut().zip(a.iter().zip(b).zip(c)) {
        let rows = uint8x16x3_t(load(a), load(b), load(c));
        // SAFETY: the reference is valid for three registers.
        unsafe { vst3q_u8(out.as_mut_ptr(), rows) }
    }
    interleave_each(planes.map(|plane| &plane[done..]), last_out);
}

#[inline]
#[target_feature(enable = "neon")]
fn load(bytes: &[u8; LANES]) -> uint8x16_t {
    // SAFETY: the reference is valid for a register.
    unsafe { vld1q_u8(bytes.as_ptr()) }
}

#[inline(never)]
fn max(windows: &MaxWindows<'_>, out: &mut [u8]) {
    largest::<LANES>(windows, out);
}
