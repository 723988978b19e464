//! Weights that are safe in ncnn's int8 Winograd convolution.
//!
//! ncnn runs 3×3 convolutions of stride and dilation 1 through F(4,3), whose
//! accumulator carries 576 · Σ w·x in 32 bits (`src/layer/x86/convolution_3x3_winograd_int8.h`):
//!
//! | largest \|Σ w·x\| | ncnn's answer |
//! |---|---|
//! | up to 1,864,136 | exact |
//! | up to 2,097,149 | SIMD builds divide by 576 in f32: one too small for a quarter of the sums |
//! | up to 3,728,270 | exact |
//! | above | wraps around: garbage |
//!
//! ncnn2table answers with weights within ±31 for all such layers. That costs two
//! bits everywhere and still allows a wrap from 106 input channels on. As |x| is
//! at most 127, 127 · Σ|w| bounds the sum of a channel for every input; a guard
//! compares that with a line of the table.

use std::str::FromStr;

use int8_kernels::quantize;
use ncnn_format::{Error, Layer, LinearLayer, Result};

/// The largest activation magnitude.
const MAX_ACTIVATION: u64 = 127;

/// The largest accumulator magnitude that does not wrap around.
pub(crate) const WRAP: u64 = 3_728_270;
/// How much larger than those seen in calibration an accumulator may be.
pub(crate) const OBSERVED_MARGIN: f32 = 1.5;

/// What to do about the weights of 3×3 convolutions with stride and dilation 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WinogradGuard {
    /// As ncnn2table: within ±31, every channel.
    Ncnn,
    /// Within ±127, unless a channel's sum could wrap; such a channel's scale is
    /// lowered to the largest at which 127 · Σ|w| ≤ 3,728,270. For every input
    /// ncnn's accumulator is then right, or one of two million too small.
    Proven,
    /// As `Proven`, but a channel without a proof keeps its eight bits if half as much again as the largest
    /// accumulator seen on calibration samples is below 3,728,270, and is lowered no further than that
    /// demands if not.
    #[default]
    Observed,
    /// The same with 1,864,136: for every input ncnn's accumulator is right to the
    /// last bit on every build. Lowers many more channels, and by more.
    Exact,
    /// Within ±127. For runtimes without Winograd; on ncnn large inputs may wrap.
    Off,
}

impl FromStr for WinogradGuard {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Ok(match name {
            "observed" => Self::Observed,
            "proven" => Self::Proven,
            "exact" => Self::Exact,
            "ncnn" => Self::Ncnn,
            "off" => Self::Off,
            _ => {
                let message = format!("expected observed, proven, exact, ncnn or off for Winograd, found {name}");
                return Err(Error::invalid(message));
            }
        })
    }
}

impl WinogradGuard {
    /// The largest accumulator magnitude that this guard allows by proof.
    pub(crate) fn bound(self) -> Option<u64> {
        match self {
            Self::Proven | Self::Observed => Some(WRAP),
            Self::Exact => Some(1_864_136),
            Self::Ncnn | Self::Off => None,
        }
    }
}

/// Whether ncnn may run `layer` through Winograd when it is int8.
///
/// # Errors
/// `Malformed` when its parameters cannot be read.
pub(crate) fn may_run_winograd(layer: &Layer) -> Result<bool> {
    let is_plain = |linear: &LinearLayer| {
        linear.is_image_convolution()
            && !linear.has_groups()
            && linear.window.iter().all(|axis| (axis.kernel, axis.stride, axis.dilation) == (3, 1, 1))
    };
    Ok(LinearLayer::of(layer)?.as_ref().is_some_and(is_plain))
}

