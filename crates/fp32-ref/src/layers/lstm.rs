//! `LSTM`: long short-term memory over the rows of its input.

use ncnn_format::{Result, WeightRole, typed};

use super::loading::{self, floats};
use super::recurrent::{Cell, FloatWeights, InputWeights, Recurrent, RecurrentForm, multiply, product, sigmoid};
use crate::{Tensor, tanh};

pub(super) struct LstmCell {
    input: InputWeights,
    /// Row-major `[4 · width][outputs]`: input, forget, output, new.
    hidden: Vec<f32>,
    output: LstmOutput,
}

/// The end of a step of an `LSTM`, once its gates are summed up.
#[derive(Debug)]
pub struct LstmOutput {
    /// Length of the cell's state.
    width: usize,
    outputs: usize,
    /// Row-major `[outputs][width]`, if they differ.
    projection: Option<Vec<f32>>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Recurrent<LstmCell>> {
    loading::refuse_int8(layer, typed::LSTM::read(layer)?.int8_scale_term)?;
    let form = RecurrentForm::read(layer)?;
    let weights = FloatWeights::read(layer, form)?;
    Recurrent::new(layer, form, |direction| {
        let (input, hidden) = (weights.input(direction), weights.hidden(direction));
        Ok(LstmCell { input, hidden, output: LstmOutput::read(layer, form, direction)? })
    })
}

impl LstmOutput {
    /// Takes the projection of a direction of `layer`, if there is one.
    ///
    /// # Errors
    /// `Malformed` when it has another size than the parameters say.
    pub fn read(layer: &ncnn_format::Layer, form: RecurrentForm, direction: usize) -> Result<Self> {
        let (width, outputs) = (form.hidden, form.outputs);
        let projection = if outputs == width {
            None
        } else {
            let all = floats(layer, WeightRole::ProjectionWeight, form.total(product(&[outputs, width])?))?;
            Some(form.part(&all, direction).to_vec())
        };
        Ok(Self { width, outputs, projection })
    }

    /// The lengths of the states: output and cell.
    pub fn states(&self) -> Vec<usize> {
        vec![self.outputs, self.width]
    }

    /// Makes the new states from the sums of the gates, which are overwritten.
    pub fn finish(&self, gates: &mut [f32], states: &mut [Vec<f32>]) {
        let [hidden, cell] = states else { return };
        let (inputs, rest) = gates.split_at_mut(self.width);
        let (forgets, rest) = rest.split_at(self.width);
        let (outputs, news) = rest.split_at(self.width);
        for (q, cell) in cell.iter_mut().enumerate() {
            *cell = sigmoid(forgets[q]) * *cell + sigmoid(inputs[q]) * tanh(news[q]);
            // The input gate is done with; its place takes the result.
            inputs[q] = sigmoid(outputs[q]) * tanh(*cell);
        }
        match &self.projection {
            Some(projection) => multiply(projection, inputs, 0.0, hidden),
            None => hidden.copy_from_slice(inputs),
        }
    }
}

impl Cell for LstmCell {
    type Scratch = ();

    fn states(&self) -> Vec<usize> {
        self.output.states()
    }

    fn project(&self, input: &Tensor, gates: &mut [f32]) -> Result<()> {
        self.input.project(input, gates)
    }

    fn step(&self, gates: &mut [f32], states: &mut [Vec<f32>], (): &mut ()) {
        if let Some(hidden) = states.first() {
            multiply(&self.hidden, hidden, 1.0, gates);
        }
        self.output.finish(gates, states);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::pointwise::tests::assert_close;

    #[test]
    fn the_gates_are_input_forget_output_new() {
        let mut cell = LstmOutput { width: 1, outputs: 1, projection: None };
        let mut states = [vec![0.0], vec![2.0]];
        cell.finish(&mut [-100.0, 0.0, 100.0, 5.0], &mut states);
        assert_close(&states[1], &[1.0]);
        assert_close(&states[0], &[0.761_594_2]);
        cell.projection = Some(vec![3.0]);
        cell.finish(&mut [100.0, -100.0, 0.0, 0.5], &mut states);
        assert_close(&states[1], &[0.462_117_16]);
        assert_close(&states[0], &[0.5 * 3.0 * 0.431_808_15]);
    }
}
