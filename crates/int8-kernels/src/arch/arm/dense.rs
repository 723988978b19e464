//! The dense kernel: 4 output channels of 2 pixels at a time, lanes are depths.
//!
//! ```text
//! for each 4 channels, for each 2 pixels:
//!   for each run of a window, for each 16 depths (then 8, if that is left):
//!     for each pixel, for each channel:
//!       vmull.s8    8 products of 16 bits
//!       vmlal.s8    8 more, added to them
//!       vpadal.s16  neighbours added to 4 sums of 32 bits
//!   the 4 parts of each sum are added
//! ```
//!
//! 1. Two products fit 16 bits: activations are within ±127 and weights may be −128, 2 · 127 · 128 = 32 512.
//! 2. A round of the inner loop is 24 instructions of arithmetic and 4 loads for 2 · 4 · 16 multiply-accumulates,
//!    a count and a branch: 4.27 of them per instruction, or 4.41 where a round is twice as long.
//! 3. All 16 vector registers are in use: 2 of activations, 4 of weights, 2 of products, 8 of sums.
//! 4. An odd pixel has a loop of its own: 17 instructions for 64 multiply-accumulates.

use std::arch::naked_asm;

use super::call::{Kernel, call};
use crate::contract::{DenseKernel, Strip, WeightForm};

/// Output channels of one vector of weights.
const LANES: usize = 4;
/// Depths of a group.
const DEPTHS: usize = 8;

pub(super) const DENSE: DenseKernel = DenseKernel {
    name: "dense_32x16c8__neon",
    pixels: 32,
    halves: 1,
    lanes: LANES,
    vectors: 4,
    least_vectors: 1,
    depths: DEPTHS,
    form: WeightForm::Bytes,
    gather: None,
    code: dense_32x16c8,
};

/// What the assembly reads, word by word; it counts `panel`, `out` and `vectors` on.
#[repr(C)]
struct Work {
    /// First byte of the first pixel's window.
    bytes: *const u8,
    /// Bytes from one pixel's window to the next.
    step: usize,
    /// Even and not zero; `single` computes one.
    pixels: usize,
    offsets: *const usize,
    taps: usize,
    /// Groups of depths of a tap, at least 1.
    groups: usize,
    panel: *const i8,
    /// Bytes from one group of a vector to the next.
    panel_step: usize,
    vectors: usize,
    out: *mut i32,
    /// Bytes from one pixel's sums to the next.
    out_step: usize,
}

/// # Safety
/// The CPU has NEON, and `Strip::fits` holds.
unsafe fn dense_32x16c8(strip: &Strip<'_>, out: &mut [i32]) {
    let channels = strip.vectors * LANES;
    let out = &mut out[..strip.pixels * channels];
    if strip.taps.groups() == 0 || strip.taps.offsets().is_empty() {
        out.fill(0);
    } else {
        let mut work = Work {
            bytes: strip.bytes.as_ptr().wrapping_add(strip.starts[0]),
            step: strip.step,
            pixels: strip.pixels,
            offsets: strip.taps.offsets().as_ptr(),
            taps: strip.taps.offsets().len(),
            groups: strip.taps.groups(),
            panel: strip.panel.as_ptr(),
            panel_step: channels * DEPTHS,
            vectors: strip.vectors,
            out: out.as_mut_ptr(),
            out_step: channels * size_of::<i32>(),
        };
        let pairs: Kernel<Work> = match work.groups % 4 {
            0 => fours_of_groups,
            2 => pairs_of_groups,
            _ => odd_groups,
        };
        let even = strip.pixels / 2 * 2;
        if even > 0 {
            // SAFETY: promised by the caller: every run of every pixel lies within `bytes` and `panel` has all
            // groups; `out` has every sum.
            unsafe { call(pairs, &mut Work { pixels: even, ..work }) };
        }
        if even < strip.pixels {
            work.bytes = work.bytes.wrapping_add(even * strip.step);
            work.out = out[even * channels..].as_mut_ptr();
            // SAFETY: as above, of the last pixel.
            unsafe { call(single, &mut work) };
        }
    }
    // Stored bytes are values here, so sums of packed layers begin with zero.
    let initial = &strip.initial[..channels];
    if initial.iter().fold(0, |bits, &value| bits | value) != 0 {
        for sums in out.chunks_exact_mut(channels) {
            sums.iter_mut().zip(initial).for_each(|(sum, &value)| *sum = sum.wrapping_add(value));
        }
    }
}

