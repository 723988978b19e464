//! Whole slices: between floats and stored int8 values, and the largest of windows.
//!
//! # Rounding halves away from zero without `vcvta`
//!
//! ```text
//! p = value · scale               vmul.f32        one rounding, as everywhere
//! h = 2 p without its fraction    vcvt.s32.f32 #1 toward zero, exact; NaN gives 0, large values saturate
//! h as 16 bits                    vqmovn.s32      saturates
//! h, at least −254                vmax.s16
//! h − 1 if h is negative          vsra.s16 #15
//! (h + 1) >> 1 as 8 bits          vqrshrn.s16 #1  saturates at 127
//! ```
//!
//! With n = ⌊2|p|⌋, rounding |p| to the nearest integer, halves up, is ⌊|p| + ½⌋ = ⌊(n + 1) / 2⌋. For p ≥ 0 that is
//! the last line. For p < 0, h = −n and the shift, which rounds down, gives ⌊−n / 2⌋ = −⌊(n + 1) / 2⌋.
//!
//! # Denormal floats
//!
//! NEON takes them for zero. A product that is denormal rounds to the integer 0 either way. A denormal value would
//! matter only if its product reached ½, which takes a scale of 2^125 or more; those scales, denormal ones and those
//! that are not finite go the portable way ([`is_plain_scale`]).

use std::arch::naked_asm;

use super::call::call;
use crate::contract::{MaxWindows, RowKernels};
use crate::portable::{dequantize_each, interleave_each, largest, quantize_each, requantize_each};

pub(super) const ROWS: RowKernels = RowKernels { quantize, dequantize, requantize, interleave, max };

/// Values that one round of a loop converts.
const STEP: usize = 8;

/// What the assembly of a slice reads.
#[repr(C)]
struct Slice<From, To> {
    from: *const From,
    to: *mut To,
    /// Values, a multiple of [`STEP`] and not zero.
    count: usize,
    step: f32,
    scale: f32,
    /// Elements of `to` from one [`STEP`] to the next, for bytes.
    to_step: usize,
}

/// All of this file.
#[cfg(test)]
pub(super) fn kernels() -> [usize; 5] {
    use super::call::Kernel;
    [
        quantize_eights as Kernel<Slice<f32, u8>> as usize,
        dequantize_eights as Kernel<Slice<u8, f32>> as usize,
        requantize_eights as Kernel<Slice<u8, u8>> as usize,
        interleave_eights as Kernel<Planes> as usize,
        max_sixteen as Kernel<Channels> as usize,
    ]
}

/// Whether NEON quantizes with this scale as portable code does.
pub(super) fn is_plain_scale(scale: f32) -> bool {
    const LARGE: f32 = f32::from_bits((127 + 125) << 23);
    scale == 0.0 || scale.is_normal() && scale.abs() < LARGE
}

/// # Safety
/// The CPU has NEON.
unsafe fn quantize(values: &[f32], scale: f32, out: &mut [u8]) {
    let whole = values.len().min(out.len()) / STEP * STEP;
    if whole == 0 || !is_plain_scale(scale) {
        return quantize_each(values, scale, out);
    }
    let mut slice =
        Slice { from: values.as_ptr(), to: out.as_mut_ptr(), count: whole, step: 0.0, scale, to_step: STEP };
    // SAFETY: promised by the caller; both slices have `whole` elements.
    unsafe { call(quantize_eights, &mut slice) };
    quantize_each(&values[whole..], scale, &mut out[whole..]);
}

/// # Safety
/// The CPU has NEON.
pub(super) unsafe fn dequantize(bytes: &[u8], step: f32, out: &mut [f32]) {
    let whole = bytes.len().min(out.len()) / STEP * STEP;
    // A denormal step is zero for NEON; products with others are zero or normal.
    if whole == 0 || step.is_subnormal() {
        return dequantize_each(bytes, step, out);
    }
    let mut slice = Slice { from: bytes.as_ptr(), to: out.as_mut_ptr(), count: whole, step, scale: 0.0, to_step: STEP };
    // SAFETY: promised by the caller; both slices have `whole` elements.
    unsafe { call(dequantize_eights, &mut slice) };
    dequantize_each(&bytes[whole..], step, &mut out[whole..]);
}

/// # Safety
/// The CPU has NEON.
unsafe fn requantize(bytes: &[u8], step: f32, scale: f32, out: &mut [u8]) {
    let whole = bytes.len().min(out.len()) / STEP * STEP;
    if whole == 0 || step.is_subnormal() || !is_plain_scale(scale) {
        return requantize_each(bytes, step, scale, out);
    }
    let mut slice = Slice { from: bytes.as_ptr(), to: out.as_mut_ptr(), count: whole, step, scale, to_step: STEP };
    // SAFETY: promised by the caller; both slices have `whole` elements.
    unsafe { call(requantize_eights, &mut slice) };
    requantize_each(&bytes[whole..], step, scale, &mut out[whole..]);
}

