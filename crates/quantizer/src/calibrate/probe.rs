//! What a layer's output loses to quantization, on patches.

use std::borrow::Cow;

use fp32_ref::Activation;
use int8_kernels::{ConvShape, Epilogue, Image, Isa, Padding, PixelConv, PixelScratch, Run, quantize, quantize_values};
use ncnn_format::{Error, ErrorKind, Layer, LinearLayer, Result, WeightRole};
use ndarray::{ArrayView2, Axis, Slice};

use super::alignment::Alignment;
use super::patches::Patches;

/// A layer on its patches: outputs in f32 and, under any scale of its input, in int8 with the very integers that an
/// executor computes.
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
        let activation = Activation::new(linear.activation_type, &linear.activation_params)?;
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
mod tests {
    use super::*;
    use ncnn_format::{F32Tag, Model, Weight, WeightData};
    use proptest::prelude::*;

    /// A layer as its line in a `.param`, with these weights and this bias.
    fn layer(line: &str, weights: &[f32], bias: Option<&[f32]>) -> Layer {
        let mut model = Model::from_param_text(&format!("7767517\n1 1\n{line}\n")).unwrap();
        let mut layer = model.layers.remove(0);
        let weight = |role, values: &[f32], tag| Weight { role, data: WeightData::F32(values.to_vec(), tag) };
        layer.weights.push(weight(WeightRole::Weight, weights, F32Tag::Tagged));
        layer.weights.extend(bias.map(|bias| weight(WeightRole::Bias, bias, F32Tag::Raw)));
        layer
    }

    /// A layer, its form, and what is known of it.
    struct Case {
        line: &'static str,
        outputs: usize,
        groups: usize,
        /// Products of an output.
        depth: usize,
        scales: usize,
        relu: bool,
        bias: bool,
    }

    const CASES: [Case; 5] = [
        Case {
            line: "Convolution c 0 1 c 0=4 1=1 5=1 6=12 9=1",
            outputs: 4,
            groups: 1,
            depth: 3,
            scales: 4,
            relu: true,
            bias: true,
        },
        Case {
            line: "Convolution c 0 1 c 0=2 1=3 6=36",
            outputs: 2,
            groups: 1,
            depth: 18,
            scales: 2,
            relu: false,
            bias: false,
        },
        Case {
            line: "ConvolutionDepthWise c 0 1 c 0=3 1=3 5=1 6=27 7=3",
            outputs: 3,
            groups: 3,
            depth: 9,
            scales: 3,
            relu: false,
            bias: true,
        },
        Case {
            line: "ConvolutionDepthWise c 0 1 c 0=4 1=1 6=12 7=2 9=1",
            outputs: 4,
            groups: 2,
            depth: 3,
            scales: 2,
            relu: true,
            bias: false,
        },
        Case {
            line: "InnerProduct c 0 1 c 0=5 1=1 2=35",
            outputs: 5,
            groups: 1,
            depth: 7,
            scales: 5,
            relu: false,
            bias: true,
        },
    ];

