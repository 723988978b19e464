//! `Reorg`: the pixels of blocks become channels.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::blocks::{Blocks, Fastest};
use super::pass_through::{Element, PassThrough, Passing};
use super::window::positive;
use crate::{Shape, Tensor};

pub(super) struct Reorg {
    stride: usize,
    fastest: Fastest,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<Reorg>> {
    let params = typed::Reorg::read(layer)?;
    Ok(Passing(Reorg { stride: positive("stride", params.stride)?, fastest: Fastest::new(params.mode) }))
}

impl PassThrough for Reorg {
    /// Rows and columns that do not fill a block are left out.
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if input.rank() == 4 {
            return Err(Error::invalid(format!("expects an image, the input is 4-D ({input})")));
        }
        let channels = input.c().saturating_mul(self.stride).saturating_mul(self.stride);
        Ok(vec![Shape::new(&[channels, input.h() / self.stride, input.w() / self.stride])?])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>> {
        let (input, shape) = (only(inputs)?, only(outputs.iter().copied())?);
        let (channels, w, h) = (input.shape().c(), input.shape().w(), input.shape().h());
        let mut output = Tensor::filled(shape, T::default());
        let (large, small) = (input.as_slice(), output.as_mut_slice());
        let blocks = Blocks { edge: self.stride, channels, fastest: self.fastest };
        blocks.pairs(shape, [h, w], |in_small, in_large| small[in_small] = large[in_large]);
        Ok(vec![output])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(mode: i32) -> Vec<i8> {
        let reorg = Reorg { stride: 2, fastest: Fastest::new(mode) };
        let input = Tensor::new([2, 2, 3], vec![1, 2, 0, 3, 4, 0, 5, 6, 0, 7, 8, 0]).unwrap();
        let shape = reorg.shapes(&[input.shape()]).unwrap();
        assert_eq!(shape[0].dims(), [8, 1, 1]);
        reorg.pass(vec![input], &shape).unwrap()[0].as_slice().to_vec()
    }

    #[test]
    fn the_mode_says_what_varies_fastest_and_odd_columns_are_left_out() {
        assert_eq!(run(0), [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(run(1), [1, 5, 2, 6, 3, 7, 4, 8]);
    }
}
