//! `GRU`: gated recurrent unit over the rows of its input.

use ncnn_format::{Result, typed};

use super::loading;
use super::recurrent::{Cell, FloatWeights, InputWeights, Recurrent, RecurrentForm, multiply, sigmoid};
use crate::{Tensor, tanh};

pub(super) struct GruCell {
    input: InputWeights,
    /// Row-major `[3 · outputs][outputs]`: reset, update, new.
    hidden: Vec<f32>,
    /// Added to the hidden part of "new" before it is reset.
    new_bias: Vec<f32>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Recurrent<GruCell>> {
    loading::refuse_int8(layer, typed::GRU::read(layer)?.int8_scale_term)?;
    let form = RecurrentForm::read(layer)?;
    let weights = FloatWeights::read(layer, form)?;
    Recurrent::new(layer, form, |direction| {
        let (input, hidden) = (weights.input(direction), weights.hidden(direction));
        Ok(GruCell { input, hidden, new_bias: weights.own_bias(direction) })
    })
}

impl Cell for GruCell {
    /// What is remembered of the old state.
    type Scratch = Vec<f32>;

    fn states(&self) -> Vec<usize> {
        vec![self.new_bias.len()]
    }

    fn project(&self, input: &Tensor, gates: &mut [f32]) -> Result<()> {
        self.input.project(input, gates)
    }

    fn step(&self, gates: &mut [f32], states: &mut [Vec<f32>], remembered: &mut Vec<f32>) {
        let [hidden] = states else { return };
        let outputs = self.new_bias.len();
        let (for_gates, for_new) = self.hidden.split_at(2 * outputs * outputs);
        let (gates, new) = gates.split_at_mut(2 * outputs);
        multiply(for_gates, hidden, 1.0, gates);
        remembered.clone_from(&self.new_bias);
        multiply(for_new, hidden, 1.0, remembered);
        let (reset, update) = gates.split_at(outputs);
        for (q, hidden) in hidden.iter_mut().enumerate() {
            let new = tanh(new[q] + sigmoid(reset[q]) * remembered[q]);
            let update = sigmoid(update[q]);
            *hidden = (1.0 - update) * new + update * *hidden;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::pointwise::tests::assert_close;

    #[test]
    fn the_update_gate_keeps_the_old_state() {
        let cell = GruCell { input: InputWeights::default(), hidden: vec![0.0, 0.0, 1.0], new_bias: vec![1.0] };
        let mut states = [vec![0.5]];
        cell.step(&mut [0.0, 100.0, 9.0], &mut states, &mut Vec::new());
        assert_close(&states[0], &[0.5]);
        // tanh(0.25 + 0.5 · (1 + 1 · 0.5)) = tanh(1)
        cell.step(&mut [0.0, -100.0, 0.25], &mut states, &mut Vec::new());
        assert_close(&states[0], &[0.761_594_2]);
    }
}
