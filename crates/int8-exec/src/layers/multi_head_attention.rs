//! MultiHeadAttention with int8 weights.

use fp32_ref::sequence::{MultiHeadAttention, Projection, ProjectionForm};
use ncnn_format::{Error, Result, WeightRole};
use ndarray::{ArrayView2, ArrayViewMut2};

use super::attention::Int8Attend;
use super::integers::{dot, floats, int8s, largest, quantize_into, scale_of};

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<MultiHeadAttention<Int8Projection, Int8Attend>> {
    MultiHeadAttention::new(layer, Int8Attend::ScaledQueries, |form| Int8Projection::read(layer, &form))
}

/// `weights · x + bias` of every row of a blob.
pub(super) struct Int8Projection {
    weights: Vec<i8>,
    /// One per output, or one for all.
    scales: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
    /// The rows given get a scale each, else one for the blob.
    scales_rows: bool,
}

impl Int8Projection {
    fn read(layer: &ncnn_format::Layer, form: &ProjectionForm) -> Result<Self> {
        let outputs = form.outputs;
        let (scales, count, scales_rows) = match form.weight {
            WeightRole::QueryWeight => (WeightRole::QueryScales, outputs, false),
            WeightRole::KeyWeight => (WeightRole::KeyScales, outputs, false),
            WeightRole::ValueWeight => (WeightRole::ValueScales, outputs, false),
            _ => (WeightRole::OutScale, 1, true),
        };
        let len = outputs.checked_mul(form.inputs);
        let len = len.ok_or_else(|| Error::malformed(format!("{} of {outputs} rows is too large", form.weight)))?;
        Ok(Self {
            weights: int8s(layer, form.weight, len)?.to_vec(),
            scales: floats(layer, scales, count)?.into_owned(),
            bias: floats(layer, form.bias, outputs)?.into_owned(),
            inputs: form.inputs,
            scales_rows,
        })
    }
}

impl Projection for Int8Projection {
    fn inputs(&self) -> usize {
        self.inputs
    }

    fn outputs(&self) -> usize {
        self.bias.len()
    }

    fn apply(&self, input: ArrayView2<'_, f32>, mut output: ArrayViewMut2<'_, f32>) -> Result<()> {
        let mut integers = Vec::with_capacity(self.inputs);
        let for_all = scale_of(largest(input.iter()));
        for (x, mut row) in input.rows().into_iter().zip(output.rows_mut()) {
            let scale = if self.scales_rows { scale_of(largest(x.iter())) } else { for_all };
            quantize_into(x.iter(), scale, &mut integers);
            let weights = self.weights.chunks_exact(self.inputs).zip(self.scales.iter().cycle()).zip(&self.bias);
            for (to, ((weights, weight_scale), bias)) in row.iter_mut().zip(weights) {
                *to = dot(&integers, weights) as f32 * (1.0 / (weight_scale * scale)) + bias;
            }
        }
        Ok(())
    }
}
