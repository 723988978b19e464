//! The activation that runs between dequantizing and the next rounding.

/// An elementwise function, one of those that ncnn fuses into layers (`src/layer/fused_activation.h`).
///
/// ```
/// use int8_kernels::Activation;
/// assert_eq!(Activation::Clip { min: 0.0, max: 6.0 }.apply(7.5), 6.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// The value itself.
    None,
    /// `x > 0 ? x : 0`: the positive zero for NaN and for −0.
    Relu,
    /// `x > 0 ? x : x · slope`.
    LeakyRelu {
        /// Multiplier of values that are not positive.
        slope: f32,
    },
    /// Limited to `min..=max`.
    Clip {
        /// Lower limit.
        min: f32,
        /// Upper limit.
        max: f32,
    },
    /// `1 / (1 + e^-x)`, with `x` limited to ±88.376.
    Sigmoid,
    /// `x · tanh(ln(e^x + 1))`.
    Mish,
    /// 0 below `-beta / alpha`, `x` above `(1 - beta) / alpha`, `x · (x · alpha + beta)` between.
    HardSwish {
        /// Slope of the gate.
        alpha: f32,
        /// Offset of the gate.
        beta: f32,
    },
}

impl Activation {
    /// The activated value; the order of the f32 operations is that of ncnn's reference.
    #[inline]
    pub fn apply(self, x: f32) -> f32 {
        match self {
            Self::None => x,
            Self::Relu => {
                if x > 0.0 {
                    x
                } else {
                    0.0
                }
            }
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
                let limited = x.clamp(-LIMIT, LIMIT);
                1.0 / (1.0 + (-limited).exp())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn piecewise_activations_have_their_corners_where_the_formulas_say() {
        assert_eq!(Activation::None.apply(-3.0), -3.0);
        assert_eq!(Activation::Relu.apply(-3.0), 0.0);
        assert_eq!(Activation::Relu.apply(3.0), 3.0);
        assert_eq!(Activation::LeakyRelu { slope: 0.25 }.apply(-4.0), -1.0);
        assert_eq!(Activation::LeakyRelu { slope: 0.25 }.apply(4.0), 4.0);
        let clip = Activation::Clip { min: -1.0, max: 6.0 };
        assert_eq!([-2.0, 0.5, 7.0].map(|x| clip.apply(x)), [-1.0, 0.5, 6.0]);
        let hard_swish = Activation::HardSwish { alpha: 0.25, beta: 0.5 };
        assert_eq!([-3.0, -2.0, 1.0, 2.0, 3.0].map(|x| hard_swish.apply(x)), [0.0, 0.0, 0.75, 2.0, 3.0]);
    }

    #[test]
    fn smooth_activations_have_their_known_values() {
        assert_eq!(Activation::Sigmoid.apply(0.0), 0.5);
        assert_eq!(Activation::Sigmoid.apply(1000.0), 1.0);
        assert!(Activation::Sigmoid.apply(-1000.0) > 0.0);
        assert_eq!(Activation::Mish.apply(0.0), 0.0);
        assert!((Activation::Mish.apply(1.0) - 0.865_098_4).abs() < 1e-6);
    }

    #[test]
    fn smooth_activations_are_those_of_their_formulas() {
        for x in (-400..400).map(|i| i as f32 * 0.025) {
            let exact = f64::from(x);
            let near =
                |found: f32, expected: f64| (f64::from(found) - expected).abs() <= 2e-6 * expected.abs().max(1.0);
            assert!(near(Activation::Sigmoid.apply(x), 1.0 / (1.0 + (-exact).exp())), "sigmoid of {x}");
            assert!(near(Activation::Mish.apply(x), exact * (exact.exp() + 1.0).ln().tanh()), "mish of {x}");
            let gate = (exact / 6.0 + 0.5).clamp(0.0, 1.0);
            let hard_swish = Activation::HardSwish { alpha: 1.0 / 6.0, beta: 0.5 };
            assert!(near(hard_swish.apply(x), exact * gate), "hard swish of {x}");
        }
    }

    #[test]
    fn what_is_not_a_number_goes_where_the_comparisons_send_it() {
        let nan = f32::NAN;
        assert_eq!(Activation::Relu.apply(nan).to_bits(), 0);
        assert_eq!(Activation::Relu.apply(-0.0).to_bits(), 0);
        assert!(Activation::LeakyRelu { slope: 0.5 }.apply(nan).is_nan());
        assert!(Activation::Clip { min: -1.0, max: 1.0 }.apply(nan).is_nan());
        assert!(Activation::Sigmoid.apply(nan).is_nan());
        assert_eq!(Activation::Clip { min: 5.0, max: -5.0 }.apply(0.0), -5.0);
        assert_eq!(Activation::Relu.apply(f32::INFINITY), f32::INFINITY);
        assert_eq!(Activation::Sigmoid.apply(f32::INFINITY), 1.0);
    }
}
