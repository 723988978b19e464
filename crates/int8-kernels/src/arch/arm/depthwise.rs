//! The depthwise kernel: lanes are channels.
//!
//! ```text
//! for each 8 channels, for each pixel, for each 2 taps:
//!   vmull.s8   8 products of 16 bits
//!   vmlal.s8   8 more, added to them
//!   vaddw.s16  twice, to 8 sums of 32 bits
//! ```
//!
//! 1. A kernel of 3 x 3 taps keeps its weights and two or three columns of the input in registers: with stride 1
//!    a pixel takes 3 loads, with stride 2 it takes 6. Stride 1 is 23 instructions for 8 sums, 72
//!    multiply-accumulates: 3.1 of them per instruction.
//! 2. Other taps come from a list of offsets, four at a time for 16 channels.

use std::arch::naked_asm;

use super::call::{Kernel, call};
use crate::contract::{DepthwiseKernel, KR, WeightForm, Windows};

/// Channels of a block.
const BLOCK: usize = 32;
/// Channels that a kernel of three columns computes.
const NARROW: usize = 8;
/// Channels that the kernel of any taps computes.
const WIDE: usize = 16;

pub(super) const DEPTHWISE: DepthwiseKernel = DepthwiseKernel {
    name: "depthwise_16x32c4__neon",
    channels: BLOCK,
    pixels: 16,
    form: WeightForm::Rows,
    lanes: BLOCK,
    code: depthwise_16x32c4,
};

/// What the kernels of three columns read, word by word.
#[repr(C)]
struct Columns {
    /// First tap of each row.
    rows: [*const u8; 3],
    /// Bytes from one column to the next.
    step: usize,
    /// At least 1.
    pixels: usize,
    panel: *const i8,
    out: *mut i32,
}

/// What the kernel of any taps reads, word by word.
#[repr(C)]
struct AnyTaps {
    /// First byte of the first window.
    bytes: *const u8,
    /// Bytes from one window to the next.
    step: usize,
    /// At least 1.
    pixels: usize,
    offsets: *const usize,
    /// A multiple of [`KR`] and not zero.
    taps: usize,
    panel: *const i8,
    out: *mut i32,
}

/// # Safety
/// The CPU has NEON, and `Windows::fit` holds.
unsafe fn depthwise_16x32c4(windows: &Windows<'_>, out: &mut [i32]) {
    let out = &mut out[..windows.pixels * BLOCK];
    match (windows.taps.offsets(), three_columns(windows)) {
        ([], _) => out.fill(0),
        (_, Some((step, kernel))) => {
            for channel in (0..BLOCK).step_by(NARROW) {
                let row =
                    |y: usize| windows.bytes.as_ptr().wrapping_add(windows.start + windows.taps.offsets()[y] + channel);
                let mut work = Columns {
                    rows: [row(0), row(1), row(2)],
                    step,
                    pixels: windows.pixels,
                    panel: windows.panel.as_ptr().wrapping_add(channel),
                    out: out.as_mut_ptr().wrapping_add(channel),
                };
                // SAFETY: promised by the caller. The columns are those of the taps, so all that is read lies within
                // `bytes`; `panel` has three groups of taps and `out` every sum.
                unsafe { call(kernel, &mut work) };
            }
        }
        (offsets, None) => {
            for channel in (0..BLOCK).step_by(WIDE) {
                let mut work = AnyTaps {
                    bytes: windows.bytes.as_ptr().wrapping_add(windows.start + channel),
                    step: windows.step,
                    pixels: windows.pixels,
                    offsets: offsets.as_ptr(),
                    taps: offsets.len(),
                    panel: windows.panel.as_ptr().wrapping_add(channel),
                    out: out.as_mut_ptr().wrapping_add(channel),
                };
                // SAFETY: as above.
                unsafe { call(any_taps, &mut work) };
            }
        }
    }
    // Stored bytes are values here, so sums of packed layers begin with zero.
    let initial = &windows.initial[..BLOCK];
    if initial.iter().fold(0, |bits, &value| bits | value) != 0 {
        for sums in out.chunks_exact_mut(BLOCK) {
            sums.iter_mut().zip(initial).for_each(|(sum, &value)| *sum = sum.wrapping_add(value));
        }
    }
}

/// All of this file.
#[cfg(test)]
pub(super) fn kernels() -> [usize; 3] {
    [
        columns_stride1 as Kernel<Columns> as usize,
        columns_stride2 as Kernel<Columns> as usize,
        any_taps as Kernel<AnyTaps> as usize,
    ]
}

