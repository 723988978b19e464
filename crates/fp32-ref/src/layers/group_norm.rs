//! `GroupNorm`: every group of channels gets mean 0 and variance 1, then a scale and an
//! offset per channel.

use ncnn_format::{Result, typed};

use super::arity::only;
use super::loading::share;
use super::per_channel::expect_outer;
use super::standardize::{Affine, standardize};
use super::window::positive;
use crate::{Layer, Shape, Tensor};

pub(super) struct GroupNorm {
    groups: usize,
    channels: usize,
    eps: f32,
    affine: Option<Affine>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<GroupNorm> {
    let params = typed::GroupNorm::read(layer)?;
    let groups = positive("group", params.group)?;
    let channels = positive("channels", params.channels)?;
    share("channels per group", channels, groups)?;
    Ok(GroupNorm { groups, channels, eps: params.eps, affine: Affine::read(layer, params.affine, channels)? })
}

impl Layer for GroupNorm {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        expect_outer(self.channels, input)?;
        Ok(vec![input])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut tensor = only(inputs)?;
        let shape = only(self.output_shapes(&[tensor.shape()])?)?;
        for values in tensor.as_mut_slice().chunks_exact_mut(shape.volume() / self.groups) {
            standardize(values, self.eps);
        }
        if let Some(Affine { gamma, beta }) = &self.affine {
            for (values, (gamma, beta)) in tensor.channels_mut().zip(gamma.iter().zip(beta)) {
                for value in values {
                    *value = *value * gamma + beta;
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
    fn channels_of_a_group_are_taken_together() {
        let affine = Some(Affine { gamma: vec![1.0, 1.0, 2.0, 2.0], beta: vec![0.0, 1.0, 0.0, 0.0] });
        let layer = GroupNorm { groups: 2, channels: 4, eps: 0.0, affine };
        let input = Tensor::new([4], vec![1.0, 3.0, 10.0, 30.0]).unwrap();
        assert_eq!(layer.run(vec![input]).unwrap()[0].as_slice(), [-1.0, 2.0, -2.0, 2.0]);
        assert!(layer.output_shapes(&[Shape::new(&[3]).unwrap()]).is_err());
    }
}
