//! The depthwise kernel in NEON.
//!
//! ```text
//! for each pixel, for each two taps: load sixteen channels of each, multiply, add in 16 bits, widen, add
//! ```
//!
//! 1. Lanes are channels, so that weights are bytes in the order of the activations.
//! 2. With values within ±127 two products fit 16 bits (2 · 127 · 128), which halves the widening.
//! 3. Sums begin at zero, as those of all kernels do that multiply values.
//! 4. 3 x 3 taps keep the weights and the columns that the next pixel needs in registers.

use std::arch::aarch64::*;
use std::arch::asm;

use crate::contract::{KR, Windows};

/// Channels of a block.
pub(super) const CHANNELS: usize = 16;
/// Pixels at most: enough that a call costs little, few enough that their sums stay in the first cache.
pub(super) const PIXELS: usize = 32;

/// The sums of a pixel.
type Sums = [int32x4_t; 4];
/// Three taps above each other.
type Column = [int8x16_t; 3];

/// # Safety
/// `Windows::fit` holds.
#[inline(never)]
#[target_feature(enable = "neon")]
pub(super) unsafe fn depthwise(windows: &Windows<'_>, out: &mut [i32]) {
    let (out, _) = out.as_chunks_mut::<CHANNELS>();
    let out = &mut out[..windows.pixels];
    if let Some((columns, stride)) = windows.three_columns() {
        match stride {
            // SAFETY: promised by the caller; the columns are those of the taps, and `out` has as many pixels.
            1 => return unsafe { neighbours(windows, columns, out) },
            // SAFETY: as above.
            2 => return unsafe { every_second(windows, columns, out) },
            _ => {}
        }
    }
    let (fours, rest) = out.as_chunks_mut::<4>();
    let first_of_rest = fours.len() * 4;
    for (index, four) in fours.iter_mut().enumerate() {
        // SAFETY: promised by the caller; `out` has as many pixels.
        unsafe { any_taps(windows, 4 * index, four) };
    }
    for (index, one) in rest.iter_mut().enumerate() {
        // SAFETY: as above.
        unsafe { any_taps(windows, first_of_rest + index, std::array::from_mut(one)) };
    }
}

/// The pixels from `first` on with any taps, two by two.
///
/// # Safety
/// `Windows::fit` holds, and there are these pixels.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn any_taps<const P: usize>(windows: &Windows<'_>, first: usize, out: &mut [[i32; CHANNELS]; P]) {
    let mut sums = [[vdupq_n_s32(0); 4]; P];
    let (taps, _) = windows.taps.offsets().as_chunks::<2>();
    let (weights, _) = windows.panel.as_chunks::<CHANNELS>();
    for (taps, weights) in taps.iter().zip(weights.as_chunks::<2>().0) {
        let weights = [load(&weights[0]), load(&weights[1])];
        for (p, sums) in sums.iter_mut().enumerate() {
            // SAFETY: promised by the caller.
            let even = unsafe { load_tap(windows, first + p, taps[0]) };
            // SAFETY: promised by the caller.
            let activations = [even, unsafe { load_tap(windows, first + p, taps[1]) }];
            let [low, high] = two_products(activations, weights);
            *sums = add_widened(*sums, low, high);
        }
    }
    for (out, sums) in out.iter_mut().zip(sums) {
        store(out, sums);
    }
}

