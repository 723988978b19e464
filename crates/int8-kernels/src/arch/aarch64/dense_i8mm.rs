//! Dense layers by `smmla`: two channels of eight depths with two pixels of eight depths.

use std::arch::aarch64::{int8x16_t, int32x4_t};
use std::arch::asm;

use super::dense::VECTORS;
use super::operands::{
    LANES, columns, load_activations, load_half, load_initial, load_weights, store_ints, total, transpose,
};
use crate::contract::Strip;

/// Depths of a group.
const DEPTHS: usize = 8;

dense_kernel!("neon,i8mm", [1 2 3 4 5 6], peak 32);

/// Sums of two pixels and two times two channels: `[pixel][channel]`.
type Square = [int32x4_t; 2];

#[inline]
#[target_feature(enable = "neon,i8mm")]
fn tile<const P: usize, const V: usize>(strip: &Strip<'_>, at: usize, out: &mut [i32]) {
    match P.div_ceil(2) {
        1 => pairs::<P, 1, V>(strip, at, out),
        2 => pairs::<P, 2, V>(strip, at, out),
        _ => pairs::<P, 3, V>(strip, at, out),
    }
}

/// The same for `P` pixels in `H` pairs.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn pairs<const P: usize, const H: usize, const V: usize>(strip: &Strip<'_>, at: usize, out: &mut [i32]) {
    let fours = load_initial::<V>(strip.initial);
    let mut initial = [transpose(fours[0], fours[0]); V];
    for v in 1..V {
        initial[v] = transpose(fours[v], fours[v]);
    }
    let mut sums: [[Square; V]; H] = [initial; H];
    let groups = strip.panel.as_chunks::<16>().0.as_chunks::<2>().0.as_chunks::<V>().0;
    let columns = columns::<DEPTHS, P>(&strip.bytes[at..], groups.len());
    // Four groups to a round, for fewer branches.
    let (rounds, last) = groups.as_chunks::<4>();
    let (fours, _) = columns.as_chunks::<4>();
    for (columns, groups) in fours.iter().zip(rounds) {
        add_group(&mut sums, &groups[0], &columns[0]);
        add_group(&mut sums, &groups[1], &columns[1]);
        add_group(&mut sums, &groups[2], &columns[2]);
        add_group(&mut sums, &groups[3], &columns[3]);
    }
    for (column, group) in columns[4 * rounds.len()..].iter().zip(last) {
        add_group(&mut sums, group, column);
    }
    let out = &mut out.as_chunks_mut::<LANES>().0[..P * V];
    for h in 0..H {
        for v in 0..V {
            let [first, next] = transpose(sums[h][v][0], sums[h][v][1]);
            store_ints(&mut out[2 * h * V + v], first);
            if 2 * h + 1 < P {
                store_ints(&mut out[(2 * h + 1) * V + v], next);
            }
        }
    }
}

#[inline]
#[target_feature(enable = "neon,i8mm")]
fn add_group<const P: usize, const H: usize, const V: usize>(
    sums: &mut [[Square; V]; H],
    group: &[[[i8; 16]; 2]; V],
    column: &[[u8; DEPTHS]; P],
) {
    let mut x = [load_pixels::<P>(column, 0); H];
    for (h, x) in x.iter_mut().enumerate().skip(1) {
        *x = load_pixels::<P>(column, h);
    }
    for v in 0..V {
        for half in 0..2 {
            let weights = load_weights(&group[v][half]);
            for h in 0..H {
                sums[h][v][half] = smmla(sums[h][v][half], x[h], weights);
            }
        }
    }
}

/// Pair `h` of the pixels of a group; of the last of an odd number, that and zeros.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn load_pixels<const P: usize>(column: &[[u8; DEPTHS]; P], h: usize) -> int8x16_t {
    let bytes = &column.as_flattened()[16 * h..];
    match bytes.first_chunk() {
        Some(pair) => load_activations(pair),
        None => load_half(&column[P - 1]),
    }
}

#[inline]
#[target_feature(enable = "neon,i8mm")]
fn smmla(mut sums: int32x4_t, x: int8x16_t, weights: int8x16_t) -> int32x4_t {
    // SAFETY: the instruction is one of the enabled features and touches nothing but its operands.
    unsafe {
        asm!(
            "smmla {0:v}.4s, {1:v}.16b, {2:v}.16b",
            inout(vreg) sums, in(vreg) x, in(vreg) weights,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sums
}

/// The products of the register-only loop.
#[inline]
#[target_feature(enable = "neon,i8mm")]
fn add_to_all(sums: &mut [int32x4_t; PEAK_SUMS], weights: int8x16_t, x: int8x16_t) {
    for sums in sums {
        *sums = smmla(*sums, x, weights);
    }
}
