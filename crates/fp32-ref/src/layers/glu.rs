//! `GLU`: the first half of an axis times the sigmoid of the second.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use crate::{Layer, Shape, Tensor};

pub(super) struct Glu {
    axis: i32,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Glu> {
    Ok(Glu { axis: typed::GLU::read(layer)?.axis })
}

impl Glu {
    /// The position of the axis and the shape of the output; an odd last slice is dropped.
    fn halved(&self, input: Shape) -> Result<(usize, Shape)> {
        // A vector has one axis, whatever the file calls it.
        let axis = if input.rank() == 1 { 0 } else { input.axis(self.axis)? };
        let mut dims = input.dims().to_vec();
        dims[axis] /= 2;
        if dims[axis] == 0 {
            return Err(Error::invalid(format!("axis {axis} of {input} has no two halves")));
        }
        Ok((axis, Shape::new(&dims)?))
    }
}

impl Layer for Glu {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![self.halved(only(inputs.iter().copied())?)?.1])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let (axis, shape) = self.halved(input.shape())?;
        let half: usize = shape.dims()[axis..].iter().product();
        let whole: usize = input.shape().dims()[axis..].iter().product();
        let mut output = Tensor::filled(shape, 0.0);
        for (out, block) in output.as_mut_slice().chunks_exact_mut(half).zip(input.as_slice().chunks_exact(whole)) {
            for ((out, value), gate) in out.iter_mut().zip(block).zip(&block[half..]) {
                *out = value * (1.0 / (1.0 + (-gate).exp()));
            }
        }
        Ok(vec![output])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_half_gates_the_first() {
        let input = Tensor::new([2, 3], vec![4.0, 0.0, 9.0, 6.0, 0.0, 9.0]).unwrap();
        let output = Glu { axis: 1 }.run(vec![input]).unwrap().remove(0);
        assert_eq!((output.shape().dims(), output.as_slice()), (&[2, 1][..], &[2.0, 3.0][..]));
    }

    #[test]
    fn one_slice_has_no_halves() {
        let message = Glu { axis: 0 }.output_shapes(&[Shape::new(&[1, 4]).unwrap()]).unwrap_err().to_string();
        assert_eq!(message, "axis 0 of 1x4 has no two halves");
    }
}