/// All of this file.
#[cfg(test)]
pub(super) fn kernels() -> [usize; 4] {
    let kernels: [Kernel<Work>; 4] = [fours_of_groups, pairs_of_groups, odd_groups, single];
    kernels.map(|kernel| kernel as usize)
}

/// A kernel of two or more pixels, given the assembly of the taps of two pixels.
///
/// `r0` work; `r1`, `r2` activations; `r3` weights, `r4` their step; `r5` groups left; `r6` offsets, `r7` taps left;
/// `r8` pixel, `r9` its step; `r10` groups; `r11` pixels left; `r12` out, `lr` its step.
/// `q0`, `q1` activations; `q2`–`q5` weights; `q6`, `q7` products; `q8`–`q15` sums.
macro_rules! pairs_kernel {
    ($(#[$doc:meta])* $name:ident, $($taps:expr),* $(,)?) => {
        $(#[$doc])*
        #[unsafe(naked)]
        unsafe extern "C" fn $name(work: *mut Work) {
            naked_asm!(
                neon!(),
                "push {r4-r11, lr}",
                "vpush {d8-d15}",
                "ldr r4, [r0, #28]",
                "ldr r9, [r0, #4]",
                "ldr r10, [r0, #20]",
                "ldr lr, [r0, #40]",
                "10:", // vector of channels
                "ldr r8, [r0]",
                "ldr r11, [r0, #8]",
                "ldr r12, [r0, #36]",
                "20:", // two pixels
                "ldr r3, [r0, #24]",
                "ldr r6, [r0, #12]",
                "ldr r7, [r0, #16]",
                $($taps,)*
                "vpadd.i32 d16, d16, d17",
                "vpadd.i32 d17, d18, d19",
                "vpadd.i32 d20, d20, d21",
                "vpadd.i32 d21, d22, d23",
                "vpadd.i32 d24, d24, d25",
                "vpadd.i32 d25, d26, d27",
                "vpadd.i32 d28, d28, d29",
                "vpadd.i32 d29, d30, d31",
                "vpadd.i32 d16, d16, d17",
                "vpadd.i32 d17, d20, d21",
                "vpadd.i32 d24, d24, d25",
                "vpadd.i32 d25, d28, d29",
                "add r8, r8, r9, lsl #1",
                "subs r11, r11, #2",
                "vst1.32 {d16-d17}, [r12], lr",
                "vst1.32 {d24-d25}, [r12], lr",
                "bne 20b",
                "ldr r1, [r0, #24]",
                "ldr r2, [r0, #36]",
                "ldr r3, [r0, #32]",
                "add r1, r1, #32",
                "add r2, r2, #16",
                "subs r3, r3, #1",
                "str r1, [r0, #24]",
                "str r2, [r0, #36]",
                "str r3, [r0, #32]",
                "bne 10b",
                "vpop {d8-d15}",
                "pop {r4-r11, pc}",
                options(raw)
            )
        }
    };
}

pairs_kernel!(
    /// For an even number of groups: the first two need no sums to add to.
    pairs_of_groups,
    "ldr r1, [r6], #4",
    "subs r5, r10, #2",
    "add r1, r1, r8",
    "add r2, r1, r9",
    sixteen_depths!("vpaddl.s16"),
    "bne 40f",
    "b 50f",
    "30:", // tap
    "ldr r1, [r6], #4",
    "mov r5, r10",
    "add r1, r1, r8",
    "add r2, r1, r9",
    "40:", // two groups
    "subs r5, r5, #2",
    sixteen_depths!("vpadal.s16"),
    "bne 40b",
    "50:",
    "subs r7, r7, #1",
    "bne 30b",
);

pairs_kernel!(
    /// For a multiple of four groups.
    fours_of_groups,
    "ldr r1, [r6], #4",
    "subs r5, r10, #4",
    "add r1, r1, r8",
    "add r2, r1, r9",
    sixteen_depths!("vpaddl.s16"),
    sixteen_depths!("vpadal.s16"),
    "bne 40f",
    "b 50f",
    "30:", // tap
    "ldr r1, [r6], #4",
    "mov r5, r10",
    "add r1, r1, r8",
    "add r2, r1, r9",
    "40:", // four groups
    "subs r5, r5, #4",
    sixteen_depths!("vpadal.s16"),
    sixteen_depths!("vpadal.s16"),
    "bne 40b",
    "50:",
    "subs r7, r7, #1",
    "bne 30b",
);

pairs_kernel!(
    /// For an odd number of groups.
    odd_groups,
    "vmov.i32 q8, #0",
    "vmov.i32 q9, #0",
    "vmov.i32 q10, #0",
    "vmov.i32 q11, #0",
    "vmov.i32 q12, #0",
    "vmov.i32 q13, #0",
    "vmov.i32 q14, #0",
    "vmov.i32 q15, #0",
    "30:", // tap
    "ldr r1, [r6], #4",
    "subs r5, r10, #1",
    "add r1, r1, r8",
    "add r2, r1, r9",
    "beq 50f",
    "40:", // two groups
    "subs r5, r5, #2",
    sixteen_depths!("vpadal.s16"),
    "bne 40b",
    "50:",
    eight_depths!(),
    "subs r7, r7, #1",
    "bne 30b",
);

/// Sums of one pixel; registers as of two.
#[unsafe(naked)]
unsafe extern "C" fn single(work: *mut Work) {
    naked_asm!(
        neon!(),
        "push {r4-r7, r10, lr}",
        "vpush {d8-d11}",
        "ldr r4, [r0, #28]",
        "ldr r10, [r0, #20]",
        "ldr r12, [r0, #36]",
        "ldr lr, [r0, #32]",
        "10:", // vector of channels
        "ldr r3, [r0, #24]",
        "ldr r6, [r0, #12]",
        "ldr r7, [r0, #16]",
        "vmov.i32 q8, #0",
        "vmov.i32 q9, #0",
        "vmov.i32 q10, #0",
        "vmov.i32 q11, #0",
        "30:", // tap
        "ldr r1, [r6], #4",
        "ldr r2, [r0]",
        "subs r5, r10, #2",
        "add r1, r1, r2",
        "blt 50f",
        "40:", // two groups
        "vld1.8 {d0-d1}, [r1]!",
        "vld1.8 {d4-d7}, [r3], r4",
        "vld1.8 {d8-d11}, [r3], r4",
        "subs r5, r5, #2",
        "vmull.s8 q12, d0, d4",
        "vmull.s8 q13, d0, d5",
        "vmull.s8 q14, d0, d6",
        "vmull.s8 q15, d0, d7",
        "vmlal.s8 q12, d1, d8",
        "vmlal.s8 q13, d1, d9",
        "vmlal.s8 q14, d1, d10",
        "vmlal.s8 q15, d1, d11",
        "vpadal.s16 q8, q12",
        "vpadal.s16 q9, q13",
        "vpadal.s16 q10, q14",
        "vpadal.s16 q11, q15",
        "bge 40b",
        "50:",
        "tst r5, #1",
        "beq 60f",
        "vld1.8 {d0}, [r1]",
        "vld1.8 {d4-d7}, [r3], r4",
        "vmull.s8 q12, d0, d4",
        "vmull.s8 q13, d0, d5",
        "vmull.s8 q14, d0, d6",
        "vmull.s8 q15, d0, d7",
        "vpadal.s16 q8, q12",
        "vpadal.s16 q9, q13",
        "vpadal.s16 q10, q14",
        "vpadal.s16 q11, q15",
        "60:",
        "subs r7, r7, #1",
        "bne 30b",
        "vpadd.i32 d16, d16, d17",
        "vpadd.i32 d17, d18, d19",
        "vpadd.i32 d20, d20, d21",
        "vpadd.i32 d21, d22, d23",
        "vpadd.i32 d16, d16, d17",
        "vpadd.i32 d17, d20, d21",
        "ldr r1, [r0, #24]",
        "subs lr, lr, #1",
        "vst1.32 {d16-d17}, [r12]!",
        "add r1, r1, #32",
        "str r1, [r0, #24]",
        "bne 10b",
        "vpop {d8-d11}",
        "pop {r4-r7, r10, pc}",
        options(raw)
    )
}