/// The largest scale not above `scale` with which no input takes the accumulator
/// of `weights` beyond `bound`, also after the scale went through a table.
pub(crate) fn bounded_scale(weights: &[f32], scale: f32, bound: u64) -> f32 {
    // What the scale may be after it went through a table.
    let effective = |scale: f32| scale.max(as_printed(scale));
    let most = bound / MAX_ACTIVATION;
    let sum = |scale: f32| magnitude(weights, effective(scale));
    let whole = sum(scale);
    if whole <= most {
        return scale;
    }
    // The sum is nearly proportional to the scale: look close to where it should be, then farther away.
    let guess = f64::from(scale) * most as f64 / whole as f64;
    let (mut proven, mut refuted) = (0.0, scale);
    for distance in (0..).map(|step| 0.001 * f64::from(step).exp2()).take_while(|&distance| distance < 1.0) {
        let [below, above] = [(guess * (1.0 - distance)) as f32, (guess * (1.0 + distance)) as f32];
        if proven == 0.0 && sum(below) <= most {
            proven = below;
        }
        if refuted == scale && above < scale && sum(above) > most {
            refuted = above;
        }
        if proven > 0.0 && (refuted < scale || above >= scale) {
            break;
        }
    }
    // The sum grows with the scale, and positive floats are ordered like their bits: bisect them.
    let (mut proven, mut refuted) = (proven.to_bits(), refuted.to_bits());
    let mut undecided = weights.to_vec();
    let mut decided = 0;
    while refuted - proven > 1 {
        // A weight that is the same at both ends is the same between them.
        let ends = [proven, refuted].map(|bits| effective(f32::from_bits(bits)));
        undecided.retain(|&weight| {
            let [least, largest] = ends.map(|scale| quantize(weight, scale).unsigned_abs());
            decided += if least == largest { u64::from(least) } else { 0 };
            least != largest
        });
        let middle = proven + (refuted - proven) / 2;
        let sum = decided + magnitude(&undecided, effective(f32::from_bits(middle)));
        if sum <= most { proven = middle } else { refuted = middle }
    }
    f32::from_bits(proven)
}

/// Σ|w| of the int8 weights.
fn magnitude(weights: &[f32], scale: f32) -> u64 {
    weights.iter().map(|&weight| u64::from(quantize(weight, scale).unsigned_abs())).sum()
}

/// The scale as it comes back from a table, which has six decimals.
pub(crate) fn as_printed(scale: f32) -> f32 {
    format!("{scale:.6}").parse().unwrap_or(scale)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ncnn_format::LayerKind;
    use ncnn_format::typed::Convolution;
    use proptest::prelude::*;

    #[test]
    fn a_channel_that_cannot_overflow_keeps_its_scale() {
        // 115 weights of 127: 127 · 127 · 115 = 1,854,835.
        assert_eq!(bounded_scale(&[0.5; 115], 254.0, 1_864_136), 254.0);
    }

    #[test]
    fn a_channel_that_could_overflow_is_lowered_just_enough() {
        // 116 weights may be 126 at most: 127 · 116 · 126 = 1,856,232.
        let scale = bounded_scale(&[0.5; 116], 254.0, 1_864_136);
        assert_eq!(magnitude(&[0.5; 116], scale), 116 * 126);
        assert_eq!(magnitude(&[0.5; 116], f32::from_bits(scale.to_bits() + 1)), 116 * 127);
    }

    #[test]
    fn only_plain_3x3_convolutions_are_concerned() {
        let plain = Layer::new(LayerKind::Convolution, "conv").with(Convolution::KERNEL_W, 3);
        let winograd = |layer: Layer| may_run_winograd(&layer).unwrap();
        assert!(winograd(plain.clone()));
        for key in [Convolution::KERNEL_H, Convolution::STRIDE_W, Convolution::STRIDE_H, Convolution::DILATION_W] {
            assert!(!winograd(plain.clone().with(key, 2)), "{key:?}");
        }
        let depthwise = Layer { kind: LayerKind::ConvolutionDepthWise, ..plain };
        assert!(!winograd(depthwise));
    }

    proptest! {
        #[test]
        fn no_input_exceeds_the_bound_even_through_a_table(
            weights in proptest::collection::vec(-3.0f32..3.0, 100..600),
            scale in 0.5f32..300.0,
        ) {
            let bound = 1_864_136;
            let proven = bounded_scale(&weights, scale, bound);
            prop_assert!(proven <= scale);
            for scale in [proven, as_printed(proven)] {
                prop_assert!(127 * magnitude(&weights, scale) <= bound);
            }
        }
    }
}
