//! `Crop`: a box out of a blob, given by offsets, by a reference blob or by ranges.

use ncnn_format::{Error, Result, typed};

use super::arity::{exactly, only};
use super::cut::{Range, cut, cut_shape};
use super::expression::Expression;
use super::pass_through::{Element, PassThrough, Passing};
use crate::{Shape, Tensor};

pub(super) struct Crop {
    extent: Extent,
}

enum Extent {
    /// Offsets from both ends and sizes.
    Offsets(Offsets),
    /// Offsets from the start, the size of a second blob.
    Reference { offsets: [i32; 4] },
    /// Per axis from start to end; no axes means all.
    Ranges { starts: Vec<i32>, ends: Vec<i32>, axes: Vec<i32> },
    /// The same, calculated from the sizes of the inputs.
    Formulas { starts: Expression, ends: Expression, axes: Expression },
}

/// In the order c, d, h, w.
struct Offsets {
    before: [i32; 4],
    after: [i32; 4],
    /// -233 is all that the offsets leave.
    sizes: [i32; 4],
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<Crop>> {
    let params = typed::Crop::read(layer)?;
    let before = [params.coffset, params.doffset, params.hoffset, params.woffset];
    let after = [params.coffset2, params.doffset2, params.hoffset2, params.woffset2];
    let sizes = [params.outc, params.outd, params.outh, params.outw];
    let extent = if !params.starts_expr.is_empty() && !params.ends_expr.is_empty() {
        Extent::Formulas {
            starts: Expression::parse(&params.starts_expr)?,
            ends: Expression::parse(&params.ends_expr)?,
            axes: Expression::parse(&params.axes_expr)?,
        }
    } else if !params.starts.is_empty() && !params.ends.is_empty() {
        Extent::Ranges { starts: params.starts, ends: params.ends, axes: params.axes }
    } else if after == [0; 4] && sizes == [0; 4] {
        if params.woffset == -233 {
            return Err(Error::unsupported("a crop whose offsets are the values of a blob"));
        }
        Extent::Reference { offsets: before }
    } else {
        Extent::Offsets(Offsets { before, after, sizes })
    };
    Ok(Passing(Crop { extent }))
}

impl Crop {
    fn resolve(&self, inputs: &[Shape]) -> Result<(Shape, Vec<Range>)> {
        let ranges = match &self.extent {
            Extent::Offsets(offsets) => {
                let input = only(inputs.iter().copied())?;
                offsets.ranges(input)
            }
            Extent::Reference { offsets } => {
                let [input, reference] = exactly(inputs.iter().copied())?;
                let mut sizes = [reference.c(), reference.d(), reference.h(), reference.w()];
                if reference.rank() != input.rank() {
                    sizes[0] = input.c();
                }
                axes_of(input).map(|axis| (i64::from(offsets[axis]), sizes[axis] as i64)).collect()
            }
            Extent::Ranges { starts, ends, axes } => slice_ranges(only(inputs.iter().copied())?, starts, ends, axes)?,
            Extent::Formulas { starts, ends, axes } => {
                let first = *inputs.first().ok_or_else(|| Error::malformed("takes a blob, the file gives it none"))?;
                let axes = if axes.is_empty() { Vec::new() } else { axes.evaluate(inputs)? };
                slice_ranges(first, &starts.evaluate(inputs)?, &ends.evaluate(inputs)?, &axes)?
            }
        };
        let input = *inputs.first().ok_or_else(|| Error::malformed("takes a blob, the file gives it none"))?;
        cut_shape(input, &ranges)
    }
}

impl Offsets {
    fn ranges(&self, input: Shape) -> Vec<(i64, i64)> {
        axes_of(input)
            .zip(input.dims())
            .map(|(axis, &size)| {
                let rest = size as i64 - i64::from(self.before[axis]) - i64::from(self.after[axis]);
                let len = if self.sizes[axis] == -233 { rest } else { rest.min(i64::from(self.sizes[axis])) };
                (i64::from(self.before[axis]), len)
            })
            .collect()
    }
}

/// Positions in the order c, d, h, w of the axes that a shape has, outermost first.
fn axes_of(shape: Shape) -> impl Iterator<Item = usize> {
    let axes: &[usize] = match shape.rank() {
        1 => &[3],
        2 => &[2, 3],
        3 => &[0, 2, 3],
        _ => &[0, 1, 2, 3],
    };
    axes.iter().copied()
}

/// Start and length per axis as in numpy; -233 as a start is 0, as an end the size.
fn slice_ranges(input: Shape, starts: &[i32], ends: &[i32], axes: &[i32]) -> Result<Vec<(i64, i64)>> {
    let all: Vec<i32> = (0..).take(input.rank()).collect();
    let axes = if axes.is_empty() { &all } else { axes };
    if starts.len() < axes.len() || ends.len() < axes.len() {
        return Err(Error::malformed(format!(
            "has {} starts and {} ends for {} axes",
            starts.len(),
            ends.len(),
            axes.len()
        )));
    }
    let mut ranges: Vec<(i64, i64)> = input.dims().iter().map(|&dim| (0, dim as i64)).collect();
    for ((&axis, &start), &end) in axes.iter().zip(starts).zip(ends) {
        let axis = input.axis(axis)?;
        let size = input.dims()[axis] as i64;
        let start = match i64::from(start) {
            -233 => 0,
            start if start < 0 => size + start,
            start => start,
        };
        let end = match i64::from(end) {
            -233 => size,
            end if end <= 0 => size + end,
            end => end,
        };
        ranges[axis] = (start, end.min(size) - start);
    }
    Ok(ranges)
}

impl PassThrough for Crop {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(vec![self.resolve(inputs)?.0])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, _: &[Shape]) -> Result<Vec<Tensor<T>>> {
        let shapes: Vec<Shape> = inputs.iter().map(Tensor::shape).collect();
        let (_, ranges) = self.resolve(&shapes)?;
        inputs.into_iter().take(1).map(|input| cut(input, &ranges)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(dims: &[usize]) -> Tensor {
        Tensor::new(dims, (0..dims.iter().product::<usize>()).map(|i| i as f32).collect()).unwrap()
    }

    fn run(extent: Extent, inputs: Vec<Tensor>) -> (Vec<usize>, Vec<f32>) {
        let output = Crop { extent }.pass(inputs, &[]).unwrap().remove(0);
        (output.shape().dims().to_vec(), output.as_slice().to_vec())
    }

    #[test]
    fn offsets_cut_both_ends() {
        let offsets = Offsets { before: [0, 0, 1, 1], after: [0, 0, 0, 1], sizes: [-233, 0, 1, -233] };
        assert_eq!(run(Extent::Offsets(offsets), vec![image(&[1, 3, 4])]), (vec![1, 1, 2], vec![5.0, 6.0]));
    }

    #[test]
    fn a_reference_of_other_rank_leaves_the_channels() {
        let reference = Extent::Reference { offsets: [0, 0, 1, 0] };
        assert_eq!(run(reference, vec![image(&[2, 2, 2]), image(&[1, 1])]), (vec![2, 1, 1], vec![2.0, 6.0]));
    }

    #[test]
    fn ranges_count_from_the_end_too() {
        let ranges = Extent::Ranges { starts: vec![-2], ends: vec![-233], axes: vec![-1] };
        assert_eq!(run(ranges, vec![image(&[2, 3])]), (vec![2, 2], vec![1.0, 2.0, 4.0, 5.0]));
    }

    #[test]
    fn formulas_refer_to_sizes() {
        let parse = |text| Expression::parse(text).unwrap();
        let formulas = Extent::Formulas { starts: parse("-(0w,1)"), ends: parse("0w"), axes: parse("1") };
        assert_eq!(run(formulas, vec![image(&[2, 3])]), (vec![2, 1], vec![2.0, 5.0]));
    }

    #[test]
    fn names_a_box_that_reaches_out() {
        let ranges = Extent::Ranges { starts: vec![5], ends: vec![9], axes: vec![0] };
        let message = Crop { extent: ranges }.shapes(&[Shape::new(&[4]).unwrap()]).unwrap_err().to_string();
        assert_eq!(message, "cannot take -1 of 4 elements from 5 on, the input is 4");
    }
}
