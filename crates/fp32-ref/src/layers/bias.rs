//! `Bias`: adds one number per channel.

use ncnn_format::{Result, WeightRole, typed};

use super::arity::only;
use super::loading::floats;
use super::per_channel::expect_outer;
use super::window::positive;
use crate::{Layer, Shape, Tensor};

pub(super) struct Bias {
    bias: Vec<f32>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Bias> {
    let size = positive("bias_data_size", typed::Bias::read(layer)?.bias_data_size)?;
    Ok(Bias { bias: floats(layer, WeightRole::Bias, size)? })
}

impl Layer for Bias {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        // ncnn sees 1-D and 2-D blobs as a single channel here, unlike in Scale.
        if input.rank() >= 3 {
            expect_outer(self.bias.len(), input)?;
        }
        Ok(vec![input])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut tensor = only(inputs)?;
        self.output_shapes(&[tensor.shape()])?;
        let len = tensor.shape().volume() / tensor.shape().c();
        for (values, &bias) in tensor.as_mut_slice().chunks_exact_mut(len).zip(&self.bias) {
            for value in values {
                *value += bias;
            }
        }
        Ok(vec![tensor])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_per_channel_and_its_first_element_to_vectors() {
        let bias = Bias { bias: vec![1.0, 2.0] };
        let image = Tensor::new([2, 1, 1], vec![10.0, 10.0]).unwrap();
        assert_eq!(bias.run(vec![image]).unwrap()[0].as_slice(), [11.0, 12.0]);
        let vector = Tensor::new([2], vec![10.0, 10.0]).unwrap();
        assert_eq!(bias.run(vec![vector]).unwrap()[0].as_slice(), [11.0, 11.0]);
    }
}
