//! Every kernel of the table against its definition: edge shapes, extreme values, misaligned starts,
//! guard bands around the output. Equal means equal bits.

use std::collections::BTreeMap;

use super::report::checked;
use crate::arch::kernels_of;
use crate::contract::{
    DenseKernel, DepthwiseKernel, Gather, KR, MicroKernels, Patch, Strip, Taps, WeightForm, Windows,
};
use crate::panel::{channel_of_lane, put};
use crate::{
    Activation, ConvShape, Epilogue, Image, Isa, MAX_DEPTH, Padding, PixelConv, PixelScratch, Run, stored, unstored,
};

const GUARD: i32 = 0x5EED_5EED;
const GUARD_LEN: usize = 32;

/// A linear congruential generator; the upper bits are good enough for test data.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }
}

#[derive(Debug, Clone, Copy)]
enum Fill {
    Random,
    AllHigh,
    AllLow,
    LowestWeights,
    Alternating,
    OneHot,
}

const FILLS: [Fill; 6] =
    [Fill::Random, Fill::AllHigh, Fill::AllLow, Fill::LowestWeights, Fill::Alternating, Fill::OneHot];

impl Fill {
    fn weight(self, index: usize, numbers: &mut Numbers) -> i8 {
        match self {
            Self::Random | Self::OneHot => numbers.next() as u8 as i8,
            Self::AllHigh => 127,
            Self::AllLow => -127,
            Self::LowestWeights => i8::MIN,
            Self::Alternating => [127, -128][index % 2],
        }
    }

    /// Stored bytes of values within ±127.
    fn bytes(self, length: usize, numbers: &mut Numbers) -> Vec<u8> {
        let mut values: Vec<i8> = (0..length)
            .map(|index| match self {
                Self::Random => (numbers.next() % 255) as u8 as i8,
                Self::AllHigh => 127,
                Self::AllLow | Self::LowestWeights => -127,
                Self::Alternating => [127, -127][index % 2],
                Self::OneHot => 0,
            })
            .map(|value| value.max(-127))
            .collect();
        if matches!(self, Self::OneHot) && length > 0 {
            values[numbers.next() as usize % length] = -127;
        }
        values.into_iter().map(stored).collect()
    }
}

/// Runs `compute` on a buffer between guard bands; returns what it wrote.
fn guarded<T: Copy + PartialEq>(len: usize, offset: usize, guard: T, compute: impl FnOnce(&mut [T])) -> Vec<T> {
    let mut buffer = vec![guard; len + 2 * GUARD_LEN + offset];
    compute(&mut buffer[GUARD_LEN + offset..][..len]);
    let (before, rest) = buffer.split_at(GUARD_LEN + offset);
    let (written, after) = rest.split_at(len);
    assert!(before.iter().chain(after).all(|&value| value == guard), "a guard band was overwritten");
    written.to_vec()
}

/// A copy of `values` that starts `offset` elements after the start of an allocation and ends with it.
struct Misaligned<T>(Vec<T>, usize);

impl<T: Copy + Default> Misaligned<T> {
    fn new(values: &[T], offset: usize) -> Self {
        let mut buffer = vec![T::default(); offset];
        buffer.extend_from_slice(values);
        buffer.shrink_to_fit();
        Self(buffer, offset)
    }

    fn get(&self) -> &[T] {
        &self.0[self.1..]
    }
}

fn expect_equal(found: &[i32], expected: &[i32], columns: usize, case: &str) {
    if found == expected {
        return;
    }
    let rows = found.chunks(columns).zip(expected.chunks(columns));
    let side_by_side: Vec<String> = rows.map(|(found, expected)| format!("{found:?} | {expected:?}")).collect();
    panic!("{case}: found | expected\n{}", side_by_side.join("\n"));
}

/// Weights `[lane][depth]`, packed for a kernel, with the initial sums that go with stored bytes.
struct Packed {
    weights: Vec<i8>,
    panel: Vec<i8>,
    initial: Vec<i32>,
}

