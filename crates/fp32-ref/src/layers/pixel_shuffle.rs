//! `PixelShuffle`: channels become the pixels of blocks.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::blocks::{Blocks, Fastest};
use super::pass_through::{Element, PassThrough, Passing};
use super::window::positive;
use crate::{Shape, Tensor};

pub(super) struct PixelShuffle {
    factor: usize,
    fastest: Fastest,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<PixelShuffle>> {
    let params = typed::PixelShuffle::read(layer)?;
    let factor = positive("upscale_factor", params.upscale_factor)?;
    Ok(Passing(PixelShuffle { factor, fastest: Fastest::new(params.mode) }))
}

impl PixelShuffle {
    /// Channels that do not fill a block are left out.
    fn blocks(&self, input: Shape) -> Blocks {
        let channels = input.c() / self.factor.saturating_mul(self.factor);
        Blocks { edge: self.factor, channels, fastest: self.fastest }
    }
}

impl PassThrough for PixelShuffle {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if input.rank() == 4 {
            return Err(Error::invalid(format!("expects an image, the input is 4-D ({input})")));
        }
        let size = |cells: usize| cells.saturating_mul(self.factor);
        Ok(vec![Shape::new(&[self.blocks(input).channels, size(input.h()), size(input.w())])?])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>> {
        let (input, shape) = (only(inputs)?, only(outputs.iter().copied())?);
        let mut output = Tensor::filled(shape, T::default());
        let (small, large) = (input.as_slice(), output.as_mut_slice());
        self.blocks(input.shape()).pairs(input.shape(), [shape.h(), shape.w()], |in_small, in_large| {
            large[in_large] = small[in_small];
        });
        Ok(vec![output])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(mode: i32) -> Vec<i8> {
        let shuffle = Passing(PixelShuffle { factor: 2, fastest: Fastest::new(mode) });
        let input = Tensor::new([8, 1, 1], vec![1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        let shape = shuffle.0.shapes(&[input.shape()]).unwrap();
        assert_eq!(shape[0].dims(), [2, 2, 2]);
        shuffle.0.pass(vec![input], &shape).unwrap()[0].as_slice().to_vec()
    }

    #[test]
    fn the_mode_says_what_varies_fastest() {
        assert_eq!(run(0), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(run(1), [1, 3, 5, 7, 2, 4, 6, 8]);
    }
}
