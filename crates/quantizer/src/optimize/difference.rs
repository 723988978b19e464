//! What two networks make of the same random inputs.

use fp32_ref::{Shape, Tensor};
use int8_exec::Int8Net;
use ncnn_format::{Error, Model, Result};

use super::shapes::input_shapes;
use crate::joint::split_mix;

/// How far one output of a network is from another's.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputDifference {
    /// The output blob.
    pub blob: String,
    /// Largest |a − b| over all runs, divided by the largest |a| of its run. 0 when both are
    /// the same; infinite when one is not finite and the other is.
    pub relative: f64,
}

/// Runs both models `runs` times on inputs of normal distribution and compares the outputs
/// that both have.
///
/// The inputs depend on `seed` only. Sizes are those of `shapes` or else of the file.
///
/// # Errors
/// `Invalid` when an input's size is not known, an output has another shape or none is the
/// same, else as
/// [`Int8Net::new`] and [`Int8Net::run`].
pub fn differences(
    before: &Model,
    after: &Model,
    shapes: &[(String, Shape)],
    runs: usize,
    seed: u64,
) -> Result<Vec<OutputDifference>> {
    let shapes = input_shapes(before, shapes)?
        .ok_or_else(|| Error::invalid("an input does not say how large it is, so nothing can be compared"))?;
    let nets = [Int8Net::new(before)?, Int8Net::new(after)?];
    let mut random = Normal { state: seed };
    let mut found: Vec<OutputDifference> = Vec::new();
    for _ in 0..runs {
        let inputs = shapes
            .iter()
            .map(|(name, shape)| {
                let values = (0..shape.volume()).map(|_| random.next()).collect();
                Ok((name.as_str(), Tensor::new(shape.dims(), values)?))
            })
            .collect::<Result<Vec<_>>>()?;
        let [a, b] = [nets[0].run(&inputs, &mut ())?, nets[1].run(&inputs, &mut ())?];
        for (blob, value) in b.iter() {
            let Some(expected) = a.get(blob) else { continue };
            if expected.shape() != value.shape() {
                let (before, after) = (expected.shape(), value.shape());
                return Err(Error::invalid(format!("the output {blob} was {before} and is {after}")));
            }
            let relative = relative(expected.as_slice(), value.as_slice());
            match found.iter_mut().find(|known| known.blob == blob) {
                Some(known) => known.relative = known.relative.max(relative),
                None => found.push(OutputDifference { blob: blob.to_owned(), relative }),
            }
        }
    }
    if found.is_empty() && runs > 0 {
        return Err(Error::invalid("the two networks have no output in common"));
    }
    Ok(found)
}

fn relative(a: &[f32], b: &[f32]) -> f64 {
    let largest = a.iter().filter(|x| x.is_finite()).fold(0.0, |largest: f64, &x| largest.max(f64::from(x.abs())));
    let distance = |(&a, &b): (&f32, &f32)| match (a.is_finite(), b.is_finite()) {
        (true, true) => f64::from(a) - f64::from(b),
        (false, false) if a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()) => 0.0,
        _ => f64::INFINITY,
    };
    let distance = a.iter().zip(b).map(distance).fold(0.0, |far: f64, near| far.max(near.abs()));
    if distance == 0.0 { 0.0 } else { distance / largest }
}

/// Numbers of mean 0 and variance 1 that look normally distributed.
struct Normal {
    state: u64,
}

impl Normal {
    /// The sum of twelve even numbers in 0..1, less their mean.
    fn next(&mut self) -> f32 {
        let unit = |state: &mut u64| (split_mix(state) >> 11) as f64 / (1u64 << 53) as f64;
        let sum: f64 = (0..12).map(|_| unit(&mut self.state)).sum();
        (sum - 6.0) as f32
    }
}