fn pack_dense(kernel: &DenseKernel, vectors: usize, depth: usize, fill: Fill, numbers: &mut Numbers) -> Packed {
    let lanes = vectors * kernel.lanes;
    let weights: Vec<i8> = (0..lanes * depth).map(|index| fill.weight(index, numbers)).collect();
    let vector_bytes = kernel.lanes * kernel.form.bytes_per_lane(kernel.depths);
    let groups = depth.div_ceil(kernel.depths);
    let mut panel = vec![0; groups * vectors * vector_bytes];
    for (lane, weights) in weights.chunks_exact(depth).enumerate() {
        for (group, weights) in weights.chunks(kernel.depths).enumerate() {
            let weights: Vec<i8> = weights.iter().copied().chain([0; 16]).take(kernel.depths).collect();
            let vector = group * vectors + lane / kernel.lanes;
            let to = &mut panel[vector * vector_bytes..][..vector_bytes];
            put(to, kernel.form, kernel.lanes, lane % kernel.lanes, &weights);
        }
    }
    let initial = weights.chunks(depth).map(|weights| initial_sum(kernel.form, weights)).collect();
    Packed { weights, panel, initial }
}

fn initial_sum(form: WeightForm, weights: &[i8]) -> i32 {
    form.initial_factor() * weights.iter().map(|&weight| i32::from(weight)).sum::<i32>()
}

fn product(weight: i8, byte: u8) -> i32 {
    i32::from(weight) * i32::from(unstored(byte))
}

fn check_dense(kernel: &DenseKernel, numbers: &mut Numbers) -> usize {
    let mut cases = 0;
    for (halves, pixels, vectors) in tiles(kernel) {
        for (runs, run) in runs(kernel) {
            let (turn, depth) = (cases, runs * run);
            let fill = FILLS[turn % FILLS.len()];
            let packed = pack_dense(kernel, vectors, depth, fill, numbers);
            let (step, apart) = (run + turn % 4, run + 1 + turn % 5);
            let starts = [turn % 3, 5 + turn % 7];
            let last = starts[..halves].iter().max().unwrap() + (pixels - 1) * step + (runs - 1) * apart + run;
            let bytes = Misaligned::new(&fill.bytes(last, numbers), turn % 17);
            let panel = Misaligned::new(&packed.panel, turn % 5);
            let offsets = (0..runs).map(|run| run * apart).collect();
            let strip = Strip {
                bytes: bytes.get(),
                starts,
                halves,
                pixels,
                step,
                taps: &Taps::default(),
                vectors,
                panel: panel.get(),
                ahead: panel.get(),
                initial: &packed.initial,
            };
            let lanes = vectors * kernel.lanes;
            let run_strip = |strip: &Strip<'_>| {
                let length = strip.halves * strip.pixels * lanes;
                let out = vec![0; length];
                assert!(strip.fits(kernel, &out));
                assert!(!strip.fits(kernel, &out[1..]), "{}: a write beyond the end was allowed", kernel.name);
                let shorter = Strip { bytes: &strip.bytes[..strip.bytes.len() - 1], ..*strip };
                assert!(!shorter.fits(kernel, &out), "{}: a read beyond the end was allowed", kernel.name);
                guarded(length, turn % 4, GUARD, |out| kernel.run(strip, out))
            };
            let found = match &kernel.gather {
                Some(gather) => {
                    let taps = Taps::new(offsets, run, 1);
                    let starts: Vec<usize> = (0..pixels).map(|pixel| starts[0] + pixel * step).collect();
                    let patch = Patch { bytes: bytes.get(), starts: &starts, taps: &taps };
                    let gathered = gather_windows(gather, &patch, turn);
                    let gathered = Misaligned::new(&gathered, turn % 17);
                    let taps = kernel.gathered_taps(depth);
                    run_strip(&Strip {
                        bytes: gathered.get(),
                        starts: [0; 2],
                        step: taps.reach(),
                        taps: &taps,
                        ..strip
                    })
                }
                None => run_strip(&Strip { taps: &Taps::new(offsets, run / kernel.depths, kernel.depths), ..strip }),
            };
            let mut expected = Vec::new();
            for (half, pixel) in (0..halves).flat_map(|half| (0..pixels).map(move |pixel| (half, pixel))) {
                let window = |k: usize| starts[half] + pixel * step + k / run * apart + k % run;
                expected.extend((0..lanes).map(|lane| {
                    let weights = &packed.weights[lane * depth..][..depth];
                    weights.iter().enumerate().map(|(k, &weight)| product(weight, bytes.get()[window(k)])).sum::<i32>()
                }));
            }
            let case = format!("{} {halves}x{pixels}x{vectors} {runs} runs of {run} {fill:?}", kernel.name);
            expect_equal(&found, &expected, lanes, &case);
            cases += 1;
        }
    }
    cases
}

