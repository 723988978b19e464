//! `Permute`: swaps dimensions.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::pass_through::{Element, PassThrough, Passing};
use crate::{Shape, Tensor};

pub(super) struct Permute {
    order_type: i32,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Passing<Permute>> {
    Ok(Passing(Permute { order_type: typed::Permute::read(layer)?.order_type }))
}

/// New orders by number; letters from the innermost dimension outwards.
const OF_2D: [&str; 2] = ["wh", "hw"];
const OF_3D: [&str; 6] = ["whc", "hwc", "wch", "cwh", "hcw", "chw"];
const OF_4D: [&str; 24] = [
    "whdc", "hwdc", "wdhc", "dwhc", "hdwc", "dhwc", "whcd", "hwcd", "wchd", "cwhd", "hcwd", "chwd", "wdch", "dwch",
    "wcdh", "cwdh", "dcwh", "cdwh", "hdcw", "dhcw", "hcdw", "chdw", "dchw", "cdhw",
];

impl Permute {
    /// For each axis of the output, outermost first, the axis of the input.
    fn axes(&self, input: Shape) -> Result<Vec<usize>> {
        let (orders, names): (&[&str], &str) = match input.rank() {
            1 => return Ok(vec![0]),
            2 => (&OF_2D, "hw"),
            3 => (&OF_3D, "chw"),
            _ => (&OF_4D, "cdhw"),
        };
        let order = usize::try_from(self.order_type).ok().and_then(|index| orders.get(index)).ok_or_else(|| {
            Error::invalid(format!("the order {} does not exist for the shape {input}", self.order_type))
        })?;
        Ok(order.chars().rev().filter_map(|letter| names.find(letter)).collect())
    }
}

impl PassThrough for Permute {
    fn shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        let dims: Vec<usize> = self.axes(input)?.into_iter().map(|axis| input.dims()[axis]).collect();
        Ok(vec![Shape::new(&dims)?])
    }

    fn pass<T: Element>(&self, inputs: Vec<Tensor<T>>, _: &[Shape]) -> Result<Vec<Tensor<T>>> {
        let input = only(inputs)?;
        if self.order_type == 0 || input.shape().rank() == 1 {
            return Ok(vec![input]);
        }
        let axes = self.axes(input.shape())?;
        Ok(vec![Tensor::from_view(input.view().permuted_axes(axes))?])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_count_from_the_inside() {
        let input = Tensor::new([2, 1, 3], vec![1_i8, 2, 3, 4, 5, 6]).unwrap();
        // cwh: channels become the innermost dimension.
        let output = Permute { order_type: 3 }.pass(vec![input], &[]).unwrap().remove(0);
        assert_eq!((output.shape().dims(), output.as_slice()), (&[1, 3, 2][..], &[1, 4, 2, 5, 3, 6][..]));
    }

    #[test]
    fn names_an_order_that_does_not_exist() {
        let message = Permute { order_type: 6 }.shapes(&[Shape::new(&[1, 2, 3]).unwrap()]).unwrap_err().to_string();
        assert_eq!(message, "the order 6 does not exist for the shape 1x2x3");
    }
}
