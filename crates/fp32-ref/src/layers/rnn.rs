//! `RNN`: `h = tanh(W·x + b + R·h)`, row by row.

use ncnn_format::{Result, typed};

use super::loading;
use super::recurrent::{Cell, FloatWeights, InputWeights, Recurrent, RecurrentForm, multiply};
use crate::{Tensor, tanh};

pub(super) struct RnnCell {
    input: InputWeights,
    /// Row-major `[outputs][outputs]`.
    hidden: Vec<f32>,
    outputs: usize,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Recurrent<RnnCell>> {
    loading::refuse_int8(layer, typed::RNN::read(layer)?.int8_scale_term)?;
    let form = RecurrentForm::read(layer)?;
    let weights = FloatWeights::read(layer, form)?;
    Recurrent::new(layer, form, |direction| {
        let (input, hidden) = (weights.input(direction), weights.hidden(direction));
        Ok(RnnCell { input, hidden, outputs: form.outputs })
    })
}

impl Cell for RnnCell {
    type Scratch = ();

    fn states(&self) -> Vec<usize> {
        vec![self.outputs]
    }

    fn project(&self, input: &Tensor, gates: &mut [f32]) -> Result<()> {
        self.input.project(input, gates)
    }

    fn step(&self, gates: &mut [f32], states: &mut [Vec<f32>], (): &mut ()) {
        let [hidden] = states else { return };
        multiply(&self.hidden, hidden, 1.0, gates);
        for (hidden, gate) in hidden.iter_mut().zip(gates) {
            *hidden = tanh(*gate);
        }
    }
}

#[cfg(test)]
mod tests {
    use ncnn_format::{F32Tag, LayerKind, Weight, WeightData, WeightRole};

    use super::*;
    use crate::{Layer, Shape, Tensor};

    fn layer(direction: i32, outputs: usize) -> ncnn_format::Layer {
        let directions = if direction == 2 { 2 } else { 1 };
        let mut layer = ncnn_format::Layer::new(LayerKind::RNN, "rnn");
        for (key, value) in [
            (typed::RNN::NUM_OUTPUT, 1),
            (typed::RNN::WEIGHT_DATA_SIZE, directions),
            (typed::RNN::DIRECTION, direction),
        ] {
            layer.params.set(key, value);
        }
        layer.outputs = (0..outputs).map(|i| format!("out{i}")).collect();
        for (role, value) in [(WeightRole::InputWeight, 1.0), (WeightRole::Bias, 0.0), (WeightRole::HiddenWeight, 2.0)]
        {
            let data = WeightData::F32(vec![value; directions as usize], F32Tag::Tagged);
            layer.weights.push(Weight { role, data });
        }
        layer
    }

    #[test]
    fn both_directions_stand_beside_each_other_and_leave_their_states() {
        let input = Tensor::new([2, 1], vec![1.0, 0.0]).unwrap();
        let outputs = build(&layer(2, 2)).unwrap().run(vec![input]).unwrap();
        let (first, second) = (tanh(1.0), tanh(2.0 * tanh(1.0)));
        assert_eq!(outputs[0], Tensor::new([2, 2], vec![first, first, second, 0.0]).unwrap());
        assert_eq!(outputs[1], Tensor::new([2, 1], vec![second, first]).unwrap());
    }

    #[test]
    fn starts_from_a_given_state() {
        let inputs = vec![Tensor::new([1, 1], vec![1.0]).unwrap(), Tensor::new([1], vec![-0.5]).unwrap()];
        let outputs = build(&layer(1, 2)).unwrap().run(inputs).unwrap();
        assert_eq!(outputs, [Tensor::new([1, 1], vec![0.0]).unwrap(), Tensor::new([1], vec![0.0]).unwrap()]);
    }

    #[test]
    fn names_what_does_not_fit() {
        assert_eq!(build(&layer(3, 1)).err().unwrap().to_string(), "direction is 3, expected 0, 1 or 2");
        assert_eq!(build(&layer(0, 3)).err().unwrap().to_string(), "makes 1 or 2 blobs, the file names 3");
        let error = build(&layer(0, 1)).unwrap().output_shapes(&[Shape::new(&[4, 2]).unwrap()]).unwrap_err();
        assert_eq!(error.to_string(), "expects rows of 1 values, the input is 4x2");
    }
}
