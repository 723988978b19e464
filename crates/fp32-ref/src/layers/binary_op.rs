//! `BinaryOp`: a function of two blobs, or of a blob and a number.

use ncnn_format::{Error, Result, typed};

use super::arity::{exactly, only};
use super::broadcast::Broadcast;
use crate::{Layer, Order, Pixels, Shape, Tensor, Value, Workspace};

pub(super) struct BinaryOp {
    operation: Operation,
    /// The second operand, unless it is a blob.
    scalar: Option<f32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
    Pow,
    RevSub,
    RevDiv,
    RevPow,
    Atan2,
    RevAtan2,
    Fmod,
    RevFmod,
    LogAddExp,
    FloorDiv,
    RevFloorDiv,
    Remainder,
    RevRemainder,
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<BinaryOp> {
    let params = typed::BinaryOp::read(layer)?;
    Ok(BinaryOp { operation: Operation::new(params.op_type)?, scalar: (params.with_scalar != 0).then_some(params.b) })
}

impl Layer for BinaryOp {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        if self.scalar.is_some() {
            return Ok(vec![only(inputs.iter().copied())?]);
        }
        let [a, b] = exactly(inputs.iter().copied())?;
        Ok(vec![Broadcast::new(a, b)?.shape()])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let (a, b) = match self.scalar {
            Some(scalar) => (only(inputs)?, Tensor::new([1], vec![scalar])?),
            None => {
                let [a, b] = exactly(inputs)?;
                (a, b)
            }
        };
        let broadcast = Broadcast::new(a.shape(), b.shape())?;
        Ok(vec![match self.operation {
            Operation::Add => broadcast.apply(a, b, |a, b| a + b),
            Operation::Sub => broadcast.apply(a, b, |a, b| a - b),
            Operation::Mul => broadcast.apply(a, b, |a, b| a * b),
            Operation::Div => broadcast.apply(a, b, |a, b| a / b),
            Operation::Max => broadcast.apply(a, b, max),
            Operation::Min => broadcast.apply(a, b, min),
            Operation::Pow => broadcast.apply(a, b, f32::powf),
            Operation::RevSub => broadcast.apply(a, b, |a, b| b - a),
            Operation::RevDiv => broadcast.apply(a, b, |a, b| b / a),
            Operation::RevPow => broadcast.apply(a, b, |a, b| b.powf(a)),
            Operation::Atan2 => broadcast.apply(a, b, f32::atan2),
            Operation::RevAtan2 => broadcast.apply(a, b, |a, b| b.atan2(a)),
            Operation::Fmod => broadcast.apply(a, b, |a, b| a % b),
            Operation::RevFmod => broadcast.apply(a, b, |a, b| b % a),
            Operation::LogAddExp => broadcast.apply(a, b, log_add_exp),
            Operation::FloorDiv => broadcast.apply(a, b, |a, b| (a / b).floor()),
            Operation::RevFloorDiv => broadcast.apply(a, b, |a, b| (b / a).floor()),
            Operation::Remainder => broadcast.apply(a, b, libm::remainderf),
            Operation::RevRemainder => broadcast.apply(a, b, |a, b| libm::remainderf(b, a)),
        }?])
    }

    fn order(&self, inputs: &[Shape]) -> Order {
        match inputs {
            // A vector that goes with the channels goes with every pixel.
            [image, vector] | [vector, image] if image.rank() == 3 && vector.rank() == 1 => {
                if vector.w() == image.c() {
                    Order::Either
                } else {
                    Order::Planar
                }
            }
            _ => Order::either_for_images(inputs),
        }
    }

    fn run_pixels(&self, inputs: Vec<Pixels>, _: &mut Workspace) -> Result<Vec<Value>> {
        Pixels::pass(inputs, |inputs| self.run(inputs))
    }
}

impl Operation {
    /// In the order of ncnn's numbers.
    const ALL: [Self; 19] = [
        Self::Add,
        Self::Sub,
        Self::Mul,
        Self::Div,
        Self::Max,
        Self::Min,
        Self::Pow,
        Self::RevSub,
        Self::RevDiv,
        Self::RevPow,
        Self::Atan2,
        Self::RevAtan2,
        Self::Fmod,
        Self::RevFmod,
        Self::LogAddExp,
        Self::FloorDiv,
        Self::RevFloorDiv,
        Self::Remainder,
        Self::RevRemainder,
    ];

    fn new(op_type: i32) -> Result<Self> {
        usize::try_from(op_type)
            .ok()
            .and_then(|index| Self::ALL.get(index).copied())
            .ok_or_else(|| Error::unsupported(format!("the binary operation {op_type} is unknown")))
    }
}

fn max(a: f32, b: f32) -> f32 {
    if a < b { b } else { a }
}

fn min(a: f32, b: f32) -> f32 {
    if b < a { b } else { a }
}

fn log_add_exp(a: f32, b: f32) -> f32 {
    let (larger, smaller) = (max(a, b), min(a, b));
    larger + (smaller - larger).exp().ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_takes_its_operands_in_order() {
        let expected = [
            9.0,
            5.0,
            14.0,
            3.5,
            7.0,
            2.0,
            49.0,
            -5.0,
            2.0 / 7.0,
            128.0,
            1.292_496_7,
            0.278_299_66,
            1.0,
            2.0,
            7.006_715_3,
            3.0,
            0.0,
            -1.0,
            2.0,
        ];
        for (operation, expected) in Operation::ALL.into_iter().zip(expected) {
            let layer = BinaryOp { operation, scalar: Some(2.0) };
            let found = layer.run(vec![Tensor::new([1], vec![7.0]).unwrap()]).unwrap()[0].as_slice()[0];
            assert!((found - expected).abs() < 1e-5, "found {found}, expected {expected}");
        }
    }
}