/// 3 x 3 taps at stride 1: two columns of a pixel are those of the next.
///
/// # Safety
/// `Windows::fit` holds, `taps` are its taps, and `out` has no more pixels.
#[target_feature(enable = "neon")]
unsafe fn neighbours(windows: &Windows<'_>, taps: &[[usize; KR]; 3], out: &mut [[i32; CHANNELS]]) {
    let weights = load_weights(windows);
    // SAFETY: promised by the caller.
    let mut first = unsafe { load_column(windows, 0, &taps[0]) };
    // SAFETY: promised by the caller.
    let mut second = unsafe { load_column(windows, 0, &taps[1]) };
    let mut pixel = 0;
    // Three pixels at a time, so that columns stay where they are.
    let (threes, rest) = out.as_chunks_mut::<3>();
    for three in threes {
        // SAFETY: promised by the caller.
        let third = unsafe { load_column(windows, pixel, &taps[2]) };
        store(&mut three[0], nine_products([first, second, third], weights));
        // SAFETY: promised by the caller.
        first = unsafe { load_column(windows, pixel + 1, &taps[2]) };
        store(&mut three[1], nine_products([second, third, first], weights));
        // SAFETY: promised by the caller.
        second = unsafe { load_column(windows, pixel + 2, &taps[2]) };
        store(&mut three[2], nine_products([third, first, second], weights));
        pixel += 3;
    }
    for out in rest {
        // SAFETY: promised by the caller.
        let third = unsafe { load_column(windows, pixel, &taps[2]) };
        store(out, nine_products([first, second, third], weights));
        (first, second) = (second, third);
        pixel += 1;
    }
}

/// 3 x 3 taps at stride 2: the last column of a pixel is the first of the next.
///
/// # Safety
/// As of [`neighbours`].
#[target_feature(enable = "neon")]
unsafe fn every_second(windows: &Windows<'_>, taps: &[[usize; KR]; 3], out: &mut [[i32; CHANNELS]]) {
    let weights = load_weights(windows);
    // SAFETY: promised by the caller.
    let mut first = unsafe { load_column(windows, 0, &taps[0]) };
    let mut pixel = 0;
    let (twos, rest) = out.as_chunks_mut::<2>();
    for two in twos {
        // SAFETY: promised by the caller.
        let middle = unsafe { load_column(windows, pixel, &taps[1]) };
        // SAFETY: promised by the caller.
        let last = unsafe { load_column(windows, pixel, &taps[2]) };
        store(&mut two[0], nine_products([first, middle, last], weights));
        // SAFETY: promised by the caller.
        let middle = unsafe { load_column(windows, pixel + 1, &taps[1]) };
        // SAFETY: promised by the caller.
        first = unsafe { load_column(windows, pixel + 1, &taps[2]) };
        store(&mut two[1], nine_products([last, middle, first], weights));
        pixel += 2;
    }
    for out in rest {
        // SAFETY: promised by the caller.
        let middle = unsafe { load_column(windows, pixel, &taps[1]) };
        // SAFETY: promised by the caller.
        let columns = [first, middle, unsafe { load_column(windows, pixel, &taps[2]) }];
        store(out, nine_products(columns, weights));
    }
}

/// The weights of three columns; the fourth tap of each has none.
#[inline]
#[target_feature(enable = "neon")]
fn load_weights(windows: &Windows<'_>) -> [Column; 3] {
    let (weights, _) = windows.panel.as_chunks::<CHANNELS>();
    let mut columns = [[vdupq_n_s8(0); 3]; 3];
    for (column, weights) in columns.iter_mut().zip(weights.as_chunks::<KR>().0) {
        *column = [load(&weights[0]), load(&weights[1]), load(&weights[2])];
    }
    columns
}

/// The first three of four taps; the last has no weight.
///
/// # Safety
/// As of [`load_tap`], of every tap.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn load_column(windows: &Windows<'_>, pixel: usize, taps: &[usize; KR]) -> Column {
    let mut column = [vdupq_n_s8(0); KR - 1];
    for (tap, &offset) in column.iter_mut().zip(taps) {
        // SAFETY: promised by the caller.
        *tap = unsafe { load_tap(windows, pixel, offset) };
    }
    column
}

/// The channels of one tap.
///
/// # Safety
/// `Windows::fit` holds, `tap` is one of its offsets and `pixel` one of its pixels.
#[inline]
#[target_feature(enable = "neon")]
unsafe fn load_tap(windows: &Windows<'_>, pixel: usize, tap: usize) -> int8x16_t {
    let at = windows.bytes.as_ptr().wrapping_add(windows.start + tap).wrapping_add(pixel * windows.step);
    // SAFETY: promised by the caller, so these bytes lie within `windows.bytes`; bytes need no alignment.
    load(unsafe { &*at.cast::<[i8; CHANNELS]>() })
}

