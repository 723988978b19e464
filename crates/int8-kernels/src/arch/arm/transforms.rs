//! The transforms of Winograd's algorithm (see [`crate::winograd`]).
//!
//! A tile lies on the stack between its columns and its rows, because 36 vectors are more than there are.

use std::arch::naked_asm;

use super::call::call;
use crate::contract::{NINTH, Patches, SIDE, Squares};

/// Output channels of a vector, and pairs of input channels of one.
pub(super) const LANES: usize = 4;

/// What the transform of inputs reads, word by word.
#[repr(C)]
struct Inputs {
    /// First channel of the first pixel.
    from: *const u8,
    row_stride: usize,
    pixel_stride: usize,
    /// Where the first coefficient goes.
    to: *mut i32,
    /// Bytes from one coefficient to the next.
    to_step: usize,
}

/// # Safety
/// The CPU has NEON, and `Patches::fit` holds.
pub(super) unsafe fn transform_inputs(patches: &Patches<'_>, out: &mut [i32]) {
    let grid = patches.grid;
    for tile in 0..patches.tiles {
        let from = patches.start + tile * SIDE * patches.pixel_stride;
        let to = grid.at(patches.first + tile);
        for chunk in 0..grid.chunks() {
            let mut work = Inputs {
                from: patches.bytes.as_ptr().wrapping_add(from + chunk * 2 * LANES),
                row_stride: patches.row_stride,
                pixel_stride: patches.pixel_stride,
                to: out.as_mut_ptr().wrapping_add(to + chunk * grid.tiles() * LANES),
                to_step: grid.input_stride() * size_of::<i32>(),
            };
            // SAFETY: promised by the caller, so all 36
            // pixels lie within `bytes` and all 36 coefficients within `out`.
            unsafe { call(inputs_of_tile, &mut work) };
        }
    }
}

/// What the transform of sums reads, word by word.
#[repr(C)]
struct Sums {
    from: *const i32,
    /// Bytes from one coefficient to the next.
    from_step: usize,
    /// Vectors of channels, at least 1.
    vectors: usize,
    to: *mut i32,
    /// Bytes from one output to the next and from one row to the next.
    column_step: usize,
    row_step: usize,
    ninth: i32,
}

/// # Safety
/// The CPU has NEON, and `Squares::fit` holds.
pub(super) unsafe fn transform_sums(squares: &Squares<'_>, out: &mut [i32]) {
    let &Squares { sums, stride, channels, tiles } = squares;
    for tile in 0..tiles {
        let mut work = Sums {
            from: sums[tile * channels..].as_ptr(),
            from_step: stride * size_of::<i32>(),
            vectors: channels / LANES,
            to: out[tile * SIDE * channels..].as_mut_ptr(),
            column_step: channels * size_of::<i32>(),
            row_step: tiles * SIDE * channels * size_of::<i32>(),
            ninth: NINTH,
        };
        // SAFETY: promised by the caller, so the sums of
        // all coefficients lie within `sums` and the outputs of all rows within `out`.
        unsafe { call(sums_of_tile, &mut work) };
    }
}

/// All of this file.
#[cfg(test)]
pub(super) fn kernels() -> [usize; 2] {
    use super::call::Kernel;
    [inputs_of_tile as Kernel<Inputs> as usize, sums_of_tile as Kernel<Sums> as usize]
}

/// `Bᵀ` times the column `q8`–`q13`, which leaves `q8`, `q14`, `q15`, `q2`, `q3`, `q13`.
macro_rules! transform_words {
    () => {
        concat!(
            "vsub.i16 q0, q12, q10\n",
            "vsub.i16 q1, q11, q9\n",
            "vshl.i16 q2, q10, #2\n",
            "vshl.i16 q3, q9, #2\n",
            "vsub.i16 q8, q8, q10\n",
            "vsub.i16 q13, q13, q11\n",
            "vsub.i16 q2, q12, q2\n",
            "vsub.i16 q3, q11, q3\n",
            "vshl.i16 q8, q8, #2\n",
            "vadd.i16 q14, q2, q3\n",
            "vsub.i16 q15, q2, q3\n",
            "vadd.i16 q8, q8, q0\n",
            "vshl.i16 q2, q1, #2\n",
            "vshl.i16 q1, q1, #1\n",
            "vsub.i16 q13, q13, q2\n",
            "vadd.i16 q2, q0, q1\n",
            "vsub.i16 q3, q0, q1",
        )
    };
}

