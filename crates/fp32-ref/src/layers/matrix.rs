//! Matrices over borrowed values, for layers that multiply.

use ncnn_format::{Error, Result};
use ndarray::{ArrayView2, ArrayViewMut2};

/// `values` as `rows` rows of `columns`.
pub(super) fn matrix(values: &[f32], rows: usize, columns: usize) -> Result<ArrayView2<'_, f32>> {
    ArrayView2::from_shape((rows, columns), values).map_err(|_| misfit(values.len(), rows, columns))
}

/// `values` as `rows` rows of `columns`, for writing.
pub(super) fn matrix_mut(values: &mut [f32], rows: usize, columns: usize) -> Result<ArrayViewMut2<'_, f32>> {
    let len = values.len();
    ArrayViewMut2::from_shape((rows, columns), values).map_err(|_| misfit(len, rows, columns))
}

fn misfit(len: usize, rows: usize, columns: usize) -> Error {
    Error::invalid(format!("{len} values are no matrix of {rows} x {columns}"))
}