/// Numbers and lengths of runs: whole groups for a kernel that reads in place, else any length.
fn runs(kernel: &DenseKernel) -> Vec<(usize, usize)> {
    match kernel.gather {
        Some(_) => vec![(1, 1), (1, 16), (1, 27), (1, 160), (2, 9), (3, 48), (9, 3), (2, 23)],
        None => [(1, 1), (1, 2), (1, 5), (2, 1), (3, 4), (1, 9)].map(|(runs, n)| (runs, n * kernel.depths)).to_vec(),
    }
}

/// What a kernel's gather writes, into memory that was not zero before.
fn gather_windows(gather: &Gather, patch: &Patch<'_>, turn: usize) -> Vec<u8> {
    let length = gather.bytes(patch.taps, patch.starts.len());
    let (spare, out) = (&mut vec![0x55; gather.spare_bytes(patch.taps)], &mut vec![0; length]);
    assert!(patch.fits(gather, spare, out));
    assert!(!patch.fits(gather, &spare[1..], out));
    assert!(!patch.fits(gather, spare, &out[1..]));
    assert!(!Patch { starts: &vec![0; gather.most_pixels() + 1], ..*patch }.fits(gather, spare, out));
    let shorter = Patch { bytes: &patch.bytes[..patch.bytes.len() - 1], ..*patch };
    assert!(!shorter.fits(gather, spare, out), "a gather beyond the end was allowed");
    guarded(length, turn % 5, 0xAA, |out| gather.run(patch, spare, out))
}

/// Every size of tile that a dense kernel has.
fn tiles(kernel: &DenseKernel) -> Vec<(usize, usize, usize)> {
    let vectors = kernel.least_vectors..=kernel.vectors;
    let sizes = vectors.flat_map(|v| (1..=kernel.most_pixels()).map(move |p| (p, v)));
    sizes.flat_map(|(p, v)| (1..=kernel.halves).map(move |h| (h, p, v))).collect()
}

fn check_depthwise(kernel: &DepthwiseKernel, numbers: &mut Numbers) -> usize {
    // Taps as a row apart and columns apart; the first two are a 3x3 kernel with stride 1 and 2.
    let column = kernel.channels + 3;
    let columns_of = |x: usize| [x * column, 1000 + x * column, 2000 + x * column, x * column];
    let three: Vec<usize> = (0..3).flat_map(columns_of).collect();
    let shapes = [
        (three.clone(), column),
        (three.clone(), 2 * column),
        (three, 3 * column),
        (vec![0, 5, 9, 1], 7),
        ((0..28).map(|tap| tap * 41 % 97).collect(), 1),
    ];
    let mut cases = 0;
    for (offsets, step) in shapes {
        for pixels in 1..=kernel.pixels {
            for fill in FILLS {
                let taps = Taps::new(offsets.clone(), 0, KR);
                let (turn, start) = (cases, cases % 3);
                let count = offsets.len();
                // The fourth tap of three rows has no weight, as when packed.
                let is_real = |tap: usize| count != 12 || tap % KR < 3;
                let weights: Vec<i8> = (0..kernel.channels * count)
                    .map(|index| if is_real(index % count) { fill.weight(index, numbers) } else { 0 })
                    .collect();
                let vector_bytes = kernel.lanes * kernel.form.bytes_per_lane(KR);
                let parts = kernel.channels / kernel.lanes;
                let mut panel = vec![0; count / KR * parts * vector_bytes];
                let mut initial = vec![0; kernel.channels];
                for (index, initial) in initial.iter_mut().enumerate() {
                    let channel = channel_of_lane(index, kernel.lanes, kernel.channels);
                    let weights = &weights[channel * count..][..count];
                    *initial = initial_sum(kernel.form, weights);
                    for (group, four) in weights.chunks_exact(KR).enumerate() {
                        let vector = group * parts + index / kernel.lanes;
                        let to = &mut panel[vector * vector_bytes..][..vector_bytes];
                        put(to, kernel.form, kernel.lanes, index % kernel.lanes, four);
                    }
                }
                let last = start + (pixels - 1) * step + taps.reach() + kernel.channels;
                let bytes = Misaligned::new(&fill.bytes(last, numbers), turn % 17);
                let windows =
                    Windows { bytes: bytes.get(), start, pixels, step, taps: &taps, panel: &panel, initial: &initial };
                let out = vec![0; pixels * kernel.channels];
                assert!(windows.fit(kernel, &out));
                assert!(!windows.fit(kernel, &out[1..]));
                assert!(!Windows { bytes: &bytes.get()[..last - 1], ..windows }.fit(kernel, &out));
                let found = guarded(out.len(), turn % 4, GUARD, |out| kernel.run(&windows, out));
                let sum = |pixel: usize, channel: usize| -> i32 {
                    let byte = |tap: usize| bytes.get()[start + pixel * step + offsets[tap] + channel];
                    (0..count).map(|tap| product(weights[channel * count + tap], byte(tap))).sum()
                };
                let expected: Vec<i32> =
                    (0..pixels * kernel.channels).map(|i| sum(i / kernel.channels, i % kernel.channels)).collect();
                let case = format!("{} {pixels} pixels, {count} taps, step {step} {fill:?}", kernel.name);
                expect_equal(&found, &expected, kernel.channels, &case);
                cases += 1;
            }
        }
    }
    cases
}

