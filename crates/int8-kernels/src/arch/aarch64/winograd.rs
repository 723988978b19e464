//! Winograd's algorithm by `smlal` and `smlal2` (see [`crate::winograd`]).
//!
//! The products of a coefficient are a matrix product of tiles by channels, in which a lane of a tile's vector of
//! eight input channels meets the weights of that channel for up to 16 output channels: 24 vectors of sums for
//! six tiles leave six registers for inputs and two for weights.

use std::arch::aarch64::*;

use super::dense::VECTORS;
use super::operands::load_weights;
use super::words::*;
use crate::contract::{Product, WinogradKernel};

/// Input channels of a chunk.
const CHANNELS: usize = 2 * LANES;
const BLOCKS: &[usize] = &[3, 4, 5, 6];

pub(super) const KERNEL: WinogradKernel = WinogradKernel {
    name: "winograd_6x16c1__neon",
    blocks: BLOCKS,
    lanes: LANES,
    depths: 1,
    vectors: VECTORS,
    least_vectors: 1,
    least_channels: 4,
    least_tiles: 4,
    transform_inputs,
    multiply,
    transform_sums,
};

winograd_transforms!("neon");

#[target_feature(enable = "neon")]
fn multiply(product: &Product<'_>, out: &mut [i32]) {
    match product.vectors {
        1 => choose_tiles::<1>(product, out),
        2 => choose_tiles::<2>(product, out),
        3 => choose_tiles::<3>(product, out),
        _ => choose_tiles::<4>(product, out),
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn choose_tiles<const V: usize>(product: &Product<'_>, out: &mut [i32]) {
    match product.grid.tiles() {
        3 => multiply_blocks::<3, V>(product, out),
        4 => multiply_blocks::<4, V>(product, out),
        5 => multiply_blocks::<5, V>(product, out),
        _ => multiply_blocks::<6, V>(product, out),
    }
}

/// All blocks, each of `T` tiles, for `V` vectors of output channels.
#[target_feature(enable = "neon")]
fn multiply_blocks<const T: usize, const V: usize>(product: &Product<'_>, out: &mut [i32]) {
    let Product { inputs, grid, pairs, panel, sum_stride, .. } = *product;
    let panel = panel.as_chunks::<{ 2 * LANES }>().0.as_chunks::<V>().0;
    let coefficients = inputs.chunks(grid.input_stride()).zip(out.chunks_mut(sum_stride));
    for ((inputs, out), panel) in coefficients.zip(panel.chunks_exact(2 * pairs)) {
        let inputs = inputs.chunks_exact(grid.block_length());
        let blocks = inputs.zip(out.as_chunks_mut::<LANES>().0.chunks_exact_mut(T * V));
        for (block, out) in blocks.take(grid.blocks()) {
            multiply_block::<T, V>(block, panel, out);
        }
    }
}

#[inline]
#[target_feature(enable = "neon")]
fn multiply_block<const T: usize, const V: usize>(
    block: &[i32],
    panel: &[[[i8; 2 * LANES]; V]],
    out: &mut [[i32; LANES]],
) {
    let mut sums = [[int_zero(); V]; T];
    let chunks = block.as_chunks::<LANES>().0.as_chunks::<T>().0;
    for (chunk, panel) in chunks.iter().zip(panel.chunks(CHANNELS)) {
        let mut inputs = [word_zero(); T];
        for t in 0..T {
            inputs[t] = load_words(&chunk[t]);
        }
        if let [a, b, c, d, e, f, g, h] = panel {
            add_products::<0, T, V>(&mut sums, &inputs, a);
            add_products::<1, T, V>(&mut sums, &inputs, b);
            add_products::<2, T, V>(&mut sums, &inputs, c);
            add_products::<3, T, V>(&mut sums, &inputs, d);
            add_products::<4, T, V>(&mut sums, &inputs, e);
            add_products::<5, T, V>(&mut sums, &inputs, f);
            add_products::<6, T, V>(&mut sums, &inputs, g);
            add_products::<7, T, V>(&mut sums, &inputs, h);
        } else {
            for [a, b] in panel.as_chunks::<2>().0 {
                add_products::<0, T, V>(&mut sums, &inputs, a);
                add_products::<1, T, V>(&mut sums, &inputs, b);
                for inputs in &mut inputs {
                    *inputs = vextq_s16::<2>(*inputs, *inputs);
                }
            }
        }
    }
    let out = &mut out[..T * V];
    for t in 0..T {
        for v in 0..V {
            store_ints(&mut out[t * V + v], sums[t][v]);
        }
    }
}

/// The products of a lane of every tile with the weights of its channel.
#[inline]
#[target_feature(enable = "neon")]
fn add_products<const LANE: i32, const T: usize, const V: usize>(
    sums: &mut [[Ints; V]; T],
    inputs: &[Words; T],
    weights: &[[i8; 2 * LANES]; V],
) {
    let (pairs, last) = weights.as_flattened().as_chunks::<{ 4 * LANES }>();
    for v in 0..V / 2 {
        let weights = vreinterpretq_s16_s8(load_weights(&pairs[v]));
        for t in 0..T {
            sums[t][2 * v] = vmlal_laneq_s16::<LANE>(sums[t][2 * v], vget_low_s16(weights), inputs[t]);
            sums[t][2 * v + 1] = vmlal_high_laneq_s16::<LANE>(sums[t][2 * v + 1], weights, inputs[t]);
        }
    }
    if let [last] = last.as_chunks::<{ 2 * LANES }>().0 {
        let weights = vreinterpret_s16_s8(vcreate_s8(u64::from_le_bytes(last.map(|byte| byte as u8))));
        for t in 0..T {
            sums[t][V - 1] = vmlal_laneq_s16::<LANE>(sums[t][V - 1], weights, inputs[t]);
        }
    }
}