    fn wave(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin() * 2.0).collect()
    }

    /// Outputs of all patches in f64, `[patch][output]`, before the activation: exact products of floats, or of the
    /// integers that stand for them.
    fn plain(case: &Case, patches: &[f32], weights: &[f32], bias: &[f32], scales: Option<(f32, &[f32])>) -> Vec<f64> {
        let level = |value: f32, scale: f32| f64::from((value * scale).round_ties_even().clamp(-127.0, 127.0));
        let mut found = Vec::new();
        for patch in patches.chunks(case.groups * case.depth) {
            for output in 0..case.outputs {
                let group = output / (case.outputs / case.groups);
                let inputs = &patch[group * case.depth..][..case.depth];
                let row = &weights[output * case.depth..][..case.depth];
                let pairs = inputs.iter().zip(row);
                let sum: f64 = match scales {
                    None => pairs.map(|(&x, &w)| f64::from(x) * f64::from(w)).sum(),
                    Some((input, scales)) => {
                        let scale = scales[output / (case.outputs / case.scales)];
                        let sum: f64 = pairs.map(|(&x, &w)| level(x, input) * level(w, scale)).sum();
                        sum / f64::from(input) / f64::from(scale)
                    }
                };
                found.push(sum + f64::from(bias[output]));
            }
        }
        found
    }

    #[test]
    fn outputs_and_errors_are_those_of_plain_loops() {
        for case in &CASES {
            let count = 20;
            let patches = Patches::new(case.groups * case.depth, wave(count * case.groups * case.depth, 0.7));
            let weights = wave(case.outputs * case.depth, 1.3);
            let bias = if case.bias { wave(case.outputs, 2.1) } else { vec![0.0; case.outputs] };
            let layer = layer(case.line, &weights, case.bias.then_some(&bias[..]));
            let scales: Vec<f32> = (0..case.scales).map(|i| 40.0 + i as f32).collect();
            let probe = Probe::new(&layer, &patches, &scales).unwrap().unwrap();
            let active = |y: f64| if case.relu { y.max(0.0) } else { y };
            let expected = plain(case, &patches.values, &weights, &bias, None);
            let signal = expected.iter().map(|&y| active(y).powi(2)).sum::<f64>() / count as f64;
            assert!((probe.signal() / signal - 1.0).abs() < 1e-5, "{}", case.line);
            for input_scale in [20.0, 63.5, 200.0] {
                let found = plain(case, &patches.values, &weights, &bias, Some((input_scale, &scales)));
                let errors = probe.errors(input_scale).unwrap();
                let alignments = probe.alignments(input_scale, case.outputs).unwrap();
                for output in 0..case.outputs {
                    let pairs = || expected.iter().zip(&found).skip(output).step_by(case.outputs);
                    let mean =
                        |f: &dyn Fn(f64, f64) -> f64| pairs().map(|(&a, &b)| f(a, b)).sum::<f64>() / count as f64;
                    let squared = mean(&|a, b| (active(a) - active(b)).powi(2));
                    let shift = mean(&|a, b| a - b);
                    assert!((errors[output].squared - squared).abs() < 1e-4 * squared + 1e-9, "{}", case.line);
                    assert!((errors[output].shift - shift).abs() < 1e-5, "{}", case.line);
                    let product = count as f64 * mean(&|a, b| active(a) * active(b));
                    assert!((alignments[output].product - product).abs() < 1e-3, "{}", case.line);
                }
                let whole: Alignment = alignments.iter().copied().sum();
                let slices = probe.alignments(input_scale, case.scales).unwrap();
                assert_eq!(slices.len(), case.scales);
                assert!((slices.into_iter().sum::<Alignment>().cosine() - whole.cosine()).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn without_rounding_nothing_is_lost() {
        // Integers times integers at the scale 1.
        let layer = layer("InnerProduct c 0 1 c 0=2 2=6", &[1.0, -2.0, 3.0, 100.0, 0.0, -127.0], None);
        let patches = Patches::new(3, vec![5.0, -7.0, 127.0, 0.0, 1.0, 2.0]);
        let probe = Probe::new(&layer, &patches, &[1.0, 1.0]).unwrap().unwrap();
        assert_eq!(probe.errors(1.0).unwrap(), [ChannelError::default(); 2]);
        let cosine = probe.alignments(1.0, 1).unwrap()[0].cosine();
        assert!((cosine - 1.0).abs() < 1e-15, "{cosine}");
    }

    #[test]
    fn clipping_shifts_the_mean() {
        let layer = layer("InnerProduct c 0 1 c 0=1 2=1", &[1.0], None);
        let patches = Patches::new(1, vec![200.0, 100.0]);
        let probe = Probe::new(&layer, &patches, &[127.0]).unwrap().unwrap();
        // 200 is read as 127: 73 are missing in one of two outputs.
        let errors = probe.errors(1.0).unwrap();
        assert!((errors[0].shift - 36.5).abs() < 1e-4 && (errors[0].squared - 73.0 * 36.5).abs() < 1e-2, "{errors:?}");
    }

    #[test]
    fn patches_that_do_not_fit_give_no_probe() {
        let layer = layer("InnerProduct c 0 1 c 0=2 2=6", &[1.0; 6], None);
        for values in [vec![], vec![1.0; 4], vec![1.0; 7]] {
            assert!(Probe::new(&layer, &Patches::new(3, values), &[1.0; 2]).unwrap().is_none());
        }
        assert!(Probe::new(&layer, &Patches::new(3, vec![1.0; 9]), &[1.0; 2]).unwrap().is_some());
    }

    #[test]
    fn scales_that_cannot_be_shared_are_refused() {
        let layer = layer("InnerProduct c 0 1 c 0=4 2=4", &[1.0; 4], None);
        let patches = Patches::new(1, vec![1.0; 3]);
        let message = |scales: &[f32]| Probe::new(&layer, &patches, scales).err().unwrap().to_string();
        assert_eq!(message(&[]), "0 scales cannot be shared by 4 outputs");
        assert_eq!(message(&[1.0; 3]), "3 scales cannot be shared by 4 outputs");
        assert_eq!(message(&[1.0; 5]), "5 scales cannot be shared by 4 outputs");
        let mut probe = Probe::new(&layer, &patches, &[1.0; 2]).unwrap().unwrap();
        assert!(probe.quantize_weights(&[2.0; 4]).is_ok() && probe.quantize_weights(&[2.0; 8]).is_err());
    }

    proptest! {
        #[test]
        fn patches_in_another_order_have_the_same_errors(
            values in proptest::collection::vec(-3f32..3.0, 12),
            scale in 1f32..200.0,
        ) {
            let layer = layer("InnerProduct c 0 1 c 0=1 2=3", &[0.5, -1.0, 0.25], None);
            let backward: Vec<f32> = values.chunks(3).rev().flatten().copied().collect();
            let [a, b] = [values, backward].map(|values| {
                let patches = Patches::new(3, values);
                Probe::new(&layer, &patches, &[127.0]).unwrap().unwrap().errors(scale).unwrap()[0]
            });
            prop_assert!((a.squared - b.squared).abs() <= 1e-12 * a.squared.max(1.0));
            prop_assert!((a.shift - b.shift).abs() <= 1e-9);
        }
    }
}
