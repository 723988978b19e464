//! Transposed convolution as a matrix product whose columns are scattered.

use ncnn_format::{Error, Result};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2, Axis, Slice};

use super::cut::{Range, cut};
use super::loading::count;
use super::window::{extent, positive};
use crate::{Activate, Activation, Shape, Tensor};

/// One plane per channel, `h` rows of `w`.
#[derive(Clone, Copy)]
struct Planes<'a> {
    values: &'a [f32],
    h: usize,
    w: usize,
}

/// A deconvolution of any number of groups.
pub(super) struct TransposedKernel {
    pub(super) geometry: Geometry,
    pub(super) groups: usize,
    pub(super) channels: usize,
    pub(super) outputs: usize,
    /// Per group row-major `[outputs · kernel_h · kernel_w][channels]`.
    weights: Vec<f32>,
    bias: Vec<f32>,
    activation: Activation,
}

/// Kernel, strides, and what is cut off in the end.
pub(super) struct Geometry {
    vertical: Direction,
    horizontal: Direction,
    cut: Cut,
}

/// One direction.
struct Direction {
    kernel: usize,
    stride: usize,
    dilation: usize,
    /// Added after the end before anything is cut.
    output_pad: usize,
}

enum Cut {
    /// These numbers of rows and columns: top, bottom, left, right.
    Exact([usize; 4]),
    /// What exceeds a size; an odd remainder at the end, or at the start.
    ToSize { h: usize, w: usize, more_at_start: bool },
}

/// The parameters that `Deconvolution` and `DeconvolutionDepthWise` have in common.
pub(super) struct Sizes {
    pub(super) kernel: (i32, i32),
    pub(super) stride: (i32, i32),
    pub(super) dilation: (i32, i32),
    /// top, bottom, left, right
    pub(super) pads: [i32; 4],
    pub(super) output_pad: (i32, i32),
    pub(super) output: (i32, i32),
}

macro_rules! sizes {
    ($params:ident) => {
        $crate::layers::transposed_kernel::Sizes {
            kernel: ($params.kernel_h, $params.kernel_w),
            stride: ($params.stride_h, $params.stride_w),
            dilation: ($params.dilation_h, $params.dilation_w),
            pads: [$params.pad_top, $params.pad_bottom, $params.pad_left, $params.pad_right],
            output_pad: ($params.output_pad_bottom, $params.output_pad_right),
            output: ($params.output_h, $params.output_w),
        }
    };
}
pub(super) use sizes;

impl Geometry {
    pub(super) fn new(sizes: &Sizes) -> Result<Self> {
        Ok(Self {
            vertical: Direction {
                kernel: positive("kernel_h", sizes.kernel.0)?,
                stride: positive("stride_h", sizes.stride.0)?,
                dilation: positive("dilation_h", sizes.dilation.0)?,
                output_pad: count("output_pad_bottom", sizes.output_pad.0)?,
            },
            horizontal: Direction {
                kernel: positive("kernel_w", sizes.kernel.1)?,
                stride: positive("stride_w", sizes.stride.1)?,
                dilation: positive("dilation_w", sizes.dilation.1)?,
                output_pad: count("output_pad_right", sizes.output_pad.1)?,
            },
            cut: Cut::new(sizes)?,
        })
    }

    /// The number of kernel elements.
    pub(super) fn taps(&self) -> Result<usize> {
        let (h, w) = (self.vertical.kernel, self.horizontal.kernel);
        h.checked_mul(w).ok_or_else(|| Error::malformed(format!("a kernel of {w} x {h} is too large")))
    }

    /// Rows and columns before cutting.
    fn full(&self, h: usize, w: usize) -> Result<(usize, usize)> {
        Ok((self.vertical.full("rows", h)?, self.horizontal.full("columns", w)?))
    }
}

impl Direction {
    fn full(&self, what: &str, size: usize) -> Result<usize> {
        let extent = extent(what, self.kernel, self.dilation)?;
        (size - 1)
            .checked_mul(self.stride)
            .and_then(|sum| sum.checked_add(extent))
            .and_then(|sum| sum.checked_add(self.output_pad))
            .ok_or_else(|| Error::invalid(format!("{size} {what} become too many")))
    }
}

impl Cut {
    fn new(sizes: &Sizes) -> Result<Self> {
        let [top, bottom, left, right] = sizes.pads;
        if sizes.pads.iter().any(|&pad| pad > 0) {
            return Ok(Self::Exact([
                count("pad_top", top)?,
                count("pad_bottom", bottom)?,
                count("pad_left", left)?,
                count("pad_right", right)?,
            ]));
        }
        let (h, w) = sizes.output;
        if h <= 0 || w <= 0 {
            return Ok(Self::Exact([0; 4]));
        }
        let more_at_start = if sizes.pads.contains(&-233) {
            false
        } else if sizes.pads.contains(&-234) {
            true
        } else {
            return Err(Error::malformed(format!("an output of {w} x {h} is asked for, but no pad says where to cut")));
        };
        Ok(Self::ToSize { h: positive("output_h", h)?, w: positive("output_w", w)?, more_at_start })
    }