#[test]
fn every_kernel_equals_its_definition_on_every_edge() {
    let mut numbers = Numbers(1);
    let mut cases = BTreeMap::new();
    for kernels in Isa::available().iter().map(|&isa| kernels_of(isa)) {
        cases.insert(kernels.dense.name, check_dense(&kernels.dense, &mut numbers));
        cases.insert(kernels.depthwise.name, check_depthwise(&kernels.depthwise, &mut numbers));
    }
    for (name, cases) in &cases {
        assert!(*cases >= 24, "{name} was hardly tested");
        checked(name, *cases);
    }
}

#[test]
fn names_decode_to_tile_and_isa() {
    for kernels in Isa::available().iter().map(|&isa| kernels_of(isa)) {
        let MicroKernels { dense, depthwise, .. } = kernels;
        let isa = kernels.level.name();
        let (pixels, channels) = (dense.halves * dense.pixels, dense.vectors * dense.lanes);
        assert_eq!(dense.name, format!("dense_{pixels}x{channels}c{}__{isa}", dense.depths));
        assert_eq!(depthwise.name, format!("depthwise_{}x{}c{KR}__{isa}", depthwise.pixels, depthwise.channels));
    }
}

#[test]
fn the_largest_depth_does_not_overflow() {
    for &isa in Isa::available() {
        for (weight, byte) in [(-128i8, stored(-127)), (-128, stored(127)), (127, stored(127))] {
            let epilogue = Epilogue::new(vec![1.0], None, Activation::None).unwrap();
            let shape = ConvShape::pointwise(MAX_DEPTH, 1);
            let conv = PixelConv::new(shape, &vec![weight; MAX_DEPTH], epilogue, isa).unwrap();
            for pixels in [1, 15] {
                let bytes = vec![byte; MAX_DEPTH * pixels];
                let input = Image::new(&bytes, 1, pixels, MAX_DEPTH, MAX_DEPTH).unwrap();
                let run = Run { input, padding: Padding::default(), rows: 0..1, residual: None };
                let mut sums = vec![0; pixels];
                conv.accumulate(&run, &mut sums, &mut PixelScratch::default()).unwrap();
                let sum = i64::from(product(weight, byte)) * MAX_DEPTH as i64;
                assert!(sums.iter().all(|&found| i64::from(found) == sum), "{isa}: {sums:?} instead of {sum}");
            }
        }
    }
}

/// A run on a machine (or an emulator) that was chosen for instruction sets must exercise them.
#[test]
fn required_isas_are_tested() {
    let Ok(required) = std::env::var("INT8_REQUIRE_ISA") else { return };
    for name in required.split(',') {
        let isa = Isa::by_name(name);
        assert!(isa.is_some(), "INT8_REQUIRE_ISA has {name}, but this CPU has {:?}", Isa::available());
    }
}
