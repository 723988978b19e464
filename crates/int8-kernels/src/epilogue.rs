//! From accumulators back to floats, or straight to the next layer's int8 values.

use crate::activation::Activation;
use crate::error::{Error, check_length};
use crate::quantize::quantize;

/// What happens to the exact sums of one layer .
///
/// One scale and one bias per output channel; the order of the f32 operations is
/// `v = f32(acc) · scale`, `v = v + bias` (if there is one), `v = activation(v)`, then for int8
/// output `quantize(v, output_scale)`. The multiplication and the addition round separately unless
/// [`Epilogue::with_fused_bias`] asks for one rounding.
///
/// ```
/// use int8_kernels::{Activation, Epilogue, dequantize_scale};
///
/// let scale = dequantize_scale(127.0 / 4.0, 127.0 / 0.5);
/// let epilogue = Epilogue::new(vec![scale], Some(vec![-1.0]), Activation::Relu)?;
/// let mut values = [0.0; 2];
/// epilogue.dequantize(0, &[0, 127 * 127], &mut values)?;
/// assert_eq!(values, [0.0, 1.0]);
/// # Ok::<(), int8_kernels::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Epilogue {
    scales: Vec<f32>,
    bias: Option<Vec<f32>>,
    activation: Activation,
    fused_bias: bool,
}

/// The scale of one output channel: 0 for a weight scale of 0, else `1 / (input_scale · weight_scale)`.
///
/// Both operations are f32: the product first, then the division.
pub fn dequantize_scale(input_scale: f32, weight_scale: f32) -> f32 {
    if weight_scale == 0.0 { 0.0 } else { 1.0 / (input_scale * weight_scale) }
}

impl Epilogue {
    /// From one combined scale ([`dequantize_scale`]) and at most one bias per output channel.
    ///
    /// # Errors
    /// `Length` if there is a bias but not one per scale, `Scale` if a scale is infinite or NaN.
    pub fn new(scales: Vec<f32>, bias: Option<Vec<f32>>, activation: Activation) -> Result<Self, Error> {
        if let Some(bias) = &bias {
            check_length("bias", scales.len(), bias.len())?;
        }
        match scales.iter().position(|scale| !scale.is_finite()) {
            Some(channel) => Err(Error::Scale { channel, value: scales[channel] }),
            None => Ok(Self { scales, bias, activation, fused_bias: false }),
        }
    }

    /// The same with `f32(acc) · scale + bias` rounded once, as a fused multiply-add does. On CPUs
    /// without that instruction it is computed in software, slowly.
    #[must_use]
    pub fn with_fused_bias(self) -> Self {
        Self { fused_bias: true, ..self }
    }

    /// Number of output channels.
    pub fn channels(&self) -> usize {
        self.scales.len()
    }

    pub(crate) fn scales(&self) -> &[f32] {
        &self.scales
    }

    pub(crate) fn bias(&self) -> Option<&[f32]> {
        self.bias.as_deref()
    }

    pub(crate) fn activation(&self) -> Activation {
        self.activation
    }

    pub(crate) fn has_fused_bias(&self) -> bool {
        self.fused_bias
    }

    /// Turns one channel's accumulators into floats.
    ///
    /// # Errors
    /// `Channel` if there is no such channel, `Length` if the slices differ in length.
    pub fn dequantize(&self, channel: usize, accumulators: &[i32], out: &mut [f32]) -> Result<(), Error> {
        self.each_value(channel, accumulators, out, |v| v)
    }

    /// Turns one channel's accumulators into int8 values of scale `output_scale`.
    ///
    /// # Errors
    /// `Channel` if there is no such channel, `Length` if the slices differ in length.
    pub fn requantize(
        &self,
        channel: usize,
        accumulators: &[i32],
        output_scale: f32,
        out: &mut [i8],
    ) -> Result<(), Error> {
        self.each_value(channel, accumulators, out, |v| quantize(v, output_scale))
    }

    /// One specialised loop per activation and presence of a bias, so that each can be vectorised.
    fn each_value<T>(
        &self,
        channel: usize,
        accumulators: &[i32],
        out: &mut [T],
        finish: impl Fn(f32) -> T,
    ) -> Result<(), Error> {
        check_length("output", accumulators.len(), out.len())?;
        let scale = self.scales.get(channel).copied();
        let scale = scale.ok_or(Error::Channel { channel, channels: self.channels() })?;
        let bias = self.bias.as_ref().map(|bias| bias[channel]);
        let values = Values { accumulators, out, scale, bias, fused_bias: self.fused_bias };
        match self.activation {
            Activation::None => values.map(finish),
            Activation::Relu => values.map(|v| finish(Activation::Relu.apply(v))),
            Activation::LeakyRelu { slope } => values.map(|v| finish(Activation::LeakyRelu { slope }.apply(v))),
            Activation::Clip { min, max } => values.map(|v| finish(Activation::Clip { min, max }.apply(v))),
            Activation::HardSwish { alpha, beta } => {
                values.map(|v| finish(Activation::HardSwish { alpha, beta }.apply(v)))
            }
            smooth => values.map(|v| finish(smooth.apply(v))),
        }
        Ok(())
    }
}

