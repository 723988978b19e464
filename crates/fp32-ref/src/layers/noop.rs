//! `Noop`: every output is the input of the same position; inputs may be left over.

use ncnn_format::{Error, Result};

use super::pass_through::{Element, PassThrough, Passing};
use crate::{Shape, Tensor};

pub(super) struct Noop {
    outputs: usize,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<Noop>> {
    let (inputs, outputs) = (layer.inputs.len(), layer.outputs.len());
    if outputs > inputs {
        return Err(Error::malformed(format!("makes {outputs} blobs of {inputs}")));
    }
    Ok(Passing(Noop { outputs }))
}

impl PassThrough for Noop {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(inputs.iter().copied().take(self.outputs).collect())
    }

    fn pass<T: Element>(&self, mut inputs: Vec<Tensor<T>>, _: &[Shape]) -> Result<Vec<Tensor<T>>> {
        inputs.truncate(self.outputs);
        Ok(inputs)
    }

    fn for_pixels(&self) -> Option<Self> {
        Some(Self { ..*self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_without_an_output_are_left_over() {
        let inputs = vec![Tensor::new([1], vec![1.0]).unwrap(), Tensor::new([1], vec![2.0]).unwrap()];
        let outputs = Noop { outputs: 1 }.pass(inputs, &[]).unwrap();
        assert_eq!((outputs.len(), outputs[0].as_slice()), (1, &[1.0][..]));
    }
}
