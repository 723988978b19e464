//! What a layer's output loses to quantization, on patches.

use fp32_ref::Activation;
use int8_kernels::{ConvShape, Epilogue, Image, Isa, Padding, PixelConv, PixelScratch, Run, quantize, quantize_values};
use ncnn_format::{Error, Layer, LayerKind, Result, WeightRole, typed};

use super::patches::Patches;

/// A layer that can be computed on its patches, in f32 and in int8.
pub(super) struct Probe {
    groups: usize,
    /// Outputs of a group.
    rows: usize,
    /// Products of an output.
    depth: usize,
    /// Per group, patches of that group one after the other.
    patches: Vec<Vec<f32>>,
    weights: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
    /// Outputs before the activation: `[group][row][patch]`.
    expected: Vec<f32>,
}

impl Probe {
    /// `None` if the patches do not fit the layer (a blob of an unexpected shape) or there are none.
    ///
    /// # Errors
    /// `Malformed` when the layer's parameters or weights cannot be read.
    pub(super) fn new(layer: &Layer, patches: &Patches) -> Result<Option<Self>> {
        let (outputs, groups, activation) = match layer.kind {
            LayerKind::ConvolutionDepthWise => {
                let params = typed::ConvolutionDepthWise::read(layer)?;
                (params.num_output, params.group, Activation::new(params.activation_type, &params.activation_params)?)
            }
            LayerKind::InnerProduct => {
                let params = typed::InnerProduct::read(layer)?;
                (params.num_output, 1, Activation::new(params.activation_type, &params.activation_params)?)
            }
            _ => {
                let params = typed::Convolution::read(layer)?;
                (params.num_output, 1, Activation::new(params.activation_type, &params.activation_params)?)
            }
        };
        let (outputs, groups) = (outputs.max(0) as usize, groups.max(1) as usize);
        let weights = layer.weight_f32(WeightRole::Weight)?.into_owned();
        let depth = weights.len().checked_div(outputs).unwrap_or(0);
        let bias = match layer.weight(WeightRole::Bias) {
            Some(_) => layer.weight_f32(WeightRole::Bias)?.into_owned(),
            None => vec![0.0; outputs],
        };
        let all = depth * groups;
        if all == 0 || patches.values.is_empty() || !patches.values.len().is_multiple_of(all) || outputs % groups != 0 {
            return Ok(None);
        }
        let by_group = |group: usize| {
            patches
                .values
                .chunks_exact(all)
                .flat_map(|patch| &patch[group * depth..(group + 1) * depth])
                .copied()
                .collect()
        };
        let patches: Vec<Vec<f32>> = (0..groups).map(by_group).collect();
        let rows = outputs / groups;
        let mut expected = Vec::new();
        for (group, patches) in patches.iter().enumerate() {
            for row in group * rows..(group + 1) * rows {
                let weights = &weights[row * depth..(row + 1) * depth];
                expected.extend(patches.chunks_exact(depth).map(|patch| bias[row] + dot(patch, weights)));
            }
        }
        Ok(Some(Self { groups, rows, depth, patches, weights, bias, activation, expected }))
    }

    fn count(&self) -> usize {
        self.patches[0].len() / self.depth
    }

    /// The int8 outputs before the activation, `[group][row][patch]`; `weight_scales` one per slice.
    fn outputs(&self, input_scale: f32, weight_scales: &[f32]) -> Result<Vec<f32>> {
        let outputs = self.groups * self.rows;
        let per_scale = outputs / weight_scales.len().max(1);
        let count = self.count();
        let mut found = Vec::with_capacity(self.expected.len());
        let isa = Isa::detect();
        let wrong = |error: int8_kernels::Error| Error::invalid(error.to_string());
        let mut quantized = vec![0; self.patches[0].len()];
        let mut sums = vec![0; self.rows * count];
        for (group, patches) in self.patches.iter().enumerate() {
            quantize_values(patches, input_scale, &mut quantized, isa).map_err(wrong)?;
            let first = group * self.rows;
            let scale_of = |row: usize| weight_scales[(first + row) / per_scale];
            let weights: Vec<i8> = (0..self.rows)
                .flat_map(|row| {
                    let start = (first + row) * self.depth;
                    self.weights[start..start + self.depth].iter().map(move |&w| quantize(w, scale_of(row)))
                })
                .collect();
            // A patch is a pixel of as many channels as it has values.
            let shape = ConvShape::pointwise(self.depth, self.rows);
            let unused = Epilogue::new(vec![1.0; self.rows], None, int8_kernels::Activation::None).map_err(wrong)?;
            let product = PixelConv::new(shape, &weights, unused, isa).map_err(wrong)?;
            let input = Image::new(&quantized, count, 1, self.depth, self.depth).map_err(wrong)?;
            let run = Run { input, padding: Padding::default(), rows: 0..count, residual: None };
            product.accumulate(&run, &mut sums, &mut PixelScratch::default()).map_err(wrong)?;
            for row in 0..self.rows {
                let step = 1.0 / (input_scale * scale_of(row));
                let sums = sums.iter().skip(row).step_by(self.rows);
                found.extend(sums.map(|&sum| sum as f32 * step + self.bias[first + row]));
            }
        }
        Ok(found)
    }

    /// Squared error of every output channel behind the activation, and how far its mean before the
    /// activation is off (float minus int8).
    pub(super) fn errors(&self, input_scale: f32, weight_scales: &[f32]) -> Result<Vec<ChannelError>> {
        let found = self.outputs(input_scale, weight_scales)?;
        let count = self.count();
        let channel = |(expected, found): (&[f32], &[f32])| {
            let mut error = ChannelError::default();
            for (&expected, &found) in expected.iter().zip(found) {
                error.shift += f64::from(expected - found) / count as f64;
                let difference = f64::from(self.activation.apply(expected) - self.activation.apply(found));
                error.squared += difference * difference / count as f64;
            }
            error
        };
        Ok(self.expected.chunks_exact(count).zip(found.chunks_exact(count)).map(channel).collect())
    }

    /// Mean square of the float output, summed over the channels.
    pub(super) fn signal(&self) -> f64 {
        let squares = self.expected.iter().map(|&y| f64::from(self.activation.apply(y)).powi(2));
        squares.sum::<f64>() / self.count() as f64
    }
}

/// What quantization does to an output channel.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ChannelError {
    pub(super) squared: f64,
    pub(super) shift: f64,
}

/// In lanes, which the compiler turns into vector code.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0f32; 16];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<16>(), b.as_chunks::<16>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane += a * b;
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}