/// The sums of one channel and what becomes of each.
struct Values<'a, T> {
    accumulators: &'a [i32],
    out: &'a mut [T],
    scale: f32,
    bias: Option<f32>,
    fused_bias: bool,
}

impl<T> Values<'_, T> {
    /// `out = finish(f32(acc) · scale + bias)`, without the addition where there is no bias: adding
    /// 0.0 would turn −0.0 into 0.0.
    fn map(self, finish: impl Fn(f32) -> T) {
        let Self { scale, bias, fused_bias, .. } = self;
        let values = self.accumulators.iter().zip(self.out);
        match bias {
            Some(bias) if fused_bias => values.for_each(|(&acc, out)| *out = finish((acc as f32).mul_add(scale, bias))),
            Some(bias) => values.for_each(|(&acc, out)| *out = finish(acc as f32 * scale + bias)),
            None => values.for_each(|(&acc, out)| *out = finish(acc as f32 * scale)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_scale_of_zero_gives_a_scale_of_zero() {
        assert_eq!(dequantize_scale(3.0, 0.0), 0.0);
        assert_eq!(dequantize_scale(2.0, 4.0), 0.125);
        assert_eq!(dequantize_scale(2.0, f32::INFINITY), 0.0);
    }

    #[test]
    fn a_fused_bias_is_rounded_once() {
        // 3 · (1/3 rounded) is 1 + 2^-25: the product alone rounds that to 1.
        let plain = Epilogue::new(vec![1.0 / 3.0], Some(vec![-1.0]), Activation::None).unwrap();
        let mut out = [9.0];
        plain.dequantize(0, &[3], &mut out).unwrap();
        assert_eq!(out, [0.0]);
        plain.with_fused_bias().dequantize(0, &[3], &mut out).unwrap();
        assert_eq!(out, [2f32.powi(-25)]);
    }

    #[test]
    fn every_channel_uses_its_own_scale_and_bias() {
        let epilogue = Epilogue::new(vec![0.5, 2.0], Some(vec![1.0, -1.0]), Activation::Relu).unwrap();
        let mut out = [0.0; 3];
        epilogue.dequantize(0, &[-4, 0, 3], &mut out).unwrap();
        assert_eq!(out, [0.0, 1.0, 2.5]);
        epilogue.dequantize(1, &[-4, 0, 3], &mut out).unwrap();
        assert_eq!(out, [0.0, 0.0, 5.0]);
    }

    #[test]
    fn requantizing_is_dequantizing_then_quantizing() {
        let activations = [
            Activation::None,
            Activation::Relu,
            Activation::LeakyRelu { slope: 0.1 },
            Activation::Clip { min: 0.0, max: 6.0 },
            Activation::Sigmoid,
            Activation::Mish,
            Activation::HardSwish { alpha: 0.2, beta: 0.5 },
        ];
        let accumulators: Vec<i32> = (-200..200).map(|i| i * 37).collect();
        for activation in activations {
            for bias in [None, Some(vec![0.3])] {
                let epilogue = Epilogue::new(vec![0.0013], bias, activation).unwrap();
                let (mut floats, mut bytes) = (vec![0.0; 400], vec![0; 400]);
                epilogue.dequantize(0, &accumulators, &mut floats).unwrap();
                epilogue.requantize(0, &accumulators, 20.0, &mut bytes).unwrap();
                let expected: Vec<i8> = floats.iter().map(|&v| quantize(v, 20.0)).collect();
                assert_eq!(bytes, expected, "{activation:?}");
            }
        }
    }

    #[test]
    fn a_bias_of_the_wrong_length_and_a_scale_that_is_not_finite_are_refused() {
        let short = Epilogue::new(vec![1.0, 1.0], Some(vec![0.0]), Activation::None).unwrap_err();
        assert_eq!(short.to_string(), "bias must have 2 elements, found 1");
        let infinite = Epilogue::new(vec![1.0, f32::INFINITY], None, Activation::None).unwrap_err();
        assert_eq!(infinite.to_string(), "scale of output channel 1 is inf");
    }

    #[test]
    fn a_channel_out_of_range_and_slices_that_differ_are_refused() {
        let epilogue = Epilogue::new(vec![1.0], None, Activation::None).unwrap();
        assert_eq!(epilogue.dequantize(1, &[], &mut []), Err(Error::Channel { channel: 1, channels: 1 }));
        let error = epilogue.requantize(usize::MAX, &[], 1.0, &mut []).unwrap_err();
        assert_eq!(
            error.to_string(),
            "there is no output channel 18446744073709551615 among 1"
                .replace("18446744073709551615", &usize::MAX.to_string(),)
        );
        let error = epilogue.requantize(0, &[1], 1.0, &mut []).unwrap_err();
        assert_eq!(error.to_string(), "output must have 1 elements, found 0");
    }
}