/// A kernel of three columns, and the bytes between columns, if the taps are such: three rows leave the fourth
/// place of a group without a tap, whose offset is 0.
fn three_columns(windows: &Windows<'_>) -> Option<(usize, Kernel<Columns>)> {
    let (columns, _) = windows.taps.offsets().as_chunks::<KR>();
    let [first, middle, last] = columns else { return None };
    let step = middle[0].checked_sub(first[0])?;
    let is_regular = columns.iter().all(|column| column[3] == 0)
        && (0..3).all(|y| middle[y] == first[y].wrapping_add(step) && last[y] == middle[y].wrapping_add(step));
    match windows.step {
        _ if !is_regular => None,
        apart if apart == step => Some((step, columns_stride1)),
        apart if Some(apart) == step.checked_mul(2) => Some((step, columns_stride2)),
        _ => None,
    }
}

/// The sums of a pixel from three columns of three rows, given as registers; `d16`–`d24` are weights.
macro_rules! nine_products {
    ($a0:literal $a1:literal $a2:literal, $b0:literal $b1:literal $b2:literal, $c0:literal $c1:literal $c2:literal) => {
        concat!(
            "vmull.s8 q13, ",
            $a0,
            ", d16\n",
            "vmull.s8 q14, ",
            $a2,
            ", d18\n",
            "vmull.s8 q15, ",
            $b1,
            ", d20\n",
            "vmlal.s8 q13, ",
            $a1,
            ", d17\n",
            "vmlal.s8 q14, ",
            $b0,
            ", d19\n",
            "vmlal.s8 q15, ",
            $b2,
            ", d21\n",
            "vmull.s8 q6, ",
            $c0,
            ", d22\n",
            "vaddl.s16 q4, d26, d28\n",
            "vmlal.s8 q6, ",
            $c1,
            ", d23\n",
            "vaddl.s16 q5, d27, d29\n",
            "vmull.s8 q7, ",
            $c2,
            ", d24\n",
            "vaddw.s16 q4, q4, d30\n",
            "vaddw.s16 q5, q5, d31\n",
            "vaddw.s16 q4, q4, d12\n",
            "vaddw.s16 q5, q5, d13\n",
            "vaddw.s16 q4, q4, d14\n",
            "vaddw.s16 q5, q5, d15\n",
            "vst1.32 {d8-d11}, [r12], r0",
        )
    };
}

/// A column of the input.
macro_rules! load_column {
    ($a:literal $b:literal $c:literal) => {
        concat!("vld1.8 {", $a, "}, [r1], r5\n", "vld1.8 {", $b, "}, [r2], r5\n", "vld1.8 {", $c, "}, [r3], r5",)
    };
}

/// Weights to `d16`–`d24`; `r1`–`r3` rows, `r4` pixels, `r5` step, `r12` out, `r0` its step.
macro_rules! begin_columns {
    () => {
        concat!(
            "push {r4, r5, r6, lr}\n",
            "vpush {d8-d15}\n",
            "ldr r6, [r0, #20]\n",
            "mov r12, #32\n",
            "mov lr, #64\n",
            "vld1.8 {d16}, [r6], r12\n",
            "vld1.8 {d17}, [r6], r12\n",
            "vld1.8 {d18}, [r6], lr\n",
            "vld1.8 {d19}, [r6], r12\n",
            "vld1.8 {d20}, [r6], r12\n",
            "vld1.8 {d21}, [r6], lr\n",
            "vld1.8 {d22}, [r6], r12\n",
            "vld1.8 {d23}, [r6], r12\n",
            "vld1.8 {d24}, [r6]\n",
            "ldm r0, {r1-r3}\n",
            "ldr r5, [r0, #12]\n",
            "ldr r4, [r0, #16]\n",
            "ldr r12, [r0, #24]\n",
            "mov r0, #128",
        )
    };
}

