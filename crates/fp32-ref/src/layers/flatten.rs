//! `Flatten`: all values in one row.

use ncnn_format::Result;

use super::arity::only;
use super::pass_through::{Element, PassThrough, Passing, reshape_first};
use crate::{Shape, Tensor};

pub(super) struct Flatten;

pub(super) fn build(_: &ncnn_format::Layer) -> Result<Passing<Flatten>> {
    Ok(Passing(Flatten))
}

impl PassThrough for Flatten {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![Shape::new(&[only(inputs.iter().copied())?.volume()])?])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>> {
        reshape_first(inputs, outputs)
    }
}
