//! `CumulativeSum`: every value is the sum of those up to it along an axis.

use ncnn_format::{Result, typed};

use super::arity::only;
use crate::{Layer, Shape, Tensor};

pub(super) struct CumulativeSum {
    axis: i32,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<CumulativeSum> {
    Ok(CumulativeSum { axis: typed::CumulativeSum::read(layer)?.axis })
}

impl CumulativeSum {
    /// A vector has one axis, whatever the file calls it.
    fn axis(&self, input: Shape) -> Result<usize> {
        if input.rank() == 1 { Ok(0) } else { input.axis(self.axis) }
    }
}

impl Layer for CumulativeSum {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        self.axis(input)?;
        Ok(vec![input])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let mut tensor = only(inputs)?;
        let shape = tensor.shape();
        let axis = self.axis(shape)?;
        let inner: usize = shape.dims()[axis + 1..].iter().product();
        for block in tensor.as_mut_slice().chunks_exact_mut(inner * shape.dims()[axis]) {
            for index in inner..block.len() {
                block[index] += block[index - inner];
            }
        }
        Ok(vec![tensor])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_along_rows_or_columns() {
        let input = Tensor::new([2, 2], vec![1.0, 2.0, 3.0, 4.0]).unwrap();
        let rows = CumulativeSum { axis: -1 }.run(vec![input.clone()]).unwrap().remove(0);
        assert_eq!(rows.as_slice(), [1.0, 3.0, 3.0, 7.0]);
        let columns = CumulativeSum { axis: 0 }.run(vec![input]).unwrap().remove(0);
        assert_eq!(columns.as_slice(), [1.0, 2.0, 4.0, 6.0]);
        assert!(CumulativeSum { axis: 2 }.output_shapes(&[columns.shape()]).is_err());
    }
}
