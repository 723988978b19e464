//! Joining two blobs whose shapes differ.

use ncnn_format::{Error, Result};

use crate::shares::each_share;
use crate::simd::vectorized;
use crate::{Shape, Tensor};

/// How two shapes stretch to a common one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Broadcast {
    shape: Shape,
    /// Sizes of the operands with four dimensions, outermost first, 1 where they are stretched.
    a: [usize; 4],
    b: [usize; 4],
}

impl Broadcast {
    /// Stretches dimensions of size 1. A shape of lower rank stands for the
    /// outermost dimensions of the other; a vector whose length is not that of the
    /// other's outermost dimension stands for the innermost one.
    ///
    /// # Errors
    /// `Invalid` when sizes differ and neither is 1.
    pub(super) fn new(a: Shape, b: Shape) -> Result<Self> {
        let rank = a.rank().max(b.rank());
        let (full_a, full_b) = (raise(a, rank, b), raise(b, rank, a));
        let mut dims = [1; 4];
        for (i, dim) in dims.iter_mut().enumerate() {
            *dim = match (full_a[i], full_b[i]) {
                (a, b) if a == b => a,
                (1, other) | (other, 1) => other,
                _ => return Err(Error::invalid(format!("the shapes {a} and {b} do not fit together"))),
            };
        }
        Ok(Self { shape: Shape::new(&dims[4 - rank..])?, a: full_a, b: full_b })
    }

    /// The common shape.
    pub(super) fn shape(&self) -> Shape {
        self.shape
    }

    /// `operation` of the elements that meet.
    pub(super) fn apply(&self, a: Tensor, b: Tensor, operation: impl Fn(f32, f32) -> f32 + Sync) -> Result<Tensor> {
        if a.shape().volume() == self.shape.volume() {
            let mut out = a.reshaped(self.shape)?;
            self.over_rows(out.as_mut_slice(), b.as_slice(), self.b, operation);
            return Ok(out);
        }
        if b.shape().volume() == self.shape.volume() {
            let mut out = b.reshaped(self.shape)?;
            self.over_rows(out.as_mut_slice(), a.as_slice(), self.a, |b, a| operation(a, b));
            return Ok(out);
        }
        let mut out = Tensor::filled(self.shape, 0.0);
        self.over_rows(out.as_mut_slice(), a.as_slice(), self.a, |_, a| a);
        self.over_rows(out.as_mut_slice(), b.as_slice(), self.b, &operation);
        Ok(out)
    }

    /// Replaces every element of `full`, which has the common shape, by `operation` of it and the
    /// element of `other` that it meets.
    fn over_rows(
        &self,
        full: &mut [f32],
        other: &[f32],
        sizes: [usize; 4],
        operation: impl Fn(f32, f32) -> f32 + Sync,
    ) {
        let width = self.full_dims()[3];
        each_share(full, width, OPERATIONS, |first, rows| {
            vectorized(
                #[inline(always)]
                || self.some_rows(rows, first, other, sizes, &operation),
            );
        });
    }

    /// [`Broadcast::over_rows`] for the `rows` from the `first` on.
    #[inline(always)]
    fn some_rows(
        &self,
        rows: &mut [f32],
        first: usize,
        other: &[f32],
        sizes: [usize; 4],
        operation: impl Fn(f32, f32) -> f32,
    ) {
        let [_, d, h, w] = self.full_dims();
        for (row, index) in rows.chunks_exact_mut(w).zip(first..) {
            let place = [index / h / d, index / h % d, index % h];
            let start =
                place.iter().zip(sizes).fold(0, |start, (&i, size)| start * size + if size == 1 { 0 } else { i });
            let source = &other[start * sizes[3]..(start + 1) * sizes[3]];
            if let [single] = *source {
                for value in row {
                    *value = operation(*value, single);
                }
            } else {
                for (value, &other) in row.iter_mut().zip(source) {
                    *value = operation(*value, other);
                }
            }
        }
    }

    fn full_dims(&self) -> [usize; 4] {
        let mut dims = [1; 4];
        for (i, dim) in dims.iter_mut().enumerate() {
            *dim = self.a[i].max(self.b[i]);
        }
        dims
    }
}

/// What a value takes, with its way from and to memory.
const OPERATIONS: usize = 8;

/// The sizes of `shape` as a shape of `rank`, right-aligned in four.
fn raise(shape: Shape, rank: usize, other: Shape) -> [usize; 4] {
    let mut dims = [1; 4];
    let innermost = shape.rank() == 1 && rank > 1 && shape.w() != other.outer();
    let start = if innermost { 3 } else { 4 - rank };
    dims[start..start + shape.rank()].copy_from_slice(shape.dims());
    dims
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(a: &[usize], b: &[usize]) -> Result<(Vec<usize>, Vec<f32>)> {
        let tensor = |dims: &[usize], step: f32| {
            let len = dims.iter().product::<usize>();
            Tensor::new(dims, (0..len).map(|i| i as f32 * step).collect()).unwrap()
        };
        let (a, b) = (tensor(a, 1.0), tensor(b, 100.0));
        let out = Broadcast::new(a.shape(), b.shape())?.apply(a, b, |a, b| a + b)?;
        Ok((out.shape().dims().to_vec(), out.as_slice().to_vec()))
    }

    #[test]
    fn a_vector_goes_with_the_outermost_dimension_if_it_can() {
        assert_eq!(sum(&[2, 1, 2], &[2]).unwrap().1, [0.0, 1.0, 102.0, 103.0]);
        assert_eq!(sum(&[2, 1, 3], &[3]).unwrap().1, [0.0, 101.0, 202.0, 3.0, 104.0, 205.0]);
    }

    #[test]
    fn a_matrix_goes_with_the_outermost_dimensions_of_an_image() {
        assert_eq!(sum(&[2, 2], &[2, 2, 1]).unwrap(), (vec![2, 2, 1], vec![0.0, 101.0, 202.0, 303.0]));
        assert_eq!(sum(&[1, 2, 2], &[1, 2]).unwrap().1, [0.0, 1.0, 102.0, 103.0]);
    }

    #[test]
    fn both_operands_may_stretch() {
        assert_eq!(sum(&[2, 1], &[1, 2]).unwrap(), (vec![2, 2], vec![0.0, 100.0, 1.0, 101.0]));
    }

    #[test]
    fn one_element_goes_with_everything() {
        assert_eq!(sum(&[1], &[2, 1, 2]).unwrap(), (vec![2, 1, 2], vec![0.0, 100.0, 200.0, 300.0]));
    }

    #[test]
    fn names_shapes_that_do_not_fit() {
        let message = sum(&[2, 3, 4], &[2, 3, 5]).unwrap_err().to_string();
        assert_eq!(message, "the shapes 2x3x4 and 2x3x5 do not fit together");
    }
}
