//! The three steps of Winograd's algorithm against their matrices, with edge sizes, extreme values and guard
//! bands; and the bound beyond which it is not used. Equal means equal bits.

use super::report;
use crate::arch::kernels_of;
use crate::contract::{COEFFICIENTS, Grid, NINTH, Patches, Product, SIDE, Squares, WINDOW, WinogradKernel};
use crate::{
    Activation, Algorithm, ConvShape, Epilogue, Image, Isa, Padding, PixelConv, PixelScratch, Run, stored, unstored,
};

const INPUTS: [[i32; 6]; 6] = [
    [4, 0, -5, 0, 1, 0],
    [0, -4, -4, 1, 1, 0],
    [0, 4, -4, -1, 1, 0],
    [0, -2, -1, 2, 1, 0],
    [0, 2, -1, -2, 1, 0],
    [0, 4, 0, -5, 0, 1],
];
const SUMS: [[i32; 6]; 4] = [[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 2]];

const GUARD: i32 = 0x5EED_5EED;
const GUARD_LEN: usize = 48;

/// A linear congruential generator; the upper bits are good enough for test data.
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    /// Stored bytes: random, highest, lowest, alternating, one value among zeros.
    fn bytes(&mut self, length: usize, fill: usize) -> Vec<u8> {
        let one = self.next() as usize % length;
        let byte = |index: usize| match fill {
            0 => (self.next() % 256) as u8,
            1 => 255,
            2 => 0,
            3 => [255, 0][index % 2],
            _ => [128, 1][usize::from(index == one)],
        };
        (0..length).map(byte).collect()
    }

    /// Words of at most `limit` in magnitude: random, highest, lowest, alternating.
    fn words(&mut self, length: usize, limit: i16, fill: usize) -> Vec<i16> {
        let word = |index: usize| match fill {
            0 | 4 => ((self.next() % (2 * limit as u32 + 1)) as i32 - i32::from(limit)) as i16,
            1 => limit,
            2 => -limit,
            _ => [limit, -limit][index % 2],
        };
        (0..length).map(word).collect()
    }
}

/// Two words as a lane holds them.
fn pair(words: [i16; 2]) -> i32 {
    i32::from(words[0] as u16) | i32::from(words[1]) << 16
}

/// Runs `compute` on a buffer between guard bands, filled with the guard too.
fn guarded(len: usize, offset: usize, compute: impl FnOnce(&mut [i32])) -> Vec<i32> {
    let mut buffer = vec![GUARD; len + 2 * GUARD_LEN + offset];
    compute(&mut buffer[GUARD_LEN + offset..][..len]);
    let (before, rest) = buffer.split_at(GUARD_LEN + offset);
    let (values, after) = rest.split_at(len);
    assert!(before.iter().chain(after).all(|&value| value == GUARD), "a guard band was overwritten");
    values.to_vec()
}

/// `matrix · values · matrixᵀ`, wrapping.
fn transformed<const N: usize>(matrix: &[[i32; 6]; N], values: &[i32; COEFFICIENTS]) -> Vec<i32> {
    let at = |y: usize, x: usize| {
        let terms = (0..COEFFICIENTS).map(|i| matrix[y][i / WINDOW] * matrix[x][i % WINDOW]).zip(values);
        terms.fold(0i32, |sum, (factor, value)| sum.wrapping_add(factor.wrapping_mul(*value)))
    };
    (0..N * N).map(|i| at(i / N, i % N)).collect()
}

/// Where a tile's pair of a coefficient lies.
fn input_index(grid: &Grid, coefficient: usize, tile: usize, pair: usize) -> usize {
    let (block, chunk) = (tile / grid.tiles(), pair / grid.lanes());
    let at = (block * grid.chunks() + chunk) * grid.tiles() + tile % grid.tiles();
    coefficient * grid.input_stride() + at * grid.lanes() + pair % grid.lanes()
}

