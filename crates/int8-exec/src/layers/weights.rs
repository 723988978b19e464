//! The weights and scales of an int8 layer.

use std::borrow::Cow;
use std::ops::Range;

use int8_kernels::{Epilogue, dequantize_scale, quantize};
use ncnn_format::{Activation, Error, Layer, LinearLayer, Result, WeightRole};

/// How a layer's parameters describe its int8 part.
pub(super) struct Form<'a> {
    pub(super) layer: &'a Layer,
    pub(super) num_output: usize,
    /// Slices that share a weight scale: output channels, or groups.
    pub(super) slices: usize,
    pub(super) bias_term: bool,
    pub(super) int8_scale_term: i32,
    pub(super) activation: Activation,
}

impl<'a> Form<'a> {
    /// # Errors
    /// `Malformed` without output channels or groups, and for an activation that lacks parameters.
    pub(super) fn of(layer: &'a Layer, linear: &LinearLayer) -> Result<Self> {
        for (name, count) in [("num_output", linear.outputs), ("group", linear.groups)] {
            if count == 0 {
                return Err(Error::malformed(format!("{name} should be positive")));
            }
        }
        Ok(Self {
            layer,
            num_output: linear.outputs,
            slices: linear.scale_count(),
            bias_term: linear.has_bias,
            int8_scale_term: linear.int8_term.unwrap_or_default(),
            activation: linear.activation()?,
        })
    }

    /// One weight scale per slice; a single stored scale serves all of them.
    fn weight_scales(&self) -> Result<Vec<f32>> {
        let stored = self.layer.weight_f32(WeightRole::WeightScales)?;
        match stored.len() {
            len if len == self.slices => Ok(stored.into_owned()),
            1 => Ok(vec![stored[0]; self.slices]),
            len => Err(Error::malformed(format!("expects {} weight scales, found {len}", self.slices))),
        }
    }

    /// The multiplier of the input blob.
    pub(super) fn input_scale(&self) -> Result<f32> {
        self.one_scale(WeightRole::InputScale)
    }

    /// The multiplier of the output blob, if the layer requantizes.
    pub(super) fn output_scale(&self) -> Result<Option<f32>> {
        if self.int8_scale_term > 100 { self.one_scale(WeightRole::OutputScale).map(Some) } else { Ok(None) }
    }

    fn one_scale(&self, role: WeightRole) -> Result<f32> {
        let stored = self.layer.weight_f32(role)?;
        match stored.first() {
            Some(scale) if !scale.is_nan() => Ok(*scale),
            found => Err(Error::malformed(format!("the {role} should be a number, found {found:?}"))),
        }
    }

    /// The int8 weights; floats (allowed by the format) are quantized here, as ncnn does at load.
    pub(super) fn weights(&self) -> Result<Cow<'_, [i8]>> {
        if let Ok(stored) = self.layer.weight_i8(WeightRole::Weight) {
            return Ok(Cow::Borrowed(stored));
        }
        let floats = self.layer.weight_f32(WeightRole::Weight)?;
        let scales = self.weight_scales()?;
        let slice_len = floats.len() / self.slices.max(1);
        if slice_len == 0 || floats.len() % self.slices != 0 {
            return Err(Error::malformed(format!(
                "{} weights do not divide into {} slices",
                floats.len(),
                self.slices
            )));
        }
        let quantized = floats
            .chunks_exact(slice_len)
            .zip(&scales)
            .flat_map(|(slice, &scale)| slice.iter().map(move |&weight| quantize(weight, scale)));
        Ok(Cow::Owned(quantized.collect()))
    }

    fn bias_of(&self, channels: Range<usize>) -> Result<Vec<f32>> {
        let bias = self.layer.weight_f32(WeightRole::Bias)?;
        if bias.len() != self.num_output {
            return Err(Error::malformed(format!("expects {} biases, found {}", self.num_output, bias.len())));
        }
        Ok(bias[channels].to_vec())
    }

    /// Dequantize scales, bias and activation per output channel.
    pub(super) fn epilogue(&self) -> Result<Epilogue> {
        self.epilogue_of(0..self.num_output)
    }

    /// [`Form::epilogue`] of some output channels.
    pub(super) fn epilogue_of(&self, channels: Range<usize>) -> Result<Epilogue> {
        let input_scale = self.input_scale()?;
        let weight_scales = self.weight_scales()?;
        let per_slice = self.num_output / self.slices.max(1);
        let scales = weight_scales
            .iter()
            .flat_map(|&scale| std::iter::repeat_n(dequantize_scale(input_scale, scale), per_slice))
            .skip(channels.start)
            .take(channels.len())
            .collect();
        let bias = if self.bias_term { Some(self.bias_of(channels)?) } else { None };
        Epilogue::new(scales, bias, kernel_activation(self.activation)).map_err(Error::from)
    }
}

/// The same function in the kernels' vocabulary.
pub(super) fn kernel_activation(activation: Activation) -> int8_kernels::Activation {
    match activation {
        Activation::None => int8_kernels::Activation::None,
        Activation::Relu => int8_kernels::Activation::Relu,
        Activation::LeakyRelu { slope } => int8_kernels::Activation::LeakyRelu { slope },
        Activation::Clip { min, max } => int8_kernels::Activation::Clip { min, max },
        Activation::Sigmoid => int8_kernels::Activation::Sigmoid,
        Activation::Mish => int8_kernels::Activation::Mish,
        Activation::HardSwish { alpha, beta } => int8_kernels::Activation::HardSwish { alpha, beta },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fp32_ref::Activate;

    #[test]
    fn both_leaves_agree_on_every_activation_bit_for_bit() {
        let activations = [
            Activation::None,
            Activation::Relu,
            Activation::LeakyRelu { slope: 0.1 },
            Activation::Clip { min: -1.0, max: 6.0 },
            Activation::Sigmoid,
            Activation::Mish,
            Activation::HardSwish { alpha: 1.0 / 6.0, beta: 0.5 },
        ];
        for activation in activations {
            for step in -4000..4000 {
                let x = step as f32 * 0.031;
                let (ours, kernels) = (activation.apply(x), kernel_activation(activation).apply(x));
                assert_eq!(ours.to_bits(), kernels.to_bits(), "{activation:?} of {x}");
            }
        }
    }
}
