//! Every kernel of the table against the reference: edge shapes, extreme values, misaligned starts,
//! guard bands around the output. Equal means equal bits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use int8_kernels::packing::pack;
use int8_kernels::{
    ActivationOrder, Isa, MAX_DEPTH, MicroKernel, Operands, PackedWeights, Scratch, gemm, kernels, reference,
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

    fn weight(&mut self) -> i8 {
        self.next() as u8 as i8
    }

    fn activation(&mut self) -> i8 {
        (self.next() % 255) as i8
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
    ActivationsAreIdentity,
    WeightsAreIdentity,
}

const FILLS: [Fill; 8] = [
    Fill::Random,
    Fill::AllHigh,
    Fill::AllLow,
    Fill::LowestWeights,
    Fill::Alternating,
    Fill::OneHot,
    Fill::ActivationsAreIdentity,
    Fill::WeightsAreIdentity,
];

impl Fill {
    /// Weights `[rows][depth]` and activations `[depth][columns]`.
    fn operands(self, rows: usize, depth: usize, columns: usize, numbers: &mut Numbers) -> (Vec<i8>, Vec<i8>) {
        let weights: Vec<i8> = (0..rows * depth).map(|_| numbers.weight()).collect();
        let activations: Vec<i8> = (0..depth * columns).map(|_| numbers.activation()).collect();
        let alternate = |i: usize| if i.is_multiple_of(2) { 127 } else { -127 };
        let identity = |i: usize, width: usize| i8::from(i / width == i % width);
        match self {
            Self::Random => (weights, activations),
            Self::AllHigh => (vec![127; rows * depth], vec![127; depth * columns]),
            Self::AllLow => (vec![-127; rows * depth], vec![-127; depth * columns]),
            Self::LowestWeights => {
                (vec![-128; rows * depth], vec![if rows.is_multiple_of(2) { 127 } else { -127 }; depth * columns])
            }
            Self::Alternating => {
                ((0..rows * depth).map(alternate).collect(), (0..depth * columns).map(alternate).collect())
            }
            Self::OneHot => {
                let mut hot = vec![0; depth * columns];
                let index = numbers.next() as usize % hot.len().max(1);
                hot.iter_mut().skip(index).take(1).for_each(|value| *value = -127);
                (weights, hot)
            }
            Self::ActivationsAreIdentity => (weights, (0..depth * columns).map(|i| identity(i, columns)).collect()),
            Self::WeightsAreIdentity => ((0..rows * depth).map(|i| identity(i, depth)).collect(), activations),
        }
    }
}

/// Sizes at which a block of `tile` begins, ends and repeats.
fn edges(tile: usize) -> Vec<usize> {
    let mut sizes = vec![0, 1, tile.saturating_sub(1), tile, tile + 1, 2 * tile + 3];
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

/// Runs `compute` on a slice of `len` sums inside guard bands and returns the sums.
fn guarded(len: usize, offset: usize, compute: impl FnOnce(&mut [i32])) -> Vec<i32> {
    let mut buffer = vec![GUARD; len + 2 * GUARD_LEN + offset];
    compute(&mut buffer[GUARD_LEN + offset..][..len]);
    let (before, rest) = buffer.split_at(GUARD_LEN + offset);
    let (sums, after) = rest.split_at(len);
    assert!(before.iter().chain(after).all(|&value| value == GUARD), "a guard band was overwritten");
    sums.to_vec()
}

/// A copy of `values` that starts `offset` bytes after the start of an allocation.
struct Misaligned(Vec<i8>, usize);

impl Misaligned {
    fn new(values: &[i8], offset: usize) -> Self {
        let mut buffer = vec![77; offset];
        buffer.extend_from_slice(values);
        Self(buffer, offset)
    }

    fn get(&self) -> &[i8] {
        &self.0[self.1..]
    }
}

fn expect_equal(found: &[i32], expected: &[i32], columns: usize, case: &str) {
    if found == expected {
        return;
    }
    let side_by_side: Vec<String> = found
        .chunks(columns.max(1))
        .zip(expected.chunks(columns.max(1)))
        .map(|(found, expected)| format!("{found:?} | {expected:?}"))
        .collect();
    panic!("{case}: found | expected\n{}", side_by_side.join("\n"));
}

/// One tile straight from the kernel, with fewer rows than the tile and a row stride beyond it.
fn check_tile(kernel: &MicroKernel, numbers: &mut Numbers) -> usize {
    let tile = kernel.tile;
    let mut cases = 0;
    for depth in edges(tile.kr).into_iter().chain([4 * tile.kr, 9 * tile.kr + 1]) {
        for rows in 1..=tile.mr {
            for (turn, fill) in FILLS.into_iter().enumerate() {
                let slack = turn % 3;
                let stride = tile.nr + slack;
                let (weights, activations) = fill.operands(rows, depth, stride, numbers);
                let panel = Misaligned::new(&pack(rows, depth, &weights, &tile).unwrap(), (turn + rows) % 4);
                let strip = Misaligned::new(&activations, (turn * 3 + depth) % 17);
                let operands = Operands { depth, weights: panel.get(), activations: strip.get(), row_stride: stride };
                assert!(operands.fit(&tile));
                let found = guarded(tile.mr * tile.nr, turn % 4, |out| (kernel.run)(&operands, out));

                let mut product = vec![0; rows * stride];
                reference::gemm(rows, depth, stride, &weights, &activations, &mut product).unwrap();
                let mut expected: Vec<i32> = product.chunks(stride).flat_map(|row| row[..tile.nr].to_vec()).collect();
                expected.resize(tile.mr * tile.nr, 0);
                let case = format!("{} rows {rows} depth {depth} stride {stride} {fill:?}", kernel.name);
                expect_equal(&found, &expected, tile.nr, &case);
                cases += 1;
            }
        }
    }
    cases
}

#[test]
fn every_kernel_equals_the_reference_on_every_edge() {
    let mut numbers = Numbers(1);
    let mut cases = BTreeMap::new();
    for kernel in kernels() {
        cases.insert(kernel.name, check_tile(kernel, &mut numbers));
    }
    for kernel in kernels() {
        assert!(cases[kernel.name] > 100, "{} was hardly tested", kernel.name);
    }
    eprintln!("kernel · cases: {cases:?}");
}

#[test]
fn every_matrix_product_equals_the_reference_on_every_edge() {
    let mut numbers = Numbers(2);
    for &isa in Isa::available() {
        let tiles: Vec<_> = kernels().iter().filter(|kernel| kernel.isa == isa).map(|kernel| kernel.tile).collect();
        let sizes = |size: fn(&int8_kernels::Tile) -> usize| {
            let mut sizes: Vec<usize> = tiles.iter().flat_map(|tile| edges(size(tile))).collect();
            sizes.sort_unstable();
            sizes.dedup();
            sizes
        };
        let mut scratch = Scratch::default();
        for (rows, depth, columns) in product(&sizes(|t| t.mr), &sizes(|t| t.kr), &sizes(|t| t.nr)) {
            for fill in FILLS {
                let (weights, activations) = fill.operands(rows, depth, columns, &mut numbers);
                let packed = PackedWeights::new(rows, depth, &weights, isa).unwrap();
                let mut expected = vec![0; rows * columns];
                reference::gemm(rows, depth, columns, &weights, &activations, &mut expected).unwrap();
                let transposed: Vec<i8> =
                    (0..depth * columns).map(|i| activations[i % depth * columns + i / depth]).collect();
                let orders = [(ActivationOrder::DepthMajor, &activations), (ActivationOrder::ColumnMajor, &transposed)];
                for (order, values) in orders {
                    let values = Misaligned::new(values, (rows + depth) % 5);
                    let found = guarded(rows * columns, columns % 4, |out| {
                        gemm(&packed, values.get(), columns, order, &mut scratch, out).unwrap();
                    });
                    let case = format!("{isa} {rows}x{depth}x{columns} {fill:?} {order:?}");
                    expect_equal(&found, &expected, columns, &case);
                }
            }
        }
    }
}

fn product(a: &[usize], b: &[usize], c: &[usize]) -> Vec<(usize, usize, usize)> {
    a.iter().flat_map(|&a| b.iter().flat_map(move |&b| c.iter().map(move |&c| (a, b, c)))).collect()
}

#[test]
fn the_largest_depth_does_not_overflow() {
    for &isa in Isa::available() {
        for (weight, activation) in [(-128, -127), (-128, 127), (127, 127)] {
            let packed = PackedWeights::new(1, MAX_DEPTH, &vec![weight; MAX_DEPTH], isa).unwrap();
            for columns in [1, 16] {
                let activations = vec![activation; MAX_DEPTH * columns];
                let mut out = vec![0; columns];
                let order = ActivationOrder::DepthMajor;
                gemm(&packed, &activations, columns, order, &mut Scratch::default(), &mut out).unwrap();
                let sum = i64::from(weight) * i64::from(activation) * MAX_DEPTH as i64;
                assert!(out.iter().all(|&found| i64::from(found) == sum), "{isa}: {out:?} instead of {sum}");
            }
        }
    }
}

/// A run on a machine (or an emulator) that was chosen for an instruction set must exercise it.
#[test]
fn required_isa_is_tested() {
    if let Ok(required) = std::env::var("INT8_REQUIRE_ISA") {
        let isa = Isa::by_name(&required);
        assert!(isa.is_some(), "INT8_REQUIRE_ISA={required}, but this CPU has {:?}", Isa::available());
        assert!(kernels().iter().any(|kernel| Some(kernel.isa) == isa), "no kernel for {required}");
    }
}
