//! Portable kernels: plain Rust in a shape that compilers turn into vector code of any CPU.
//!
//! ```text
//! gemm_4x16c16                              gemm_4x1c16
//! for each pair of depths k, k + 1:         for each 64 depths (4 groups, then single groups):
//!   for each of 4 rows m:                     for each of 4 rows m:
//!     16 lanes: acc[m] += w[m][k]   · x[k]      acc[m] += Σ w[m][0..64] · x[0..64]
//!                       + w[m][k+1] · x[k+1]
//! ```
//!
//! 1. 4 x 16 sums are computed together, so one loaded row of activations serves 4 rows of weights.
//! 2. Two products are added in 16 bits before widening: with |x| ≤ 127 and |w| ≤ 128 their sum is
//!    at most 32 512. It halves the widening, which is most of the work on a baseline CPU.
//! 3. A single column has no lanes across pixels, so there lanes go along the depth.
//! 4. Sums wrap explicitly: the depth bound says that they never do, and checked additions would
//!    keep debug builds from using vectors.

use crate::isa::Isa;
use crate::micro_kernel::{MicroKernel, Operands, Tile};

const MR: usize = 4;
const NR: usize = 16;
const KR: usize = 16;
/// Depths that a column multiplies at once: long enough that adding up the lanes costs little.
const LONG: usize = 64;

pub(super) static KERNELS: [MicroKernel; 2] = [
    MicroKernel {
        name: "gemm_4x16c16__scalar",
        isa: Isa::scalar(),
        tile: Tile { mr: MR, nr: NR, kr: KR },
        run: gemm_4x16c16,
    },
    MicroKernel {
        name: "gemm_4x1c16__scalar",
        isa: Isa::scalar(),
        tile: Tile { mr: MR, nr: 1, kr: KR },
        run: gemm_4x1c16,
    },
];

fn gemm_4x16c16(operands: &Operands<'_>, out: &mut [i32]) {
    let stride = operands.row_stride;
    let mut tile = [[0i32; NR]; MR];
    let groups = operands.weights.as_chunks::<{ MR * KR }>().0;
    let mut rest = operands.activations;
    let mut remaining = operands.depth;
    for group in groups {
        let weights = group.as_chunks::<KR>().0;
        let mut k = 0;
        while k + 1 < KR.min(remaining) {
            let first = head(rest);
            let second = head(&rest[stride..]);
            add_pair(&mut tile, weights, k, first, second);
            k += 2;
            rest = rest.get(2 * stride..).unwrap_or(&[]);
        }
        if k < KR.min(remaining) {
            add_pair(&mut tile, weights, k, head(rest), &[0; NR]);
        }
        remaining = remaining.saturating_sub(KR);
    }
    out.copy_from_slice(tile.as_flattened());
}

/// Adds the products of depths `k` and `k + 1`.
#[inline(always)]
fn add_pair(tile: &mut [[i32; NR]; MR], weights: &[[i8; KR]], k: usize, first: &[i8; NR], second: &[i8; NR]) {
    for (sums, weights) in tile.iter_mut().zip(weights) {
        let (w0, w1) = (i16::from(weights[k % KR]), i16::from(weights[(k + 1) % KR]));
        for ((sum, &x0), &x1) in sums.iter_mut().zip(first).zip(second) {
            let products = w0.wrapping_mul(i16::from(x0)).wrapping_add(w1.wrapping_mul(i16::from(x1)));
            *sum = sum.wrapping_add(i32::from(products));
        }
    }
}

/// The first `NR` elements, which the operands' contract says are there.
#[inline(always)]
fn head(row: &[i8]) -> &[i8; NR] {
    row.first_chunk().unwrap_or(&[0; NR])
}

fn gemm_4x1c16(operands: &Operands<'_>, out: &mut [i32]) {
    let groups = operands.weights.as_chunks::<{ MR * KR }>().0;
    let mut sums = [0i32; MR];
    let whole = if operands.row_stride == 1 { operands.depth / LONG * LONG } else { 0 };
    let columns = operands.activations[..whole].as_chunks::<LONG>().0;
    let (long_groups, groups) = groups.split_at(whole / KR);
    for (groups, column) in long_groups.as_chunks::<{ LONG / KR }>().0.iter().zip(columns) {
        for (m, sum) in sums.iter_mut().enumerate() {
            let row = groups.map(|group| group.as_chunks::<KR>().0[m]);
            *sum = sum.wrapping_add(dot(row.as_flattened(), column));
        }
    }
    let mut values = operands.activations.iter().step_by(operands.row_stride).take(operands.depth).skip(whole);
    for group in groups {
        let column: [i8; KR] = std::array::from_fn(|_| values.next().copied().unwrap_or(0));
        for (sum, row) in sums.iter_mut().zip(group.as_chunks::<KR>().0) {
            *sum = sum.wrapping_add(dot(row, &column));
        }
    }
    out.copy_from_slice(&sums);
}

/// The sum of products; callers give slices of a constant length.
#[inline(always)]
fn dot(weights: &[i8], column: &[i8]) -> i32 {
    let products = weights.iter().zip(column).map(|(&w, &x)| i32::from(w).wrapping_mul(i32::from(x)));
    products.fold(0, i32::wrapping_add)
}
