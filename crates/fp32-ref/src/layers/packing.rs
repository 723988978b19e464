//! `Packing`: how many channels lie interleaved in memory, which changes no value.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::pass_through::{Element, PassThrough, Passing};
use super::window::positive;
use crate::{Shape, Tensor};

pub(super) struct Packing {
    /// Channels are filled up to a multiple of this with values that nobody set.
    filled_to: usize,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<Packing>> {
    let params = typed::Packing::read(layer)?;
    let pack = positive("out_elempack", params.out_elempack)?;
    Ok(Passing(Packing { filled_to: if params.use_padding == 0 { 1 } else { pack } }))
}

impl PassThrough for Packing {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if !input.outer().is_multiple_of(self.filled_to) {
            return Err(Error::invalid(format!("{} channels are no packs of {}", input.outer(), self.filled_to)));
        }
        Ok(vec![input])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, _: &[Shape]) -> Result<Vec<Tensor<T>>> {
        Ok(inputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layer;

    #[test]
    fn values_stay_as_they_are() {
        let input = Tensor::new([3], vec![1.0, 2.0, 3.0]).unwrap();
        let output = Passing(Packing { filled_to: 1 }).run(vec![input.clone()]).unwrap().remove(0);
        assert_eq!(output, input);
        assert!(Passing(Packing { filled_to: 4 }).run(vec![input]).is_err());
    }
}