fn check_inputs(kernel: &WinogradKernel, numbers: &mut Numbers) -> usize {
    let mut cases = 0;
    for (channels, tiles, rows) in [(1, 1, 1), (3, 2, 3), (16, 5, 1), (33, 3, 2), (64, 7, 1), (70, 1, 4)] {
        for fill in 0..5 {
            let grid = kernel.grid(tiles * rows, channels).unwrap();
            let loaded = 2 * grid.chunks() * grid.lanes();
            let pixel_stride = channels + cases % 3;
            let row_stride = (SIDE * tiles + 2) * pixel_stride + cases % 5;
            let start = cases % 4;
            let end = start + 5 * row_stride + (SIDE * tiles + 1) * pixel_stride + loaded;
            let mut bytes = numbers.bytes(end, fill);
            bytes.shrink_to_fit();
            let first = tiles * (rows - 1);
            let patches = Patches { bytes: &bytes, start, row_stride, pixel_stride, tiles, first, grid };
            let found = guarded(grid.inputs(), cases % 5, |out| {
                assert!(patches.fit(kernel, out));
                assert!(!Patches { bytes: &bytes[1..], ..patches }.fit(kernel, out));
                assert!(!patches.fit(kernel, &out[1..]));
                assert!(!Patches { first: grid.blocks() * grid.tiles(), ..patches }.fit(kernel, out));
                kernel.transform_inputs(&patches, out);
            });
            let mut expected = vec![GUARD; found.len()];
            for (tile, index) in (0..tiles).flat_map(|tile| (0..loaded / 2).map(move |index| (tile, index))) {
                let [low, high] = [2 * index, 2 * index + 1].map(|channel| {
                    let at = |i: usize| (i / WINDOW) * row_stride + (SIDE * tile + i % WINDOW) * pixel_stride;
                    let value = |i| i32::from(unstored(bytes[start + at(i) + channel]));
                    transformed(&INPUTS, &std::array::from_fn(value))
                });
                for (coefficient, (&low, &high)) in low.iter().zip(&high).enumerate() {
                    let words = [low, high].map(|value| i16::try_from(value).unwrap());
                    expected[input_index(&grid, coefficient, first + tile, index)] = pair(words);
                }
            }
            assert!(found == expected, "{}: {channels} channels, {tiles} tiles, fill {fill}", kernel.name);
            cases += 1;
        }
    }
    cases
}

fn check_product(kernel: &WinogradKernel, numbers: &mut Numbers) -> usize {
    let mut cases = 0;
    let sizes = (1..=kernel.blocks.last().unwrap() + 3).chain([40]);
    let sizes = sizes.flat_map(|tiles| (kernel.least_vectors..=kernel.vectors).map(move |vectors| (tiles, vectors)));
    for (tiles, vectors) in sizes {
        let (channels, fill) = ([1, 2, 31, 32, 65][cases % 5], cases / 5 % 5);
        let (grid, pairs, lanes) =
            (kernel.grid(tiles, channels).unwrap(), channels.div_ceil(2), vectors * kernel.lanes);
        let words = numbers.words(2 * grid.inputs(), 12_800, fill);
        let inputs: Vec<i32> = words.as_chunks().0.iter().copied().map(pair).collect();
        let weights = numbers.words(2 * COEFFICIENTS * pairs * lanes, 18_432, fill);
        let panel: Vec<i8> = weights.iter().flat_map(|weight| weight.to_le_bytes().map(|byte| byte as i8)).collect();
        let sum_stride = grid.sum_stride(lanes).unwrap();
        let product = Product { inputs: &inputs, grid, pairs, vectors, panel: &panel, sum_stride };
        let found = guarded(COEFFICIENTS * sum_stride, cases % 5, |out| {
            assert!(product.fits(kernel, out));
            assert!(!product.fits(kernel, &out[1..]));
            assert!(!Product { inputs: &inputs[1..], ..product }.fits(kernel, out));
            assert!(!Product { panel: &panel[1..], ..product }.fits(kernel, out));
            assert!(!Product { vectors: kernel.vectors + 1, ..product }.fits(kernel, out));
            kernel.multiply(&product, out);
        });
        for (coefficient, tile) in (0..COEFFICIENTS).flat_map(|c| (0..tiles).map(move |tile| (c, tile))) {
            for lane in 0..lanes {
                let terms = (0..2 * pairs).map(|channel| {
                    let depths = kernel.depths;
                    let at = ((coefficient * 2 * pairs / depths + channel / depths) * lanes + lane) * depths;
                    let word = 2 * input_index(&grid, coefficient, tile, channel / 2) + channel % 2;
                    i32::from(words[word]) * i32::from(weights[at + channel % depths])
                });
                let sum = terms.fold(0, i32::wrapping_add);
                let at = coefficient * sum_stride + tile * lanes + lane;
                assert_eq!(found[at], sum, "{}: coefficient {coefficient}, tile {tile}, lane {lane}", kernel.name);
            }
        }
        cases += 1;
    }
    cases
}