#[inline]
#[target_feature(enable = "neon")]
fn load(bytes: &[i8; CHANNELS]) -> int8x16_t {
    // SAFETY: the reference is valid for a register.
    unsafe { vld1q_s8(bytes.as_ptr()) }
}

/// The sums of 3 x 3 taps: four times two products, and one.
#[inline]
#[target_feature(enable = "neon")]
fn nine_products([a, b, c]: [Column; 3], [u, v, w]: [Column; 3]) -> Sums {
    let [low, high] = two_products([a[0], a[1]], [u[0], u[1]]);
    let [next_low, next_high] = two_products([a[2], b[0]], [u[2], v[0]]);
    let mut sums = [
        vaddl_s16(vget_low_s16(low), vget_low_s16(next_low)),
        vaddl_high_s16(low, next_low),
        vaddl_s16(vget_low_s16(high), vget_low_s16(next_high)),
        vaddl_high_s16(high, next_high),
    ];
    for (activations, weights) in [([b[1], b[2]], [v[1], v[2]]), ([c[0], c[1]], [w[0], w[1]])] {
        let [low, high] = two_products(activations, weights);
        sums = add_widened(sums, low, high);
    }
    let [low, high] = products(c[2], w[2]);
    add_widened(sums, low, high)
}

/// The sums of two products of the lower and of the upper channels.
#[inline]
#[target_feature(enable = "neon")]
fn two_products(activations: [int8x16_t; 2], weights: [int8x16_t; 2]) -> [int16x8_t; 2] {
    let (low, high);
    // In assembly because the compiler keeps the upper halves of weights in registers of their own, of
    // which there are not enough.
    // SAFETY: the instructions touch nothing but their operands, and the caller has NEON.
    unsafe {
        asm!(
            "smull {low:v}.8h, {x:v}.8b, {u:v}.8b",
            "smull2 {high:v}.8h, {x:v}.16b, {u:v}.16b",
            "smlal {low:v}.8h, {y:v}.8b, {v:v}.8b",
            "smlal2 {high:v}.8h, {y:v}.16b, {v:v}.16b",
            low = out(vreg) low, high = out(vreg) high,
            x = in(vreg) activations[0], y = in(vreg) activations[1], u = in(vreg) weights[0], v = in(vreg) weights[1],
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    [low, high]
}

/// The products of the lower and of the upper channels; see [`two_products`].
#[inline]
#[target_feature(enable = "neon")]
fn products(activations: int8x16_t, weights: int8x16_t) -> [int16x8_t; 2] {
    let (low, high);
    // SAFETY: the instructions touch nothing but their operands, and the caller has NEON.
    unsafe {
        asm!(
            "smull {low:v}.8h, {x:v}.8b, {u:v}.8b",
            "smull2 {high:v}.8h, {x:v}.16b, {u:v}.16b",
            low = out(vreg) low, high = lateout(vreg) high,
            x = in(vreg) activations, u = in(vreg) weights,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    [low, high]
}

#[inline]
#[target_feature(enable = "neon")]
fn add_widened(sums: Sums, low: int16x8_t, high: int16x8_t) -> Sums {
    [
        vaddw_s16(sums[0], vget_low_s16(low)),
        vaddw_high_s16(sums[1], low),
        vaddw_s16(sums[2], vget_low_s16(high)),
        vaddw_high_s16(sums[3], high),
    ]
}

#[inline]
#[target_feature(enable = "neon")]
fn store(to: &mut [i32; CHANNELS], sums: Sums) {
    let (parts, _) = to.as_chunks_mut::<4>();
    for (to, sums) in parts.iter_mut().zip(sums) {
        // SAFETY: the reference is valid for a register.
        unsafe { vst1q_s32(to.as_mut_ptr(), sums) }
    }
}
