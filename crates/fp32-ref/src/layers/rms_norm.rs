//! `RMSNorm`: rows, planes or channels are divided by the root of their mean square.

use ncnn_format::{Result, WeightRole, typed};

use super::arity::only;
use super::layer_norm::expect_run;
use super::loading::{count, floats};
use super::standardize::{divide_by_root_mean_square, run_length};
use crate::{Layer, Shape, Tensor};

pub(super) struct RmsNorm {
    affine_size: usize,
    eps: f32,
    gamma: Option<Vec<f32>>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<RmsNorm> {
    let params = typed::RMSNorm::read(layer)?;
    let affine_size = count("affine_size", params.affine_size)?;
    let gamma = if params.affine == 0 { None } else { Some(floats(layer, WeightRole::Gamma, affine_size)?) };
    Ok(RmsNorm { affine_size, eps: params.eps, gamma })
}

impl Layer for RmsNorm {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if self.gamma.is_some() {
            expect_run(self.affine_size, input)?;
        }
        Ok(vec![input])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut tensor = only(inputs)?;
        let shape = only(self.output_shapes(&[tensor.shape()])?)?;
        for values in tensor.as_mut_slice().chunks_exact_mut(run_length(self.affine_size, shape)) {
            divide_by_root_mean_square(values, self.eps);
            for (value, gamma) in values.iter_mut().zip(self.gamma.iter().flatten()) {
                *value *= gamma;
            }
        }
        Ok(vec![tensor])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_by_the_root_of_the_mean_square() {
        let layer = RmsNorm { affine_size: 2, eps: 0.0, gamma: Some(vec![1.0, 2.0]) };
        let input = Tensor::new([1, 2], vec![7.0, -1.0]).unwrap();
        assert_eq!(layer.run(vec![input]).unwrap()[0].as_slice(), [1.4, -0.4]);
    }
}