fn check_sums(kernel: &WinogradKernel, numbers: &mut Numbers) -> usize {
    let mut cases = 0;
    for (vectors, tiles) in (kernel.least_vectors..=kernel.vectors).flat_map(|v| (1..9).map(move |tiles| (v, tiles))) {
        for fill in 0..3 {
            let channels = vectors * kernel.lanes;
            let stride = tiles * channels + 7 * (cases % 3);
            let value = |numbers: &mut Numbers| match fill {
                0 => (numbers.next() << 8 | numbers.next() & 0xFF) as i32,
                1 => i32::MAX,
                _ => i32::MIN,
            };
            let sums: Vec<i32> = (0..(COEFFICIENTS - 1) * stride + tiles * channels).map(|_| value(numbers)).collect();
            let squares = Squares { sums: &sums, stride, channels, tiles };
            let found = guarded(SIDE * SIDE * tiles * channels, cases % 5, |out| {
                assert!(squares.fit(kernel, out));
                assert!(!squares.fit(kernel, &out[1..]));
                assert!(!Squares { sums: &sums[1..], ..squares }.fit(kernel, out));
                kernel.transform_sums(&squares, out);
            });
            for (tile, lane) in (0..tiles).flat_map(|tile| (0..channels).map(move |lane| (tile, lane))) {
                let at = |coefficient: usize| sums[coefficient * stride + tile * channels + lane];
                for (index, v) in transformed(&SUMS, &std::array::from_fn(at)).into_iter().enumerate() {
                    let pixel = (index / SIDE * tiles + tile) * SIDE + index % SIDE;
                    // Modulo 2³² the ninth is what gives `v` again.
                    let ninth = found[pixel * channels + lane];
                    let exact = i64::from(v.wrapping_mul(NINTH)).div_euclid(64);
                    assert_eq!(i64::from(ninth), exact, "{}: tile {tile}, lane {lane}", kernel.name);
                }
            }
            cases += 1;
        }
    }
    cases
}

#[test]
fn every_step_equals_its_matrices() {
    let mut numbers = Numbers(1);
    for kernel in Isa::available().iter().filter_map(|&isa| kernels_of(isa).winograd.as_ref()) {
        let cases =
            [check_inputs(kernel, &mut numbers), check_product(kernel, &mut numbers), check_sums(kernel, &mut numbers)];
        assert!(cases.iter().all(|&cases| cases >= 10), "{} was hardly tested", kernel.name);
        report::checked(kernel.name, cases.iter().sum());
    }
}