/// `r1` column, `r2` row stride, `r3` pixel stride; `r4` columns or rows left; `r5` pixel; `r6` stack, `r7` its step;
/// `r12` to, `lr` its step.
#[unsafe(naked)]
unsafe extern "C" fn inputs_of_tile(work: *mut Inputs) {
    naked_asm!(
        neon!(),
        "push {r4-r7, lr}",
        "sub sp, sp, #580",
        "ldm r0, {r1-r3, r12}",
        "ldr lr, [r0, #16]",
        "mov r7, #96",
        "mov r0, sp",
        "mov r4, #6",
        "10:", // column
        "mov r5, r1",
        "mov r6, r0",
        "vld1.8 {d16}, [r5], r2",
        "vld1.8 {d18}, [r5], r2",
        "vld1.8 {d20}, [r5], r2",
        "vld1.8 {d22}, [r5], r2",
        "vld1.8 {d24}, [r5], r2",
        "vld1.8 {d26}, [r5]",
        "add r1, r1, r3",
        "add r0, r0, #16",
        "subs r4, r4, #1",
        "vmovl.s8 q8, d16",
        "vmovl.s8 q9, d18",
        "vmovl.s8 q10, d20",
        "vmovl.s8 q11, d22",
        "vmovl.s8 q12, d24",
        "vmovl.s8 q13, d26",
        transform_words!(),
        "vst1.16 {d16-d17}, [r6], r7",
        "vst1.16 {d28-d29}, [r6], r7",
        "vst1.16 {d30-d31}, [r6], r7",
        "vst1.16 {d4-d5}, [r6], r7",
        "vst1.16 {d6-d7}, [r6], r7",
        "vst1.16 {d26-d27}, [r6]",
        "bne 10b",
        "mov r6, sp",
        "mov r4, #6",
        "20:", // row
        "vld1.16 {d16-d19}, [r6]!",
        "vld1.16 {d20-d23}, [r6]!",
        "vld1.16 {d24-d27}, [r6]!",
        "subs r4, r4, #1",
        transform_words!(),
        "vst1.16 {d16-d17}, [r12], lr",
        "vst1.16 {d28-d29}, [r12], lr",
        "vst1.16 {d30-d31}, [r12], lr",
        "vst1.16 {d4-d5}, [r12], lr",
        "vst1.16 {d6-d7}, [r12], lr",
        "vst1.16 {d26-d27}, [r12], lr",
        "bne 20b",
        "add sp, sp, #580",
        "pop {r4-r7, pc}",
        options(raw)
    )
}

/// `Aᵀ` times the column `q8`–`q13`, which leaves `q8`, `q3`, `q2`, `q14`.
macro_rules! transform_ints {
    () => {
        concat!(
            "vadd.i32 q0, q9, q10\n",
            "vsub.i32 q1, q9, q10\n",
            "vsub.i32 q3, q11, q12\n",
            "vadd.i32 q2, q11, q12\n",
            "vadd.i32 q8, q8, q0\n",
            "vshl.i32 q14, q3, #2\n",
            "vshl.i32 q3, q3, #1\n",
            "vadd.i32 q8, q8, q2\n",
            "vshl.i32 q2, q2, #2\n",
            "vadd.i32 q14, q14, q13\n",
            "vadd.i32 q3, q1, q3\n",
            "vadd.i32 q2, q0, q2\n",
            "vshl.i32 q14, q14, #1\n",
            "vadd.i32 q14, q1, q14",
        )
    };
}

/// `r1` column, `r2` six steps; `r3` vectors left; `r4` columns or rows left; `r5` coefficient; `r6` stack, `r7` its
/// step; `r8` one step; `r9` to, `r10` its step, `r11` a row's step; `r12` row; `q15` the ninth.
#[unsafe(naked)]
unsafe extern "C" fn sums_of_tile(work: *mut Sums) {
    naked_asm!(
        neon!(),
        "push {r4-r11, lr}",
        "sub sp, sp, #388",
        "ldr r8, [r0, #4]",
        "ldr r3, [r0, #8]",
        "ldr r9, [r0, #12]",
        "ldr r10, [r0, #16]",
        "ldr r11, [r0, #20]",
        "add r1, r0, #24",
        "vld1.32 {d30[], d31[]}, [r1]",
        "add r2, r8, r8, lsl #1",
        "lsl r2, r2, #1",
        "mov r7, #96",
        "10:", // vector
        "ldr r1, [r0]",
        "mov lr, sp",
        "mov r4, #6",
        "20:", // column
        "mov r5, r1",
        "mov r6, lr",
        "vld1.32 {d16-d17}, [r5], r2",
        "vld1.32 {d18-d19}, [r5], r2",
        "vld1.32 {d20-d21}, [r5], r2",
        "vld1.32 {d22-d23}, [r5], r2",
        "vld1.32 {d24-d25}, [r5], r2",
        "vld1.32 {d26-d27}, [r5]",
        "add r1, r1, r8",
        "add lr, lr, #16",
        "subs r4, r4, #1",
        transform_ints!(),
        "vst1.32 {d16-d17}, [r6], r7",
        "vst1.32 {d6-d7}, [r6], r7",
        "vst1.32 {d4-d5}, [r6], r7",
        "vst1.32 {d28-d29}, [r6]",
        "bne 20b",
        "mov r6, sp",
        "mov r12, r9",
        "mov r4, #4",
        "30:", // row
        "mov r5, r12",
        "vld1.32 {d16-d19}, [r6]!",
        "vld1.32 {d20-d23}, [r6]!",
        "vld1.32 {d24-d27}, [r6]!",
        "add r12, r12, r11",
        "subs r4, r4, #1",
        transform_ints!(),
        "vmul.i32 q8, q8, q15",
        "vmul.i32 q3, q3, q15",
        "vmul.i32 q2, q2, q15",
        "vmul.i32 q14, q14, q15",
        "vshr.s32 q8, q8, #6",
        "vshr.s32 q3, q3, #6",
        "vshr.s32 q2, q2, #6",
        "vshr.s32 q14, q14, #6",
        "vst1.32 {d16-d17}, [r5], r10",
        "vst1.32 {d6-d7}, [r5], r10",
        "vst1.32 {d4-d5}, [r5], r10",
        "vst1.32 {d28-d29}, [r5]",
        "bne 30b",
        "ldr r1, [r0]",
        "add r9, r9, #16",
        "subs r3, r3, #1",
        "add r1, r1, #16",
        "str r1, [r0]",
        "bne 10b",
        "add sp, sp, #388",
        "pop {r4-r11, pc}",
        options(raw)
    )
}
