//! `Pooling`: the largest or the average value of each window.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::loading::count;
use super::window::{Covered, padded, positive, same_pad, windows};
use crate::{Layer, Shape, Tensor};

pub(super) struct Pooling {
    method: Method,
    extent: Extent,
}

#[derive(Clone, Copy, PartialEq)]
enum Method {
    Max,
    /// Divides by the number of window elements, or of those that are not padding.
    Average {
        count_padding: bool,
    },
}

enum Extent {
    /// A whole plane.
    Global,
    /// Windows that divide the plane into this many rows and columns; `None` as many as it has.
    Adaptive { out_h: Option<usize>, out_w: Option<usize> },
    Windows(Windows),
}

struct Windows {
    vertical: Axis,
    horizontal: Axis,
    mode: PadMode,
}

/// Windows along one axis.
struct Axis {
    kernel: usize,
    stride: usize,
    /// Declared padding before and after.
    before: usize,
    after: usize,
}

#[derive(Clone, Copy, PartialEq)]
enum PadMode {
    /// The declared padding, and more after the end so that no value is left over.
    Full,
    /// The declared padding.
    Valid,
    SameUpper,
    SameLower,
}

/// Padding along one axis and the part of the padded axis that an average counts.
#[derive(Clone, Copy)]
struct Span {
    before: usize,
    windows: usize,
    counted: (usize, usize),
}

pub(super) fn build(layer: &ncnn_format::Layer) -> Result<Pooling> {
    let params = typed::Pooling::read(layer)?;
    let method = match params.pooling_type {
        0 => Method::Max,
        1 => Method::Average { count_padding: params.avgpool_count_include_pad != 0 },
        other => return Err(Error::malformed(format!("pooling_type is {other}, expected 0 or 1"))),
    };
    let extent = if params.global_pooling != 0 {
        Extent::Global
    } else if params.adaptive_pooling != 0 {
        let size = |name, value| if value == -233 { Ok(None) } else { positive(name, value).map(Some) };
        Extent::Adaptive { out_h: size("out_h", params.out_h)?, out_w: size("out_w", params.out_w)? }
    } else {
        Extent::Windows(Windows::new(&params)?)
    };
    Ok(Pooling { method, extent })
}

impl Windows {
    fn new(params: &typed::Pooling) -> Result<Self> {
        let mode = match params.pad_mode {
            0 => PadMode::Full,
            1 => PadMode::Valid,
            2 => PadMode::SameUpper,
            3 => PadMode::SameLower,
            other => return Err(Error::malformed(format!("pad_mode is {other}, expected 0 to 3"))),
        };
        Ok(Self {
            vertical: Axis {
                kernel: positive("kernel_h", params.kernel_h)?,
                stride: positive("stride_h", params.stride_h)?,
                before: count("pad_top", params.pad_top)?,
                after: count("pad_bottom", params.pad_bottom)?,
            },
            horizontal: Axis {
                kernel: positive("kernel_w", params.kernel_w)?,
                stride: positive("stride_w", params.stride_w)?,
                before: count("pad_left", params.pad_left)?,
                after: count("pad_right", params.pad_right)?,
            },
            mode,
        })
    }

    fn place(&self, h: usize, w: usize) -> Result<(Span, Span)> {
        Ok((self.vertical.span("rows", h, self.mode)?, self.horizontal.span("columns", w, self.mode)?))
    }
}

impl Axis {
    fn span(&self, what: &str, size: usize, mode: PadMode) -> Result<Span> {
        let mut tail = 0;
        let (before, after) = match mode {
            PadMode::Full => {
                tail = self.tail(padded(size, self.before, self.after)?);
                (self.before, self.after.saturating_add(tail))
            }
            PadMode::Valid => (self.before, self.after),
            PadMode::SameUpper => {
                let pad = same_pad(size, self.kernel, self.stride);
                (pad / 2, pad - pad / 2)
            }
            PadMode::SameLower => {
                let pad = same_pad(size, self.kernel, self.stride);
                (pad - pad / 2, pad / 2)
            }
        };
        let total = padded(size, before, after)?;
        Ok(Span {
            before,
            windows: windows(what, total, self.kernel, self.stride)?,
            // Declared padding is left out even where the mode pads by other numbers.
            counted: (self.before, total.saturating_sub(self.after.saturating_add(tail))),
        })
    }

