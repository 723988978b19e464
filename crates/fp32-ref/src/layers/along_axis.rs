//! Layers that change the values along one axis, in place.

use ncnn_format::Result;

use super::arity::only;
use crate::shares::each_share;
use crate::simd::vectorized;
use crate::{Layer, Shape, Tensor};

/// Applies `change` to blocks of consecutive values, each of which holds a whole axis.
///
/// `change` gets some blocks, the length of one, and the number of values from one element of the axis to the
/// next.
pub(super) struct AlongAxis<F> {
    pub(super) axis: i32,
    pub(super) change: F,
}

impl<F> AlongAxis<F> {
    /// A vector has one axis, whatever the file calls it.
    fn axis(&self, input: Shape) -> Result<usize> {
        if input.rank() == 1 { Ok(0) } else { input.axis(self.axis) }
    }
}

impl<F: Fn(&mut [f32], usize, usize) + Send + Sync> Layer for AlongAxis<F> {
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
        let block = inner * shape.dims()[axis];
        each_share(tensor.as_mut_slice(), block, OPERATIONS, |_, blocks| {
            vectorized(
                #[inline(always)]
                || (self.change)(blocks, block, inner),
            );
        });
        Ok(vec![tensor])
    }
}

/// What a value takes, roughly.
const OPERATIONS: usize = 32;
