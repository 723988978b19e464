//! `LRN`: divides by a power of the sum of squares around a value.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::window::positive;
use crate::{Layer, Order, Pixels, Shape, Tensor, Value, Workspace};

pub(super) struct Lrn {
    within_channel: bool,
    size: usize,
    alpha: f32,
    beta: f32,
    bias: f32,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Lrn> {
    let params = typed::LRN::read(layer)?;
    let within_channel = match params.region_type {
        0 => false,
        1 => true,
        other => return Err(Error::malformed(format!("region_type is {other}, expected 0 or 1"))),
    };
    let size = positive("local_size", params.local_size)?;
    Ok(Lrn { within_channel, size, alpha: params.alpha, beta: params.beta, bias: params.bias })
}

impl Layer for Lrn {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if input.rank() == 4 {
            return Err(Error::invalid(format!("expects an image, the input is 4-D ({input})")));
        }
        Ok(vec![input])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut tensor = only(inputs)?;
        let shape = only(self.output_shapes(&[tensor.shape()])?)?;
        let squares: Vec<f32> = tensor.as_slice().iter().map(|x| x * x).collect();
        let plane = shape.h() * shape.w();
        let cells = if self.within_channel { self.size as f32 * self.size as f32 } else { self.size as f32 };
        let alpha = self.alpha / cells;
        let mut sums = vec![0.0; plane];
        for (channel, values) in tensor.as_mut_slice().chunks_exact_mut(plane).enumerate() {
            sums.fill(0.0);
            if self.within_channel {
                self.sum_around(&squares[channel * plane..(channel + 1) * plane], shape, &mut sums);
            } else {
                // An even size reaches as far to both sides as the odd size above it.
                let half = self.size / 2;
                let last = channel.saturating_add(half).min(shape.c() - 1);
                for squares in squares.chunks_exact(plane).take(last + 1).skip(channel.saturating_sub(half)) {
                    for (sum, square) in sums.iter_mut().zip(squares) {
                        *sum += square;
                    }
                }
            }
            for (value, sum) in values.iter_mut().zip(&sums) {
                *value *= power(self.bias + alpha * sum, self.beta);
            }
        }
        Ok(vec![tensor])
    }

    fn order(&self, inputs: &[Shape]) -> Order {
        if self.within_channel { Order::Planar } else { Order::either_for_images(inputs) }
    }

    fn run_pixels(&self, inputs: Vec<Pixels>, _: &mut Workspace) -> Result<Vec<Value>> {
        let input = only(inputs)?;
        let channels = input.shape().c();
        let half = (self.size / 2).min(channels);
        let alpha = self.alpha / self.size as f32;
        // Zeros before and after, so that every channel has all its neighbours.
        let buffers = || (vec![0.0; channels + 2 * half], vec![0.0; channels]);
        let output = input.map_pixels(OPERATIONS, buffers, |(squares, sums), pixel| {
            for (square, value) in squares[half..].iter_mut().zip(&*pixel) {
                *square = value * value;
            }
            sums.copy_from_slice(&squares[..channels]);
            for first in 1..=2 * half {
                for (sum, square) in sums.iter_mut().zip(&squares[first..]) {
                    *sum += square;
                }
            }
            if self.beta == 0.75 {
                for (value, sum) in pixel.iter_mut().zip(&*sums) {
                    *value *= power_of_three_quarters(self.bias + alpha * sum);
                }
            } else {
                for (value, sum) in pixel.iter_mut().zip(&*sums) {
                    *value *= power(self.bias + alpha * sum, self.beta);
                }
            }
        });
        Ok(vec![Value::Pixels(output)])
    }
}

/// What a value takes: two roots and a division, mostly.
const OPERATIONS: usize = 64;

/// `x^-beta`.
fn power(x: f32, beta: f32) -> f32 {
    if beta == 0.75 { power_of_three_quarters(x) } else { x.powf(-beta) }
}

/// `x^-0.75`, by far the most common power in networks.
#[inline(always)]
fn power_of_three_quarters(x: f32) -> f32 {
    let root = x.sqrt();
    1.0 / (root * root.sqrt())
}

impl Lrn {
    /// Sums over the square window around each value of a plane.
    fn sum_around(&self, squares: &[f32], shape: Shape, sums: &mut [f32]) {
        let (h, w) = (shape.h(), shape.w());
        let before = self.size / 2;
        let range = |center: usize, size: usize| {
            let end = center.saturating_add(self.size - before).min(size);
            center.saturating_sub(before)..end
        };
        for (y, row) in sums.chunks_exact_mut(w).enumerate() {
            for (x, sum) in row.iter_mut().enumerate() {
                let columns = range(x, w);
                *sum = range(y, h).flat_map(|y| &squares[y * w..(y + 1) * w][columns.clone()]).sum();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::pointwise::tests::assert_close;

    fn run(within_channel: bool, size: usize, dims: &[usize]) -> Vec<f32> {
        let lrn = Lrn { within_channel, size, alpha: size as f32, beta: 1.0, bias: 1.0 };
        let values = (1..=dims.iter().product::<usize>()).map(|i| i as f32).collect();
        lrn.run(vec![Tensor::new(dims, values).unwrap()]).unwrap()[0].as_slice().to_vec()
    }

    #[test]
    fn sums_over_neighbouring_channels() {
        assert_close(&run(false, 3, &[3, 1, 1]), &[1.0 / 6.0, 2.0 / 15.0, 3.0 / 14.0]);
    }

    #[test]
    fn sums_over_neighbouring_values() {
        // alpha / size² is 1/3 here
        assert_close(
            &run(true, 3, &[1, 1, 3]),
            &[1.0 / (1.0 + 5.0 / 3.0), 2.0 / (1.0 + 14.0 / 3.0), 3.0 / (1.0 + 13.0 / 3.0)],
        );
    }
}