    /// What is missing to the end of the last window; more than needed when the kernel is larger
    /// than the plane, as in ncnn, whose remainder is then negative.
    fn tail(&self, padded: usize) -> usize {
        if padded >= self.kernel {
            match (padded - self.kernel) % self.stride {
                0 => 0,
                rest => self.stride - rest,
            }
        } else {
            match (self.kernel - padded) % self.stride {
                0 => 0,
                rest => self.stride + rest,
            }
        }
    }
}

impl Layer for Pooling {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        let input = only(inputs.iter().copied())?;
        if input.rank() == 4 {
            return Err(Error::invalid(format!("expects an image, the input is 4-D ({input})")));
        }
        let (c, h, w) = (input.c(), input.h(), input.w());
        Ok(vec![match &self.extent {
            Extent::Global => Shape::new(&[c])?,
            Extent::Adaptive { out_h, out_w } => {
                let (out_h, out_w) = (out_h.unwrap_or(h), out_w.unwrap_or(w));
                if (out_h, out_w) == (h, w) { input } else { Shape::new(&[c, out_h, out_w])? }
            }
            Extent::Windows(windows) => {
                let (vertical, horizontal) = windows.place(h, w)?;
                Shape::new(&[c, vertical.windows, horizontal.windows])?
            }
        }])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        let (h, w) = (input.shape().h(), input.shape().w());
        let shape = only(self.output_shapes(&[input.shape()])?)?;
        if matches!(self.extent, Extent::Adaptive { .. }) && shape == input.shape() {
            return Ok(vec![input]);
        }
        let mut output = Tensor::filled(shape, 0.0);
        let planes = input.as_slice().chunks_exact(h * w);
        let out_planes = output.as_mut_slice().chunks_exact_mut(shape.volume() / input.shape().c());
        for (plane, out) in planes.zip(out_planes) {
            match &self.extent {
                Extent::Global => out[0] = self.method.whole(plane),
                Extent::Adaptive { .. } => adaptive(self.method, plane, (h, w), (shape.h(), shape.w()), out),
                Extent::Windows(windows) => match self.method {
                    Method::Max => windows.maxima(plane, h, w, out)?,
                    Method::Average { count_padding } => windows.averages(count_padding, plane, h, w, out)?,
                },
            }
        }
        Ok(vec![output])
    }
}

impl Method {
    fn whole(self, plane: &[f32]) -> f32 {
        match self {
            Self::Max => plane.iter().copied().fold(f32::NEG_INFINITY, larger),
            Self::Average { .. } => plane.iter().sum::<f32>() / plane.len() as f32,
        }
    }
}

fn larger(a: f32, b: f32) -> f32 {
    if a < b { b } else { a }
}

/// Windows from `floor(i · size / out)` to `ceil((i + 1) · size / out)`.
fn adaptive(method: Method, plane: &[f32], (h, w): (usize, usize), (out_h, out_w): (usize, usize), out: &mut [f32]) {
    let range = |i: usize, size: usize, out: usize| {
        // Sizes stay below Shape::MAX_VOLUME, so their products fit 64 bits.
        let (i, size, out) = (i as u64, size as u64, out as u64);
        ((i * size / out) as usize, ((i + 1) * size).div_ceil(out) as usize)
    };
    for (y, row) in out.chunks_exact_mut(out_w).enumerate() {
        let (y0, y1) = range(y, h, out_h);
        for (x, value) in row.iter_mut().enumerate() {
            let (x0, x1) = range(x, w, out_w);
            let cells = plane[y0 * w..y1 * w].chunks_exact(w).flat_map(|row| &row[x0..x1]).copied();
            *value = match method {
                Method::Max => cells.fold(f32::NEG_INFINITY, larger),
                Method::Average { .. } => cells.sum::<f32>() / (y1 - y0) as f32 / (x1 - x0) as f32,
            };
        }
    }
}

impl Windows {
    fn maxima(&self, plane: &[f32], h: usize, w: usize, out: &mut [f32]) -> Result<()> {
        let (vertical, horizontal) = self.place(h, w)?;
        for (y, row) in out.chunks_exact_mut(horizontal.windows).enumerate() {
            row.fill(f32::NEG_INFINITY);
            for tap_y in 0..self.vertical.kernel {
                let source = (y * self.vertical.stride + tap_y).checked_sub(vertical.before).filter(|&y| y < h);
                let Some(source) = source else {
                    raise(row, f32::MIN);
                    continue;
                };
                let source = &plane[source * w..(source + 1) * w];
                for tap_x in 0..self.horizontal.kernel {
                    let stride = self.horizontal.stride;
                    let covered = Covered::new(tap_x, stride, horizontal.before, w, row.len());
                    raise(&mut row[..covered.start], f32::MIN);
                    raise(&mut row[covered.end..], f32::MIN);
                    let met = row[covered.start..covered.end].iter_mut();
                    for (value, &other) in met.zip(source[covered.source..].iter().step_by(stride)) {
                        *value = larger(*value, other);
                    }
                }
            }
        }
        Ok(())
    }

