//! `softmax(q · kᵀ · scale + mask) · v`, the part that both attention layers share.

use ncnn_format::Result;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::matrix::{matrix, matrix_mut};
use crate::Shape;

/// One head of attention.
pub(super) struct Head<'a> {
    /// `[positions][width]`.
    pub(super) query: ArrayView2<'a, f32>,
    /// `[keys][width]`.
    pub(super) key: ArrayView2<'a, f32>,
    /// `[keys][output width]`.
    pub(super) value: ArrayView2<'a, f32>,
    /// Added to the scores: `[positions][keys]` in row-major order.
    pub(super) mask: Option<&'a [f32]>,
}

impl Head<'_> {
    /// Writes `[positions][output width]`; `scores` is scratch that grows as needed.
    pub(super) fn attend(&self, scale: f32, scores: &mut Vec<f32>, mut output: ArrayViewMut2<'_, f32>) -> Result<()> {
        let (positions, keys) = (self.query.nrows(), self.key.nrows());
        scores.resize(Shape::new(&[positions, keys])?.volume(), 0.0);
        general_mat_mul(scale, &self.query, &self.key.t(), 0.0, &mut matrix_mut(scores, positions, keys)?);
        for (score, mask) in scores.iter_mut().zip(self.mask.into_iter().flatten()) {
            *score += mask;
        }
        scores.chunks_exact_mut(keys).for_each(softmax);
        general_mat_mul(1.0, &matrix(scores, positions, keys)?, &self.value, 0.0, &mut output);
        Ok(())
    }
}

/// Makes `scores` positive with sum 1.
fn softmax(scores: &mut [f32]) {
    let largest = scores.iter().fold(f32::MIN, |largest, &score| if largest < score { score } else { largest });
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - largest).exp();
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_key_is_not_seen() {
        let values = [1.0, 2.0, 3.0];
        let head = Head {
            query: matrix(&values[..1], 1, 1).unwrap(),
            key: matrix(&values, 3, 1).unwrap(),
            value: matrix(&values, 3, 1).unwrap(),
            mask: Some(&[-1e9, 0.0, -1e9]),
        };
        let mut output = [0.0];
        head.attend(1.0, &mut Vec::new(), matrix_mut(&mut output, 1, 1).unwrap()).unwrap();
        assert_eq!(output, [2.0]);
    }
}
