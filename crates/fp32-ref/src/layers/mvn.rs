//! `MVN`: subtracts the mean and may divide by the deviation, per channel or over all.

use ncnn_format::{Result, typed};

use super::arity::only;
use crate::{Layer, Shape, Tensor};

pub(super) struct Mvn {
    normalize_variance: bool,
    across_channels: bool,
    eps: f32,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Mvn> {
    let params = typed::MVN::read(layer)?;
    Ok(Mvn {
        normalize_variance: params.normalize_variance != 0,
        across_channels: params.across_channels != 0,
        eps: params.eps,
    })
}

impl Layer for Mvn {
    /// Vectors and matrices become images of one channel.
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        Ok(vec![if input.rank() == 4 { input } else { Shape::new(&[input.c(), input.h(), input.w()])? }])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let shape = only(self.output_shapes(&[input.shape()])?)?;
        let mut output = input.reshaped(shape)?;
        let len = shape.volume() / if self.across_channels { 1 } else { shape.c() };
        for values in output.as_mut_slice().chunks_exact_mut(len) {
            self.normalize(values);
        }
        Ok(vec![output])
    }
}

impl Mvn {
    fn normalize(&self, values: &mut [f32]) {
        let count = values.len() as f32;
        let mean = values.iter().sum::<f32>() / count;
        for value in values.iter_mut() {
            *value -= mean;
        }
        if self.normalize_variance {
            let variance = values.iter().map(|value| value * value).sum::<f32>() / count;
            let factor = 1.0 / (variance.sqrt() + self.eps);
            for value in values {
                *value *= factor;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_is_that_of_a_channel_or_of_all() {
        let run = |across_channels: bool| {
            let input = Tensor::new([2, 1, 2], vec![1.0, 3.0, 5.0, 11.0]).unwrap();
            let mvn = Mvn { normalize_variance: !across_channels, across_channels, eps: 0.0 };
            mvn.run(vec![input]).unwrap()[0].as_slice().to_vec()
        };
        assert_eq!(run(false), [-1.0, 1.0, -1.0, 1.0]);
        assert_eq!(run(true), [-4.0, -2.0, 0.0, 6.0]);
    }
}
