//! `ShuffleChannel`: deals the channels of groups out in turn.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::pass_through::{Element, PassThrough, Passing};
use super::window::positive;
use crate::{Shape, Tensor};

pub(super) struct ShuffleChannel {
    group: usize,
    reverse: bool,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<ShuffleChannel>> {
    let params = typed::ShuffleChannel::read(layer)?;
    Ok(Passing(ShuffleChannel { group: positive("group", params.group)?, reverse: params.reverse != 0 }))
}

impl PassThrough for ShuffleChannel {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if !input.c().is_multiple_of(self.group) {
            return Err(Error::invalid(format!(
                "{} channels ({input}) cannot be divided into {} equal groups",
                input.c(),
                self.group
            )));
        }
        Ok(vec![input])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, _: &[Shape]) -> Result<Vec<Tensor<T>>> {
        let input = only(inputs)?;
        let channels = input.shape().c();
        let group = if self.reverse { channels / self.group } else { self.group };
        let per_group = channels / group;
        let size = input.shape().volume() / channels;
        let mut values = Vec::with_capacity(input.shape().volume());
        for to in 0..channels {
            let from = to % group * per_group + to / group;
            values.extend_from_slice(&input.as_slice()[from * size..(from + 1) * size]);
        }
        Ok(vec![Tensor::new(input.shape().dims(), values)?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reverse_shuffle_undoes_the_shuffle() {
        let input = Tensor::new([6, 1, 1], vec![0_i8, 1, 2, 3, 4, 5]).unwrap();
        let shuffle = |reverse, input| ShuffleChannel { group: 2, reverse }.pass(vec![input], &[]).unwrap().remove(0);
        let shuffled = shuffle(false, input.clone());
        assert_eq!(shuffled.as_slice(), [0, 3, 1, 4, 2, 5]);
        assert_eq!(shuffle(true, shuffled), input);
    }
}
