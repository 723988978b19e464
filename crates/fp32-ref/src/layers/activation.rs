//! The activation that is fused into convolutions and inner products.

use ncnn_format::{Error, Result};

/// Parameter 9 (`activation_type`) with its parameters (10).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// 0: nothing.
    None,
    /// 1: `max(x, 0)`.
    Relu,
    /// 2: `x > 0 ? x : x · slope`.
    LeakyRelu {
        /// Multiplier of values that are not positive.
        slope: f32,
    },
    /// 3: limited to `min..=max`.
    Clip {
        /// Lower limit.
        min: f32,
        /// Upper limit.
        max: f32,
    },
    /// 4: `1 / (1 + e^-x)`.
    Sigmoid,
    /// 5: `x · tanh(ln(e^x + 1))`.
    Mish,
    /// 6: `x · clamp(x · alpha + beta, 0, 1)`.
    HardSwish {
        /// Slope of the gate.
        alpha: f32,
        /// Offset of the gate.
        beta: f32,
    },
}

impl Activation {
    /// From parameters 9 and 10 of a layer.
    ///
    /// # Errors
    /// `Unsupported` for an unknown type, `Malformed` when parameters are missing.
    pub fn new(activation_type: i32, params: &[f32]) -> Result<Self> {
        let param = |index: usize| {
            params.get(index).copied().ok_or_else(|| {
                Error::malformed(format!(
                    "activation type {activation_type} needs {} parameters, found {}",
                    index + 1,
                    params.len()
                ))
            })
        };
        Ok(match activation_type {
            0 => Self::None,
            1 => Self::Relu,
            2 => Self::LeakyRelu { slope: param(0)? },
            3 => Self::Clip { min: param(0)?, max: param(1)? },
            4 => Self::Sigmoid,
            5 => Self::Mish,
            6 => Self::HardSwish { alpha: param(0)?, beta: param(1)? },
            other => return Err(Error::unsupported(format!("activation type {other} is unknown"))),
        })
    }

    /// Applies it to every element.
    #[inline(always)]
    pub fn apply_all(self, values: &mut [f32]) {
        // One loop per function, so that each can use vectors.
        match self {
            Self::None => {}
            Self::Relu => values.iter_mut().for_each(|value| *value = Self::Relu.apply(*value)),
            Self::LeakyRelu { .. } => values.iter_mut().for_each(|value| *value = self.apply(*value)),
            Self::Clip { min, max } => {
                values.iter_mut().for_each(|value| *value = Self::Clip { min, max }.apply(*value))
            }
            _ => values.iter_mut().for_each(|value| *value = self.apply(*value)),
        }
    }

    /// The activated value, in the order of operations of ncnn's reference.
    #[inline(always)]
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Self::None => x,
            Self::Relu => x.max(0.0),
            Self::LeakyRelu { slope } => {
                if x > 0.0 {
                    x
                } else {
                    x * slope
                }
            }
            Self::Clip { min, max } => {
                let raised = if x < min { min } else { x };
                if raised > max { max } else { raised }
            }
            Self::Sigmoid => {
                const LIMIT: f32 = 88.376_26;
                let clamped = x.clamp(-LIMIT, LIMIT);
                1.0 / (1.0 + (-clamped).exp())
            }
            Self::Mish => x * (x.exp() + 1.0).ln().tanh(),
            Self::HardSwish { alpha, beta } => {
                let lower = -beta / alpha;
                let upper = 1.0 / alpha + lower;
                if x < lower {
                    0.0
                } else if x > upper {
                    x
                } else {
                    x * (x * alpha + beta)
                }
            }
        }
    }
}
