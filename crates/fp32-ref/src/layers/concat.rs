//! `Concat`: blobs one after another along an axis.

use ncnn_format::{Error, Result, typed};

use super::pass_through::{Element, PassThrough, Passing, axis_of_pixels};
use crate::{Shape, Tensor, Workspace};

pub(super) struct Concat {
    axis: i32,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<Concat>> {
    Ok(Passing(Concat { axis: typed::Concat::read(layer)?.axis }))
}

impl PassThrough for Concat {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let [first, others @ ..] = inputs else {
            return Err(Error::malformed("takes at least one blob, the file gives it none"));
        };
        let axis = first.axis(self.axis)?;
        let mut dims = first.dims().to_vec();
        for other in others {
            let alike = other.rank() == first.rank()
                && (0..first.rank()).all(|i| i == axis || other.dims()[i] == first.dims()[i]);
            if !alike {
                return Err(Error::invalid(format!("{first} and {other} cannot be joined along axis {axis}")));
            }
            dims[axis] = dims[axis].saturating_add(other.dims()[axis]);
        }
        Ok(vec![Shape::new(&dims)?])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>> {
        outputs.iter().map(|&shape| self.join(&inputs, shape, vec![T::default(); shape.volume()])).collect()
    }

    fn pass_in(&self, workspace: &mut Workspace, inputs: Vec<Tensor>, outputs: &[Shape]) -> Result<Vec<Tensor>> {
        let joined = outputs
            .iter()
            .map(|&shape| self.join(&inputs, shape, workspace.take(shape.volume())))
            .collect::<Result<_>>();
        inputs.into_iter().for_each(|input| workspace.give_tensor(input));
        joined
    }

    fn for_pixels(&self) -> Option<Self> {
        Some(Self { axis: axis_of_pixels(self.axis) })
    }
}

impl Concat {
    /// Writes `inputs` one after another to `values`, the elements of a tensor of `shape`.
    fn join<T: Element>(&self, inputs: &[Tensor<T>], shape: Shape, mut values: Vec<T>) -> Result<Tensor<T>> {
        let outer: usize = shape.dims()[..shape.axis(self.axis)?].iter().product();
        let mut rest = &mut values[..];
        for index in 0..outer {
            for input in inputs {
                let run = input.shape().volume() / outer;
                let (part, after) = rest.split_at_mut(run);
                part.copy_from_slice(&input.as_slice()[index * run..(index + 1) * run]);
                rest = after;
            }
        }
        Tensor::new(shape.dims(), values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Layer;

    #[test]
    fn joins_along_inner_axes() {
        let concat = Passing(Concat { axis: -1 });
        let a = Tensor::new([2, 1], vec![1_i8, 2]).unwrap();
        let b = Tensor::new([2, 2], vec![3, 4, 5, 6]).unwrap();
        let joined = concat.run_i8(vec![a, b]).unwrap().unwrap().remove(0);
        assert_eq!((joined.shape().dims(), joined.as_slice()), (&[2, 3][..], &[1, 3, 4, 2, 5, 6][..]));
    }

    #[test]
    fn refuses_shapes_that_differ_elsewhere() {
        let shapes = [Shape::new(&[2, 3]).unwrap(), Shape::new(&[2, 4]).unwrap()];
        let message = Concat { axis: 0 }.shapes(&shapes).unwrap_err().to_string();
        assert_eq!(message, "2x3 and 2x4 cannot be joined along axis 0");
    }
}
