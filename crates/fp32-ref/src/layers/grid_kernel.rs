//! Convolving rows and volumes, as a matrix product over columns of input windows.

use ncnn_format::{Error, Result, WeightRole};
use ndarray::linalg::general_mat_mul;
use ndarray::{Axis, Slice};

use super::grid_axis::{AxisPlace, GridAxis};
use super::loading::{self, share};
use super::matrix::{matrix, matrix_mut};
use super::window::positive;
use crate::{Activate, Activation, Shape, Tensor};

/// A grouped convolution with a kernel of up to three axes.
pub(super) struct GridKernel {
    /// Depth, rows, columns.
    axes: [GridAxis; 3],
    groups: usize,
    /// Row-major `[outputs][channels per group][taps]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
    pad_value: f32,
    activation: Activation,
}

/// What a convolution has beside its window.
pub(super) struct GridParams<'a> {
    pub(super) num_output: i32,
    pub(super) group: i32,
    pub(super) weight_data_size: i32,
    pub(super) bias_term: i32,
    pub(super) dynamic_weight: i32,
    pub(super) pad_value: f32,
    pub(super) activation_type: i32,
    pub(super) activation_params: &'a [f32],
}

/// The [`GridParams`] of a layer's parameters, for which 1-D and 3-D, dense and grouped
/// convolutions have the same names.
macro_rules! grid_params {
    ($params:expr, $group:expr, $dynamic_weight:expr) => {
        GridParams {
            num_output: $params.num_output,
            group: $group,
            weight_data_size: $params.weight_data_size,
            bias_term: $params.bias_term,
            dynamic_weight: $dynamic_weight,
            pad_value: $params.pad_value,
            activation_type: $params.activation_type,
            activation_params: &$params.activation_params,
        }
    };
}
pub(super) use grid_params;

/// One output per window on the input's depth, rows and columns.
type Places = [AxisPlace; 3];

/// Columns are made in strips of about this many elements.
const STRIP_ELEMENTS: usize = 1 << 18;

impl GridKernel {
    /// Takes the weights of `layer`.
    pub(super) fn build(layer: &ncnn_format::Layer, axes: [GridAxis; 3], params: &GridParams<'_>) -> Result<Self> {
        loading::refuse_dynamic_weight(layer, params.dynamic_weight)?;
        let outputs = positive("num_output", params.num_output)?;
        let groups = positive("group", params.group)?;
        share("output channels per group", outputs, groups)?;
        let weight_count = positive("weight_data_size", params.weight_data_size)?;
        let per_output = share("weights per output channel", weight_count, outputs)?;
        let sizes = axes.map(|axis| axis.kernel());
        share("input channels", per_output, Shape::new(&sizes)?.volume())?;
        Ok(Self {
            axes,
            groups,
            weights: loading::floats(layer, WeightRole::Weight, weight_count)?,
            bias: loading::bias(layer, params.bias_term, outputs)?,
            pad_value: params.pad_value,
            activation: Activation::new(params.activation_type, params.activation_params)?,
        })
    }

    fn taps(&self) -> usize {
        self.axes.iter().map(GridAxis::kernel).product()
    }

    /// Channels of a group times taps, which an output channel sums over.
    fn depth(&self) -> usize {
        self.weights.len() / self.bias.len()
    }

    /// The number of outputs along depth, rows and columns, behind that of channels.
    pub(super) fn sizes(&self, channels: usize, input: [usize; 3]) -> Result<[usize; 4]> {
        let expected = self.depth() / self.taps() * self.groups;
        if channels != expected {
            return Err(Error::invalid(format!("expects {expected} channels, the input has {channels}")));
        }
        let [d, h, w] = self.places(input)?;
        Ok([self.bias.len(), d.count, h.count, w.count])
    }

    fn places(&self, [d, h, w]: [usize; 3]) -> Result<Places> {
        let [along_d, along_h, along_w] = &self.axes;
        Ok([along_d.place(d)?, along_h.place(h)?, along_w.place(w)?])
    }

