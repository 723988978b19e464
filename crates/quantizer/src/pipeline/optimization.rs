//! Fewer layers, checked on the outputs.

use std::fmt;

use fp32_ref::Shape;
use ncnn_format::{Error, Model, Remark, Result};

use crate::Options;
use crate::optimize::{Change, OptimizeOptions, OutputDifference, Refusal, differences, optimize};

/// How optimized networks are held to the original's outputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OutputCheck {
    /// Random inputs to compare the outputs on, the same every time; 0 compares nothing.
    pub runs: usize,
    /// The largest difference of an output, relative to its largest value, that passes as rounding.
    pub tolerance: f64,
}

impl Default for OutputCheck {
    fn default() -> Self {
        Self { runs: 3, tolerance: 1e-4 }
    }
}

/// What optimizing did.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Optimization {
    /// The number of layers before.
    pub layers_before: usize,
    /// The number of layers now.
    pub layers: usize,
    /// What was done, in order.
    pub changes: Vec<Change>,
    /// What could have been done were it not for a reason.
    pub refusals: Vec<Refusal>,
    /// How far the outputs moved; empty if they were not compared.
    pub outputs: Vec<OutputDifference>,
}

impl Optimization {
    /// Optimizes `model` and compares its outputs on random inputs.
    ///
    /// # Errors
    /// As [`optimize`] and [`differences`]; `Invalid` when an output differs by more than the tolerance.
    pub fn of(model: &Model, options: &OptimizeOptions, check: OutputCheck) -> Result<(Model, Self)> {
        let optimized = optimize(model, options)?;
        let outputs = match check.runs {
            0 => Vec::new(),
            runs => compared(model, &optimized.model, &options.input_shapes, runs, check.tolerance)?,
        };
        let done = Self {
            layers_before: model.layers.len(),
            layers: optimized.model.layers.len(),
            changes: optimized.changes,
            refusals: optimized.refusals,
            outputs,
        };
        Ok((optimized.model, done))
    }

    /// What was done and what was not, as remarks.
    pub fn remarks(&self) -> Vec<Remark> {
        self.changes.iter().map(Change::remark).chain(self.refusals.iter().map(Refusal::remark)).collect()
    }

    pub(super) fn on_the_way(model: &Model, options: &Options) -> Result<(Model, Self)> {
        let kept = OptimizeOptions::default().with_input_shapes(options.input_shapes(model)?);
        Self::of(model, &kept, OutputCheck::default())
    }
}

fn compared(
    before: &Model,
    after: &Model,
    shapes: &[(String, Shape)],
    runs: usize,
    tolerance: f64,
) -> Result<Vec<OutputDifference>> {
    let hint = |error: Error| {
        if error.message().contains("how large") {
            Error::invalid(format!("{}; give option shape", error.message()))
        } else {
            error
        }
    };
    let found = differences(before, after, shapes, runs, 0).map_err(hint)?;
    // NaN is no small difference.
    match found.iter().find(|output| output.relative.is_nan() || output.relative > tolerance) {
        Some(output) => Err(Error::invalid(format!(
            "the optimized network's output {} differs by {:.2e} of its largest value, more than {tolerance:e}; \
             nothing was written",
            output.blob, output.relative
        ))),
        None => Ok(found),
    }
}

impl fmt::Display for Optimization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} layers, {} before; ", self.layers, self.layers_before)?;
        match self.outputs.iter().max_by(|a, b| a.relative.total_cmp(&b.relative)) {
            Some(worst) => write!(f, "largest relative difference {:.1e} (output {})", worst.relative, worst.blob),
            None => f.write_str("outputs were not compared"),
        }
    }
}
