//! Portable kernels: plain Rust in a shape that compilers turn into vector code of any CPU.

use crate::convert::{dequantize_each, interleave_each, quantize_each, requantize_each};
use crate::finish::finish_values;
use crate::isa::Level;
use crate::max_pool::largest;
use crate::micro_kernel::{DenseKernel, DepthwiseKernel, KR, MicroKernels, RowKernels, Strip, WeightForm, Windows};

/// Output channels of a dense tile.
const LANES: usize = 16;
/// Pixels of a dense tile.
const PIXELS: usize = 4;
/// Channels of a depthwise block.
const BLOCK: usize = 16;

pub(super) static KERNELS: MicroKernels = MicroKernels {
    level: Level::Scalar,
    dense: DenseKernel {
        name: "dense_4x16c4__scalar",
        pixels: PIXELS,
        halves: 1,
        lanes: LANES,
        vectors: 1,
        least_vectors: 1,
        form: WeightForm::WordPairs,
        run: dense_4x16c4,
    },
    depthwise: DepthwiseKernel {
        name: "depthwise_1x16c4__scalar",
        channels: BLOCK,
        pixels: 1,
        form: WeightForm::Bytes,
        lanes: BLOCK,
        run: depthwise_1x16c4,
    },
    finish: finish_values,
    rows: RowKernels {
        quantize: quantize_each,
        dequantize: dequantize_each,
        requantize: requantize_each,
        interleave: interleave_each,
        max: largest::<16>,
    },
    peak: ((LANES * KR) as u64, peak),
};

fn dense_4x16c4(strip: &Strip<'_>, out: &mut [i32]) {
    assert!(strip.fits(&KERNELS.dense), "operands do not fit {}", KERNELS.dense.name);
    let mut tile = [[0i32; LANES]; PIXELS];
    for sums in &mut tile {
        sums.copy_from_slice(&strip.initial[..LANES]);
    }
    let mut panel = strip.panel.as_chunks::<{ 4 * LANES }>().0.as_chunks::<2>().0.iter();
    for &tap in strip.taps.offsets() {
        let start = strip.starts[0] + tap;
        for (group, [even, odd]) in (&mut panel).take(strip.taps.groups()).enumerate() {
            for (pixel, sums) in tile.iter_mut().take(strip.pixels).enumerate() {
                let at = start + pixel * strip.step + group * KR;
                let bytes: [i16; KR] = std::array::from_fn(|k| i16::from(strip.bytes[at + k]));
                add_pairs(sums, even, [bytes[0], bytes[2]]);
                add_pairs(sums, odd, [bytes[1], bytes[3]]);
            }
        }
    }
    out[..strip.pixels * LANES].copy_from_slice(&tile.as_flattened()[..strip.pixels * LANES]);
}

/// `sums[lane] += w[lane][0] · x[0] + w[lane][1] · x[1]`, the shape of x86's `pmaddwd`.
#[inline(always)]
fn add_pairs(sums: &mut [i32; LANES], weights: &[i8; 4 * LANES], x: [i16; 2]) {
    for (sum, pair) in sums.iter_mut().zip(weights.as_chunks::<4>().0) {
        let w =
            [i16::from_le_bytes([pair[0] as u8, pair[1] as u8]), i16::from_le_bytes([pair[2] as u8, pair[3] as u8])];
        let products = i32::from(w[0]) * i32::from(x[0]) + i32::from(w[1]) * i32::from(x[1]);
        *sum = sum.wrapping_add(products);
    }
}

fn depthwise_1x16c4(windows: &Windows<'_>, out: &mut [i32]) {
    assert!(windows.fit(&KERNELS.depthwise), "operands do not fit {}", KERNELS.depthwise.name);
    let mut sums = [0i32; BLOCK];
    sums.copy_from_slice(&windows.initial[..BLOCK]);
    let groups = windows.taps.offsets().as_chunks::<KR>().0;
    for (taps, weights) in groups.iter().zip(windows.panel.as_chunks::<{ KR * BLOCK }>().0) {
        for (k, &tap) in taps.iter().enumerate() {
            let bytes = &windows.bytes[windows.start + tap..][..BLOCK];
            for ((sum, &x), w) in sums.iter_mut().zip(bytes).zip(weights.as_chunks::<KR>().0) {
                *sum = sum.wrapping_add(i32::from(i16::from(w[k]).wrapping_mul(i16::from(x))));
            }
        }
    }
    out[..BLOCK].copy_from_slice(&sums);
}

fn peak(rounds: u64) -> i32 {
    let mut sums = [0i32; LANES];
    let weights: [i8; 4 * LANES] = std::array::from_fn(|i| i as i8);
    for round in 0..rounds {
        let x = std::hint::black_box(round as i16 & 127);
        add_pairs(&mut sums, &weights, [x, x]);
        add_pairs(&mut sums, &weights, [x, -x]);
    }
    sums.iter().fold(0, |a, &b| a.wrapping_add(b))
}
