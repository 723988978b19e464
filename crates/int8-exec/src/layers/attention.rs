//! The two products of attention on integers, with scales found while running.

use fp32_ref::sequence::{Attend, Head};
use int8_kernels::quantize;
use ncnn_format::Result;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::integers::{dot, largest, quantize_into, scale_of};

/// Queries and weights get a scale per position, keys and values one per head.
pub(super) enum Int8Attend {
    /// Queries are multiplied by the scale of the scores before they are quantized.
    ScaledQueries,
    /// The products are multiplied by it.
    ScaledScores,
}

/// Memory of the heads of a run.
#[derive(Default)]
pub(super) struct Scratch {
    scores: Vec<f32>,
    /// The floats of a position.
    position: Vec<f32>,
    /// The integers of a position.
    integers: Vec<i8>,
    /// The integers of all keys or values.
    matrix: Vec<i8>,
}

impl Attend for Int8Attend {
    type Scratch = Scratch;

    fn attend(&self, head: &Head<'_>, scratch: &mut Scratch, mut output: ArrayViewMut2<'_, f32>) -> Result<()> {
        let Scratch { scores, position, integers, matrix } = scratch;
        let (width, keys) = (head.key.ncols(), head.key.nrows());
        let (query_scale, score_scale) = match self {
            Self::ScaledQueries => (head.scale, 1.0),
            Self::ScaledScores => (1.0, head.scale),
        };
        scores.resize(head.scores()?, 0.0);
        let key_scale = quantize_rows(head.key, matrix);
        for (query, scores) in head.query.rows().into_iter().zip(scores.chunks_exact_mut(keys)) {
            position.clear();
            position.extend(query.iter().map(|x| x * query_scale));
            let scale = scale_of(largest(&*position));
            quantize_into(&*position, scale, integers);
            let step = 1.0 / (scale * key_scale);
            for (score, key) in scores.iter_mut().zip(matrix.chunks_exact(width)) {
                *score = dot(integers, key) as f32 * step * score_scale;
            }
        }
        head.weigh(scores);
        let value_scale = quantize_rows(head.value.reversed_axes(), matrix);
        for (mut row, weights) in output.rows_mut().into_iter().zip(scores.chunks_exact(keys)) {
            let scale = scale_of(largest(weights));
            quantize_into(weights, scale, integers);
            let step = 1.0 / (scale * value_scale);
            for (to, values) in row.iter_mut().zip(matrix.chunks_exact(keys)) {
                *to = dot(integers, values) as f32 * step;
            }
        }
        Ok(())
    }
}

/// Quantizes `values` row by row with one scale, which it gives.
fn quantize_rows(values: ArrayView2<'_, f32>, integers: &mut Vec<i8>) -> f32 {
    let scale = scale_of(largest(values.iter()));
    integers.clear();
    integers.extend(values.iter().map(|&x| quantize(x, scale)));
    scale
}