/// Quantizes whole eights of `values` into `out`, whose eights are `out_step` bytes apart.
///
/// # Safety
/// The CPU has NEON.
pub(super) unsafe fn quantize_apart(values: &[f32], scale: f32, out: &mut [u8], out_step: usize) {
    let count = values.len() / STEP * STEP;
    assert!(count > 0, "no values");
    let end = (count / STEP - 1).saturating_mul(out_step).saturating_add(STEP);
    assert!(out.len() >= end, "no room for {count} bytes");
    let mut slice = Slice { from: values.as_ptr(), to: out.as_mut_ptr(), count, step: 0.0, scale, to_step: out_step };
    // SAFETY: promised by the caller; the sizes were checked.
    unsafe { call(quantize_eights, &mut slice) };
}

#[unsafe(naked)]
unsafe extern "C" fn quantize_eights(slice: *mut Slice<f32, u8>) {
    naked_asm!(
        neon!(),
        "ldr r1, [r0]",
        "ldr r2, [r0, #4]",
        "ldr r3, [r0, #8]",
        "add r12, r0, #16",
        "vld1.32 {d6[], d7[]}, [r12]",
        "ldr r12, [r0, #20]",
        "vmvn.i16 q2, #253", // −254
        "10:",
        "vld1.32 {d0-d3}, [r1]!",
        "subs r3, r3, #8",
        "vmul.f32 q0, q0, q3",
        "vmul.f32 q1, q1, q3",
        "vcvt.s32.f32 q0, q0, #1",
        "vcvt.s32.f32 q1, q1, #1",
        "vqmovn.s32 d0, q0",
        "vqmovn.s32 d1, q1",
        "vmax.s16 q0, q0, q2",
        "vsra.s16 q0, q0, #15",
        "vqrshrn.s16 d0, q0, #1",
        "vst1.8 {d0}, [r2], r12",
        "bne 10b",
        "bx lr",
        options(raw)
    )
}

#[unsafe(naked)]
unsafe extern "C" fn dequantize_eights(slice: *mut Slice<u8, f32>) {
    naked_asm!(
        neon!(),
        "ldr r1, [r0]",
        "ldr r2, [r0, #4]",
        "ldr r3, [r0, #8]",
        "add r12, r0, #12",
        "vld1.32 {d6[], d7[]}, [r12]",
        "10:",
        "vld1.8 {d4}, [r1]!",
        "subs r3, r3, #8",
        "vmovl.s8 q2, d4",
        "vmovl.s16 q0, d4",
        "vmovl.s16 q1, d5",
        "vcvt.f32.s32 q0, q0",
        "vcvt.f32.s32 q1, q1",
        "vmul.f32 q0, q0, q3",
        "vmul.f32 q1, q1, q3",
        "vst1.32 {d0-d3}, [r2]!",
        "bne 10b",
        "bx lr",
        options(raw)
    )
}

#[unsafe(naked)]
unsafe extern "C" fn requantize_eights(slice: *mut Slice<u8, u8>) {
    naked_asm!(
        neon!(),
        "ldr r1, [r0]",
        "ldr r2, [r0, #4]",
        "ldr r3, [r0, #8]",
        "add r12, r0, #12",
        "vld1.32 {d6[], d7[]}, [r12]!",
        "vld1.32 {d16[], d17[]}, [r12]",
        "vmvn.i16 q9, #253", // −254
        "10:",
        "vld1.8 {d4}, [r1]!",
        "subs r3, r3, #8",
        "vmovl.s8 q2, d4",
        "vmovl.s16 q0, d4",
        "vmovl.s16 q1, d5",
        "vcvt.f32.s32 q0, q0",
        "vcvt.f32.s32 q1, q1",
        "vmul.f32 q0, q0, q3",
        "vmul.f32 q1, q1, q3",
        "vmul.f32 q0, q0, q8",
        "vmul.f32 q1, q1, q8",
        "vcvt.s32.f32 q0, q0, #1",
        "vcvt.s32.f32 q1, q1, #1",
        "vqmovn.s32 d0, q0",
        "vqmovn.s32 d1, q1",
        "vmax.s16 q0, q0, q9",
        "vsra.s16 q0, q0, #15",
        "vqrshrn.s16 d0, q0, #1",
        "vst1.8 {d0}, [r2]!",
        "bne 10b",
        "bx lr",
        options(raw)
    )
}

/// The pixels of three planes.
#[repr(C)]
struct Planes {
    from: [*const u8; 3],
    to: *mut u8,
    /// Pixels, a multiple of [`STEP`] and not zero.
    count: usize,
}

