//! `Split`: one blob under several names.

use ncnn_format::Result;

use super::arity::only;
use super::pass_through::{Element, PassThrough, Passing};
use crate::{Shape, Tensor};

pub(super) struct Split {
    outputs: usize,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<Split>> {
    Ok(Passing(Split { outputs: layer.outputs.len() }))
}

impl PassThrough for Split {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![only(inputs.iter().copied())?; self.outputs])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>> {
        Ok(vec![only(inputs)?; outputs.len()])
    }

    fn for_pixels(&self) -> Option<Self> {
        Some(Self { outputs: self.outputs })
    }
}
