//! `InnerProduct`: every output is a weighted sum of all inputs.

use ncnn_format::{Error, Result, WeightRole, typed};

use super::arity::only;
use super::loading::{self, share};
use super::packed_weights::PackedWeights;
use super::window::positive;
use crate::{Activate, Activation, Layer, Shape, Tensor};

pub(super) struct InnerProduct {
    weights: PackedWeights,
    bias: Vec<f32>,
    activation: Activation,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<InnerProduct> {
    let params = typed::InnerProduct::read(layer)?;
    loading::refuse_int8(layer, params.int8_scale_term)?;
    let outputs = positive("num_output", params.num_output)?;
    let weight_count = positive("weight_data_size", params.weight_data_size)?;
    share("weights per output", weight_count, outputs)?;
    InnerProduct::new(
        &loading::floats(layer, WeightRole::Weight, weight_count)?,
        loading::bias(layer, params.bias_term, outputs)?,
        Activation::new(params.activation_type, &params.activation_params)?,
    )
}

impl InnerProduct {
    /// `weights` are `[outputs][inputs]` in row-major order, with one of `bias` per output.
    pub(super) fn new(weights: &[f32], bias: Vec<f32>, activation: Activation) -> Result<Self> {
        Ok(Self { weights: PackedWeights::new(weights, bias.len())?, bias, activation })
    }

    fn inputs(&self) -> usize {
        self.weights.depth()
    }

    /// The number of input vectors, if the input is a matrix of them.
    fn rows(&self, input: Shape) -> Option<usize> {
        (input.rank() == 2 && input.w() == self.inputs()).then_some(input.h())
    }
}

impl Layer for InnerProduct {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if let Some(rows) = self.rows(input) {
            return Ok(vec![Shape::new(&[rows, self.bias.len()])?]);
        }
        if input.volume() != self.inputs() {
            return Err(Error::invalid(format!(
                "expects {} values, the input has {} ({input})",
                self.inputs(),
                input.volume()
            )));
        }
        Ok(vec![Shape::new(&[self.bias.len()])?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let mut output = Tensor::filled(only(self.output_shapes(&[input.shape()])?)?, 0.0);
        self.weights.multiply(input.as_slice(), self.inputs(), Some(&self.bias), output.as_mut_slice())?;
        self.activation.apply_all(output.as_mut_slice());
        Ok(vec![output])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_by_three() -> InnerProduct {
        InnerProduct::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![0.5, -40.0], Activation::Relu).unwrap()
    }

    #[test]
    fn flattens_an_image() {
        let input = Tensor::new([3, 1, 1], vec![1.0, 0.0, 2.0]).unwrap();
        let output = two_by_three().run(vec![input]).unwrap().remove(0);
        assert_eq!((output.shape().dims(), output.as_slice()), (&[2][..], &[7.5, 0.0][..]));
    }

    #[test]
    fn takes_a_matrix_row_by_row() {
        let input = Tensor::new([2, 3], vec![1.0, 0.0, 2.0, 4.0, 4.0, 4.0]).unwrap();
        let output = two_by_three().run(vec![input]).unwrap().remove(0);
        assert_eq!((output.shape().dims(), output.as_slice()), (&[2, 2][..], &[7.5, 0.0, 24.5, 20.0][..]));
    }

    #[test]
    fn names_the_values_expected_and_found() {
        let message = two_by_three().output_shapes(&[Shape::new(&[2, 2, 1]).unwrap()]).unwrap_err().to_string();
        assert_eq!(message, "expects 3 values, the input has 4 (2x2x1)");
    }
}
