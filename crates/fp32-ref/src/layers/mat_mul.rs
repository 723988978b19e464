//! `MatMul`: the matrix product of two blobs, matrix by matrix.

use ncnn_format::{Error, Result, typed};
use ndarray::linalg::general_mat_mul;

use super::arity::exactly;
use super::matrix::{matrix, matrix_mut};
use crate::{Layer, Shape, Tensor};

pub(super) struct MatMul {
    transpose_b: bool,
}

/// Two operands and what their product looks like.
struct Product {
    a: Batch,
    b: Batch,
    output: Shape,
}

/// Matrices of one size, `outer` times `inner` of them.
#[derive(Clone, Copy)]
struct Batch {
    outer: usize,
    inner: usize,
    rows: usize,
    columns: usize,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<MatMul> {
    Ok(MatMul { transpose_b: typed::MatMul::read(layer)?.trans_b != 0 })
}

impl MatMul {
    /// A vector is a row on the left and a column on the right, and is missing from
    /// the shape of the output; a batch of 1 goes with every batch.
    fn plan(&self, a: Shape, b: Shape) -> Result<Product> {
        let misfit = || Error::invalid(format!("{a} and {b} cannot be multiplied"));
        let left = Batch::new(a);
        let mut right = Batch::new(b);
        if b.rank() == 1 || self.transpose_b {
            (right.rows, right.columns) = (right.columns, right.rows);
        }
        if left.columns != right.rows {
            return Err(misfit());
        }
        let join = |a: usize, b: usize| match (a, b) {
            (1, other) | (other, 1) => Ok(other),
            (a, b) if a == b => Ok(a),
            _ => Err(misfit()),
        };
        let (outer, inner) = (join(left.outer, right.outer)?, join(left.inner, right.inner)?);
        let mut dims = match a.rank().max(b.rank()) {
            4 => vec![outer, inner],
            3 => vec![inner],
            _ => vec![],
        };
        if a.rank() > 1 {
            dims.push(left.rows);
        }
        if b.rank() > 1 {
            dims.push(right.columns);
        }
        if dims.is_empty() {
            dims.push(1);
        }
        Ok(Product { a: left, b: right, output: Shape::new(&dims)? })
    }
}

impl Batch {
    fn new(shape: Shape) -> Self {
        let (outer, inner) = if shape.rank() == 4 { (shape.c(), shape.d()) } else { (1, shape.c()) };
        Self { outer, inner, rows: shape.h(), columns: shape.w() }
    }

    /// The values of a matrix; of the only one where there is one.
    fn part<'a>(&self, values: &'a [f32], outer: usize, inner: usize) -> &'a [f32] {
        let index = (outer % self.outer) * self.inner + inner % self.inner;
        let size = self.rows * self.columns;
        &values[index * size..][..size]
    }
}

impl Layer for MatMul {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let [a, b] = exactly(inputs.iter().copied())?;
        Ok(vec![self.plan(a, b)?.output])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let [a, b] = exactly(inputs)?;
        let plan = self.plan(a.shape(), b.shape())?;
        let stored_by_columns = b.shape().rank() == 1 || self.transpose_b;
        let mut output = Tensor::filled(plan.output, 0.0);
        let (rows, depth, columns) = (plan.a.rows, plan.a.columns, plan.b.columns);
        let inner = plan.a.inner.max(plan.b.inner);
        for (index, part) in output.as_mut_slice().chunks_exact_mut(rows * columns).enumerate() {
            let a = matrix(plan.a.part(a.as_slice(), index / inner, index % inner), rows, depth)?;
            let b = plan.b.part(b.as_slice(), index / inner, index % inner);
            let b =
                if stored_by_columns { matrix(b, columns, depth)?.reversed_axes() } else { matrix(b, depth, columns)? };
            general_mat_mul(1.0, &a, &b, 0.0, &mut matrix_mut(part, rows, columns)?);
        }
        Ok(vec![output])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(transpose_b: bool, a: &[usize], b: &[usize]) -> Result<Vec<usize>> {
        let shapes = [Shape::new(a)?, Shape::new(b)?];
        Ok(MatMul { transpose_b }.output_shapes(&shapes)?[0].dims().to_vec())
    }

    #[test]
    fn a_vector_vanishes_from_the_shape() {
        assert_eq!(shape(false, &[3], &[3]).unwrap(), [1]);
        assert_eq!(shape(true, &[3], &[5, 3]).unwrap(), [5]);
        assert_eq!(shape(false, &[2, 4, 3], &[3]).unwrap(), [2, 4]);
        assert_eq!(shape(false, &[3], &[6, 2, 3, 5]).unwrap(), [6, 2, 5]);
    }

    #[test]
    fn batches_of_one_stretch() {
        assert_eq!(shape(false, &[6, 2, 4, 3], &[2, 3, 5]).unwrap(), [6, 2, 4, 5]);
        assert_eq!(shape(false, &[4, 3], &[7, 3, 5]).unwrap(), [7, 4, 5]);
        let message = shape(false, &[2, 4, 3], &[3, 3, 5]).unwrap_err().to_string();
        assert_eq!(message, "2x4x3 and 3x3x5 cannot be multiplied");
    }

    #[test]
    fn multiplies_rows_by_columns() {
        let a = Tensor::new([1, 2], vec![1.0, 2.0]).unwrap();
        let b = Tensor::new([2, 2], vec![3.0, 4.0, 5.0, 6.0]).unwrap();
        let run = |transpose_b| MatMul { transpose_b }.run(vec![a.clone(), b.clone()]).unwrap().remove(0);
        assert_eq!(run(false).as_slice(), [13.0, 16.0]);
        assert_eq!(run(true).as_slice(), [11.0, 17.0]);
    }
}