    /// Convolves `input`, whose channels have the sizes `volume`, to the shape `output`,
    /// which has the sizes that [`GridKernel::sizes`] gave.
    pub(super) fn run(&self, input: &Tensor, volume: [usize; 3], output: Shape) -> Result<Tensor> {
        let places = self.places(volume)?;
        let mut output = Tensor::filled(output, 0.0);
        let count = output.shape().volume() / self.bias.len();
        for (channel, &bias) in output.as_mut_slice().chunks_exact_mut(count).zip(&self.bias) {
            channel.fill(bias);
        }
        let (depth, outputs) = (self.depth(), self.bias.len() / self.groups);
        let strip = (STRIP_ELEMENTS / depth).clamp(64, 4096).min(count);
        let mut columns = vec![0.0; Shape::new(&[depth, strip])?.volume()];
        let parts = output.as_mut_slice().chunks_exact_mut(outputs * count);
        let inputs = input.as_slice().chunks_exact(input.shape().volume() / self.groups);
        for ((part, channels), weights) in parts.zip(inputs).zip(self.weights.chunks_exact(outputs * depth)) {
            let weights = matrix(weights, outputs, depth)?;
            let mut part = matrix_mut(part, outputs, count)?;
            for first in (0..count).step_by(strip) {
                let len = strip.min(count - first);
                self.fill_columns(channels, volume, &places, first, &mut columns[..depth * len], len);
                let columns = matrix(&columns[..depth * len], depth, len)?;
                let mut part = part.slice_axis_mut(Axis(1), Slice::from(first..first + len));
                general_mat_mul(1.0, &weights, &columns, 1.0, &mut part);
            }
        }
        self.activation.apply_all(output.as_mut_slice());
        Ok(output)
    }

    /// Writes the windows of `len` outputs from `first` on as `[channels · taps][len]`.
    fn fill_columns(
        &self,
        channels: &[f32],
        [d, h, w]: [usize; 3],
        [along_d, along_h, along_w]: &Places,
        first: usize,
        columns: &mut [f32],
        len: usize,
    ) {
        let [_, kernel_h, kernel_w] = self.axes.map(|axis| axis.kernel());
        let taps = self.taps();
        for (index, mut rest) in columns.chunks_exact_mut(len).enumerate() {
            let channel = &channels[index / taps * d * h * w..][..d * h * w];
            let tap = index % taps;
            let (tap_z, tap_y, tap_x) = (tap / kernel_w / kernel_h, tap / kernel_w % kernel_h, tap % kernel_w);
            let mut pixel = first;
            while !rest.is_empty() {
                let (line, x) = (pixel / along_w.count, pixel % along_w.count);
                let (part, others) = rest.split_at_mut(rest.len().min(along_w.count - x));
                pixel += part.len();
                rest = others;
                let z = along_d.source(line / along_h.count, tap_z);
                let y = along_h.source(line % along_h.count, tap_y);
                let row = z.zip(y).map(|(z, y)| &channel[(z * h + y) * w..][..w]);
                for (place, value) in part.iter_mut().enumerate() {
                    let source = row.zip(along_w.source(x + place, tap_x));
                    *value = source.map_or(self.pad_value, |(row, x)| row[x]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::grid_axis::AxisPad;

    fn kernel(groups: usize, pad: AxisPad) -> GridKernel {
        GridKernel {
            axes: [GridAxis::SINGLE, GridAxis::SINGLE, GridAxis::new("w", [2, 1, 2], pad).unwrap()],
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
        let run = |kernel: GridKernel, dims: &[usize]| {
            assert_eq!(kernel.sizes(2, [1, 1, 3]).unwrap(), [dims[0], 1, 1, dims[1]]);
            kernel.run(&input, [1, 1, 3], Shape::new(dims).unwrap()).unwrap().as_slice().to_vec()
        };
        assert_eq!(run(kernel(1, AxisPad::Exact { before: 0, after: 0 }), &[1, 1]), [159.0]);
        assert_eq!(run(kernel(2, AxisPad::Exact { before: 1, after: 0 }), &[2, 2]), [20.5, 31.0, 101.0, 128.0]);
    }

    #[test]
    fn names_the_channels_expected() {
        let message = kernel(1, AxisPad::SameUpper).sizes(3, [1, 1, 9]).unwrap_err().to_string();
        assert_eq!(message, "expects 2 channels, the input has 3");
    }
}
