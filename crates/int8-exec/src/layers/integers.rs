//! Exact products of int8 vectors, and scales found while running.

use std::borrow::Cow;

use int8_kernels::quantize;
use ncnn_format::{Error, Layer, Result, WeightRole};

/// Σ a · b. The sum wraps where ncnn's would, beyond 133,144 products at the least.
pub(super) fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).fold(0_i32, |sum, (&a, &b)| sum.wrapping_add(i32::from(a) * i32::from(b)))
}

/// The largest magnitude.
pub(super) fn largest<'a>(values: impl IntoIterator<Item = &'a f32>) -> f32 {
    values.into_iter().fold(0.0, |largest, x| largest.max(x.abs()))
}

/// The scale that gives the `largest` magnitude 127; 1 for zeros.
pub(super) fn scale_of(largest: f32) -> f32 {
    if largest == 0.0 { 1.0 } else { 127.0 / largest }
}

/// Replaces the contents of `integers` by those of `values`.
pub(super) fn quantize_into<'a>(values: impl IntoIterator<Item = &'a f32>, scale: f32, integers: &mut Vec<i8>) {
    integers.clear();
    integers.extend(values.into_iter().map(|&x| quantize(x, scale)));
}

/// Row-major `rows` of `columns`, which `stored` holds as columns if `turn`.
pub(super) fn as_rows<T: Copy>(stored: &[T], rows: usize, columns: usize, turn: bool) -> Cow<'_, [T]> {
    if !turn {
        return Cow::Borrowed(stored);
    }
    Cow::Owned((0..rows).flat_map(|row| (0..columns).map(move |column| stored[column * rows + row])).collect())
}

/// Rows of integers, each with the size of its steps.
pub(super) struct Rows {
    integers: Vec<i8>,
    steps: Vec<f32>,
}

impl Rows {
    /// `scales` has one multiplier per row; a row is as long as `integers` allow.
    pub(super) fn new(integers: &[i8], scales: &[f32]) -> Self {
        Self { integers: integers.to_vec(), steps: scales.iter().map(|scale| 1.0 / scale).collect() }
    }

    /// The integers of a row.
    pub(super) fn columns(&self) -> usize {
        self.integers.len() / self.steps.len()
    }

    /// Adds to `sums` the products of the rows with integers that have steps of `step`.
    pub(super) fn add_products(&self, integers: &[i8], step: f32, sums: &mut [f32]) {
        let rows = self.integers.chunks_exact(self.columns()).zip(&self.steps);
        for (sum, (row, row_step)) in sums.iter_mut().zip(rows) {
            *sum += dot(row, integers) as f32 * (step * row_step);
        }
    }
}

/// The weight with `role` as `len` integers.
pub(super) fn int8s(layer: &Layer, role: WeightRole, len: usize) -> Result<&[i8]> {
    let integers = layer.weight_i8(role)?;
    check_len(role, integers.len(), len)?;
    Ok(integers)
}

/// The weight with `role` as `len` floats.
pub(super) fn floats(layer: &Layer, role: WeightRole, len: usize) -> Result<Cow<'_, [f32]>> {
    let values = layer.weight_f32(role)?;
    check_len(role, values.len(), len)?;
    Ok(values)
}

fn check_len(role: WeightRole, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::malformed(format!("{role} has {found} elements, expected {expected}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_wrap_instead_of_failing() {
        let long = vec![-128_i8; 140_000];
        assert_eq!(dot(&long, &long), (140_000_i64 * 16_384) as i32);
    }

    #[test]
    fn zeros_have_a_scale() {
        assert_eq!(scale_of(largest(&[0.0, -0.0])), 1.0);
        assert_eq!(scale_of(largest(&[0.5, -2.0, f32::NAN])), 63.5);
    }

    #[test]
    fn columns_become_rows() {
        assert_eq!(*as_rows(&[1, 2, 3, 4, 5, 6], 3, 2, true), [1, 4, 2, 5, 3, 6]);
        assert_eq!(*as_rows(&[1, 2, 3], 3, 1, false), [1, 2, 3]);
    }
}