    /// What to cut from `h` rows and `w` columns: top, bottom, left, right.
    fn of(&self, h: usize, w: usize) -> Result<[usize; 4]> {
        let cut = match *self {
            Self::Exact(cut) => cut,
            Self::ToSize { h: wanted_h, w: wanted_w, more_at_start } => {
                let (Some(rows), Some(columns)) = (h.checked_sub(wanted_h), w.checked_sub(wanted_w)) else {
                    return Err(Error::invalid(format!("cannot cut {wanted_w} x {wanted_h} out of {w} x {h}")));
                };
                let (rows, columns) = ([rows / 2, rows - rows / 2], [columns / 2, columns - columns / 2]);
                if more_at_start {
                    [rows[1], rows[0], columns[1], columns[0]]
                } else {
                    [rows[0], rows[1], columns[0], columns[1]]
                }
            }
        };
        if cut[0].saturating_add(cut[1]) >= h || cut[2].saturating_add(cut[3]) >= w {
            return Err(Error::invalid(format!(
                "cutting {cut:?} (top, bottom, left, right) leaves nothing of {w} x {h}"
            )));
        }
        Ok(cut)
    }
}

impl TransposedKernel {
    /// `weights` are `[group][outputs per group][channels per group][kernel_h][kernel_w]`, with one
    /// of `bias` per output.
    pub(super) fn new(
        geometry: Geometry,
        groups: usize,
        channels: usize,
        weights: &[f32],
        bias: Vec<f32>,
        activation: Activation,
    ) -> Result<Self> {
        let taps = geometry.taps()?;
        let per_output = channels / groups;
        let mut turned = Vec::with_capacity(weights.len());
        for output in weights.chunks_exact(per_output * taps) {
            for tap in 0..taps {
                turned.extend(output.iter().skip(tap).step_by(taps));
            }
        }
        Ok(Self { geometry, groups, channels, outputs: bias.len(), weights: turned, bias, activation })
    }

    /// The shape of the output.
    pub(super) fn shape(&self, input: Shape) -> Result<Shape> {
        let (h, w) = self.geometry.full(input.h(), input.w())?;
        Shape::new(&[self.outputs, h, w])?;
        let [top, bottom, left, right] = self.geometry.cut.of(h, w)?;
        Shape::new(&[self.outputs, h - top - bottom, w - left - right])
    }

    /// The output for an image of as many channels as the kernel has.
    pub(super) fn run(&self, input: &Tensor) -> Result<Tensor> {
        let (h, w) = (input.shape().h(), input.shape().w());
        let (full_h, full_w) = self.geometry.full(h, w)?;
        let full_shape = Shape::new(&[self.outputs, full_h, full_w])?;
        let mut full = Tensor::filled_per_channel(full_shape, &self.bias);
        let inputs = input.as_slice().chunks_exact(self.channels / self.groups * h * w);
        let outputs = full.as_mut_slice().chunks_exact_mut(self.outputs / self.groups * full_h * full_w);
        let weights = self.weights.chunks_exact(self.weights.len() / self.groups);
        for ((values, output), weights) in inputs.zip(outputs).zip(weights) {
            self.add_group(Planes { values, h, w }, weights, output, (full_h, full_w));
        }
        self.activation.apply_all(full.as_mut_slice());
        self.trim(full)
    }

    fn add_group(&self, input: Planes<'_>, weights: &[f32], output: &mut [f32], full: (usize, usize)) {
        let channels = self.channels / self.groups;
        let products = weights.len() / channels;
        let pixels = input.h * input.w;
        let (Ok(weights), Ok(values)) = (
            ArrayView2::from_shape((products, channels), weights),
            ArrayView2::from_shape((channels, pixels), input.values),
        ) else {
            return;
        };
        // Few enough columns at a time to stay in the second-level cache.
        let strip = (COLUMN_ELEMENTS / products).clamp(16, 4096).min(pixels);
        let mut columns = vec![0.0; products * strip];
        for first in (0..pixels).step_by(strip) {
            let len = strip.min(pixels - first);
            let columns = &mut columns[..products * len];
            if let Ok(mut columns) = ArrayViewMut2::from_shape((products, len), &mut *columns) {
                let values = values.slice_axis(Axis(1), Slice::from(first..first + len));
                general_mat_mul(1.0, &weights, &values, 0.0, &mut columns);
            }
            self.scatter(columns, first, len, input.w, output, full);
        }
    }

    /// Adds `[outputs · taps][len]` products of the pixels from `first` on where they belong.
    fn scatter(&self, columns: &[f32], first: usize, len: usize, w: usize, output: &mut [f32], full: (usize, usize)) {
        let Geometry { vertical, horizontal, .. } = &self.geometry;
        let taps = vertical.kernel * horizontal.kernel;
        let planes = output.chunks_exact_mut(full.0 * full.1);
        for (plane, columns) in planes.zip(columns.chunks_exact(taps * len)) {
            for (tap, products) in columns.chunks_exact(len).enumerate() {
                let (tap_y, tap_x) = (tap / horizontal.kernel, tap % horizontal.kernel);
                for (pixel, product) in (first..).zip(products) {
                    let y = pixel / w * vertical.stride + tap_y * vertical.dilation;
                    let x = pixel % w * horizontal.stride + tap_x * horizontal.dilation;
                    plane[y * full.1 + x] += product;
                }
            }
        }
    }

    fn trim(&self, full: Tensor) -> Result<Tensor> {
        let (h, w) = (full.shape().h(), full.shape().w());
        let [top, bottom, left, right] = self.geometry.cut.of(h, w)?;
        let whole = Range { start: 0, len: self.outputs };
        let rows = Range { start: top, len: h - top - bottom };
        let columns = Range { start: left, len: w - left - right };
        cut(full, &[whole, rows, columns])
    }
}

/// Products are made in strips of about this many elements.
const COLUMN_ELEMENTS: usize = 1 << 18;
