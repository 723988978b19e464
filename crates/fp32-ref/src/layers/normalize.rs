//! `Normalize`: divides by the L2 norm over channels, planes or both, and scales.

use ncnn_format::{Error, Result, WeightRole, typed};

use super::arity::only;
use super::loading::floats;
use super::window::positive;
use crate::{Layer, Shape, Tensor};

pub(super) struct Normalize {
    across_spatial: bool,
    across_channel: bool,
    eps: f32,
    eps_mode: EpsMode,
    /// One for all channels or one per channel.
    scales: Vec<f32>,
}

/// What keeps the divisor from 0.
#[derive(Debug, Clone, Copy)]
enum EpsMode {
    /// `sqrt(sum + eps)`
    Added,
    /// `max(sqrt(sum), eps)`
    LeastNorm,
    /// `sqrt(max(sum, eps))`
    LeastSum,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Normalize> {
    let params = typed::Normalize::read(layer)?;
    let eps_mode = match params.eps_mode {
        0 => EpsMode::Added,
        1 => EpsMode::LeastNorm,
        2 => EpsMode::LeastSum,
        other => return Err(Error::malformed(format!("eps_mode is {other}, expected 0, 1 or 2"))),
    };
    let mut scales = floats(layer, WeightRole::Scale, positive("scale_data_size", params.scale_data_size)?)?;
    if params.channel_shared != 0 {
        scales.truncate(1);
    }
    Ok(Normalize {
        across_spatial: params.across_spatial != 0,
        across_channel: params.across_channel != 0,
        eps: params.eps,
        eps_mode,
        scales,
    })
}

impl Layer for Normalize {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if self.scales.len() > 1 && self.scales.len() < input.c() {
            return Err(Error::invalid(format!(
                "has {} scales, the input has {} channels ({input})",
                self.scales.len(),
                input.c()
            )));
        }
        Ok(vec![input])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut tensor = only(inputs)?;
        let shape = only(self.output_shapes(&[tensor.shape()])?)?;
        let plane = shape.volume() / shape.c();
        let values = tensor.as_mut_slice();
        match (self.across_spatial, self.across_channel) {
            // A norm over single values; ncnn leaves them as they are.
            (false, false) => {}
            (true, true) => {
                let sum = values.chunks_exact(plane).map(square_sum).sum();
                let factor = self.factor(sum);
                for (channel, scale) in values.chunks_exact_mut(plane).zip(self.scales()) {
                    multiply(channel, factor * scale);
                }
            }
            (true, false) => {
                for (channel, scale) in values.chunks_exact_mut(plane).zip(self.scales()) {
                    multiply(channel, self.factor(square_sum(channel)) * scale);
                }
            }
            (false, true) => self.normalize_pixels(values, plane),
        }
        Ok(vec![tensor])
    }
}

impl Normalize {
    fn scales(&self) -> impl Iterator<Item = f32> {
        self.scales.iter().copied().cycle()
    }

    fn factor(&self, sum: f32) -> f32 {
        1.0 / match self.eps_mode {
            EpsMode::Added => (sum + self.eps).sqrt(),
            EpsMode::LeastNorm => sum.sqrt().max(self.eps),
            EpsMode::LeastSum => sum.max(self.eps).sqrt(),
        }
    }

    /// Divides each position of the planes by its norm over the channels.
    fn normalize_pixels(&self, values: &mut [f32], plane: usize) {
        let mut factors = vec![0.0; plane];
        for channel in values.chunks_exact(plane) {
            for (sum, value) in factors.iter_mut().zip(channel) {
                *sum += value * value;
            }
        }
        for factor in &mut factors {
            *factor = self.factor(*factor);
        }
        for (channel, scale) in values.chunks_exact_mut(plane).zip(self.scales()) {
            for (value, factor) in channel.iter_mut().zip(&factors) {
                *value *= factor * scale;
            }
        }
    }
}

fn square_sum(values: &[f32]) -> f32 {
    values.iter().map(|value| value * value).sum()
}

fn multiply(values: &mut [f32], factor: f32) {
    for value in values {
        *value *= factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::pointwise::tests::assert_close;

    fn run(across_spatial: bool, across_channel: bool) -> Vec<f32> {
        let normalize =
            Normalize { across_spatial, across_channel, eps: 0.0, eps_mode: EpsMode::Added, scales: vec![1.0, 10.0] };
        let input = Tensor::new([2, 1, 2], vec![3.0, 6.0, 4.0, 8.0]).unwrap();
        normalize.run(vec![input]).unwrap()[0].as_slice().to_vec()
    }

    #[test]
    fn the_norm_runs_over_channels_planes_or_both() {
        assert_close(&run(false, true), &[0.6, 0.6, 8.0, 8.0]);
        assert_close(&run(true, false), &[0.447_213_6, 0.894_427_2, 4.472_136, 8.944_272]);
        assert_close(&run(true, true), &[0.268_328_2, 0.536_656_3, 3.577_709, 7.155_418]);
        assert_close(&run(false, false), &[3.0, 6.0, 4.0, 8.0]);
    }

    #[test]
    fn zeros_stay_finite_by_eps() {
        for eps_mode in [EpsMode::Added, EpsMode::LeastNorm, EpsMode::LeastSum] {
            let normalize =
                Normalize { across_spatial: true, across_channel: true, eps: 1e-4, eps_mode, scales: vec![1.0] };
            let output = normalize.run(vec![Tensor::new([2], vec![0.0; 2]).unwrap()]).unwrap();
            assert_eq!(output[0].as_slice(), [0.0; 2]);
        }
    }
}
