//! RNN with int8 weights.

use fp32_ref::sequence::{Cell, Recurrent, RecurrentForm};
use fp32_ref::{Tensor, tanh};
use ncnn_format::Result;

use super::integers::Rows;
use super::recurrent::{RecurrentWeights, project, quantize_state};

pub(super) struct RnnCell {
    input: Rows,
    bias: Vec<f32>,
    hidden: Rows,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Recurrent<RnnCell>> {
    let form = RecurrentForm::read(layer)?;
    let weights = RecurrentWeights::read(layer, form)?;
    Recurrent::new(layer, form, |direction| {
        Ok(RnnCell {
            input: weights.input(direction),
            bias: weights.bias(direction).to_vec(),
            hidden: weights.hidden(direction, 0, form.rows),
        })
    })
}

impl Cell for RnnCell {
    /// The quantized state.
    type Scratch = Vec<i8>;

    fn states(&self) -> Vec<usize> {
        vec![self.hidden.columns()]
    }

    fn project(&self, input: &Tensor, gates: &mut [f32]) -> Result<()> {
        project(&self.input, &self.bias, input, gates);
        Ok(())
    }

    fn step(&self, gates: &mut [f32], states: &mut [Vec<f32>], integers: &mut Vec<i8>) {
        let [hidden] = states else { return };
        let step = quantize_state(hidden, integers);
        self.hidden.add_products(integers, step, gates);
        for (hidden, gate) in hidden.iter_mut().zip(gates) {
            *hidden = tanh(*gate);
        }
    }
}
