//! Matrix products from packed weights, tile by tile.

use crate::conv::Scratch;
use crate::error::{Error, check_length, checked_product};
use crate::micro_kernel::{LARGEST_TILE, MicroKernel, Operands};
use crate::packing::PackedWeights;

/// How a matrix of activations lies in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActivationOrder {
    /// `[depth][columns]`: a channel's pixels lie side by side.
    DepthMajor,
    /// `[columns][depth]`: a pixel's (or a vector's) values lie side by side.
    ColumnMajor,
}

/// `out[row][column] = Σ weights[row][k] · activations[k][column]`, exactly.
///
/// `activations` has `depth · columns` values within ±127 in the given order, `out` has
/// `rows · columns` elements, row by row, and is overwritten.
///
/// # Errors
/// `Length` if a slice has another length, `TooLarge` if a size overflows.
pub fn gemm(
    weights: &PackedWeights,
    activations: &[i8],
    columns: usize,
    order: ActivationOrder,
    scratch: &mut Scratch,
    out: &mut [i32],
) -> Result<(), Error> {
    check_length("activations", checked_product("activations", &[weights.depth(), columns])?, activations.len())?;
    check_length("output", checked_product("output", &[weights.rows(), columns])?, out.len())?;
    let depth = weights.depth();
    let (row_stride, column_stride) = match order {
        ActivationOrder::DepthMajor => (columns, 1),
        ActivationOrder::ColumnMajor => (1, depth),
    };
    let matrix = Matrix { values: activations, columns, row_stride, column_stride };
    multiply(weights, &matrix, &mut scratch.strip, &mut Output { values: out, row_stride: columns, first_column: 0 });
    Ok(())
}

/// Activations of `columns` columns; element `(k, column)` is at
/// `k · row_stride + column · column_stride`, and one of the strides is 1.
pub(crate) struct Matrix<'a> {
    pub(crate) values: &'a [i8],
    pub(crate) columns: usize,
    pub(crate) row_stride: usize,
    pub(crate) column_stride: usize,
}

/// Where the product goes: some columns of a larger matrix, one row per output channel.
pub(crate) struct Output<'a> {
    pub(crate) values: &'a mut [i32],
    pub(crate) row_stride: usize,
    pub(crate) first_column: usize,
}

/// Multiplies all columns of `matrix`. Whole tiles come from the wide kernel, a few columns at the
/// end from the narrow one; `strip` holds columns that cannot be read in place.
pub(crate) fn multiply(weights: &PackedWeights, matrix: &Matrix<'_>, strip: &mut Vec<i8>, out: &mut Output<'_>) {
    let mut column = 0;
    while column < matrix.columns {
        let left = matrix.columns - column;
        // A tile that is mostly empty costs as much as a full one.
        let kernel = if left * 4 <= weights.wide.tile.nr { weights.narrow } else { weights.wide };
        let taken = left.min(kernel.tile.nr);
        let start = column * matrix.column_stride;
        let nr = kernel.tile.nr;
        let readable = taken == nr && matrix.row_stride >= nr && (matrix.column_stride == 1 || nr == 1);
        let (activations, row_stride) = if readable {
            (&matrix.values[start.min(matrix.values.len())..], matrix.row_stride)
        } else {
            gather(matrix, start, taken, nr, weights.depth(), strip);
            (strip.as_slice(), nr)
        };
        multiply_strip(weights, kernel, activations, row_stride, taken, out);
        out.first_column += taken;
        column += taken;
    }
}

/// Copies `taken` columns into `strip`, laid out `[depth][nr]` with zeros in the missing columns.
fn gather(matrix: &Matrix<'_>, start: usize, taken: usize, nr: usize, depth: usize, strip: &mut Vec<i8>) {
    strip.clear();
    strip.resize(depth * nr, 0);
    for (k, row) in strip.chunks_exact_mut(nr).enumerate() {
        let values = &matrix.values[start + k * matrix.row_stride..];
        if matrix.column_stride == 1 {
            row[..taken].copy_from_slice(&values[..taken]);
        } else {
            row[..taken].iter_mut().zip(values.iter().step_by(matrix.column_stride)).for_each(|(to, &from)| *to = from);
        }
    }
}

/// Multiplies every panel of weights by one strip of columns, of which `taken` are wanted.
fn multiply_strip(
    weights: &PackedWeights,
    kernel: &MicroKernel,
    activations: &[i8],
    row_stride: usize,
    taken: usize,
    out: &mut Output<'_>,
) {
    let mut tile = [0i32; LARGEST_TILE];
    let nr = kernel.tile.nr;
    let tile = &mut tile[..kernel.tile.mr * nr];
    for (rows, panel) in weights.panels() {
        let operands = Operands { depth: weights.depth(), weights: panel, activations, row_stride };
        debug_assert!(operands.fit(&kernel.tile), "operands do not fit {}", kernel.name);
        (kernel.run)(&operands, tile);
        for (row, sums) in rows.zip(tile.chunks_exact(nr)) {
            let start = row * out.row_stride + out.first_column;
            out.values[start..start + taken].copy_from_slice(&sums[..taken]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isa::Isa;

    #[test]
    fn both_orders_of_activations_give_the_same_product() {
        let (rows, depth, columns) = (5, 19, 21);
        let weights: Vec<i8> = (0..rows * depth).map(|i| (i * 37 % 255) as i8).collect();
        let by_depth: Vec<i8> = (0..depth * columns).map(|i| (i * 29 % 254) as u8 as i8).map(|v| v.max(-127)).collect();
        let by_column: Vec<i8> = (0..depth * columns).map(|i| by_depth[i % depth * columns + i / depth]).collect();
        let packed = PackedWeights::new(rows, depth, &weights, Isa::scalar()).unwrap();
        let (mut a, mut b) = (vec![0; rows * columns], vec![0; rows * columns]);
        let mut scratch = Scratch::default();
        gemm(&packed, &by_depth, columns, ActivationOrder::DepthMajor, &mut scratch, &mut a).unwrap();
        gemm(&packed, &by_column, columns, ActivationOrder::ColumnMajor, &mut scratch, &mut b).unwrap();
        assert_eq!(a, b);
        crate::reference::gemm(rows, depth, columns, &weights, &by_depth, &mut b).unwrap();
        assert_eq!(a, b);
    }

    #[test]
    fn buffers_of_another_size_are_refused() {
        let packed = PackedWeights::new(1, 2, &[1, 1], Isa::scalar()).unwrap();
        let run = |activations: &[i8], out: &mut [i32]| {
            gemm(&packed, activations, 3, ActivationOrder::DepthMajor, &mut Scratch::default(), out)
                .unwrap_err()
                .to_string()
        };
        assert_eq!(run(&[0; 5], &mut [0; 3]), "activations must have 6 elements, found 5");
        assert_eq!(run(&[0; 6], &mut [0; 4]), "output must have 3 elements, found 4");
    }
}