#[test]
fn names_decode_to_block_and_isa() {
    for (isa, kernels) in Isa::available().iter().map(|&isa| (isa, kernels_of(isa))) {
        let Some(kernel) = &kernels.winograd else { continue };
        let (tiles, channels) = (kernel.blocks.last().unwrap(), kernel.vectors * kernel.lanes);
        assert_eq!(kernel.name, format!("winograd_{tiles}x{channels}c{}__{}", kernel.depths, isa));
        // The lanes of a panel serve both algorithms.
        let (ours, dense) = (kernel, &kernels.dense);
        assert_eq!((ours.lanes, ours.vectors, ours.least_vectors), (dense.lanes, dense.vectors, dense.least_vectors));
        assert!(kernel.blocks.is_sorted());
    }
}

/// A layer of `channels` input channels whose first output channel has weights of `weight`, over two tiles
/// of bytes `byte`.
fn sums_of(channels: usize, weights: &[i8], byte: u8, isa: Isa) -> (Vec<i32>, &'static str) {
    let shape = ConvShape { kernel_h: 3, kernel_w: 3, ..ConvShape::pointwise(channels, weights.len() / 9 / channels) };
    let epilogue = Epilogue::new(vec![1.0; shape.out_channels], None, Activation::None).unwrap();
    let conv = PixelConv::with_algorithm(shape, weights, epilogue, isa, Algorithm::Winograd).unwrap();
    let bytes = vec![byte; 6 * 9 * channels];
    let input = Image::new(&bytes, 6, 9, channels, channels).unwrap();
    let run = Run { input, padding: Padding::default(), rows: 0..4, residual: None };
    let mut sums = vec![0; 4 * 7 * shape.out_channels];
    conv.accumulate(&run, &mut sums, &mut PixelScratch::default()).unwrap();
    (sums, conv.kernel(4, 7))
}

#[test]
fn the_largest_sums_that_are_proven_are_exact_and_larger_ones_are_left_to_direct_kernels() {
    // 2^18 - 1 = 2064 · 127 + 15, the largest Σ|w| below 2^25 / 128; 230 channels have 2070 weights.
    let channels = 230;
    for (isa, sign) in Isa::available().iter().flat_map(|&isa| [(isa, 1), (isa, -1)]) {
        let kernels = kernels_of(isa);
        let mut weights = vec![0; 9 * channels];
        weights[..2064].fill(127 * sign);
        weights[2064] = 15 * sign;
        for byte in [0, 1, 128, 255] {
            let (sums, name) = sums_of(channels, &weights, byte, isa);
            let exact = i32::from(sign) * ((1 << 18) - 1) * i32::from(unstored(byte));
            assert!(sums.iter().all(|&sum| sum == exact), "{name}: {sums:?} instead of {exact}");
            assert_eq!(Some(name), kernels.winograd.as_ref().map(|kernel| kernel.name).or(Some(kernels.dense.name)));
        }
        weights[2065] = sign;
        let (sums, name) = sums_of(channels, &weights, stored(-127), isa);
        assert_eq!(name, kernels.dense.name);
        assert!(sums.iter().all(|&sum| sum == i32::from(sign) * (1 << 18) * -127));
    }
}

#[test]
fn an_algorithm_can_be_turned_off() {
    let shape = ConvShape { kernel_h: 3, kernel_w: 3, ..ConvShape::pointwise(64, 64) };
    for (isa, kernels) in Isa::available().iter().map(|&isa| (isa, kernels_of(isa))) {
        let name = |shape: ConvShape, algorithm| {
            let weights = vec![1; shape.out_channels * shape.depth().unwrap()];
            let epilogue = Epilogue::new(vec![1.0; shape.out_channels], None, Activation::None).unwrap();
            PixelConv::with_algorithm(shape, &weights, epilogue, isa, algorithm).unwrap().kernel(56, 56)
        };
        let winograd = kernels.winograd.as_ref().map_or(kernels.dense.name, |kernel| kernel.name);
        assert_eq!(name(shape, Algorithm::Winograd), winograd);
        assert_eq!(name(shape, Algorithm::Direct), kernels.dense.name);
        assert_eq!(name(shape, Algorithm::Fastest), winograd);
        // The width of an image may come from a file.
        let weights = vec![1; 64 * 64 * 9];
        let epilogue = Epilogue::new(vec![1.0; 64], None, Activation::None).unwrap();
        let conv = PixelConv::new(shape, &weights, epilogue, isa).unwrap();
        assert_eq!(conv.kernel(4, usize::MAX), kernels.dense.name);
        for other in [
            ConvShape { stride_w: 2, ..shape },
            ConvShape { dilation_h: 2, ..shape },
            ConvShape { groups: 2, ..shape },
            ConvShape { kernel_w: 1, ..shape },
        ] {
            assert_eq!(name(other, Algorithm::Winograd), kernels.dense.name);
        }
    }
}

