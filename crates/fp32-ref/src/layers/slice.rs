//! `Slice`: cuts a blob into pieces along an axis.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::cut::{Range, cut, cut_shape};
use super::pass_through::{Element, PassThrough, Passing, axis_of_pixels};
use crate::{Shape, Tensor};

pub(super) struct Slice {
    axis: i32,
    cuts: Cuts,
    outputs: usize,
}

#[derive(Clone)]
enum Cuts {
    /// Sizes of the pieces; -233 is an equal share of what remains.
    Sizes(Vec<i32>),
    /// Where each piece but the last ends; negative counts from the end.
    Ends(Vec<i32>),
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<Slice>> {
    let params = typed::Slice::read(layer)?;
    let outputs = layer.outputs.len();
    let (cuts, given, needed) = if params.indices.is_empty() {
        let given = params.slices.len();
        (Cuts::Sizes(params.slices), given, outputs)
    } else {
        let given = params.indices.len();
        (Cuts::Ends(params.indices), given, outputs.saturating_sub(1))
    };
    if given < needed {
        return Err(Error::malformed(format!("has {given} cuts for {outputs} blobs")));
    }
    Ok(Passing(Slice { axis: params.axis, cuts, outputs }))
}

impl Slice {
    /// The shape and the box of each piece.
    fn pieces(&self, input: Shape) -> Result<Vec<(Shape, Vec<Range>)>> {
        let axis = input.axis(self.axis)?;
        let size = input.dims()[axis] as i64;
        let mut ranges: Vec<(i64, i64)> = input.dims().iter().map(|&dim| (0, dim as i64)).collect();
        let mut start = 0;
        (0..self.outputs)
            .map(|index| {
                let left = (self.outputs - index) as i64;
                let len = match &self.cuts {
                    Cuts::Sizes(sizes) if sizes[index] == -233 => (size - start) / left,
                    Cuts::Sizes(sizes) => i64::from(sizes[index]),
                    Cuts::Ends(_) if left == 1 => size - start,
                    Cuts::Ends(ends) if ends[index] < 0 => size + i64::from(ends[index]) - start,
                    Cuts::Ends(ends) => i64::from(ends[index]) - start,
                };
                ranges[axis] = (start, len);
                start += len;
                cut_shape(input, &ranges)
            })
            .collect()
    }
}

impl PassThrough for Slice {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let pieces = self.pieces(only(inputs.iter().copied())?)?;
        Ok(pieces.into_iter().map(|(shape, _)| shape).collect())
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, _: &[Shape]) -> Result<Vec<Tensor<T>>> {
        let input = only(inputs)?;
        let pieces = self.pieces(input.shape())?;
        pieces.iter().map(|(_, ranges)| cut(input.clone(), ranges)).collect()
    }

    fn for_pixels(&self) -> Option<Self> {
        Some(Self { axis: axis_of_pixels(self.axis), cuts: self.cuts.clone(), outputs: self.outputs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(cuts: Cuts, outputs: usize) -> Result<Vec<usize>> {
        let slice = Slice { axis: -1, cuts, outputs };
        Ok(slice.shapes(&[Shape::new(&[2, 10]).unwrap()])?.iter().map(Shape::w).collect())
    }

    #[test]
    fn shares_what_remains() {
        assert_eq!(sizes(Cuts::Sizes(vec![3, -233, -233]), 3).unwrap(), [3, 3, 4]);
        assert_eq!(sizes(Cuts::Ends(vec![2, -3]), 3).unwrap(), [2, 5, 3]);
    }

    #[test]
    fn takes_columns() {
        let slice = Slice { axis: 1, cuts: Cuts::Sizes(vec![1, 2]), outputs: 2 };
        let pieces = slice.pass(vec![Tensor::new([2, 3], vec![1_i8, 2, 3, 4, 5, 6]).unwrap()], &[]).unwrap();
        assert_eq!((pieces[0].as_slice(), pieces[1].as_slice()), (&[1, 4][..], &[2, 3, 5, 6][..]));
    }

    #[test]
    fn names_a_piece_that_reaches_out() {
        let message = sizes(Cuts::Sizes(vec![8, 5]), 2).unwrap_err().to_string();
        assert_eq!(message, "cannot take 5 of 10 elements from 8 on, the input is 2x10");
    }
}
