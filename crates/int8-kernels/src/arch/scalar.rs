//! Portable kernels: plain Rust in a shape that compilers turn into vector code of any CPU.

use crate::contract::{DenseKernel, DepthwiseKernel, KR, MicroKernels, RowKernels, Strip, WeightForm, Windows};
use crate::finish::finish_values;
use crate::image::unstored;
use crate::isa::Level;
use crate::portable::{dequantize_each, interleave_each, largest, quantize_each, requantize_each};

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
        depths: KR,
        form: WeightForm::Rows,
        gather: None,
        code: dense_4x16c4,
    },
    depthwise: DepthwiseKernel {
        name: "depthwise_4x16c4__scalar",
        channels: BLOCK,
        pixels: PIXELS,
        form: WeightForm::Rows,
        lanes: BLOCK,
        code: depthwise_4x16c4,
    },
    winograd: None,
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
    let mut tile = [[0i32; LANES]; PIXELS];
    for sums in &mut tile {
        sums.copy_from_slice(&strip.initial[..LANES]);
    }
    let mut panel = strip.panel.as_chunks::<LANES>().0.as_chunks::<KR>().0.iter();
    // Pixels that the tile does not have repeat the first; nobody reads their sums.
    let pixels: [usize; PIXELS] = std::array::from_fn(|pixel| if pixel < strip.pixels { pixel } else { 0 });
    for &tap in strip.taps.offsets() {
        let run = strip.taps.groups() * KR;
        let start = strip.starts[0] + tap;
        let bytes = pixels.map(|pixel| strip.bytes[start + pixel * strip.step..][..run].as_chunks::<KR>().0);
        for (group, weights) in (&mut panel).take(strip.taps.groups()).enumerate() {
            let weights = weights.map(|row| row.map(i16::from));
            for pixel in 0..PIXELS {
                let x = bytes[pixel][group].map(value);
                add_two(&mut tile[pixel], &weights[0], &weights[1], x[0], x[1]);
                add_two(&mut tile[pixel], &weights[2], &weights[3], x[2], x[3]);
            }
        }
    }
    out[..strip.pixels * LANES].copy_from_slice(&tile.as_flattened()[..strip.pixels * LANES]);
}

/// The int8 value of a stored byte, as wide as products.
#[inline(always)]
fn value(byte: u8) -> i16 {
    i16::from(unstored(byte))
}

/// Adds two products to each sum, in 16 bits before widening: with |x| ≤ 127 and |w| ≤ 128 their sum is
/// at most 32 512. It halves the widening, which is most of the work on a baseline CPU.
#[inline(always)]
fn add_two(sums: &mut [i32; LANES], first: &[i16; LANES], second: &[i16; LANES], x0: i16, x1: i16) {
    let products: [i16; LANES] =
        std::array::from_fn(|lane| first[lane].wrapping_mul(x0).wrapping_add(second[lane].wrapping_mul(x1)));
    for (sum, product) in sums.iter_mut().zip(products) {
        *sum = sum.wrapping_add(i32::from(product));
    }
}

fn depthwise_4x16c4(windows: &Windows<'_>, out: &mut [i32]) {
    let (weights, _) = windows.panel.as_chunks::<BLOCK>();
    for (pixel, out) in out.as_chunks_mut::<BLOCK>().0.iter_mut().take(windows.pixels).enumerate() {
        let mut sums = [0i32; BLOCK];
        sums.copy_from_slice(&windows.initial[..BLOCK]);
        for (&tap, weights) in windows.taps.offsets().iter().zip(weights) {
            let at = windows.start + pixel * windows.step + tap;
            let Some(bytes) = windows.bytes.get(at..).and_then(|bytes| bytes.first_chunk::<BLOCK>()) else { return };
            let products: [i16; BLOCK] =
                std::array::from_fn(|lane| i16::from(weights[lane]).wrapping_mul(value(bytes[lane])));
            for (sum, product) in sums.iter_mut().zip(products) {
                *sum = sum.wrapping_add(i32::from(product));
            }
        }
        *out = sums;
    }
}

fn peak(rounds: u64) -> i32 {
    let mut sums = [0i32; LANES];
    let weights = std::hint::black_box([1i16; LANES]);
    for round in 0..rounds {
        let x = round as i16 & 127;
        add_two(&mut sums, &weights, &weights, x, -x);
        add_two(&mut sums, &weights, &weights, -x, 1);
    }
    sums.iter().fold(0, |a, &b| a.wrapping_add(b))
}
