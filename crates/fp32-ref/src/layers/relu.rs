//! `ReLU`: negative values become 0, or are multiplied by a slope.

use ncnn_format::{Result, typed};

use crate::{Layer, Shape, Tensor};

pub(super) struct Relu {
    slope: f32,
}

impl Relu {
    pub(super) fn new(layer: &ncnn_format::Layer) -> Result<Self> {
        Ok(Self { slope: typed::ReLU::read(layer)?.slope })
    }
}

impl Layer for Relu {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(inputs.to_vec())
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let slope = self.slope;
        let apply = |x: f32| {
            if slope == 0.0 {
                x.max(0.0)
            } else if x < 0.0 {
                x * slope
            } else {
                x
            }
        };
        Ok(inputs.into_iter().map(|input| input.map(apply)).collect())
    }
}
