//! `InnerProduct`: every output is a weighted sum of all inputs.

use ncnn_format::{Error, Result, WeightRole, typed};
use ndarray::linalg::{general_mat_mul, general_mat_vec_mul};
use ndarray::{ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2};

use super::arity::only;
use super::loading::{self, share};
use super::window::positive;
use crate::{Activation, Layer, Shape, Tensor};

pub(super) struct InnerProduct {
    /// Row-major `[outputs][inputs]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<InnerProduct> {
    let params = typed::InnerProduct::read(layer)?;
    loading::refuse_int8(layer, params.int8_scale_term)?;
    let outputs = positive("num_output", params.num_output)?;
    let weight_count = positive("weight_data_size", params.weight_data_size)?;
    share("weights per output", weight_count, outputs)?;
    Ok(InnerProduct::new(
        loading::floats(layer, WeightRole::Weight, weight_count)?,
        loading::bias(layer, params.bias_term, outputs)?,
        Activation::new(params.activation_type, &params.activation_params)?,
    ))
}

impl InnerProduct {
    /// `weights` are `[outputs][inputs]` in row-major order, with one of `bias` per output.
    pub(super) fn new(weights: Vec<f32>, bias: Vec<f32>, activation: Activation) -> Self {
        Self { weights, bias, activation }
    }

    fn inputs(&self) -> usize {
        self.weights.len() / self.bias.len()
    }

    /// The number of input vectors, if the input is a matrix of them.
    fn rows(&self, input: Shape) -> Option<usize> {
        (input.rank() == 2 && input.w() == self.inputs()).then_some(input.h())
    }

    /// `output = bias + weights · input`, of vectors or of matrices with one vector per row.
    fn multiply(&self, input: &[f32], output: &mut [f32]) {
        let (outputs, inputs) = (self.bias.len(), self.inputs());
        let rows = input.len() / inputs;
        for row in output.chunks_exact_mut(outputs) {
            row.copy_from_slice(&self.bias);
        }
        let Ok(weights) = ArrayView2::from_shape((outputs, inputs), &self.weights) else { return };
        if rows == 1 {
            let mut output = ArrayViewMut1::from(output);
            general_mat_vec_mul(1.0, &weights, &ArrayView1::from(input), 1.0, &mut output);
        } else if let (Ok(input), Ok(mut output)) =
            (ArrayView2::from_shape((rows, inputs), input), ArrayViewMut2::from_shape((rows, outputs), output))
        {
            general_mat_mul(1.0, &input, &weights.t(), 1.0, &mut output);
        }
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
        self.multiply(input.as_slice(), output.as_mut_slice());
        self.activation.apply_all(output.as_mut_slice());
        Ok(vec![output])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_by_three() -> InnerProduct {
        InnerProduct::new(vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![0.5, -40.0], Activation::Relu)
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
