//! `LSTM`: long short-term memory over the rows of its input.

use ncnn_format::{Result, WeightRole, typed};

use super::loading::{self, floats};
use super::recurrent::{Cell, Recurrent, Sizes, multiply, product, sigmoid};
use super::window::positive;

pub(super) struct LstmCell {
    /// Row-major `[4 · width][outputs]`: input, forget, output, new.
    hidden: Vec<f32>,
    /// Length of the cell's state.
    width: usize,
    outputs: usize,
    /// Row-major `[outputs][width]`, if they differ.
    projection: Option<Vec<f32>>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Recurrent<LstmCell>> {
    let params = typed::LSTM::read(layer)?;
    loading::refuse_int8(layer, params.int8_scale_term)?;
    let outputs = positive("num_output", params.num_output)?;
    let width = positive("hidden_size", params.hidden_size)?;
    let sizes = Sizes {
        weight_data_size: params.weight_data_size,
        direction: params.direction,
        gates: 4,
        biases: 4,
        hidden: width,
        outputs,
    };
    let len = product(&[outputs, width])?;
    let directions = if params.direction == 2 { 2 } else { 1 };
    let projections = if outputs == width {
        None
    } else {
        Some(floats(layer, WeightRole::ProjectionWeight, product(&[len, directions])?)?)
    };
    Recurrent::build(layer, &sizes, |weights| {
        let projection = projections.as_ref().map(|values| values[weights.index * len..][..len].to_vec());
        Ok(LstmCell { hidden: weights.hidden.to_vec(), width, outputs, projection })
    })
}

impl Cell for LstmCell {
    fn states(&self) -> Vec<usize> {
        vec![self.outputs, self.width]
    }

    fn step(&self, gates: &mut [f32], states: &mut [Vec<f32>]) {
        let [hidden, cell] = states else { return };
        multiply(&self.hidden, hidden, 1.0, gates);
        let (inputs, rest) = gates.split_at_mut(self.width);
        let (forgets, rest) = rest.split_at(self.width);
        let (outputs, news) = rest.split_at(self.width);
        for (q, cell) in cell.iter_mut().enumerate() {
            *cell = sigmoid(forgets[q]) * *cell + sigmoid(inputs[q]) * news[q].tanh();
            // The input gate is done with; its place takes the result.
            inputs[q] = sigmoid(outputs[q]) * cell.tanh();
        }
        match &self.projection {
            Some(projection) => multiply(projection, inputs, 0.0, hidden),
            None => hidden.copy_from_slice(inputs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::pointwise::tests::assert_close;

    #[test]
    fn the_gates_are_input_forget_output_new() {
        let mut cell = LstmCell { hidden: vec![0.0; 4], width: 1, outputs: 1, projection: None };
        let mut states = [vec![0.0], vec![2.0]];
        cell.step(&mut [-100.0, 0.0, 100.0, 5.0], &mut states);
        assert_close(&states[1], &[1.0]);
        assert_close(&states[0], &[0.761_594_2]);
        cell.projection = Some(vec![3.0]);
        cell.step(&mut [100.0, -100.0, 0.0, 0.5], &mut states);
        assert_close(&states[1], &[0.462_117_16]);
        assert_close(&states[0], &[0.5 * 3.0 * 0.431_808_15]);
    }
}
