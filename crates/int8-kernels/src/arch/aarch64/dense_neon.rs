//! Dense layers by `smull`, `smlal2` and `sadalp`: a pair of depths of four channels, the next pair on top in
//! 16 bits, both to 32 bits.
//!
//! Two products fit 16 bits because activations are within ±127: 2 · 127 · 128 = 32 512.

use std::arch::aarch64::{int8x16_t, int32x4_t, vdupq_n_s32, vget_low_s8, vmlal_high_s8, vmull_s8, vpadalq_s16};

use super::NEON;
use super::vectors::{LANES, load_activations, load_ints, load_weights, opaque, store_ints, total};
use crate::micro_kernel::Strip;

dense_kernel!("neon", NEON);

#[target_feature(enable = "neon")]
fn tile<const P: usize, const V: usize>(strip: &Strip<'_>, out: &mut [i32]) {
    let mut initial = [vdupq_n_s32(0); V];
    initial.iter_mut().zip(strip.initial.as_chunks().0).for_each(|(sums, from)| *sums = load_ints(from));
    let mut sums = [initial; P];
    let columns = strip.bytes[strip.starts[0]..].as_chunks::<16>().0.as_chunks::<P>().0;
    let groups = strip.panel.as_chunks::<16>().0.as_chunks::<V>().0;
    for (column, group) in columns.iter().zip(groups) {
        let mut weights = [load_weights(&group[0]); V];
        for v in 1..V {
            weights[v] = load_weights(&group[v]);
        }
        for p in 0..P {
            let x = load_activations(&column[p]);
            for v in 0..V {
                sums[p][v] = add_products(sums[p][v], weights[v], x);
            }
        }
    }
    let out = &mut out.as_chunks_mut::<LANES>().0[..P * V];
    for p in 0..P {
        for v in 0..V {
            store_ints(&mut out[p * V + v], sums[p][v]);
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn add_products(sums: int32x4_t, weights: int8x16_t, x: int8x16_t) -> int32x4_t {
    vpadalq_s16(sums, vmlal_high_s8(vmull_s8(vget_low_s8(weights), vget_low_s8(x)), weights, x))
}

pub(super) const PEAK_MACS: u64 = PEAK_SUMS as u64 * 16;
const PEAK_SUMS: usize = 16;

pub(super) fn peak(rounds: u64) -> i32 {
    // SAFETY: the table of kernels gives out this function only where the CPU has the features.
    unsafe { register_loop(rounds) }
}

/// Nothing but products of registers.
#[target_feature(enable = "neon")]
fn register_loop(rounds: u64) -> i32 {
    let mut sums = [vdupq_n_s32(0); PEAK_SUMS];
    let (weights, mut x) = (load_weights(&[1; 16]), load_activations(&[2; 16]));
    for _ in 0..rounds {
        for sum in &mut sums {
            // So that no product is shared between sums.
            x = opaque(x);
            *sum = add_products(*sum, weights, x);
        }
    }
    total(&sums)
}