/// # Safety
/// The CPU has NEON.
unsafe fn interleave(planes: [&[u8]; 3], out: &mut [u8]) {
    let shortest = planes.iter().map(|plane| plane.len()).fold(out.len() / 3, usize::min);
    let whole = shortest / STEP * STEP;
    if whole > 0 {
        let mut work = Planes { from: planes.map(<[u8]>::as_ptr), to: out.as_mut_ptr(), count: whole };
        // SAFETY: promised by the caller; every plane has `whole` bytes and
        // `out` three times as many.
        unsafe { call(interleave_eights, &mut work) };
    }
    interleave_each(planes.map(|plane| &plane[whole..]), &mut out[3 * whole..]);
}

#[unsafe(naked)]
unsafe extern "C" fn interleave_eights(work: *mut Planes) {
    naked_asm!(
        neon!(),
        "push {r4, lr}",
        "ldr r1, [r0]",
        "ldr r2, [r0, #4]",
        "ldr r3, [r0, #8]",
        "ldr r12, [r0, #12]",
        "ldr r4, [r0, #16]",
        "10:",
        "vld1.8 {d0}, [r1]!",
        "vld1.8 {d1}, [r2]!",
        "vld1.8 {d2}, [r3]!",
        "subs r4, r4, #8",
        "vst3.8 {d0, d1, d2}, [r12]!",
        "bne 10b",
        "pop {r4, pc}",
        options(raw)
    )
}

/// Some channels of all windows, which lie within the bytes.
#[repr(C)]
struct Channels {
    /// First of the channels of the first window.
    from: *const u8,
    row_step: usize,
    column_step: usize,
    rows: usize,
    columns: usize,
    windows: usize,
    step: usize,
    to: *mut u8,
    out_step: usize,
}

/// # Safety
/// The CPU has NEON.
unsafe fn max(windows: &MaxWindows<'_>, out: &mut [u8]) {
    let whole = windows.channels / 16 * 16;
    if whole == 0 || !fits(windows, out) {
        return largest::<16>(windows, out);
    }
    for channel in (0..whole).step_by(16) {
        let mut work = Channels {
            from: windows.bytes.as_ptr().wrapping_add(windows.start + channel),
            row_step: windows.rows.1,
            column_step: windows.columns.1,
            rows: windows.rows.0,
            columns: windows.columns.0,
            windows: windows.count,
            step: windows.step,
            to: out.as_mut_ptr().wrapping_add(channel),
            out_step: windows.out_step,
        };
        // SAFETY: promised by the caller. `fits` holds, so 16 bytes of every
        // pixel of every window lie within `bytes`, and 16 of every output pixel within `out`.
        unsafe { call(max_sixteen, &mut work) };
    }
    if whole < windows.channels {
        let rest = MaxWindows { start: windows.start + whole, channels: windows.channels - whole, ..*windows };
        largest::<16>(&rest, &mut out[whole..]);
    }
}

/// Whether there is a window, and every byte of all of them is there.
fn fits(windows: &MaxWindows<'_>, out: &[u8]) -> bool {
    let (rows, columns) = (windows.rows, windows.columns);
    let last = |count: usize, step: usize| count.checked_sub(1)?.checked_mul(step);
    let read = || {
        let window = last(rows.0, rows.1)?.checked_add(last(columns.0, columns.1)?)?;
        last(windows.count, windows.step)?
            .checked_add(window)?
            .checked_add(windows.start)?
            .checked_add(windows.channels)
    };
    let written = || last(windows.count, windows.out_step)?.checked_add(windows.channels);
    read().is_some_and(|end| end <= windows.bytes.len()) && written().is_some_and(|end| end <= out.len())
}

/// `r1` window; `r2` row, `r3` pixel; `r4` row step, `r5` column step; `r6` rows left, `r7` columns left;
/// `r8` windows left; `r9` step; `r10` out, `r11` its step; `r12` rows, `lr` columns.
#[unsafe(naked)]
unsafe extern "C" fn max_sixteen(work: *mut Channels) {
    naked_asm!(
        neon!(),
        "push {r4-r11, lr}",
        "ldr r1, [r0]",
        "ldr r4, [r0, #4]",
        "ldr r5, [r0, #8]",
        "ldr r12, [r0, #12]",
        "ldr lr, [r0, #16]",
        "ldr r8, [r0, #20]",
        "ldr r9, [r0, #24]",
        "ldr r10, [r0, #28]",
        "ldr r11, [r0, #32]",
        "10:",
        "mov r2, r1",
        "mov r6, r12",
        "vmov.i8 q0, #129", // −127
        "20:",
        "mov r3, r2",
        "mov r7, lr",
        "add r2, r2, r4",
        "30:",
        "vld1.8 {d2-d3}, [r3], r5",
        "subs r7, r7, #1",
        "vmax.s8 q0, q0, q1",
        "bne 30b",
        "subs r6, r6, #1",
        "bne 20b",
        "add r1, r1, r9",
        "subs r8, r8, #1",
        "vst1.8 {d0-d1}, [r10], r11",
        "bne 10b",
        "pop {r4-r11, pc}",
        options(raw)
    )
}
