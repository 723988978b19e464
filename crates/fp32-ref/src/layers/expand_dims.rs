//! `ExpandDims`: inserts dimensions of size 1.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::pass_through::{Element, PassThrough, Passing, reshape_first};
use crate::{Shape, Tensor};

pub(super) struct ExpandDims {
    /// Positions in the output; negative counts from the innermost.
    axes: Vec<i32>,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<ExpandDims>> {
    Ok(Passing(ExpandDims { axes: typed::ExpandDims::read(layer)?.axes }))
}

impl PassThrough for ExpandDims {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        let rank = input.rank() + self.axes.len();
        if rank > 4 {
            return Err(Error::invalid(format!("{input} with {} more dimensions is too much", self.axes.len())));
        }
        let target = Shape::new(&[1; 4][..rank])?;
        let mut inserted = vec![false; rank];
        for &axis in &self.axes {
            if std::mem::replace(&mut inserted[target.axis(axis)?], true) {
                return Err(Error::malformed(format!("the axes {:?} name one dimension twice", self.axes)));
            }
        }
        let mut old = input.dims().iter();
        let dims: Vec<usize> =
            inserted.into_iter().map(|new| if new { 1 } else { old.next().copied().unwrap_or(1) }).collect();
        Ok(vec![Shape::new(&dims)?])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, outputs: &[Shape]) -> Result<Vec<Tensor<T>>> {
        reshape_first(inputs, outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_those_of_the_output() {
        let dims = |axes: &[i32]| {
            let shapes = ExpandDims { axes: axes.to_vec() }.shapes(&[Shape::new(&[3, 4]).unwrap()])?;
            Ok::<_, Error>(shapes[0].dims().to_vec())
        };
        assert_eq!(dims(&[0]).unwrap(), [1, 3, 4]);
        assert_eq!(dims(&[1, -1]).unwrap(), [3, 1, 4, 1]);
        assert!(dims(&[0, 1, 2]).is_err());
        assert!(dims(&[0, 0]).is_err());
    }
}
