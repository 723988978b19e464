//! `Reduction`: sums, means, extremes and norms over axes.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use crate::{Layer, Shape, Tensor};

pub(super) struct Reduction {
    operation: Operation,
    /// `None` for all.
    axes: Option<Vec<i32>>,
    keep_dims: bool,
    coefficient: f32,
}

#[derive(Clone, Copy, PartialEq)]
enum Operation {
    Sum,
    AbsSum,
    SquareSum,
    Mean,
    Max,
    Min,
    Product,
    L1,
    L2,
    LogSum,
    LogSumExp,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Reduction> {
    let params = typed::Reduction::read(layer)?;
    if !params.axes.is_empty() && params.fixbug0 == 0 {
        return Err(Error::malformed(format!(
            "axes {:?} without 5=1 are from before ncnn counted axes as it does now; convert the model again",
            params.axes
        )));
    }
    let axes = (params.reduce_all == 0).then_some(params.axes);
    Ok(Reduction {
        operation: Operation::new(params.operation)?,
        axes,
        keep_dims: params.keepdims != 0,
        coefficient: params.coeff,
    })
}

impl Operation {
    fn new(operation: i32) -> Result<Self> {
        Ok(match operation {
            0 => Self::Sum,
            1 => Self::AbsSum,
            2 => Self::SquareSum,
            3 => Self::Mean,
            4 => Self::Max,
            5 => Self::Min,
            6 => Self::Product,
            7 => Self::L1,
            8 => Self::L2,
            9 => Self::LogSum,
            10 => Self::LogSumExp,
            other => return Err(Error::unsupported(format!("the reduction {other} is unknown"))),
        })
    }

    fn start(self) -> f32 {
        match self {
            Self::Max => f32::MIN,
            Self::Min => f32::MAX,
            Self::Product => 1.0,
            _ => 0.0,
        }
    }

    /// What one element contributes.
    fn element(self, x: f32) -> f32 {
        match self {
            Self::AbsSum | Self::L1 => x.abs(),
            Self::SquareSum | Self::L2 => x * x,
            Self::LogSumExp => x.exp(),
            _ => x,
        }
    }

    /// Two contributions together.
    fn join(self, a: f32, b: f32) -> f32 {
        match self {
            Self::Max => {
                if a < b {
                    b
                } else {
                    a
                }
            }
            Self::Min => {
                if b < a {
                    b
                } else {
                    a
                }
            }
            Self::Product => a * b,
            _ => a + b,
        }
    }

    fn finish(self, x: f32) -> f32 {
        match self {
            Self::L2 => {
                if x < f32::MIN_POSITIVE {
                    0.0
                } else {
                    x.sqrt()
                }
            }
            Self::LogSum | Self::LogSumExp => x.ln(),
            _ => x,
        }
    }
}

impl Reduction {
    /// Whether each axis of `input` is reduced, outermost first.
    fn reduced(&self, input: Shape) -> Result<Vec<bool>> {
        let Some(axes) = &self.axes else { return Ok(vec![true; input.rank()]) };
        if axes.is_empty() && input.rank() > 1 {
            return Err(Error::malformed("neither all axes nor any in particular are reduced"));
        }
        let mut reduced = vec![input.rank() == 1; input.rank()];
        for &axis in axes {
            reduced[input.axis(axis)?] = true;
        }
        Ok(reduced)
    }

    fn output(&self, input: Shape, reduced: &[bool]) -> Result<Shape> {
        let sizes = input.dims().iter().zip(reduced);
        let dims: Vec<usize> = if self.keep_dims {
            sizes.map(|(&size, &reduced)| if reduced { 1 } else { size }).collect()
        } else {
            sizes.filter(|(_, reduced)| !**reduced).map(|(&size, _)| size).collect()
        };
        if dims.is_empty() { Shape::new(&[1]) } else { Shape::new(&dims) }
    }
}

impl Layer for Reduction {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        Ok(vec![self.output(input, &self.reduced(input)?)?])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let shape = input.shape();
        let reduced = self.reduced(shape)?;
        let mut output = Tensor::filled(self.output(shape, &reduced)?, self.operation.start());
        let operation = self.operation;
        let results = output.as_mut_slice();
        let rows = input.as_slice().chunks_exact(shape.w());
        for (index, row) in rows.enumerate() {
            let start = target(index, shape, &reduced);
            if reduced.last() == Some(&true) {
                let total = row.iter().fold(operation.start(), |total, &x| operation.join(total, operation.element(x)));
                results[start] = operation.join(results[start], total);
            } else {
                for (result, &x) in results[start..start + row.len()].iter_mut().zip(row) {
                    *result = operation.join(*result, operation.element(x));
                }
            }
        }
        let factor = match operation {
            Operation::Mean => self.coefficient / (shape.volume() / results.len()) as f32,
            _ => self.coefficient,
        };
        for result in results {
            *result = operation.finish(*result) * factor;
        }
        Ok(vec![output])
    }
}

/// Where in the output the `row`-th row of the input goes.
fn target(mut row: usize, shape: Shape, reduced: &[bool]) -> usize {
    let last = shape.rank() - 1;
    let mut stride = if reduced[last] { 1 } else { shape.w() };
    let mut start = 0;
    for axis in (0..last).rev() {
        let size = shape.dims()[axis];
        if !reduced[axis] {
            start += row % size * stride;
            stride *= size;
        }
        row /= size;
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reduce(operation: i32, axes: Option<&[i32]>, keep_dims: bool) -> (Vec<usize>, Vec<f32>) {
        let reduction = Reduction {
            operation: Operation::new(operation).unwrap(),
            axes: axes.map(<[i32]>::to_vec),
            keep_dims,
            coefficient: 1.0,
        };
        let input = Tensor::new([2, 2, 2], vec![1.0, -2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]).unwrap();
        let output = reduction.run(vec![input]).unwrap().remove(0);
        (output.shape().dims().to_vec(), output.as_slice().to_vec())
    }

    #[test]
    fn any_axes_can_go() {
        assert_eq!(reduce(0, None, false), (vec![1], vec![32.0]));
        assert_eq!(reduce(0, None, true), (vec![1, 1, 1], vec![32.0]));
        assert_eq!(reduce(0, Some(&[0]), false), (vec![2, 2], vec![6.0, 4.0, 10.0, 12.0]));
        assert_eq!(reduce(0, Some(&[1]), false), (vec![2, 2], vec![4.0, 2.0, 12.0, 14.0]));
        assert_eq!(reduce(0, Some(&[-1, 0]), true), (vec![1, 2, 1], vec![10.0, 22.0]));
    }

    #[test]
    fn every_operation_does_as_its_name_says() {
        let row = |operation| reduce(operation, Some(&[1, 2]), false).1;
        assert_eq!(row(1), [10.0, 26.0]);
        assert_eq!(row(2), [30.0, 174.0]);
        assert_eq!(row(3), [1.5, 6.5]);
        assert_eq!(row(4), [4.0, 8.0]);
        assert_eq!(row(5), [-2.0, 5.0]);
        assert_eq!(row(6), [-24.0, 1680.0]);
        assert_eq!(row(7), [10.0, 26.0]);
        assert_eq!(row(8), [30.0_f32.sqrt(), 174.0_f32.sqrt()]);
        assert_eq!(row(9), [6.0_f32.ln(), 26.0_f32.ln()]);
        assert!((row(10)[1] - 8.440_19).abs() < 1e-4);
    }
}
