//! Scales of weights, from the weights alone.

use std::str::FromStr;

use int8_kernels::quantize;
use ncnn_format::{Error, Layer, Result};

use crate::weight_slices::WeightSlices;
use crate::winograd::{WinogradGuard, bounded_scale, may_run_winograd};

/// How the scales of weights are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WeightMethod {
    /// The row that ncnn2table prints: 127 (3×3 with stride and dilation 1: 31)
    /// / largest magnitude, `inf` for a dead channel.
    Ncnn,
    /// The row of its `aciq`: 127 (3×3: 31) / the threshold of
    /// [`aciq::from_extreme`](histogram_kl::aciq::from_extreme) for 8 (6) bits.
    NcnnAciq,
    /// 127 / largest magnitude, limited by the guard; 1 for a dead channel.
    Guarded(WinogradGuard),
    /// 127 / the range that the rule chooses, limited by the guard; 1 for a dead channel.
    Fitted(WeightRule, WinogradGuard),
}

/// How far the eight bits of a channel's weights reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum WeightRule {
    /// To the largest magnitude.
    #[default]
    AbsMax,
    /// As far as gives the least squared error of the weights, among 33 ranges from half of the largest
    /// magnitude to all of it.
    Mse,
    /// As far as pays for a Gauss distribution of the weights' mean square
    /// ([`aciq`](histogram_kl::aciq)), at most to the largest magnitude.
    Aciq,
}

impl WeightRule {
    fn reach(self, weights: &[f32], absmax: f32) -> f32 {
        match self {
            Self::AbsMax => absmax,
            Self::Aciq => {
                let square = weights.iter().map(|&w| f64::from(w).powi(2)).sum::<f64>() / weights.len().max(1) as f64;
                ((histogram_kl::aciq::gauss_reach() * square.sqrt()) as f32).min(absmax)
            }
            Self::Mse => {
                let candidates = (32..=64u8).rev().map(|step| absmax * f32::from(step) / 64.0);
                let error = |reach: f32| {
                    let scale = 127.0 / reach;
                    weights.iter().map(|&w| f64::from(w - f32::from(quantize(w, scale)) / scale).powi(2)).sum::<f64>()
                };
                // Of equal ones the widest.
                let best = candidates.map(|reach| (error(reach), reach)).min_by(|a, b| a.0.total_cmp(&b.0));
                best.map_or(absmax, |(_, reach)| reach)
            }
        }
    }
}

impl FromStr for WeightRule {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "absmax" => Ok(Self::AbsMax),
            "mse" => Ok(Self::Mse),
            "aciq" => Ok(Self::Aciq),
            _ => Err(Error::invalid(format!("expected absmax, mse or aciq for weights, found {name}"))),
        }
    }
}

impl Default for WeightMethod {
    fn default() -> Self {
        Self::Guarded(WinogradGuard::default())
    }
}

impl WeightMethod {
    fn is_ncnns(self) -> bool {
        matches!(self, Self::Ncnn | Self::NcnnAciq)
    }
}

/// The scales of a layer's weights and what is to be said about them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WeightScales {
    /// One multiplier per output channel, or per group of a depthwise type.
    pub scales: Vec<f32>,
    /// Channels whose weights are all zero, or too small for a finite scale.
    pub dead: Vec<usize>,
    /// Channels whose scale is below 127 / largest magnitude because of the [`WinogradGuard`].
    pub reduced: Vec<usize>,
    /// For every channel, the scale that uses all eight bits; infinite for a dead one.
    pub full: Vec<f32>,
    /// Channels that keep 127 / largest magnitude without a proof, because of what calibration saw
    /// ([`WinogradGuard::Observed`]).
    pub observed: Vec<usize>,
    /// Whether ncnn may run the layer through Winograd, so that the guard was asked.
    pub may_run_winograd: bool,
}

impl WeightScales {
    /// How many bits the largest weight of a channel uses: 8 when it becomes ±127, less when the scale was
    /// lowered.
    pub fn bits(&self, channel: usize) -> f32 {
        if self.dead.contains(&channel) { 8.0 } else { 8.0 + (self.scales[channel] / self.full[channel]).log2() }
    }

