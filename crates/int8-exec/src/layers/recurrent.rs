//! What the recurrent layers with int8 weights share.

use std::borrow::Cow;

use fp32_ref::Tensor;
use fp32_ref::sequence::RecurrentForm;
use ncnn_format::{Result, WeightRole};

use super::integers::{Rows, floats, int8s, largest, quantize_into, scale_of};

/// The weights of all directions.
pub(super) struct RecurrentWeights<'a> {
    form: RecurrentForm,
    input: &'a [i8],
    input_scales: Cow<'a, [f32]>,
    bias: Cow<'a, [f32]>,
    hidden: &'a [i8],
    hidden_scales: Cow<'a, [f32]>,
}

impl<'a> RecurrentWeights<'a> {
    /// # Errors
    /// `Invalid` when a weight is missing or not int8, `Malformed` when it has another size.
    pub(super) fn read(layer: &'a ncnn_format::Layer, form: RecurrentForm) -> Result<Self> {
        Ok(Self {
            form,
            input: int8s(layer, WeightRole::InputWeight, form.total(form.rows * form.inputs))?,
            input_scales: floats(layer, WeightRole::InputWeightScales, form.total(form.rows))?,
            bias: floats(layer, WeightRole::Bias, form.total(form.biases))?,
            hidden: int8s(layer, WeightRole::HiddenWeight, form.total(form.rows * form.outputs))?,
            hidden_scales: floats(layer, WeightRole::HiddenWeightScales, form.total(form.rows))?,
        })
    }

    /// What a row of the input is multiplied by in a direction.
    pub(super) fn input(&self, direction: usize) -> Rows {
        Rows::new(self.form.part(self.input, direction), self.form.part(&self.input_scales, direction))
    }

    /// What the rows `from` on of the hidden weights are, up to `to`.
    pub(super) fn hidden(&self, direction: usize, from: usize, to: usize) -> Rows {
        let outputs = self.form.outputs;
        let integers = &self.form.part(self.hidden, direction)[from * outputs..to * outputs];
        Rows::new(integers, &self.form.part(&self.hidden_scales, direction)[from..to])
    }

    /// The biases of a direction.
    pub(super) fn bias(&self, direction: usize) -> &[f32] {
        self.form.part(&self.bias, direction)
    }
}

/// Writes `base + W · x` for every row of `input`, which gets a scale of its own, to `gates`.
///
/// A row of zeros has the scale infinity, as in ncnn, so steps of 0.
pub(super) fn project(weights: &Rows, base: &[f32], input: &Tensor, gates: &mut [f32]) {
    let mut integers = Vec::with_capacity(weights.columns());
    for (x, sums) in input.as_slice().chunks_exact(weights.columns()).zip(gates.chunks_exact_mut(base.len())) {
        let scale = 127.0 / largest(x);
        quantize_into(x, scale, &mut integers);
        sums.copy_from_slice(base);
        weights.add_products(&integers, 1.0 / scale, sums);
    }
}

/// Quantizes a state into `integers` and gives the size of their steps.
pub(super) fn quantize_state(state: &[f32], integers: &mut Vec<i8>) -> f32 {
    let scale = scale_of(largest(state));
    quantize_into(state, scale, integers);
    1.0 / scale
}
