//! What a layer's output loses to quantization, on patches.

use std::borrow::Cow;

use fp32_ref::Activate;
use int8_kernels::{ConvShape, Epilogue, Image, Isa, Padding, PixelConv, PixelScratch, Run, quantize, quantize_values};
use ncnn_format::{Activation, Error, ErrorKind, Layer, LinearLayer, Result, WeightRole};
use ndarray::{ArrayView2, Axis, Slice};

use super::alignment::Alignment;
use super::patches::Patches;

/// A layer on its patches: outputs in f32 and, under any scale of its input, in int8 with the very integers that an
/// executor computes.
#[derive(Debug)]
pub struct Probe<'a> {
    outputs: usize,
    /// Products of an output.
    depth: usize,
    groups: usize,
    /// `[patch][group][depth]`.
    patches: &'a [f32],
    /// `[output][depth]`.
    weights: Cow<'a, [f32]>,
    /// The int8 weights, one 1 x 1 convolution over patches taken for pixels.
    product: Product,
    /// Per output.
    weight_scales: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
    /// Outputs before the activation: `[patch][output]`.
    expected: Vec<f32>,
}

#[derive(Debug)]
enum Product {
    /// Each output is made of its own values alone: `[output][depth]`.
    Depthwise(Vec<i8>),
    Dense(Box<PixelConv>),
}

impl<'a> Probe<'a> {
    /// `None` if the patches do not fit the layer (a blob of an unexpected shape) or there are none;
    /// `weight_scales` are one per slice.
    ///
    /// # Errors
    /// `Malformed` when the layer's parameters or weights cannot be read; as [`Probe::quantize_weights`].
    pub fn new(layer: &'a Layer, patches: &'a Patches, weight_scales: &[f32]) -> Result<Option<Self>> {
        let linear = LinearLayer::of(layer)?.ok_or_else(|| Error::invalid("has no weight matrix"))?;
        let (outputs, groups) = (linear.outputs, linear.groups.max(1));
        let activation = linear.activation()?;
        let weights = layer.weight_f32(WeightRole::Weight)?;
        let depth = weights.len().checked_div(outputs).unwrap_or(0);
        let bias = match layer.weight(WeightRole::Bias) {
            Some(_) => layer.weight_f32(WeightRole::Bias)?.into_owned(),
            None => vec![0.0; outputs],
        };
        let patches = &patches.values[..];
        let all = depth * groups;
        if all == 0 || patches.is_empty() || !patches.len().is_multiple_of(all) || !outputs.is_multiple_of(groups) {
            return Ok(None);
        }
        let expected = outputs_of(patches, &weights, &bias, groups, depth)?;
        let product = Product::Depthwise(Vec::new());
        let mut probe = Self {
            outputs,
            depth,
            groups,
            patches,
            weights,
            product,
            weight_scales: Vec::new(),
            bias,
            activation,
            expected,
        };
        probe.quantize_weights(weight_scales)?;
        Ok(Some(probe))
    }

    /// Gives the weights other scales, one per slice.
    ///
    /// # Errors
    /// `Invalid` when int8 kernels refuse the layer, or the outputs cannot be divided among the scales.
    pub fn quantize_weights(&mut self, scales: &[f32]) -> Result<()> {
        if scales.is_empty() || !self.outputs.is_multiple_of(scales.len()) {
            let message = format!("{} scales cannot be shared by {} outputs", scales.len(), self.outputs);
            return Err(Error::invalid(message));
        }
        let per_scale = self.outputs / scales.len();
        self.weight_scales = (0..self.outputs).map(|output| scales[output / per_scale]).collect();
        let rows = self.weights.chunks_exact(self.depth).zip(&self.weight_scales);
        let quantized: Vec<i8> =
            rows.flat_map(|(row, &scale)| row.iter().map(move |&weight| quantize(weight, scale))).collect();
        self.product = if self.outputs == self.groups && self.groups > 1 {
            Product::Depthwise(quantized)
        } else {
            let shape =
                ConvShape { groups: self.groups, ..ConvShape::pointwise(self.depth * self.groups, self.outputs) };
            let unused = Epilogue::new(vec![1.0; self.outputs], None, int8_kernels::Activation::None)?;
            Product::Dense(Box::new(PixelConv::new(shape, &quantized, unused, Isa::detect())?))
        };
        Ok(())
    }

    fn count(&self) -> usize {
        self.expected.len() / self.outputs
    }

    /// The exact sums of products: `[patch][output]`.
    fn sums(&self, input_scale: f32) -> Result<Vec<i32>> {
        let mut quantized = vec![0; self.patches.len()];
        quantize_values(self.patches, input_scale, &mut quantized, Isa::detect())?;
        let mut sums = vec![0; self.expected.len()];
        match &self.product {
            Product::Depthwise(weights) => {
                let values = quantized.chunks_exact(self.depth);
                let weights = weights.chunks_exact(self.depth).cycle();
                for ((sum, values), weights) in sums.iter_mut().zip(values).zip(weights) {
                    let products = values.iter().zip(weights);
                    *sum = products.map(|(&x, &w)| i32::from(int8_kernels::unstored(x)) * i32::from(w)).sum();
                }
            }
            Product::Dense(conv) => {
                let (count, channels) = (self.count(), self.depth * self.groups);
                let input = Image::new(&quantized, count, 1, channels, channels)?;
                let run = Run { input, padding: Padding::default(), rows: 0..count, residual: None };
                conv.accumulate(&run, &mut sums, &mut PixelScratch::default())?;
            }
        }
        Ok(sums)
    }