    /// The fewest bits of any channel.
    pub fn fewest_bits(&self) -> f32 {
        (0..self.scales.len()).map(|channel| self.bits(channel)).fold(8.0, f32::min)
    }
}

/// The scales of the weights of `layer`. Source: ncnn's `tools/quantize/ncnn2table.cpp`.
///
/// # Errors
/// `Unsupported` unless the layer [is quantizable](crate::is_quantizable);
/// `Malformed` when a weight is NaN or infinite, naming channel, index and value;
/// `Invalid` when no weights were read or they are int8.
pub fn weight_scales(layer: &Layer, method: WeightMethod) -> Result<WeightScales> {
    let slices = WeightSlices::of(layer)?;
    let largest = largest_level(layer, method)?;
    let bound = accumulator_bound(layer, method)?;
    let mut result = WeightScales { may_run_winograd: may_run_winograd(layer)?, ..WeightScales::default() };
    for (channel, weights) in slices.iter().enumerate() {
        let absmax = weights.iter().fold(0f32, |absmax, weight| absmax.max(weight.abs()));
        let reach = match method {
            WeightMethod::NcnnAciq => {
                let bits = if largest < 127.0 { 6 } else { 8 };
                histogram_kl::aciq::from_extreme(absmax, weights.len() as u64, bits).unwrap_or(absmax)
            }
            WeightMethod::Fitted(rule, _) if absmax > 0.0 => rule.reach(weights, absmax),
            _ => absmax,
        };
        let scale = largest / reach;
        result.full.push(127.0 / reach);
        let scale = if scale.is_finite() {
            let limited = bound.map_or(scale, |bound| bounded_scale(weights, scale, bound));
            if limited < scale {
                result.reduced.push(channel);
            }
            limited
        } else {
            result.dead.push(channel);
            if method.is_ncnns() { scale } else { 1.0 }
        };
        result.scales.push(scale);
    }
    Ok(result)
}

impl WeightScales {
    /// Takes other scales for all channels of `layer`, limited by the guard; dead channels keep theirs.
    ///
    /// # Errors
    /// As [`weight_scales`].
    pub(crate) fn replace(&mut self, layer: &Layer, scales: &[f32], guard: WinogradGuard) -> Result<()> {
        let bound = if self.may_run_winograd { guard.bound() } else { None };
        self.reduced.clear();
        for (channel, weights) in WeightSlices::of(layer)?.iter().enumerate() {
            if self.dead.contains(&channel) {
                continue;
            }
            let scale = scales[channel];
            self.full[channel] = scale;
            self.scales[channel] = bound.map_or(scale, |bound| bounded_scale(weights, scale, bound));
            if self.scales[channel] < scale {
                self.reduced.push(channel);
            }
        }
        Ok(())
    }
}

/// What no accumulator of `layer` may exceed.
fn accumulator_bound(layer: &Layer, method: WeightMethod) -> Result<Option<u64>> {
    match method {
        WeightMethod::Guarded(guard) | WeightMethod::Fitted(_, guard) if may_run_winograd(layer)? => Ok(guard.bound()),
        _ => Ok(None),
    }
}

