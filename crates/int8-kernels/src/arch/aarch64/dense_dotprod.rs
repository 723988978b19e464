//! Dense layers by `sdot`: four channels of four depths with four depths of a pixel.

use std::arch::aarch64::{int8x16_t, int32x4_t};
use std::arch::asm;

use super::dense::VECTORS;
use super::operands::{LANES, columns, load_activations, load_initial, load_weights, store_tile, total};
use crate::contract::{COLUMN, Strip};

/// Groups of depths of a column.
const GROUPS: usize = 4;

dense_kernel!("neon,dotprod", [1 2 3 4 5 6], peak 16);

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn tile<const P: usize, const V: usize>(strip: &Strip<'_>, at: usize, out: &mut [i32]) {
    let mut sums = [load_initial::<V>(strip.initial); P];
    let groups = strip.panel.as_chunks::<COLUMN>().0.as_chunks::<V>().0;
    let columns = columns::<COLUMN, P>(&strip.bytes[at..], groups.len().div_ceil(GROUPS));
    let (fours, rest) = groups.as_chunks::<GROUPS>();
    for (column, groups) in columns.iter().zip(fours) {
        let x = load_column(column);
        add_group::<0, P, V>(&mut sums, &groups[0], &x);
        add_group::<1, P, V>(&mut sums, &groups[1], &x);
        add_group::<2, P, V>(&mut sums, &groups[2], &x);
        add_group::<3, P, V>(&mut sums, &groups[3], &x);
    }
    if let Some(column) = columns.get(fours.len()) {
        let x = load_column(column);
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
    store_tile(&sums, out);
}

#[inline]
#[target_feature(enable = "neon,dotprod")]
fn load_column<const P: usize>(column: &[[u8; COLUMN]; P]) -> [int8x16_t; P] {
    let mut x = [load_activations(&column[0]); P];
    for p in 1..P {
        x[p] = load_activations(&column[p]);
    }
    x
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

/// The products of the register-only loop.
#[inline]
#[target_feature(enable = "neon,dotprod")]
fn add_to_all(sums: &mut [int32x4_t; PEAK_SUMS], weights: int8x16_t, x: int8x16_t) {
    for sums in sums {
        *sums = sdot::<0>(*sums, weights, x);
    }
}