    /// Squared error of every output channel behind the activation, and how far its mean before the
    /// activation is off (float minus int8), under a scale of the input.
    ///
    /// # Errors
    /// `Invalid` when int8 kernels refuse the layer.
    pub fn errors(&self, input_scale: f32) -> Result<Vec<ChannelError>> {
        let mut errors = vec![ChannelError::default(); self.outputs];
        self.each_patch(input_scale, |before, after| {
            for ((error, &expected), &found) in errors.iter_mut().zip(before.expected).zip(before.found) {
                error.shift += f64::from(expected - found);
            }
            for ((error, &expected), &found) in errors.iter_mut().zip(after.expected).zip(after.found) {
                let difference = f64::from(expected - found);
                error.squared += difference * difference;
            }
        })?;
        let count = self.count() as f64;
        errors.iter_mut().for_each(|error| (error.squared, error.shift) = (error.squared / count, error.shift / count));
        Ok(errors)
    }

    /// How the int8 outputs lie to those in f32, behind the activation, per slice of `slices`.
    ///
    /// # Errors
    /// As [`Probe::errors`].
    pub fn alignments(&self, input_scale: f32, slices: usize) -> Result<Vec<Alignment>> {
        let per_scale = (self.outputs / slices.max(1)).max(1);
        let mut alignments = vec![Alignment::default(); self.outputs];
        self.each_patch(input_scale, |_, after| {
            for ((alignment, &expected), &found) in alignments.iter_mut().zip(after.expected).zip(after.found) {
                let [expected, found] = [expected, found].map(f64::from);
                alignment.product += expected * found;
                alignment.found += found * found;
                alignment.expected += expected * expected;
            }
        })?;
        Ok(alignments.chunks_exact(per_scale).map(|outputs| outputs.iter().copied().sum()).collect())
    }

    /// Shows the outputs of every patch, before the activation and behind it.
    fn each_patch(&self, input_scale: f32, mut see: impl FnMut(Outputs<'_>, Outputs<'_>)) -> Result<()> {
        let steps: Vec<f32> = self.weight_scales.iter().map(|scale| 1.0 / (input_scale * scale)).collect();
        let [mut found, mut active] = [vec![0.0; self.outputs], vec![0.0; self.outputs]];
        let mut active_expected = active.clone();
        let sums = self.sums(input_scale)?;
        for (sums, expected) in sums.chunks_exact(self.outputs).zip(self.expected.chunks_exact(self.outputs)) {
            for (((found, &sum), step), bias) in found.iter_mut().zip(sums).zip(&steps).zip(&self.bias) {
                *found = sum as f32 * step + bias;
            }
            active.copy_from_slice(&found);
            active_expected.copy_from_slice(expected);
            self.activation.apply_all(&mut active);
            self.activation.apply_all(&mut active_expected);
            see(Outputs { expected, found: &found }, Outputs { expected: &active_expected, found: &active });
        }
        Ok(())
    }

    /// Mean square of the float output, summed over the channels.
    pub fn signal(&self) -> f64 {
        let mut outputs = self.expected.clone();
        self.activation.apply_all(&mut outputs);
        outputs.iter().map(|&y| f64::from(y).powi(2)).sum::<f64>() / self.count() as f64
    }
}

/// `[patch][output]` in f32, before the activation.
fn outputs_of(patches: &[f32], weights: &[f32], bias: &[f32], groups: usize, depth: usize) -> Result<Vec<f32>> {
    let (outputs, rows) = (bias.len(), bias.len() / groups);
    let count = patches.len() / (groups * depth);
    let mut found = vec![0.0; count * outputs];
    if rows == 1 {
        let weights = weights.chunks_exact(depth).zip(bias).cycle();
        for ((output, patch), (weights, bias)) in found.iter_mut().zip(patches.chunks_exact(depth)).zip(weights) {
            *output = bias + patch.iter().zip(weights).map(|(x, w)| x * w).sum::<f32>();
        }
        return Ok(found);
    }
    let misshapen = |error: ndarray::ShapeError| Error::wrap(ErrorKind::Invalid, error);
    let patches = ArrayView2::from_shape((count, groups * depth), patches).map_err(misshapen)?;
    for group in 0..groups {
        let part = patches.slice_axis(Axis(1), Slice::from(group * depth..(group + 1) * depth));
        let rows_of_group = group * rows..(group + 1) * rows;
        let weights = &weights[group * rows * depth..(group + 1) * rows * depth];
        let weights = ArrayView2::from_shape((rows, depth), weights).map_err(misshapen)?;
        let product = part.dot(&weights.t());
        for (found, product) in found.chunks_exact_mut(outputs).zip(product.rows()) {
            for ((found, product), bias) in
                found[rows_of_group.clone()].iter_mut().zip(product).zip(&bias[rows_of_group.clone()])
            {
                *found = product + bias;
            }
        }
    }
    Ok(found)
}

/// What quantization does to an output channel.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ChannelError {
    /// Mean over the patches of (float − int8)², behind the activation.
    pub squared: f64,
    /// Mean over the patches of float − int8, before the activation.
    pub shift: f64,
}

/// The outputs of a patch, by output channel.
struct Outputs<'a> {
    expected: &'a [f32],
    found: &'a [f32],
}

#[cfg(test)]
mod tests;