/// What the largest weight becomes.
fn largest_level(layer: &Layer, method: WeightMethod) -> Result<f32> {
    let six_bit = match method {
        WeightMethod::Ncnn | WeightMethod::NcnnAciq => true,
        WeightMethod::Guarded(guard) | WeightMethod::Fitted(_, guard) => guard == WinogradGuard::Ncnn,
    };
    Ok(if six_bit && may_run_winograd(layer)? { 31.0 } else { 127.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ncnn_format::typed::{Convolution, ConvolutionDepthWise, InnerProduct, ParamKey};
    use ncnn_format::{F32Tag, Weight, WeightData, WeightRole};

    fn layer(kind: &str, params: &[(ParamKey<i32>, i32)], weights: Vec<f32>) -> Layer {
        let mut layer = Layer::new(kind.into(), "conv1");
        params.iter().for_each(|&(key, value)| layer.params.set(key, value));
        layer.weights.push(Weight { role: WeightRole::Weight, data: WeightData::F32(weights, F32Tag::Tagged) });
        layer
    }

    fn one_by_one(weights: Vec<f32>) -> Layer {
        layer("Convolution", &[(Convolution::NUM_OUTPUT, 2), (Convolution::KERNEL_W, 1)], weights)
    }

    const METHODS: [WeightMethod; 5] = [
        WeightMethod::Ncnn,
        WeightMethod::Guarded(WinogradGuard::Ncnn),
        WeightMethod::Guarded(WinogradGuard::Proven),
        WeightMethod::Guarded(WinogradGuard::Exact),
        WeightMethod::Guarded(WinogradGuard::Off),
    ];

    #[test]
    fn the_largest_weight_of_each_channel_becomes_127() {
        let layer = one_by_one(vec![0.5, -1.0, 2.0, 0.25]);
        for method in METHODS {
            assert_eq!(weight_scales(&layer, method).unwrap().scales, [127.0, 63.5]);
        }
    }

    #[test]
    fn an_outlier_among_the_weights_is_clipped_where_that_pays() {
        let mut weights: Vec<f32> = (0..4000).map(|i| (i as f32 * 0.7).sin() * 0.5).collect();
        weights[7] = 0.6;
        let layer = layer("Convolution", &[(Convolution::NUM_OUTPUT, 1), (Convolution::KERNEL_W, 1)], weights.clone());
        let scale = |rule| {
            let method = WeightMethod::Fitted(rule, WinogradGuard::default());
            weight_scales(&layer, method).unwrap().scales[0]
        };
        let error =
            |scale: f32| -> f32 { weights.iter().map(|&w| (w - f32::from(quantize(w, scale)) / scale).powi(2)).sum() };
        assert_eq!(scale(WeightRule::AbsMax), 127.0 / 0.6);
        assert!(scale(WeightRule::Mse) > 127.0 / 0.6 && error(scale(WeightRule::Mse)) < error(127.0 / 0.6));
        // 3.92 · 0.354 is beyond the largest.
        assert_eq!(scale(WeightRule::Aciq), 127.0 / 0.6);
        assert!("max".parse::<WeightRule>().is_err());
    }

    #[test]
    fn ncnn_keeps_six_bits_in_3x3_convolutions_only() {
        let scales = |kind, params: &[(ParamKey<i32>, i32)], method| {
            weight_scales(&layer(kind, params, vec![1.0; 18]), method).unwrap().scales
        };
        let conv = [(Convolution::NUM_OUTPUT, 2), (Convolution::KERNEL_W, 3)];
        let found = METHODS.map(|method| scales("Convolution", &conv, method)[0]);
        assert_eq!(found, [31.0, 31.0, 127.0, 127.0, 127.0]);
        assert_eq!(
            scales("ConvolutionDepthWise", &[conv[0], conv[1], (ConvolutionDepthWise::GROUP, 2)], WeightMethod::Ncnn),
            [127.0; 2]
        );
        assert_eq!(scales("InnerProduct", &[(InnerProduct::NUM_OUTPUT, 6)], WeightMethod::Ncnn), [127.0; 6]);
    }

    #[test]
    fn groups_share_a_scale() {
        let layer = layer(
            "ConvolutionDepthWise",
            &[
                (ConvolutionDepthWise::NUM_OUTPUT, 4),
                (ConvolutionDepthWise::KERNEL_W, 1),
                (ConvolutionDepthWise::GROUP, 2),
            ],
            vec![1.0, 2.0, 4.0, -8.0],
        );
        assert_eq!(weight_scales(&layer, WeightMethod::Ncnn).unwrap().scales, [63.5, 15.875]);
    }

    #[test]
    fn a_dead_channel_is_listed_and_gets_a_finite_scale() {
        let layer = one_by_one(vec![0.0, 0.0, 1.0, 1.0]);
        let ours = weight_scales(&layer, WeightMethod::default()).unwrap();
        assert_eq!((ours.scales, ours.dead), (vec![1.0, 127.0], vec![0]));
        let ncnns = weight_scales(&layer, WeightMethod::Ncnn).unwrap();
        assert_eq!((ncnns.scales, ncnns.dead), (vec![f32::INFINITY, 127.0], vec![0]));
        // 127 / 1e-40 is beyond f32.
        let tiny = weight_scales(&one_by_one(vec![1e-40, 0.0, 1.0, 1.0]), WeightMethod::default()).unwrap();
        assert_eq!(tiny.dead, [0]);
    }

    #[test]
    fn channels_lowered_for_winograd_are_listed() {
        let mut weights = vec![1.0; 9 * 64];
        weights.extend(vec![0.01; 9 * 64 - 1]);
        weights.push(1.0);
        let layer = layer("Convolution", &[(Convolution::NUM_OUTPUT, 2), (Convolution::KERNEL_W, 3)], weights);
        let scales = weight_scales(&layer, WeightMethod::default()).unwrap();
        assert_eq!(scales.reduced, [0]);
        // 576 weights of 50 or 51 below the bound 29,356, and 25 below 14,678.
        assert!((50.0..51.5).contains(&scales.scales[0]) && scales.scales[1] == 127.0, "{:?}", scales.scales);
        let exact = weight_scales(&layer, WeightMethod::Guarded(WinogradGuard::Exact)).unwrap();
        assert!((25.0..26.0).contains(&exact.scales[0]), "{:?}", exact.scales);
        let off = weight_scales(&layer, WeightMethod::Guarded(WinogradGuard::Off)).unwrap();
        assert_eq!((off.bits(0), exact.bits(1)), (8.0, 8.0));
        assert!((5.6..5.7).contains(&exact.fewest_bits()), "{}", exact.fewest_bits());
        assert_eq!((off.scales, off.reduced), (vec![127.0; 2], vec![]));
    }

    #[test]
    fn weights_that_are_not_finite_are_named() {
        let message = |weight| {
            weight_scales(&one_by_one(vec![0.0, 1.0, 2.0, weight]), WeightMethod::Ncnn).unwrap_err().to_string()
        };
        assert_eq!(message(f32::NAN), "layer conv1: weight 1 of channel 1 is NaN, expected finite numbers");
        assert_eq!(message(f32::NEG_INFINITY), "layer conv1: weight 1 of channel 1 is -inf, expected finite numbers");
    }

    #[test]
    fn layers_that_cannot_be_quantized_are_refused() {
        let message = |layer: &Layer| weight_scales(layer, WeightMethod::Ncnn).unwrap_err().to_string();
        let gemm = message(&layer("Gemm", &[], vec![]));
        assert_eq!(gemm, "layer conv1: a Gemm with these parameters has no static int8 form");
        assert!(
            message(&layer("Convolution", &[(Convolution::NUM_OUTPUT, 1), (Convolution::DYNAMIC_WEIGHT, 1)], vec![]))
                .contains("no static int8 form")
        );
        assert!(
            message(&layer(
                "ConvolutionDepthWise",
                &[(ConvolutionDepthWise::NUM_OUTPUT, 1), (ConvolutionDepthWise::DYNAMIC_WEIGHT, 1)],
                vec![]
            ))
            .contains("no static int8 form")
        );
        let odd = message(&layer("InnerProduct", &[(InnerProduct::NUM_OUTPUT, 2)], vec![1.0; 3]));
        assert_eq!(odd, "layer conv1: 3 weights cannot be divided among 2 scales");
        assert!(
            message(&layer("InnerProduct", &[(InnerProduct::NUM_OUTPUT, -2)], vec![1.0; 3])).contains("among 0 scales")
        );
        let mut bare = one_by_one(vec![]);
        bare.weights.clear();
        assert_eq!(message(&bare), "layer conv1: no weight was loaded");
    }
}
