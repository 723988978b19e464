//! The activation that is fused into convolutions and inner products.

use ncnn_format::Activation;

/// The values of an [`Activation`]; the type itself says which function a layer's parameters choose.
///
/// ```
/// use fp32_ref::{Activate, Activation};
///
/// let mut values = [-1.0, 3.0, 9.0];
/// Activation::Clip { min: 0.0, max: 6.0 }.apply_all(&mut values);
/// assert_eq!(values, [0.0, 3.0, 6.0]);
/// ```
pub trait Activate: Copy {
    /// The activated value, in the order of operations of ncnn's reference.
    fn apply(self, x: f32) -> f32;

    /// Applies it to every element.
    fn apply_all(self, values: &mut [f32]);
}

impl Activate for Activation {
    #[inline(always)]
    fn apply_all(self, values: &mut [f32]) {
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

    #[inline(always)]
    fn apply(self, x: f32) -> f32 {
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
