//! Convolution along rows, as a matrix product over columns of input windows.

use ncnn_format::{Error, Result};
use ndarray::linalg::general_mat_mul;
use ndarray::{Axis, Slice};

use super::loading::share;
use super::matrix::{matrix, matrix_mut};
use super::window::{Pads, extent, padded, positive, same_pad, windows};
use crate::{Activation, Shape, Tensor};

/// The kernel of a (grouped) convolution along the rows of a matrix, one row per channel.
pub(super) struct Kernel1d {
    pub(super) taps: Taps,
    pub(super) groups: usize,
    /// Row-major `[outputs][channels per group][taps]`.
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) pad_value: f32,
    pub(super) activation: Activation,
}

/// Where the elements of a kernel lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taps {
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    pub(super) pads: Pads,
}

macro_rules! taps {
    ($params:expr) => {{
        let params = &$params;
        let (left, right) = (params.pad_left, params.pad_right);
        $crate::layers::kernel_1d::Taps {
            kernel: positive("kernel_w", params.kernel_w)?,
            stride: positive("stride_w", params.stride_w)?,
            dilation: positive("dilation_w", params.dilation_w)?,
            pads: $crate::layers::window::Pads::new(left, right, left, right)?,
        }
    }};
}
pub(super) use taps;

/// Columns added to the left, and the number of windows.
struct Place {
    left: usize,
    count: usize,
}

impl Taps {
    fn place(&self, w: usize) -> Result<Place> {
        let extent = extent("columns", self.kernel, self.dilation)?;
        let (left, right) = match self.pads {
            Pads::Exact { left, right, .. } => (left, right),
            Pads::SameUpper => {
                let pad = same_pad(w, extent, self.stride);
                (pad / 2, pad - pad / 2)
            }
            Pads::SameLower => {
                let pad = same_pad(w, extent, self.stride);
                (pad - pad / 2, pad / 2)
            }
        };
        Ok(Place { left, count: windows("columns", padded(w, left, right)?, extent, self.stride)? })
    }
}

/// Columns are made in strips of about this many elements.
const STRIP_ELEMENTS: usize = 1 << 18;

impl Kernel1d {
    /// Channels of one group for `weight_count` weights.
    pub(super) fn channels_per_group(weight_count: i32, outputs: usize, groups: usize, kernel: usize) -> Result<usize> {
        share("output channels per group", outputs, groups)?;
        let per_output = share("weights per output channel", positive("weight_data_size", weight_count)?, outputs)?;
        share("input channels", per_output, kernel)
    }

    /// Channels times taps that an output channel sums over.
    fn depth(&self) -> usize {
        self.weights.len() / self.bias.len()
    }

    /// The shape of the output.
    pub(super) fn shape(&self, input: Shape) -> Result<Shape> {
        let channels = self.depth() / self.taps.kernel * self.groups;
        if input.rank() > 2 || input.h() != channels {
            return Err(Error::invalid(format!("expects {channels} rows, the input is {input}")));
        }
        Shape::new(&[self.bias.len(), self.taps.place(input.w())?.count])
    }

    pub(super) fn run(&self, input: &Tensor) -> Result<Tensor> {
        let mut output = Tensor::filled(self.shape(input.shape())?, 0.0);
        let w = input.shape().w();
        let Place { left, count } = self.taps.place(w)?;
        let (depth, outputs) = (self.depth(), self.bias.len() / self.groups);
        for (row, &bias) in output.channels_mut().zip(&self.bias) {
            row.fill(bias);
        }
        let strip = (STRIP_ELEMENTS / depth).clamp(64, 4096).min(count);
        let mut columns = vec![0.0; Shape::new(&[depth, strip])?.volume()];
        let groups = output.as_mut_slice().chunks_exact_mut(outputs * count);
        let inputs = input.as_slice().chunks_exact(input.shape().volume() / self.groups);
        for ((output, rows), weights) in groups.zip(inputs).zip(self.weights.chunks_exact(outputs * depth)) {
            let weights = matrix(weights, outputs, depth)?;
            let mut output = matrix_mut(output, outputs, count)?;
            for first in (0..count).step_by(strip) {
                let len = strip.min(count - first);
                self.fill_columns(rows, w, left, first, &mut columns[..depth * len], len);
                let mut part = output.slice_axis_mut(Axis(1), Slice::from(first..first + len));
                let columns = matrix(&columns[..depth * len], depth, len)?;
                general_mat_mul(1.0, &weights, &columns, 1.0, &mut part);
            }
        }
        self.activation.apply_all(output.as_mut_slice());
        Ok(output)
    }

    /// Writes the windows of `len` outputs from `first` on as `[channels · taps][len]`.
    fn fill_columns(&self, rows: &[f32], w: usize, left: usize, first: usize, columns: &mut [f32], len: usize) {
        let Taps { kernel, stride, dilation, .. } = self.taps;
        for (index, column) in columns.chunks_exact_mut(len).enumerate() {
            let row = &rows[index / kernel * w..][..w];
            let tap = index % kernel * dilation;
            for (place, value) in column.iter_mut().enumerate() {
                let source = ((first + place) * stride + tap).checked_sub(left);
                *value = source.and_then(|x| row.get(x)).copied().unwrap_or(self.pad_value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(groups: usize, pads: Pads) -> Kernel1d {
        Kernel1d {
            taps: Taps { kernel: 2, stride: 1, dilation: 2, pads },
            groups,
            weights: vec![1.0, 10.0, 2.0, 20.0],
            bias: vec![0.0; groups],
            pad_value: 0.5,
            activation: Activation::None,
        }
    }

    #[test]
    fn sums_over_channels_or_leaves_them_apart() {
        let input = Tensor::new([2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let dense = kernel(1, Pads::NONE).run(&input).unwrap();
        assert_eq!((dense.shape().dims(), dense.as_slice()), (&[1, 1][..], &[159.0][..]));
        let apart = kernel(2, Pads::Exact { top: 0, bottom: 0, left: 1, right: 0 }).run(&input).unwrap();
        assert_eq!((apart.shape().dims(), apart.as_slice()), (&[2, 2][..], &[20.5, 31.0, 101.0, 128.0][..]));
    }

    #[test]
    fn names_the_rows_expected() {
        let message = kernel(1, Pads::NONE).shape(Shape::new(&[3, 9]).unwrap()).unwrap_err().to_string();
        assert_eq!(message, "expects 2 rows, the input is 3x9");
    }
}
