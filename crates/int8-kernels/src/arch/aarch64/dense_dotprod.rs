//! Dense layers by `sdot`: four channels of four depths with four depths of a pixel.

use std::arch::aarch64::{int8x16_t, int32x4_t, vdupq_n_s32};
use std::arch::asm;

use super::DOTPROD;
use super::dense::VECTORS;
use super::vectors::{LANES, columns, load_activations, load_ints, load_weights, store_ints, total};
use crate::micro_kernel::{COLUMN, Strip};

/// Groups of depths of a column.
const GROUPS: usize = 4;

dense_kernel!("neon,dotprod", DOTPROD, [1 2 3 4 5 6]);

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn tile<const P: usize, const V: usize>(strip: &Strip<'_>, at: usize, out: &mut [i32]) {
    let mut initial = [vdupq_n_s32(0); V];
    let from = &strip.initial.as_chunks().0[..V];
    for v in 0..V {
        initial[v] = load_ints(&from[v]);
    }
    let mut sums = [initial; P];
    let groups = strip.panel.as_chunks::<COLUMN>().0.as_chunks::<V>().0;
    let columns = columns::<COLUMN, P>(&strip.bytes[at..], groups.len().div_ceil(GROUPS));
    let (fours, rest) = groups.as_chunks::<GROUPS>();
    for (column, groups) in columns.iter().zip(fours) {
        let mut x = [load_activations(&column[0]); P];
        for p in 1..P {
            x[p] = load_activations(&column[p]);
        }
        add_group::<0, P, V>(&mut sums, &groups[0], &x);
        add_group::<1, P, V>(&mut sums, &groups[1], &x);
        add_group::<2, P, V>(&mut sums, &groups[2], &x);
        add_group::<3, P, V>(&mut sums, &groups[3], &x);
    }
    if let Some(column) = columns.get(fours.len()) {
        let mut x = [load_activations(&column[0]); P];
        for p in 1..P {
            x[p] = load_activations(&column[p]);
        }
        if let Some(group) = rest.first() {
            add_group::<0, P, V>(&mut sums, group, &x);
        }
        if let Some(group) = rest.get(1) {
            add_group::<1, P, V>(&mut sums, group, &x);
        }
        if let Some(group) = rest.get(2) {
            add_group::<2, P, V>(&mut sums, group, &x);
        }
    }
    let out = &mut out.as_chunks_mut::<LANES>().0[..P * V];
    for p in 0..P {
        for v in 0..V {
            store_ints(&mut out[p * V + v], sums[p][v]);
        }
    }
}

/// Adds the products of group `LANE` of a column.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_group<const LANE: i32, const P: usize, const V: usize>(
    sums: &mut [[int32x4_t; V]; P],
    group: &[[i8; COLUMN]; V],
    x: &[int8x16_t; P],
) {
    for v in 0..V {
        let weights = load_weights(&group[v]);
        for p in 0..P {
            sums[p][v] = sdot::<LANE>(sums[p][v], weights, x[p]);
        }
    }
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn sdot<const LANE: i32>(mut sums: int32x4_t, weights: int8x16_t, x: int8x16_t) -> int32x4_t {
    // SAFETY: the instruction is one of the enabled features and touches nothing but its operands.
    unsafe {
        asm!(
            "sdot {0:v}.4s, {1:v}.16b, {2:v}.4b[{3}]",
            inout(vreg) sums, in(vreg) weights, in(vreg) x, const LANE,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sums
}

pub(super) const PEAK_MACS: u64 = PEAK_SUMS as u64 * 16;
const PEAK_SUMS: usize = 16;

pub(super) fn peak(rounds: u64) -> i32 {
    // SAFETY: the table of kernels gives out this function only where the CPU has the features.
    unsafe { register_loop(rounds) }
}

/// Nothing but products of registers.
#[target_feature(enable = "neon,dotprod")]
fn register_loop(rounds: u64) -> i32 {
    let mut sums = [vdupq_n_s32(0); PEAK_SUMS];
    let (weights, x) = (load_weights(&[1; COLUMN]), load_activations(&[2; COLUMN]));
    for _ in 0..rounds {
        for sum in &mut sums {
            *sum = sdot::<0>(*sum, weights, x);
        }
    }
    total(&sums)
}
