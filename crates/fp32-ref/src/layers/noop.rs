//! `Noop`: every input is the output of the same position.

use ncnn_format::Result;

use super::pass_through::{Element, PassThrough, Passing};
use crate::{Shape, Tensor};

pub(super) struct Noop;

pub(super) fn build(_: &ncnn_format::Layer) -> Result<Passing<Noop>> {
    Ok(Passing(Noop))
}

impl PassThrough for Noop {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(inputs.to_vec())
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, _: &[Shape]) -> Result<Vec<Tensor<T>>> {
        Ok(inputs)
    }

    fn for_pixels(&self) -> Option<Self> {
        Some(Self)
    }
}
