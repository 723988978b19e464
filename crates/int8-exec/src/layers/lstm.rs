//! LSTM with int8 weights; the projection of its output, if there is one, stays float.

use fp32_ref::Tensor;
use fp32_ref::sequence::{Cell, LstmOutput, Recurrent, RecurrentForm};
use ncnn_format::Result;

use super::integers::Rows;
use super::recurrent::{RecurrentWeights, project, quantize_state};

pub(super) struct LstmCell {
    input: Rows,
    bias: Vec<f32>,
    hidden: Rows,
    output: LstmOutput,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Recurrent<LstmCell>> {
    let form = RecurrentForm::read(layer)?;
    let weights = RecurrentWeights::read(layer, form)?;
    Recurrent::new(layer, form, |direction| {
        Ok(LstmCell {
            input: weights.input(direction),
            bias: weights.bias(direction).to_vec(),
            hidden: weights.hidden(direction, 0, form.rows),
            output: LstmOutput::read(layer, form, direction)?,
        })
    })
}

impl Cell for LstmCell {
    /// The quantized state.
    type Scratch = Vec<i8>;

    fn states(&self) -> Vec<usize> {
        self.output.states()
    }

    fn project(&self, input: &Tensor, gates: &mut [f32]) -> Result<()> {
        project(&self.input, &self.bias, input, gates);
        Ok(())
    }

    fn step(&self, gates: &mut [f32], states: &mut [Vec<f32>], integers: &mut Vec<i8>) {
        if let Some(hidden) = states.first() {
            let step = quantize_state(hidden, integers);
            self.hidden.add_products(integers, step, gates);
        }
        self.output.finish(gates, states);
    }
}
