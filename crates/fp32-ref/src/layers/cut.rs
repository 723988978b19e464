//! Taking a box out of a tensor.

use ncnn_format::{Error, Result};
use ndarray::{Axis, Slice};

use super::pass_through::Element;
use crate::{Shape, Tensor};

/// A part of one axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) start: usize,
    pub(super) len: usize,
}

/// The shape of what is cut out by one range per axis, outermost first.
///
/// # Errors
/// `Invalid` when the box is empty or reaches out of `input`.
pub(super) fn cut_shape(input: Shape, ranges: &[(i64, i64)]) -> Result<(Shape, Vec<Range>)> {
    let mut dims = Vec::with_capacity(ranges.len());
    let mut checked = Vec::with_capacity(ranges.len());
    for (&(start, len), &size) in ranges.iter().zip(input.dims()) {
        let range = usize::try_from(start).ok().zip(usize::try_from(len).ok());
        match range {
            Some((start, len)) if len > 0 && start.checked_add(len).is_some_and(|end| end <= size) => {
                dims.push(len);
                checked.push(Range { start, len });
            }
            _ => {
                return Err(Error::invalid(format!(
                    "cannot take {len} of {size} elements from {start} on, the input is {input}"
                )));
            }
        }
    }
    Ok((Shape::new(&dims)?, checked))
}

/// The box of `input` that `ranges` (one per axis, within its size) delimit.
pub(super) fn cut<T: Element>(input: Tensor<T>, ranges: &[Range]) -> Result<Tensor<T>> {
    if ranges.iter().zip(input.shape().dims()).all(|(range, &size)| range.len == size) {
        return Ok(input);
    }
    let mut view = input.view();
    for (axis, range) in ranges.iter().enumerate() {
        view.slice_axis_inplace(Axis(axis), Slice::from(range.start..range.start + range.len));
    }
    Tensor::from_view(view)
}
