//! Winograd's algorithm (see [`crate::winograd`]): the products. `transforms.rs` has the other two steps.
//!
//! `vmlal.s16` by a scalar makes 4 multiply-accumulates. For 4 tiles, 8 output and 8 input channels it takes 64 of
//! them, 6 loads, a count and a branch: 3.6 multiply-accumulates per instruction.

use std::arch::naked_asm;

use super::call::{Kernel, call};
use super::transforms::{LANES, transform_inputs, transform_sums};
use crate::contract::{COEFFICIENTS, Product, WinogradKernel};

/// Tiles of a block.
const TILES: usize = 4;

pub(super) const WINOGRAD: WinogradKernel = WinogradKernel {
    name: "winograd_4x16c2__neon",
    blocks: &[TILES],
    lanes: LANES,
    depths: 2,
    vectors: 4,
    least_vectors: 1,
    least_channels: 16,
    least_tiles: 4,
    transform_inputs,
    multiply,
    transform_sums,
};

/// What the multiplication reads, word by word.
#[repr(C)]
struct Multiply {
    /// Of the first block.
    inputs: *const i32,
    /// Whole vectors of pairs.
    chunks: usize,
    /// Pairs beyond them.
    rest: usize,
    /// At least 1.
    blocks: usize,
    panel: *const i8,
    /// Bytes of all lanes of a pair, and of the sums of a tile.
    step: usize,
    sums: *mut i32,
}

/// # Safety
/// The CPU has NEON, and `Product::fits` holds.
unsafe fn multiply(product: &Product<'_>, out: &mut [i32]) {
    let &Product { inputs, grid, pairs, vectors, panel, sum_stride } = product;
    let step = vectors * LANES * size_of::<i32>();
    if grid.blocks() == 0 {
        return;
    }
    for coefficient in 0..COEFFICIENTS {
        for vector in (0..vectors).step_by(2) {
            let mut work = Multiply {
                inputs: inputs[coefficient * grid.input_stride()..].as_ptr(),
                chunks: pairs / LANES,
                rest: pairs % LANES,
                blocks: grid.blocks(),
                panel: panel[coefficient * pairs * step + vector * LANES * size_of::<i32>()..].as_ptr(),
                step,
                sums: out[coefficient * sum_stride + vector * LANES..].as_mut_ptr(),
            };
            let kernel: Kernel<Multiply> = if vector + 1 < vectors { multiply_two } else { multiply_one };
            // SAFETY: promised by the caller, so the
            // blocks of this coefficient lie within `inputs` and `out`, and `panel` has these lanes of all pairs.
            unsafe { call(kernel, &mut work) };
        }
    }
}

/// All of this file.
#[cfg(test)]
pub(super) fn kernels() -> [usize; 2] {
    [multiply_two as Kernel<Multiply> as usize, multiply_one as Kernel<Multiply> as usize]
}

/// The products of a pair of input channels, whose inputs are the scalars `$low` and `$high` of a register of
/// each tile, with two vectors of weights.
macro_rules! two_vectors {
    ($x0:literal $x1:literal $x2:literal $x3:literal, $low:literal $high:literal) => {
        concat!(
            "vld2.16 {d16-d19}, [r3], r4\n",
            "vmlal.s16 q10, d16, ",
            $x0,
            $low,
            "\n",
            "vmlal.s16 q11, d17, ",
            $x0,
            $low,
            "\n",
            "vmlal.s16 q12, d16, ",
            $x1,
            $low,
            "\n",
            "vmlal.s16 q13, d17, ",
            $x1,
            $low,
            "\n",
            "vmlal.s16 q14, d16, ",
            $x2,
            $low,
            "\n",
            "vmlal.s16 q15, d17, ",
            $x2,
            $low,
            "\n",
            "vmlal.s16 q4, d16, ",
            $x3,
            $low,
            "\n",
            "vmlal.s16 q5, d17, ",
            $x3,
            $low,
            "\n",
            "vmlal.s16 q10, d18, ",
            $x0,
            $high,
            "\n",
            "vmlal.s16 q11, d19, ",
            $x0,
            $high,
            "\n",
            "vmlal.s16 q12, d18, ",
            $x1,
            $high,
            "\n",
            "vmlal.s16 q13, d19, ",
            $x1,
            $high,
            "\n",
            "vmlal.s16 q14, d18, ",
            $x2,
            $high,
            "\n",
            "vmlal.s16 q15, d19, ",
            $x2,
            $high,
            "\n",
            "vmlal.s16 q4, d18, ",
            $x3,
            $high,
            "\n",
            "vmlal.s16 q5, d19, ",
            $x3,
            $high,
        )
    };
}

