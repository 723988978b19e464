//! `PReLU`: negative values are multiplied by a slope, one for all or one per channel.

use ncnn_format::{Result, WeightRole, typed};

use super::arity::only;
use super::loading::floats;
use super::per_channel::expect_outer;
use super::window::positive;
use crate::{Layer, Order, Pixels, Shape, Tensor, Value, Workspace};

pub(super) struct PRelu {
    slopes: Vec<f32>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<PRelu> {
    let count = positive("num_slope", typed::PReLU::read(layer)?.num_slope)?;
    Ok(PRelu { slopes: floats(layer, WeightRole::Slope, count)? })
}

impl Layer for PRelu {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if self.slopes.len() > 1 {
            expect_outer(self.slopes.len(), input)?;
        }
        Ok(vec![input])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut tensor = only(inputs)?;
        self.output_shapes(&[tensor.shape()])?;
        for (values, &slope) in tensor.channels_mut().zip(self.slopes.iter().cycle()) {
            for value in values {
                *value = if *value < 0.0 { *value * slope } else { *value };
            }
        }
        Ok(vec![tensor])
    }

    fn order(&self, inputs: &[Shape]) -> Order {
        Order::either_for_images(inputs)
    }

    fn run_pixels(&self, inputs: Vec<Pixels>, _: &mut Workspace) -> Result<Vec<Value>> {
        let input = only(inputs)?;
        self.output_shapes(&[input.shape()])?;
        let output = match self.slopes[..] {
            [slope] => input.map_pixels(
                OPERATIONS,
                || (),
                |(), pixel| {
                    for value in pixel {
                        *value = if *value < 0.0 { *value * slope } else { *value };
                    }
                },
            ),
            _ => input.map_pixels(
                OPERATIONS,
                || (),
                |(), pixel| {
                    for (value, &slope) in pixel.iter_mut().zip(&self.slopes) {
                        *value = if *value < 0.0 { *value * slope } else { *value };
                    }
                },
            ),
        };
        Ok(vec![Value::Pixels(output)])
    }
}

/// What a value takes, with its way from and to memory.
const OPERATIONS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slope_serves_all_channels() {
        let input = Tensor::new([2, 2], vec![-1.0, 1.0, -2.0, 2.0]).unwrap();
        let all = PRelu { slopes: vec![0.5] }.run(vec![input.clone()]).unwrap();
        assert_eq!(all[0].as_slice(), [-0.5, 1.0, -1.0, 2.0]);
        let each = PRelu { slopes: vec![0.5, 0.25] }.run(vec![input]).unwrap();
        assert_eq!(each[0].as_slice(), [-0.5, 1.0, -0.5, 2.0]);
    }
}
