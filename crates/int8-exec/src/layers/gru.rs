//! GRU with int8 weights.

use fp32_ref::sequence::{Cell, Recurrent, RecurrentForm, sigmoid};
use fp32_ref::{Tensor, tanh};
use ncnn_format::Result;

use super::integers::Rows;
use super::recurrent::{RecurrentWeights, project, quantize_state};

pub(super) struct GruCell {
    input: Rows,
    /// What the products with the input are added to: zeros for "new".
    base: Vec<f32>,
    /// Hidden weights of reset and update.
    gates: Rows,
    /// Hidden weights of "new".
    new: Rows,
    /// Bias of "new".
    new_bias: Vec<f32>,
    /// Bias of the hidden part of "new".
    remembered_bias: Vec<f32>,
}

/// Memory of the steps of a run.
#[derive(Default)]
pub(super) struct Scratch {
    /// The quantized state.
    integers: Vec<i8>,
    /// The hidden part of "new".
    remembered: Vec<f32>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Recurrent<GruCell>> {
    let form = RecurrentForm::read(layer)?;
    let weights = RecurrentWeights::read(layer, form)?;
    let outputs = form.outputs;
    Recurrent::new(layer, form, |direction| {
        let (gates, new) = weights.bias(direction).split_at(2 * outputs);
        let (new_bias, remembered_bias) = new.split_at(outputs);
        let mut base = gates.to_vec();
        base.resize(form.rows, 0.0);
        Ok(GruCell {
            input: weights.input(direction),
            base,
            gates: weights.hidden(direction, 0, 2 * outputs),
            new: weights.hidden(direction, 2 * outputs, form.rows),
            new_bias: new_bias.to_vec(),
            remembered_bias: remembered_bias.to_vec(),
        })
    })
}

impl Cell for GruCell {
    type Scratch = Scratch;

    fn states(&self) -> Vec<usize> {
        vec![self.new_bias.len()]
    }

    fn project(&self, input: &Tensor, gates: &mut [f32]) -> Result<()> {
        project(&self.input, &self.base, input, gates);
        Ok(())
    }

    fn step(&self, gates: &mut [f32], states: &mut [Vec<f32>], scratch: &mut Scratch) {
        let [hidden] = states else { return };
        let outputs = self.new_bias.len();
        let (gates, from_input) = gates.split_at_mut(2 * outputs);
        let Scratch { integers, remembered } = scratch;
        let step = quantize_state(hidden, integers);
        self.gates.add_products(integers, step, gates);
        remembered.clone_from(&self.remembered_bias);
        self.new.add_products(integers, step, remembered);
        let (reset, update) = gates.split_at(outputs);
        for (q, hidden) in hidden.iter_mut().enumerate() {
            // ncnn's order: what is remembered is added before the product with the input.
            let new = tanh(self.new_bias[q] + sigmoid(reset[q]) * remembered[q] + from_input[q]);
            let update = sigmoid(update[q]);
            *hidden = (1.0 - update) * new + update * *hidden;
        }
    }
}