/// As above with one vector of weights.
macro_rules! one_vector {
    ($x0:literal $x1:literal $x2:literal $x3:literal, $low:literal $high:literal) => {
        concat!(
            "vld2.16 {d16-d17}, [r3], r4\n",
            "vmlal.s16 q10, d16, ",
            $x0,
            $low,
            "\n",
            "vmlal.s16 q12, d16, ",
            $x1,
            $low,
            "\n",
            "vmlal.s16 q14, d16, ",
            $x2,
            $low,
            "\n",
            "vmlal.s16 q4, d16, ",
            $x3,
            $low,
            "\n",
            "vmlal.s16 q10, d17, ",
            $x0,
            $high,
            "\n",
            "vmlal.s16 q12, d17, ",
            $x1,
            $high,
            "\n",
            "vmlal.s16 q14, d17, ",
            $x2,
            $high,
            "\n",
            "vmlal.s16 q4, d17, ",
            $x3,
            $high,
        )
    };
}

/// A multiplication: `r1` inputs; `r2` chunks left; `r3` weights, `r4` their step; `r5` blocks left; `r7` sums; `r12`
/// chunks, `lr` pairs beyond them. `q0`–`q3` inputs, a tile each; `q8`, `q9` weights; `q10`–`q15`, `q4`, `q5` sums.
macro_rules! multiply_kernel {
    ($name:ident, $pair:ident, [$($store:literal)*]) => {
        #[unsafe(naked)]
        unsafe extern "C" fn $name(work: *mut Multiply) {
            naked_asm!(
                neon!(),
                "push {r4, r5, r7, lr}",
                "vpush {d8-d11}",
                "ldr r1, [r0]",
                "ldr r12, [r0, #4]",
                "ldr lr, [r0, #8]",
                "ldr r5, [r0, #12]",
                "ldr r4, [r0, #20]",
                "ldr r7, [r0, #24]",
                "10:", // block
                "ldr r3, [r0, #16]",
                "vmov.i32 q10, #0",
                "vmov.i32 q11, #0",
                "vmov.i32 q12, #0",
                "vmov.i32 q13, #0",
                "vmov.i32 q14, #0",
                "vmov.i32 q15, #0",
                "vmov.i32 q4, #0",
                "vmov.i32 q5, #0",
                "movs r2, r12",
                "beq 30f",
                "20:", // chunk
                "vld1.16 {d0-d3}, [r1]!",
                "vld1.16 {d4-d7}, [r1]!",
                "subs r2, r2, #1",
                $pair!("d0" "d2" "d4" "d6", "[0]" "[1]"),
                $pair!("d0" "d2" "d4" "d6", "[2]" "[3]"),
                $pair!("d1" "d3" "d5" "d7", "[0]" "[1]"),
                $pair!("d1" "d3" "d5" "d7", "[2]" "[3]"),
                "bne 20b",
                "30:",
                "cmp lr, #0",
                "beq 40f",
                "vld1.16 {d0-d3}, [r1]!",
                "vld1.16 {d4-d7}, [r1]!",
                $pair!("d0" "d2" "d4" "d6", "[0]" "[1]"),
                "cmp lr, #2",
                "blo 40f",
                $pair!("d0" "d2" "d4" "d6", "[2]" "[3]"),
                "beq 40f",
                $pair!("d1" "d3" "d5" "d7", "[0]" "[1]"),
                "40:",
                "subs r5, r5, #1",
                $($store,)*
                "bne 10b",
                "vpop {d8-d11}",
                "pop {r4, r5, r7, pc}",
                options(raw)
            )
        }
    };
}

multiply_kernel!(multiply_two, two_vectors, [
    "vst1.32 {d20-d23}, [r7], r4"
    "vst1.32 {d24-d27}, [r7], r4"
    "vst1.32 {d28-d31}, [r7], r4"
    "vst1.32 {d8-d11}, [r7], r4"
]);
multiply_kernel!(multiply_one, one_vector, [
    "vst1.32 {d20-d21}, [r7], r4"
    "vst1.32 {d24-d25}, [r7], r4"
    "vst1.32 {d28-d29}, [r7], r4"
    "vst1.32 {d8-d9}, [r7], r4"
]);
