//! `Eltwise`: product, sum or maximum of blobs of one shape.

use ncnn_format::{Error, Result, typed};

use crate::shares::each_share;
use crate::simd::vectorized;
use crate::{Layer, Order, Pixels, Shape, Tensor, Value, Workspace};

pub(super) struct Eltwise {
    operation: Operation,
}

enum Operation {
    Product,
    /// With a coefficient per input, or none at all.
    Sum(Vec<f32>),
    Max,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Eltwise> {
    let params = typed::Eltwise::read(layer)?;
    let operation = match params.op_type {
        0 => Operation::Product,
        1 if !params.coeffs.is_empty() && params.coeffs.len() < layer.inputs.len() => {
            return Err(Error::malformed(format!(
                "has {} coefficients for {} blobs",
                params.coeffs.len(),
                layer.inputs.len()
            )));
        }
        1 => Operation::Sum(params.coeffs),
        2 => Operation::Max,
        other => return Err(Error::malformed(format!("op_type is {other}, expected 0, 1 or 2"))),
    };
    Ok(Eltwise { operation })
}

impl Layer for Eltwise {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let [first, others @ ..] = inputs else {
            return Err(Error::malformed("takes at least two blobs, the file gives it none"));
        };
        if others.is_empty() {
            return Err(Error::malformed("takes at least two blobs, the file gives it one"));
        }
        match others.iter().find(|other| *other != first) {
            Some(other) => Err(Error::invalid(format!("expects blobs of one shape, found {first} and {other}"))),
            None => Ok(vec![*first]),
        }
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        self.output_shapes(&inputs.iter().map(Tensor::shape).collect::<Vec<_>>())?;
        let mut inputs = inputs.into_iter();
        let Some(mut total) = inputs.next() else { return Ok(Vec::new()) };
        if let Operation::Sum(coefficients) = &self.operation
            && let [first, ..] = coefficients[..]
        {
            total = total.map(|value| value * first);
        }
        for (index, input) in inputs.enumerate() {
            match &self.operation {
                Operation::Product => combine(&mut total, &input, |a, b| a * b),
                Operation::Sum(coefficients) => match coefficients.get(index + 1) {
                    Some(coefficient) => combine(&mut total, &input, |a, b| a + b * coefficient),
                    None => combine(&mut total, &input, |a, b| a + b),
                },
                Operation::Max => combine(&mut total, &input, |a, b| if a < b { b } else { a }),
            }
        }
        Ok(vec![total])
    }

    fn order(&self, inputs: &[Shape]) -> Order {
        Order::either_for_images(inputs)
    }

    fn run_pixels(&self, inputs: Vec<Pixels>, workspace: &mut Workspace) -> Result<Vec<Value>> {
        let buffers: Vec<Pixels> = inputs.iter().skip(1).cloned().collect();
        let outputs = Pixels::pass(inputs, |inputs| self.run(inputs))?;
        for buffer in buffers {
            workspace.give_tensor(buffer.into_interleaved());
        }
        Ok(outputs)
    }
}

fn combine(total: &mut Tensor, input: &Tensor, operation: impl Fn(f32, f32) -> f32 + Sync) {
    let others = input.as_slice();
    each_share(total.as_mut_slice(), 1, OPERATIONS, |first, values| {
        vectorized(
            #[inline(always)]
            || {
                for (value, &other) in values.iter_mut().zip(&others[first..]) {
                    *value = operation(*value, other);
                }
            },
        );
    });
}

/// What a value takes, with its way from and to memory.
const OPERATIONS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn run(operation: Operation) -> Vec<f32> {
        let tensor = |a, b| Tensor::new([2], vec![a, b]).unwrap();
        let inputs = vec![tensor(1.0, 2.0), tensor(3.0, -4.0), tensor(5.0, 6.0)];
        Eltwise { operation }.run(inputs).unwrap().remove(0).as_slice().to_vec()
    }

    #[test]
    fn combines_any_number_of_blobs() {
        assert_eq!(run(Operation::Product), [15.0, -48.0]);
        assert_eq!(run(Operation::Sum(vec![])), [9.0, 4.0]);
        assert_eq!(run(Operation::Sum(vec![1.0, 10.0, 100.0])), [531.0, 562.0]);
        assert_eq!(run(Operation::Max), [5.0, 6.0]);
    }

    #[test]
    fn names_the_shapes_that_differ() {
        let shapes = [Shape::new(&[2, 3]).unwrap(), Shape::new(&[3, 2]).unwrap()];
        let error = Eltwise { operation: Operation::Max }.output_shapes(&shapes).unwrap_err();
        assert_eq!(error.to_string(), "expects blobs of one shape, found 2x3 and 3x2");
    }
}
