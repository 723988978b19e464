//! Layers with a weight matrix: a kernel with a tag, then plain vectors.

use super::plan::{Plan, Size, quotient};
use crate::{LinearLayer, Result, WeightRole};

/// Terms above this one have the scale of an int8 output.
const REQUANTIZE: i32 = 100;
/// How messages call the kernel along each axis, the innermost first.
const KERNELS: [&str; 3] = ["kernel_w", "kernel_h", "kernel_d"];

pub(super) fn linear(plan: &mut Plan, linear: &LinearLayer) -> Result<()> {
    if linear.is_dynamic {
        return Ok(());
    }
    let outputs = ("num_output", linear.raw.num_output);
    let size = ("weight_data_size", linear.raw.weight_data_size);
    let group = ("group", linear.raw.group);
    quotient(outputs, &[group])?;
    let kernel = KERNELS.into_iter().zip(linear.window.iter().rev().map(|axis| axis.kernel));
    quotient(size, &[outputs].into_iter().chain(kernel).collect::<Vec<_>>())?;
    weight_and_bias(plan, size, outputs, linear.has_bias)?;
    let Some(term) = linear.int8_term else { return Ok(()) };
    let scales: Option<&[Size]> = match (linear.has_groups(), term) {
        (_, 0) => None,
        (false, _) => Some(&[outputs]),
        (true, 1 | 101) => Some(&[group]),
        (true, 2 | 102) => Some(&[]),
        (true, _) => None,
    };
    if let Some(scales) = scales {
        plan.raw(WeightRole::WeightScales, scales)?;
        plan.raw_single(WeightRole::InputScale);
    }
    // An inner product's output is always float.
    if term > REQUANTIZE && linear.is_image_convolution() {
        plan.raw_single(WeightRole::OutputScale);
    }
    Ok(())
}

pub(super) fn weight_and_bias(plan: &mut Plan, weight: Size, outputs: Size, has_bias: bool) -> Result<()> {
    plan.tagged(WeightRole::Weight, &[weight])?;
    if has_bias {
        plan.raw(WeightRole::Bias, &[outputs])?;
    }
    Ok(())
}
