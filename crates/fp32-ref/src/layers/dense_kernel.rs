//! Convolving over all channels as a matrix product over input windows.

use std::sync::OnceLock;

use ncnn_format::Result;

use super::packed_weights::PackedWeights;
use super::pixel_windows::{Image, WindowRows};
use super::window::{ConvWindow, Placement};
use super::winograd_kernel::{Finish, WinogradKernel};
use crate::simd::vectorized;
use crate::{Activate, Activation, Workspace};

/// The kernels of a convolution, or of the groups of one.
pub(super) struct DenseKernel {
    window: ConvWindow,
    /// `[outputs][channels of a group][kernel_h][kernel_w]`; empty once packed for good.
    weights: Vec<f32>,
    groups: usize,
    // Where both are possible they are packed when first used: the image's size decides.
    plain: OnceLock<Vec<PackedWeights>>,
    winograd: OnceLock<WinogradKernel>,
    bias: Vec<f32>,
    pad_value: f32,
    activation: Activation,
}

impl DenseKernel {
    /// `weights` are `[outputs][channels of a group][kernel_h][kernel_w]` in row-major
    /// order, with one of `bias` per output; outputs are divided evenly among `groups`. `use_winograd` says
    /// whether 3×3 kernels may be applied by Winograd's algorithm.
    pub(super) fn new(
        window: ConvWindow,
        weights: Vec<f32>,
        bias: Vec<f32>,
        groups: usize,
        pad_value: f32,
        activation: Activation,
        use_winograd: bool,
    ) -> Result<Self> {
        let mut kernel = Self {
            window,
            weights,
            groups,
            plain: OnceLock::new(),
            winograd: OnceLock::new(),
            bias,
            pad_value,
            activation,
        };
        if !use_winograd || !kernel.suits_winograd() {
            kernel.plain()?;
            kernel.weights = Vec::new();
        }
        Ok(kernel)
    }

    fn suits_winograd(&self) -> bool {
        let ConvWindow { kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, .. } = self.window;
        let form = [kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w] == [3, 3, 1, 1, 1, 1];
        let channels = self.weights.len() / 9 / self.bias.len();
        form && self.groups == 1 && channels >= LEAST_CHANNELS && self.bias.len() >= LEAST_CHANNELS
    }

    fn plain(&self) -> Result<&[PackedWeights]> {
        if let Some(packed) = self.plain.get() {
            return Ok(packed);
        }
        let outputs = self.bias.len();
        let taps = self.window.taps()?;
        let ordered = taps_first(&self.weights, self.weights.len() / outputs / taps, taps);
        let groups = ordered.chunks_exact(self.weights.len() / self.groups);
        let packed = groups.map(|weights| PackedWeights::new(weights, outputs / self.groups)).collect::<Result<_>>()?;
        Ok(self.plain.get_or_init(|| packed))
    }

    fn winograd(&self) -> Result<&WinogradKernel> {
        if let Some(packed) = self.winograd.get() {
            return Ok(packed);
        }
        let packed = WinogradKernel::new(&self.weights, self.bias.len())?;
        Ok(self.winograd.get_or_init(|| packed))
    }

    /// Convolves `image` into `output`, `[out_h · out_w][outputs]`.
    pub(super) fn apply(
        &self,
        image: Image<'_>,
        at: Placement,
        output: &mut [f32],
        workspace: &mut Workspace,
    ) -> Result<()> {
        if !self.weights.is_empty() && WinogradKernel::pays(at) {
            let finish = Finish { bias: &self.bias, activation: self.activation, pad_value: self.pad_value };
            return self.winograd()?.apply(image, at, finish, output, workspace);
        }
        let groups = self.plain()?;
        let depth = groups[0].depth();
        let pointwise = self.window.is_pointwise();
        let pixels = at.out_h * at.out_w;
        let outputs = self.bias.len();
        // Few enough at a time that windows and results are still in the cache when needed.
        let block = if pointwise { WHOLE_ELEMENTS / outputs } else { BLOCK_ELEMENTS / depth.max(outputs) };
        let block = block.clamp(64, 4096).min(pixels);
        let mut rows = workspace.take(if pointwise { 0 } else { block * depth });
        let mut product = workspace.take(if self.groups == 1 { 0 } else { block * groups[0].outputs() });
        let channels = image.c / self.groups;
        for (index, output) in output.chunks_mut(block * outputs).enumerate() {
            let first = index * block;
            let count = output.len() / outputs;
            for (group, weights) in groups.iter().enumerate() {
                let (input, stride) = if pointwise {
                    (&image.values[first * image.c + group * channels..], image.c)
                } else {
                    let channels = (group * channels, channels);
                    let windows = WindowRows { image, window: self.window, at, channels, pad_value: self.pad_value };
                    windows.fill(first, &mut rows[..count * depth]);
                    (&rows[..count * depth], depth)
                };
                let bias = &self.bias[group * weights.outputs()..(group + 1) * weights.outputs()];
                // The matrix ends with its last row, not with the pixel that this is a part of.
                let input = &input[..(count - 1) * stride + depth];
                if self.groups == 1 {
                    weights.multiply(input, stride, Some(bias), output)?;
                } else {
                    let product = &mut product[..count * weights.outputs()];
                    weights.multiply(input, stride, Some(bias), product)?;
                    scatter(product, weights.outputs(), group, output, outputs);
                }
            }
            vectorized(
                #[inline(always)]
                || self.activation.apply_all(output),
            );
        }
        workspace.give(rows);
        workspace.give(product);
        Ok(())
    }
}

/// With fewer channels the transforms take longer than is saved.
const LEAST_CHANNELS: usize = 24;
/// Windows are made in blocks of about this many elements.
const BLOCK_ELEMENTS: usize = 1 << 17;
/// Where nothing is copied, results are made in blocks of about this many elements.
const WHOLE_ELEMENTS: usize = 1 << 19;

/// Copies rows of `len` values to the part of each output row that belongs to `group`.
fn scatter(product: &[f32], len: usize, group: usize, output: &mut [f32], outputs: usize) {
    for (part, row) in product.chunks_exact(len).zip(output.chunks_exact_mut(outputs)) {
        row[group * len..(group + 1) * len].copy_from_slice(part);
    }
}

/// Turns `[outputs][channels][taps]` into `[outputs][taps][channels]`.
fn taps_first(weights: &[f32], channels: usize, taps: usize) -> Vec<f32> {
    let mut ordered = Vec::with_capacity(weights.len());
    for kernel in weights.chunks_exact(channels * taps) {
        for tap in 0..taps {
            ordered.extend(kernel.iter().skip(tap).step_by(taps));
        }
    }
    ordered
}
