//! Layers with one number per channel.

use ncnn_format::{Error, Result};

use super::arity::only;
use crate::{Layer, Order, Pixels, Shape, Tensor, Value, Workspace};

/// `scale · x + offset` with a pair per channel: per row of 2-D, per element of 1-D.
///
/// Rounded once, as ncnn's x86 and ARM code does with a fused multiply-add: an int8
/// layer behind it then sees the values that it will see on a device. The product
/// of two f32 is exact in f64, which is the fast way to one rounding everywhere.
pub(super) struct Affine {
    pub(super) scale: Vec<f32>,
    pub(super) offset: Vec<f32>,
}

impl Layer for Affine {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        expect_outer(self.scale.len(), input)?;
        Ok(vec![input])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut tensor = only(inputs)?;
        expect_outer(self.scale.len(), tensor.shape())?;
        for ((values, &scale), &offset) in tensor.channels_mut().zip(&self.scale).zip(&self.offset) {
            let (scale, offset) = (f64::from(scale), f64::from(offset));
            for value in values {
                *value = (scale * f64::from(*value) + offset) as f32;
            }
        }
        Ok(vec![tensor])
    }

    fn order(&self, inputs: &[Shape]) -> Order {
        Order::either_for_images(inputs)
    }

    fn run_pixels(&self, inputs: Vec<Pixels>, _: &mut Workspace) -> Result<Vec<Value>> {
        let input = only(inputs)?;
        expect_outer(self.scale.len(), input.shape())?;
        let output = input.map_pixels(
            OPERATIONS,
            || (),
            |(), pixel| {
                for ((value, &scale), &offset) in pixel.iter_mut().zip(&self.scale).zip(&self.offset) {
                    *value = (f64::from(scale) * f64::from(*value) + f64::from(offset)) as f32;
                }
            },
        );
        Ok(vec![Value::Pixels(output)])
    }
}

/// What a value takes, with its way from and to memory.
const OPERATIONS: usize = 8;

/// Checks that the outermost dimension of `input` is `channels`.
pub(super) fn expect_outer(channels: usize, input: Shape) -> Result<()> {
    if input.outer() != channels {
        return Err(Error::invalid(format!("expects {channels} channels, the input has {} ({input})", input.outer())));
    }
    Ok(())
}
