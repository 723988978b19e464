//! Dense layers by `smull`, `smlal2` and `sadalp`: a pair of depths of four channels, the next pair on top in
//! 16 bits, both to 32 bits.
//!
//! Two products fit 16 bits because activations are within ±127: 2 · 127 · 128 = 32 512.

use std::arch::aarch64::{int8x16_t, int32x4_t};
use std::arch::asm;

use super::dense::VECTORS;
use super::operands::{LANES, columns, load_activations, load_initial, load_weights, store_tile, total};
use crate::contract::Strip;

dense_kernel!("neon", [1 2 3 4 5], peak 16);

#[inline]
#[target_feature(enable = "neon")]
fn tile<const P: usize, const V: usize>(strip: &Strip<'_>, at: usize, out: &mut [i32]) {
    let mut sums = [load_initial::<V>(strip.initial); P];
    let groups = strip.panel.as_chunks::<16>().0.as_chunks::<V>().0;
    let columns = columns::<16, P>(&strip.bytes[at..], groups.len());
    let (rounds, last) = groups.as_chunks::<2>();
    for (columns, groups) in columns.as_chunks().0.iter().zip(rounds) {
        add_round(&mut sums, groups, columns);
    }
    if let Some(group) = last.first() {
        add_group(&mut sums, group, &columns[2 * rounds.len()]);
    }
    store_tile(&sums, out);
}

/// Adds the products of two groups, so that activations load in pairs whatever the number of pixels.
#[inline]
#[target_feature(enable = "neon")]
fn add_round<const P: usize, const V: usize>(
    sums: &mut [[int32x4_t; V]; P],
    groups: &[[[i8; 16]; V]; 2],
    columns: &[[[u8; 16]; P]; 2],
) {
    if V < 4 {
        add_group(sums, &groups[0], &columns[0]);
        return add_group(sums, &groups[1], &columns[1]);
    }
    let x = columns.as_flattened();
    let mut weights = load_group::<0, V>(groups);
    let mut pair = [load_activations(&x[0]); 2];
    for index in 0..2 * P {
        if index % 2 == 0 {
            pair = [load_activations(&x[index]), load_activations(&x[index + 1])];
        }
        if index == P {
            weights = load_group::<1, V>(groups);
        }
        add_pixel(&mut sums[index % P], weights, pair[index % 2]);
    }
}

/// Adds the products of one group.
#[inline]
#[target_feature(enable = "neon")]
fn add_group<const P: usize, const V: usize>(
    sums: &mut [[int32x4_t; V]; P],
    group: &[[i8; 16]; V],
    column: &[[u8; 16]; P],
) {
    let weights = load_group::<0, V>(std::slice::from_ref(group));
    for p in 0..P {
        add_pixel(&mut sums[p], weights, load_activations(&column[p]));
    }
}

/// Loads the weights of group `G`.
#[inline]
#[target_feature(enable = "neon")]
fn load_group<const G: usize, const V: usize>(groups: &[[[i8; 16]; V]]) -> [int8x16_t; V] {
    let mut weights = [load_weights(&groups[G][0]); V];
    match groups.as_flattened().as_chunks().0.get(..=G) {
        Some(groups) if V == 4 => weights.copy_from_slice(&load_four::<G>(groups)),
        _ => {
            for v in 1..V {
                weights[v] = load_weights(&groups[G][v]);
            }
        }
    }
    weights
}

/// Loads the weights of four vectors of channels here and not earlier: other registers hold sums.
#[inline]
#[target_feature(enable = "neon")]
fn load_four<const G: usize>(groups: &[[[i8; 16]; 4]]) -> [int8x16_t; 4] {
    let (a, b, c, d);
    let groups = groups[..=G].as_ptr();
    // SAFETY: the slice holds the four vectors of group `G`.
    unsafe {
        asm!(
            "ldp {0:q}, {1:q}, [{from}, 64 * {group}]",
            "ldp {2:q}, {3:q}, [{from}, 64 * {group} + 32]",
            out(vreg) a, out(vreg) b, out(vreg) c, out(vreg) d, from = in(reg) groups, group = const G,
            options(readonly, nostack, preserves_flags)
        );
    }
    [a, b, c, d]
}

/// Adds the products of one pixel.
#[inline]
#[target_feature(enable = "neon")]
fn add_pixel<const V: usize>(sums: &mut [int32x4_t; V], weights: [int8x16_t; V], x: int8x16_t) {
    if let (Some(sums), Some(weights)) = (sums.first_chunk_mut(), weights.first_chunk()) {
        *sums = add_four(*sums, *weights, x);
    } else if let (Some(sums), Some(weights)) = (sums.first_chunk_mut(), weights.first_chunk()) {
        *sums = add_three(*sums, *weights, x);
    } else if let (Some(sums), Some(weights)) = (sums.first_chunk_mut(), weights.first_chunk()) {
        *sums = add_two(*sums, *weights, x);
    } else if let (Some(sums), Some(weights)) = (sums.first_chunk_mut(), weights.first_chunk()) {
        *sums = add_one(*sums, *weights, x);
    }
}

/// The same for a number of vectors of channels, in assembly because the compiler would compute more products
/// before it adds the first than there are registers for.
macro_rules! add_products {
    ($name:ident, $count:literal: $($sums:ident $weights:ident $products:ident)*) => {
        #[inline]
        #[target_feature(enable = "neon")]
        fn $name(
            [$(mut $sums),*]: [int32x4_t; $count],
            [$($weights),*]: [int8x16_t; $count],
            x: int8x16_t,
        ) -> [int32x4_t; $count] {
            // SAFETY: the instructions are of the enabled feature and touch nothing but their operands.
            unsafe {
                asm!(
                    $(concat!("smull {", stringify!($products), ":v}.8h, {", stringify!($weights), ":v}.8b, {x:v}.8b"),)*
                    $(concat!("smlal2 {", stringify!($products), ":v}.8h, {", stringify!($weights), ":v}.16b, {x:v}.16b"),)*
                    $(concat!("sadalp {", stringify!($sums), ":v}.4s, {", stringify!($products), ":v}.8h"),)*
                    $($sums = inout(vreg) $sums,)*
                    $($weights = in(vreg) $weights,)*
                    $($products = out(vreg) _,)*
                    x = in(vreg) x,
                    options(nomem, nostack, preserves_flags)
                );
            }
            [$($sums),*]
        }
    };
}

add_products!(add_one, 1: sa wa pa);
add_products!(add_two, 2: sa wa pa sb wb pb);
add_products!(add_three, 3: sa wa pa sb wb pb sc wc pc);
add_products!(add_four, 4: sa wa pa sb wb pb sc wc pc sd wd pd);

/// The products of the register-only loop.
#[inline]
#[target_feature(enable = "neon")]
fn add_to_all(sums: &mut [int32x4_t; PEAK_SUMS], weights: int8x16_t, x: int8x16_t) {
    for sums in sums.as_chunks_mut().0 {
        *sums = add_four(*sums, [weights; 4], x);
    }
}
