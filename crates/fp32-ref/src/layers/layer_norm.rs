//! `LayerNorm`: rows, planes or channels get mean 0 and variance 1, then a scale and an
//! offset per position.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::loading::count;
use super::standardize::{Affine, run_length, standardize};
use crate::{Layer, Shape, Tensor};

pub(super) struct LayerNorm {
    affine_size: usize,
    eps: f32,
    affine: Option<Affine>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<LayerNorm> {
    let params = typed::LayerNorm::read(layer)?;
    let affine_size = count("affine_size", params.affine_size)?;
    Ok(LayerNorm { affine_size, eps: params.eps, affine: Affine::read(layer, params.affine, affine_size)? })
}

impl Layer for LayerNorm {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if self.affine.is_some() {
            expect_run(self.affine_size, input)?;
        }
        Ok(vec![input])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut tensor = only(inputs)?;
        let shape = only(self.output_shapes(&[tensor.shape()])?)?;
        for values in tensor.as_mut_slice().chunks_exact_mut(run_length(self.affine_size, shape)) {
            standardize(values, self.eps);
            if let Some(Affine { gamma, beta }) = &self.affine {
                for (value, (gamma, beta)) in values.iter_mut().zip(gamma.iter().zip(beta)) {
                    *value = *value * gamma + beta;
                }
            }
        }
        Ok(vec![tensor])
    }
}

/// Checks that `affine_size` factors are what `input` needs.
pub(super) fn expect_run(affine_size: usize, input: Shape) -> Result<()> {
    let run = run_length(affine_size, input);
    if run != affine_size {
        return Err(Error::invalid(format!("normalizes {affine_size} values together, the input has {run} ({input})")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_belong_to_positions() {
        let affine = Some(Affine { gamma: vec![1.0, 10.0], beta: vec![0.0, 5.0] });
        let layer = LayerNorm { affine_size: 2, eps: 0.0, affine };
        let input = Tensor::new([2, 2], vec![1.0, 3.0, 7.0, 5.0]).unwrap();
        assert_eq!(layer.run(vec![input]).unwrap()[0].as_slice(), [-1.0, 15.0, 1.0, -5.0]);
        let message = layer.output_shapes(&[Shape::new(&[2, 3]).unwrap()]).unwrap_err().to_string();
        assert_eq!(message, "normalizes 2 values together, the input has 3 (2x3)");
    }
}