/// Neighbouring pixels share two columns, whose registers take turns.
#[unsafe(naked)]
unsafe extern "C" fn columns_stride1(work: *mut Columns) {
    naked_asm!(
        neon!(),
        begin_columns!(),
        load_column!("d0" "d1" "d2"),
        load_column!("d3" "d4" "d5"),
        "10:",
        load_column!("d6" "d7" "d25"),
        "subs r4, r4, #1",
        nine_products!("d0" "d1" "d2", "d3" "d4" "d5", "d6" "d7" "d25"),
        "beq 20f",
        load_column!("d0" "d1" "d2"),
        "subs r4, r4, #1",
        nine_products!("d3" "d4" "d5", "d6" "d7" "d25", "d0" "d1" "d2"),
        "beq 20f",
        load_column!("d3" "d4" "d5"),
        "subs r4, r4, #1",
        nine_products!("d6" "d7" "d25", "d0" "d1" "d2", "d3" "d4" "d5"),
        "bne 10b",
        "20:",
        "vpop {d8-d15}",
        "pop {r4, r5, r6, pc}",
        options(raw)
    )
}

/// Neighbouring pixels share one column.
#[unsafe(naked)]
unsafe extern "C" fn columns_stride2(work: *mut Columns) {
    naked_asm!(
        neon!(),
        begin_columns!(),
        load_column!("d0" "d1" "d2"),
        "10:",
        load_column!("d3" "d4" "d5"),
        load_column!("d6" "d7" "d25"),
        "subs r4, r4, #1",
        nine_products!("d0" "d1" "d2", "d3" "d4" "d5", "d6" "d7" "d25"),
        "beq 20f",
        load_column!("d3" "d4" "d5"),
        load_column!("d0" "d1" "d2"),
        "subs r4, r4, #1",
        nine_products!("d6" "d7" "d25", "d3" "d4" "d5", "d0" "d1" "d2"),
        "bne 10b",
        "20:",
        "vpop {d8-d15}",
        "pop {r4, r5, r6, pc}",
        options(raw)
    )
}

/// `r1` window, `r2` its step; `r3` pixels left; `r4` offsets, `r5` taps left; `r6` weights, `r11` their step;
/// `r7`–`r10` taps; `r12` out, `lr` its step after half of the sums.
/// `q0`, `q1` activations; `q2`, `q3` weights; `q12`, `q13` products; `q8`–`q11` sums.
#[unsafe(naked)]
unsafe extern "C" fn any_taps(work: *mut AnyTaps) {
    naked_asm!(
        neon!(),
        "push {r4-r11, lr}",
        "ldm r0, {r1-r3}",
        "ldr r12, [r0, #24]",
        "mov r11, #32",
        "mov lr, #96",
        "10:",
        "ldr r4, [r0, #12]",
        "ldr r5, [r0, #16]",
        "ldr r6, [r0, #20]",
        "vmov.i32 q8, #0",
        "vmov.i32 q9, #0",
        "vmov.i32 q10, #0",
        "vmov.i32 q11, #0",
        "20:",
        "ldm r4!, {r7-r10}",
        "add r7, r7, r1",
        "add r8, r8, r1",
        "add r9, r9, r1",
        "add r10, r10, r1",
        "vld1.8 {d0-d1}, [r7]",
        "vld1.8 {d4-d5}, [r6], r11",
        "vld1.8 {d2-d3}, [r8]",
        "vld1.8 {d6-d7}, [r6], r11",
        "subs r5, r5, #4",
        "vmull.s8 q12, d0, d4",
        "vmull.s8 q13, d1, d5",
        "vmlal.s8 q12, d2, d6",
        "vmlal.s8 q13, d3, d7",
        "vld1.8 {d0-d1}, [r9]",
        "vld1.8 {d4-d5}, [r6], r11",
        "vld1.8 {d2-d3}, [r10]",
        "vld1.8 {d6-d7}, [r6], r11",
        "vaddw.s16 q8, q8, d24",
        "vaddw.s16 q9, q9, d25",
        "vaddw.s16 q10, q10, d26",
        "vaddw.s16 q11, q11, d27",
        "vmull.s8 q12, d0, d4",
        "vmull.s8 q13, d1, d5",
        "vmlal.s8 q12, d2, d6",
        "vmlal.s8 q13, d3, d7",
        "vaddw.s16 q8, q8, d24",
        "vaddw.s16 q9, q9, d25",
        "vaddw.s16 q10, q10, d26",
        "vaddw.s16 q11, q11, d27",
        "bne 20b",
        "add r1, r1, r2",
        "subs r3, r3, #1",
        "vst1.32 {d16-d19}, [r12]!",
        "vst1.32 {d20-d23}, [r12], lr",
        "bne 10b",
        "pop {r4-r11, pc}",
        options(raw)
    )
}
