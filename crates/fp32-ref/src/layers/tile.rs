//! `Tile`: repeats a blob along its dimensions.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::pass_through::{Element, PassThrough, Passing};
use super::window::positive;
use crate::{Shape, Tensor};

pub(super) struct Tile {
    repeats: Repeats,
}

enum Repeats {
    /// Along one axis; a blob without it stays as it is.
    Axis { axis: i32, times: usize },
    /// Along the innermost dimensions.
    Each(Vec<usize>),
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<Tile>> {
    let params = typed::Tile::read(layer)?;
    if params.repeats.len() > 4 {
        return Err(Error::malformed(format!("has {} repeats, a blob has at most 4 dimensions", params.repeats.len())));
    }
    let repeats = if params.repeats.is_empty() {
        Repeats::Axis { axis: params.axis, times: positive("tiles", params.tiles)? }
    } else {
        Repeats::Each(params.repeats.iter().map(|&times| positive("repeats", times)).collect::<Result<_>>()?)
    };
    Ok(Passing(Tile { repeats }))
}

impl Tile {
    /// The input's sizes with as many dimensions as the output has, and how often each is repeated.
    fn plan(&self, input: Shape) -> (Vec<usize>, Vec<usize>) {
        let dims = input.dims();
        match &self.repeats {
            Repeats::Axis { axis, times } => {
                // A vector has one axis, whatever the file calls it; a negative one is none to ncnn.
                let axis = if dims.len() == 1 { Some(0) } else { usize::try_from(*axis).ok() };
                (dims.to_vec(), (0..dims.len()).map(|index| if axis == Some(index) { *times } else { 1 }).collect())
            }
            Repeats::Each(times) => {
                let rank = dims.len().max(times.len());
                let mut times = times.clone();
                while times.len() < rank {
                    times.insert(0, 1);
                }
                let mut dims = dims.to_vec();
                while dims.len() < rank {
                    // The depth that an image lacks is inside its channels.
                    dims.insert(usize::from(rank == 4 && dims.len() == 3), 1);
                }
                (dims, times)
            }
        }
    }
}

impl PassThrough for Tile {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let (dims, times) = self.plan(only(inputs.iter().copied())?);
        let dims: Vec<usize> = dims.iter().zip(times).map(|(dim, times)| dim.saturating_mul(times)).collect();
        Ok(vec![Shape::new(&dims)?])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>> {
        let (input, shape) = (only(inputs)?, only(outputs.iter().copied())?);
        if input.shape() == shape {
            return Ok(vec![input]);
        }
        let (dims, times) = self.plan(input.shape());
        let mut values = input.as_slice().to_vec();
        let mut block = 1;
        for (dim, times) in dims.into_iter().zip(times).rev() {
            block *= dim;
            if times > 1 {
                values = values.chunks_exact(block).flat_map(|block| block.repeat(times)).collect();
            }
            block *= times;
        }
        Ok(vec![Tensor::new(shape.dims(), values)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(repeats: Repeats, dims: &[usize]) -> (Vec<usize>, Vec<i8>) {
        let tile = Tile { repeats };
        let input = Tensor::new(dims, (1..).take(dims.iter().product()).collect()).unwrap();
        let shapes = tile.shapes(&[input.shape()]).unwrap();
        let output = tile.pass(vec![input], &shapes).unwrap().remove(0);
        (output.shape().dims().to_vec(), output.as_slice().to_vec())
    }

    #[test]
    fn repeats_along_an_axis() {
        assert_eq!(run(Repeats::Axis { axis: 1, times: 2 }, &[2, 2]), (vec![2, 4], vec![1, 2, 1, 2, 3, 4, 3, 4]));
        assert_eq!(run(Repeats::Axis { axis: -1, times: 2 }, &[1, 2]), (vec![1, 2], vec![1, 2]));
    }

    #[test]
    fn repeats_may_add_dimensions() {
        assert_eq!(run(Repeats::Each(vec![2, 1]), &[2]), (vec![2, 2], vec![1, 2, 1, 2]));
        assert_eq!(run(Repeats::Each(vec![1, 2, 1, 1]), &[2, 1, 1]).0, [2, 2, 1, 1]);
    }
}
