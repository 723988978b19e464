//! Convolution as a matrix product over columns of input windows.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, Slice};

use super::window::{ConvWindow, Covered, Placement};

/// The weights of a convolution (or of one group) as a matrix.
pub(super) struct DenseKernel {
    window: ConvWindow,
    /// Row-major `[outputs][channels · kernel_h · kernel_w]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
    pad_value: f32,
}

/// One plane per channel, `h` rows of `w`.
#[derive(Clone, Copy)]
pub(super) struct Planes<'a> {
    pub(super) values: &'a [f32],
    pub(super) h: usize,
    pub(super) w: usize,
}

impl DenseKernel {
    /// `weights` are `[outputs][depth]` in row-major order, with one of `bias` per output.
    pub(super) fn new(window: ConvWindow, weights: Vec<f32>, bias: Vec<f32>, pad_value: f32) -> Self {
        Self { window, weights, bias, pad_value }
    }

    /// Convolves `input` into `output`, `[outputs][out_h · out_w]`.
    pub(super) fn apply(&self, input: Planes<'_>, placement: &Placement, output: &mut [f32]) {
        let outputs = self.bias.len();
        let pixels = placement.out_h * placement.out_w;
        let depth = self.weights.len() / outputs;
        for (row, &bias) in output.chunks_exact_mut(pixels).zip(&self.bias) {
            row.fill(bias);
        }
        let (Ok(weights), Ok(mut output)) = (
            ArrayView2::from_shape((outputs, depth), &self.weights),
            ArrayViewMut2::from_shape((outputs, pixels), output),
        ) else {
            return;
        };
        if self.window.is_pointwise() {
            if let Ok(columns) = ArrayView2::from_shape((depth, pixels), input.values) {
                general_mat_mul(1.0, &weights, &columns, 1.0, &mut output);
            }
            return;
        }
        // Few enough columns at a time to stay in the second-level cache.
        let strip = (COLUMN_ELEMENTS / depth).clamp(64, 4096).min(pixels);
        let mut columns = vec![0.0; depth * strip];
        for first in (0..pixels).step_by(strip) {
            let len = strip.min(pixels - first);
            let columns = &mut columns[..depth * len];
            self.fill_columns(input, placement, first, columns, len);
            if let Ok(columns) = ArrayView2::from_shape((depth, len), &*columns) {
                let mut output = output.slice_axis_mut(Axis(1), Slice::from(first..first + len));
                general_mat_mul(1.0, &weights, &columns, 1.0, &mut output);
            }
        }
    }

    /// Writes the windows of `len` output pixels from `first` on as `[depth][len]`.
    fn fill_columns(&self, input: Planes<'_>, at: &Placement, first: usize, columns: &mut [f32], len: usize) {
        let ConvWindow { kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w, .. } = self.window;
        let taps = (0..kernel_h).flat_map(|y| (0..kernel_w).map(move |x| (y * dilation_h, x * dilation_w)));
        let planes = input.values.chunks_exact(input.h * input.w);
        let rows = planes.flat_map(|plane| taps.clone().map(move |tap| (plane, tap)));
        for ((plane, (tap_y, tap_x)), mut row) in rows.zip(columns.chunks_exact_mut(len)) {
            let mut pixel = first;
            while !row.is_empty() {
                let (out_y, out_x) = (pixel / at.out_w, pixel % at.out_w);
                let (part, rest) = row.split_at_mut(row.len().min(at.out_w - out_x));
                pixel += part.len();
                row = rest;
                let source = (out_y * stride_h + tap_y)
                    .checked_sub(at.top)
                    .filter(|&y| y < input.h)
                    .map(|y| &plane[y * input.w..(y + 1) * input.w]);
                match source {
                    None => part.fill(self.pad_value),
                    Some(source) => {
                        let covered = Covered::new(out_x * stride_w + tap_x, stride_w, at.left, input.w, part.len());
                        copy_covered(source, covered, stride_w, self.pad_value, part);
                    }
                }
            }
        }
    }
}

/// Columns are made in strips of about this many elements.
const COLUMN_ELEMENTS: usize = 1 << 18;

fn copy_covered(source: &[f32], covered: Covered, stride: usize, pad_value: f32, part: &mut [f32]) {
    part[..covered.start].fill(pad_value);
    part[covered.end..].fill(pad_value);
    let met = &mut part[covered.start..covered.end];
    let source = &source[covered.source..];
    if stride == 1 {
        met.copy_from_slice(&source[..met.len()]);
    } else {
        for (to, from) in met.iter_mut().zip(source.iter().step_by(stride)) {
            *to = *from;
        }
    }
}