    fn averages(&self, count_padding: bool, plane: &[f32], h: usize, w: usize, out: &mut [f32]) -> Result<()> {
        let (vertical, horizontal) = self.place(h, w)?;
        for (y, row) in out.chunks_exact_mut(horizontal.windows).enumerate() {
            let (rows, row_count) = vertical.cells(y, &self.vertical, h, count_padding);
            for (x, value) in row.iter_mut().enumerate() {
                let (columns, column_count) = horizontal.cells(x, &self.horizontal, w, count_padding);
                let lines = plane[rows.start * w..rows.end * w].chunks_exact(w);
                let sum: f32 = lines.flat_map(|line| &line[columns.clone()]).sum();
                *value = sum / (row_count * column_count) as f32;
            }
        }
        Ok(())
    }
}

impl Span {
    /// The positions of window `index` on an axis of `size` that are summed, and how many the
    /// average counts along this axis.
    fn cells(&self, index: usize, axis: &Axis, size: usize, count_padding: bool) -> (std::ops::Range<usize>, usize) {
        let (mut start, mut end) = (index * axis.stride, index * axis.stride + axis.kernel);
        if !count_padding {
            start = start.max(self.counted.0);
            end = end.min(self.counted.1).max(start);
        }
        let first = start.saturating_sub(self.before).min(size);
        let last = end.saturating_sub(self.before).min(size);
        (first..last, end - start)
    }
}

fn raise(values: &mut [f32], floor: f32) {
    for value in values {
        *value = larger(*value, floor);
    }
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use super::*;

    fn pool(params: &[(u8, i32)], dims: &[usize]) -> (Vec<usize>, Vec<f32>) {
        let mut layer = ncnn_format::Layer::new(LayerKind::Pooling, "pool");
        for &(id, value) in params {
            layer.params.set_int(id, value);
        }
        let len = dims.iter().product::<usize>();
        let input = Tensor::new(dims, (1..=len).map(|i| i as f32).collect()).unwrap();
        let output = build(&layer).unwrap().run(vec![input]).unwrap().remove(0);
        (output.shape().dims().to_vec(), output.as_slice().to_vec())
    }

    #[test]
    fn full_padding_adds_a_window_for_what_is_left_over() {
        assert_eq!(pool(&[(1, 2), (2, 2)], &[1, 3, 3]), (vec![1, 2, 2], vec![5.0, 6.0, 8.0, 9.0]));
        assert_eq!(pool(&[(1, 2), (2, 2), (5, 1)], &[1, 3, 3]), (vec![1, 1, 1], vec![5.0]));
    }

    #[test]
    fn an_average_leaves_declared_padding_out_unless_told() {
        let params = [(0, 1), (1, 2), (2, 2), (3, 1), (5, 1)];
        assert_eq!(pool(&params, &[1, 2, 2]), (vec![1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]));
        let counting = [(0, 1), (1, 2), (2, 2), (3, 1), (5, 1), (6, 1)];
        assert_eq!(pool(&counting, &[1, 2, 2]), (vec![1, 2, 2], vec![0.25, 0.5, 0.75, 1.0]));
    }

    #[test]
    fn an_average_counts_the_padding_that_same_adds() {
        assert_eq!(pool(&[(0, 1), (1, 2), (2, 2), (5, 2)], &[1, 1, 1]), (vec![1, 1, 1], vec![0.25]));
    }

    #[test]
    fn global_pooling_leaves_one_value_per_channel() {
        assert_eq!(pool(&[(0, 1), (4, 1)], &[2, 2, 2]), (vec![2], vec![2.5, 6.5]));
    }

    #[test]
    fn adaptive_windows_may_overlap() {
        assert_eq!(pool(&[(0, 1), (7, 1), (8, 2), (18, 1)], &[1, 1, 3]), (vec![1, 1, 2], vec![1.5, 2.5]));
    }

    #[test]
    fn a_window_of_nothing_but_padding_has_the_smallest_float() {
        let (_, values) = pool(&[(1, 1), (2, 2), (3, 1), (5, 1)], &[1, 1, 1]);
        assert_eq!(values, [f32::MIN; 4]);
    }
}
