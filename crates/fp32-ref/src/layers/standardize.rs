//! What the layers that normalize by statistics of their input share.

use ncnn_format::{Error, Result, WeightRole};

use super::arity::only;
use super::loading::floats;
use crate::{Layer, Shape, Tensor};

/// The learned part of a normalization: `x · gamma + beta`.
pub(super) struct Affine {
    pub(super) gamma: Vec<f32>,
    pub(super) beta: Vec<f32>,
}

impl Affine {
    /// `len` pairs, or none when `affine` is 0.
    pub(super) fn read(layer: &ncnn_format::Layer, affine: i32, len: usize) -> Result<Option<Self>> {
        if affine == 0 {
            return Ok(None);
        }
        Ok(Some(Self { gamma: floats(layer, WeightRole::Gamma, len)?, beta: floats(layer, WeightRole::Beta, len)? }))
    }
}

/// `(x - mean) / sqrt(variance + eps)` over all of `values`.
///
/// The sums are f64: ncnn's variants sum f32 in different orders, and this is what
/// all of them come close to.
pub(super) fn standardize(values: &mut [f32], eps: f32) {
    let count = values.len() as f64;
    let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let squares: f64 = values.iter().map(|&x| (f64::from(x) - mean).powi(2)).sum();
    let factor = 1.0 / ((squares / count) as f32 + eps).sqrt();
    for value in values {
        *value = (*value - mean as f32) * factor;
    }
}

/// `x / sqrt(mean(x²) + eps)` over all of `values`.
pub(super) fn divide_by_root_mean_square(values: &mut [f32], eps: f32) {
    let squares: f64 = values.iter().map(|&x| f64::from(x).powi(2)).sum();
    let factor = 1.0 / ((squares / values.len() as f64) as f32 + eps).sqrt();
    for value in values {
        *value *= factor;
    }
}

/// A layer that changes rows, planes or channels of values, each by itself.
pub(super) struct ByRuns<F> {
    /// How many values belong together, see [`run_length`].
    pub(super) size: usize,
    /// Whether `change` has a factor per value of a run, so that its length must be `size`.
    pub(super) has_factors: bool,
    pub(super) change: F,
}

impl<F: Fn(&mut [f32]) + Send + Sync> Layer for ByRuns<F> {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        let run = run_length(self.size, input);
        if self.has_factors && run != self.size {
            return Err(Error::invalid(format!(
                "normalizes {} values together, the input has {run} ({input})",
                self.size
            )));
        }
        Ok(vec![input])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut tensor = only(inputs)?;
        let shape = only(self.output_shapes(&[tensor.shape()])?)?;
        tensor.as_mut_slice().chunks_exact_mut(run_length(self.size, shape)).for_each(&self.change);
        Ok(vec![tensor])
    }
}

/// How many values LayerNorm and RMSNorm take together: a row, a plane, or a channel,
/// whichever `affine_size` is; a matrix is always taken row by row, and what fits
/// nothing means the largest of them.
fn run_length(affine_size: usize, input: Shape) -> usize {
    let row = input.w();
    let plane = row * input.h();
    match input.rank() {
        1 | 2 => row,
        _ if affine_size == row => row,
        4 if affine_size != plane => plane * input.d(),
        _ => plane,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_becomes_zero() {
        let mut values = [3.0; 4];
        standardize(&mut values, 1e-5);
        assert_eq!(values, [0.0; 4]);
    }

    #[test]
    fn the_run_is_the_size_that_matches_or_a_channel() {
        let image = Shape::new(&[2, 3, 4]).unwrap();
        assert_eq!([4, 12, 5].map(|size| run_length(size, image)), [4, 12, 12]);
        let volume = Shape::new(&[2, 5, 3, 4]).unwrap();
        assert_eq!([4, 12, 60, 7].map(|size| run_length(size, volume)), [4, 12, 60, 60]);
        assert_eq!(run_length(12, Shape::new(&[3, 4]).unwrap()), 4);
    }
}
