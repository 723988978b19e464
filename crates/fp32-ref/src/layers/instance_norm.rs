//! `InstanceNorm`: every channel gets mean 0 and variance 1, then a scale and an offset.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::loading::count;
use super::standardize::{Affine, standardize};
use crate::{Layer, Shape, Tensor};

pub(super) struct InstanceNorm {
    eps: f32,
    affine: Option<Affine>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<InstanceNorm> {
    let params = typed::InstanceNorm::read(layer)?;
    let affine = Affine::read(layer, params.affine, count("channels", params.channels)?)?;
    Ok(InstanceNorm { eps: params.eps, affine })
}

impl Layer for InstanceNorm {
    /// A vector or matrix is one channel; more factors than channels are left over, as in ncnn.
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        match &self.affine {
            Some(affine) if affine.gamma.len() < input.c() => Err(Error::invalid(format!(
                "has factors for {} channels, the input has {} ({input})",
                affine.gamma.len(),
                input.c()
            ))),
            _ => Ok(vec![input]),
        }
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut tensor = only(inputs)?;
        let shape = only(self.output_shapes(&[tensor.shape()])?)?;
        let size = shape.volume() / shape.c();
        for (channel, values) in tensor.as_mut_slice().chunks_exact_mut(size).enumerate() {
            standardize(values, self.eps);
            if let Some(Affine { gamma, beta }) = &self.affine {
                for value in values {
                    *value = *value * gamma[channel] + beta[channel];
                }
            }
        }
        Ok(vec![tensor])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_channel_is_on_its_own() {
        let affine = Some(Affine { gamma: vec![1.0, 10.0], beta: vec![0.0, 5.0] });
        let layer = InstanceNorm { eps: 0.0, affine };
        let input = Tensor::new([2, 1, 2], vec![1.0, 3.0, 7.0, 5.0]).unwrap();
        assert_eq!(layer.run(vec![input]).unwrap()[0].as_slice(), [-1.0, 1.0, 15.0, -5.0]);
        let message = layer.output_shapes(&[Shape::new(&[3, 1, 1]).unwrap()]).unwrap_err().to_string();
        assert_eq!(message, "has factors for 2 channels, the input has 3 (3x1x1)");
    }
}
