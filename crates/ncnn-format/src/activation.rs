//! The activation inside a layer with weights.

use crate::{Error, Result};

/// The function that a convolution or an inner product applies to its sums: its parameter `activation_type` with
/// `activation_params`.
///
/// ```
/// use ncnn_format::Activation;
///
/// let clip = Activation::new(3, &[0.0, 6.0])?;
/// assert_eq!(clip, Activation::Clip { min: 0.0, max: 6.0 });
/// assert_eq!(clip.to_params(), (3, vec![0.0, 6.0]));
/// # Ok::<(), ncnn_format::Error>(())
/// ```
///
/// The list is that of ncnn's `activation_type`, and complete: whoever applies these functions wants to hear of a new one
/// from the compiler. So the enum may be matched without a wildcard.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Activation {
    /// 0: nothing.
    #[default]
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
    /// From the two parameters of a layer.
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

    /// `activation_type` and `activation_params`.
    pub fn to_params(self) -> (i32, Vec<f32>) {
        match self {
            Self::None => (0, vec![]),
            Self::Relu => (1, vec![]),
            Self::LeakyRelu { slope } => (2, vec![slope]),
            Self::Clip { min, max } => (3, vec![min, max]),
            Self::Sigmoid => (4, vec![]),
            Self::Mish => (5, vec![]),
            Self::HardSwish { alpha, beta } => (6, vec![alpha, beta]),
        }
    }

    /// Whether `f(k · x) = k · f(x)` for every positive `k`.
    pub fn scales_through(self) -> bool {
        matches!(self, Self::None | Self::Relu | Self::LeakyRelu { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_activations_are_turned_into_each_other() {
        let params = [0.25, 0.75];
        for number in 0..=6 {
            let (back, used) = Activation::new(number, &params).unwrap().to_params();
            assert_eq!(back, number);
            assert_eq!(used, params[..used.len()]);
        }
    }

    #[test]
    fn missing_parameters_and_unknown_types_are_errors() {
        let message = |number, params: &[f32]| Activation::new(number, params).unwrap_err().to_string();
        assert_eq!(message(3, &[0.0]), "activation type 3 needs 2 parameters, found 1");
        assert_eq!(message(2, &[]), "activation type 2 needs 1 parameters, found 0");
        assert_eq!(message(7, &[]), "activation type 7 is unknown");
    }

    #[test]
    fn only_functions_without_a_knee_away_from_zero_let_factors_through() {
        let through = |number| Activation::new(number, &[0.1, 6.0]).unwrap().scales_through();
        assert_eq!([0, 1, 2, 3, 4, 5, 6].map(through), [true, true, true, false, false, false, false]);
    }
}
