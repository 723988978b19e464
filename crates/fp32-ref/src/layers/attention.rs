//! `softmax(q · kᵀ · scale + mask) · v`, the part that both attention layers share.

use ncnn_format::Result;
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::matrix::{matrix, matrix_mut};
use crate::Shape;

/// One head of attention.
#[derive(Debug)]
pub struct Head<'a> {
    /// `[positions][width]`.
    pub query: ArrayView2<'a, f32>,
    /// `[keys][width]`.
    pub key: ArrayView2<'a, f32>,
    /// `[keys][output width]`.
    pub value: ArrayView2<'a, f32>,
    /// Added to the scores: `[positions][keys]` in row-major order.
    pub mask: Option<&'a [f32]>,
    /// Multiplier of the scores.
    pub scale: f32,
}

/// How the two products of a head are computed.
pub trait Attend: Send + Sync {
    /// Memory that the heads of a run share.
    type Scratch: Default;

    /// Writes `[positions][output width]`.
    ///
    /// # Errors
    /// `TooLarge` when there are more scores than a tensor may have.
    fn attend(&self, head: &Head<'_>, scratch: &mut Self::Scratch, output: ArrayViewMut2<'_, f32>) -> Result<()>;
}

/// Products of floats.
pub(super) struct FloatAttend;

impl Attend for FloatAttend {
    /// The scores.
    type Scratch = Vec<f32>;

    fn attend(&self, head: &Head<'_>, scores: &mut Vec<f32>, mut output: ArrayViewMut2<'_, f32>) -> Result<()> {
        let (positions, keys) = (head.query.nrows(), head.key.nrows());
        scores.resize(head.scores()?, 0.0);
        general_mat_mul(head.scale, &head.query, &head.key.t(), 0.0, &mut matrix_mut(scores, positions, keys)?);
        head.weigh(scores);
        general_mat_mul(1.0, &matrix(scores, positions, keys)?, &head.value, 0.0, &mut output);
        Ok(())
    }
}

impl Head<'_> {
    /// The number of scores.
    ///
    /// # Errors
    /// `TooLarge` when a tensor may not have so many values.
    pub fn scores(&self) -> Result<usize> {
        Ok(Shape::new(&[self.query.nrows(), self.key.nrows()])?.volume())
    }

    /// Adds the mask to the scores and makes each row of them weights with sum 1.
    pub fn weigh(&self, scores: &mut [f32]) {
        for (score, mask) in scores.iter_mut().zip(self.mask.into_iter().flatten()) {
            *score += mask;
        }
        scores.chunks_exact_mut(self.key.nrows()).for_each(softmax);
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
            scale: 1.0,
        };
        let mut output = [0.0];
        FloatAttend.attend(&head, &mut Vec::new(), matrix_mut(&mut output, 1, 1).unwrap()).unwrap();
        assert_eq!(output, [2.0]);
    }
}