#[test]
fn grids_too_large_to_address_are_none() {
    for kernel in Isa::available().iter().filter_map(|&isa| kernels_of(isa).winograd.as_ref()) {
        let largest = usize::MAX;
        for (tiles, channels) in [(largest, 1), (1, largest), (largest / 4, 64), (largest, largest)] {
            assert_eq!(kernel.grid(tiles, channels), None, "{tiles} {channels}");
        }
        let grid = kernel.grid(100, 3).unwrap();
        assert_eq!(grid.sum_stride(largest), None);
        assert!(grid.blocks() * grid.tiles() >= 100);
        assert!(grid.inputs() >= COEFFICIENTS * grid.blocks() * grid.tiles() * 2);
    }
}

#[test]
fn operands_of_extreme_sizes_are_refused() {
    let most = usize::MAX;
    for kernel in Isa::available().iter().filter_map(|&isa| kernels_of(isa).winograd.as_ref()) {
        let grid = kernel.grid(4, 2).unwrap();
        let mut out = vec![0; grid.inputs()];
        let patches = Patches { bytes: &[0; 1024], start: 0, row_stride: 2, pixel_stride: 2, tiles: 1, first: 0, grid };
        assert!(patches.fit(kernel, &out));
        for patches in [
            Patches { start: most, ..patches },
            Patches { row_stride: most, ..patches },
            Patches { pixel_stride: most, ..patches },
            Patches { tiles: most, ..patches },
            Patches { tiles: 0, ..patches },
            Patches { first: most, ..patches },
        ] {
            assert!(!patches.fit(kernel, &out), "{patches:?}");
            assert!(std::panic::catch_unwind(|| kernel.transform_inputs(&patches, &mut out.clone())).is_err());
        }
        let squares = Squares { sums: &[0; 4096], stride: 64, channels: 2 * kernel.lanes, tiles: 1 };
        out.resize(4096, 0);
        assert!(squares.fit(kernel, &out));
        for squares in [
            Squares { stride: most, ..squares },
            Squares { channels: most - kernel.lanes + 1, ..squares },
            Squares { channels: 0, ..squares },
            Squares { tiles: most, ..squares },
            Squares { tiles: most / 2 + 1, stride: 0, ..squares },
        ] {
            assert!(!squares.fit(kernel, &out), "{squares:?}");
        }
        let vectors = kernel.least_vectors;
        let panel = vec![0; COEFFICIENTS * 4 * vectors * kernel.lanes];
        let stride = grid.sum_stride(vectors * kernel.lanes).unwrap();
        out.resize(COEFFICIENTS * stride, 0);
        let inputs = vec![0; grid.inputs()];
        let product = Product { inputs: &inputs, grid, pairs: 1, vectors, panel: &panel, sum_stride: stride };
        assert!(product.fits(kernel, &out));
        for product in [
            Product { pairs: 0, panel: &[], ..product },
            Product { pairs: most, ..product },
            Product { vectors: most, ..product },
            Product { sum_stride: most, ..product },
            Product { sum_stride: 0, ..product },
            Product { inputs: &[], ..product },
        ] {
            assert!(!product.fits(kernel, &out), "{product:?}");
        }
    }
}
