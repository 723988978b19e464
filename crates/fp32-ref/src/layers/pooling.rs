//! `Pooling`: the largest or the average value of each window.

use ncnn_format::{Error, Result, typed};

use super::arity::only;
use super::convolution::run_as_pixels;
use super::loading::count;
use super::pixel_pooling::{Cells, Divisor, average, largest};
use super::pixel_windows::Image;
use super::window::{padded, positive, same_pad, windows};
use crate::{Layer, Order, Pixels, Shape, Tensor, Value, Workspace};

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
    Adaptive {
        out_h: Option<usize>,
        out_w: Option<usize>,
    },
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
            Extent::Adaptive { .. } if self.changes_nothing(input) => input,
            Extent::Adaptive { out_h, out_w } => Shape::new(&[c, out_h.unwrap_or(h), out_w.unwrap_or(w)])?,
            Extent::Windows(windows) => {
                let (vertical, horizontal) = windows.place(h, w)?;
                Shape::new(&[c, vertical.windows, horizontal.windows])?
            }
        }])
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        let input = only(inputs)?;
        self.output_shapes(&[input.shape()])?;
        if self.changes_nothing(input.shape()) {
            return Ok(vec![input]);
        }
        run_as_pixels(self, input)
    }

    fn order(&self, inputs: &[Shape]) -> Order {
        Order::pixels_of_images(inputs)
    }

    fn run_pixels(&self, inputs: Vec<Pixels>, workspace: &mut Workspace) -> Result<Vec<Value>> {
        let input = only(inputs)?;
        let shape = input.shape();
        let output_shape = only(self.output_shapes(&[shape])?)?;
        if self.changes_nothing(shape) {
            return Ok(vec![Value::Pixels(input)]);
        }
        let (rows, columns) = self.cells(shape)?;
        let mut output = workspace.take(output_shape.volume());
        let image = Image::of(&input, shape);
        match self.method {
            Method::Max => largest(image, &rows, &columns, &mut output),
            Method::Average { .. } => {
                let divisor = match self.extent {
                    Extent::Adaptive { .. } => Divisor::OneByOne,
                    _ => Divisor::Product,
                };
                average(image, &rows, &columns, divisor, &mut output);
            }
        }
        workspace.give_tensor(input.into_interleaved());
        Ok(vec![match self.extent {
            Extent::Global => Value::Planar(Tensor::new(output_shape.dims(), output)?),
            _ => Value::Pixels(Pixels::new(output_shape, output)?),
        }])
    }
}

impl Pooling {
    /// Whether every value has a window of its own, which ncnn passes on as it is, also if it is
    /// no image.
    fn changes_nothing(&self, input: Shape) -> bool {
        let Extent::Adaptive { out_h, out_w } = self.extent else { return false };
        (out_h.unwrap_or(input.h()), out_w.unwrap_or(input.w())) == (input.h(), input.w())
    }

    /// The rows and the columns that belong to each row and column of the output.
    fn cells(&self, input: Shape) -> Result<(Vec<Cells>, Vec<Cells>)> {
        let (h, w) = (input.h(), input.w());
        Ok(match &self.extent {
            Extent::Global => (adaptive(h, 1), adaptive(w, 1)),
            Extent::Adaptive { out_h, out_w } => (adaptive(h, out_h.unwrap_or(h)), adaptive(w, out_w.unwrap_or(w))),
            Extent::Windows(windows) => {
                let count_padding = self.method != Method::Average { count_padding: false };
                let (vertical, horizontal) = windows.place(h, w)?;
                let cells = |span: Span, axis: &Axis, size| {
                    (0..span.windows).map(|index| span.cells(index, axis, size, count_padding)).collect()
                };
                (cells(vertical, &windows.vertical, h), cells(horizontal, &windows.horizontal, w))
            }
        })
    }
}

/// Windows from `floor(i · size / out)` to `ceil((i + 1) · size / out)`.
fn adaptive(size: usize, out: usize) -> Vec<Cells> {
    // Sizes stay below Shape::MAX_VOLUME, so their products fit 64 bits.
    let (size, out) = (size as u64, out as u64);
    let range = |i: u64| (i * size / out) as usize..((i + 1) * size).div_ceil(out) as usize;
    (0..out).map(|i| Cells { count: range(i).len(), padded: false, range: range(i) }).collect()
}

impl Span {
    /// What window `index` covers on an axis of `size`.
    fn cells(&self, index: usize, axis: &Axis, size: usize, count_padding: bool) -> Cells {
        let (mut start, mut end) = (index * axis.stride, index * axis.stride + axis.kernel);
        if !count_padding {
            start = start.max(self.counted.0);
            end = end.min(self.counted.1).max(start);
        }
        let first = start.saturating_sub(self.before).min(size);
        let last = end.saturating_sub(self.before).min(size);
        Cells { range: first..last, count: end - start, padded: last - first < end - start }
    }
}

#[cfg(test)]
mod tests {
    use ncnn_format::LayerKind;

    use super::*;
    use ncnn_format::typed::ParamKey;

    fn pool(params: &[(ParamKey<i32>, i32)], dims: &[usize]) -> (Vec<usize>, Vec<f32>) {
        let mut layer = ncnn_format::Layer::new(LayerKind::Pooling, "pool");
        for &(key, value) in params {
            layer.params.set(key, value);
        }
        let len = dims.iter().product::<usize>();
        let input = Tensor::new(dims, (1..=len).map(|i| i as f32).collect()).unwrap();
        let output = build(&layer).unwrap().run(vec![input]).unwrap().remove(0);
        (output.shape().dims().to_vec(), output.as_slice().to_vec())
    }

    #[test]
    fn full_padding_adds_a_window_for_what_is_left_over() {
        assert_eq!(
            pool(&[(typed::Pooling::KERNEL_W, 2), (typed::Pooling::STRIDE_W, 2)], &[1, 3, 3]),
            (vec![1, 2, 2], vec![5.0, 6.0, 8.0, 9.0])
        );
        assert_eq!(
            pool(
                &[(typed::Pooling::KERNEL_W, 2), (typed::Pooling::STRIDE_W, 2), (typed::Pooling::PAD_MODE, 1)],
                &[1, 3, 3]
            ),
            (vec![1, 1, 1], vec![5.0])
        );
    }

    #[test]
    fn an_average_leaves_declared_padding_out_unless_told() {
        let params = [
            (typed::Pooling::POOLING_TYPE, 1),
            (typed::Pooling::KERNEL_W, 2),
            (typed::Pooling::STRIDE_W, 2),
            (typed::Pooling::PAD_LEFT, 1),
            (typed::Pooling::PAD_MODE, 1),
        ];
        assert_eq!(pool(&params, &[1, 2, 2]), (vec![1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]));
        let counting = [
            (typed::Pooling::POOLING_TYPE, 1),
            (typed::Pooling::KERNEL_W, 2),
            (typed::Pooling::STRIDE_W, 2),
            (typed::Pooling::PAD_LEFT, 1),
            (typed::Pooling::PAD_MODE, 1),
            (typed::Pooling::AVGPOOL_COUNT_INCLUDE_PAD, 1),
        ];
        assert_eq!(pool(&counting, &[1, 2, 2]), (vec![1, 2, 2], vec![0.25, 0.5, 0.75, 1.0]));
    }

    #[test]
    fn an_average_counts_the_padding_that_same_adds() {
        assert_eq!(
            pool(
                &[
                    (typed::Pooling::POOLING_TYPE, 1),
                    (typed::Pooling::KERNEL_W, 2),
                    (typed::Pooling::STRIDE_W, 2),
                    (typed::Pooling::PAD_MODE, 2)
                ],
                &[1, 1, 1]
            ),
            (vec![1, 1, 1], vec![0.25])
        );
    }

    #[test]
    fn global_pooling_leaves_one_value_per_channel() {
        assert_eq!(
            pool(&[(typed::Pooling::POOLING_TYPE, 1), (typed::Pooling::GLOBAL_POOLING, 1)], &[2, 2, 2]),
            (vec![2], vec![2.5, 6.5])
        );
    }

    #[test]
    fn adaptive_windows_may_overlap() {
        assert_eq!(
            pool(
                &[
                    (typed::Pooling::POOLING_TYPE, 1),
                    (typed::Pooling::ADAPTIVE_POOLING, 1),
                    (typed::Pooling::OUT_W, 2),
                    (typed::Pooling::OUT_H, 1)
                ],
                &[1, 1, 3]
            ),
            (vec![1, 1, 2], vec![1.5, 2.5])
        );
    }

    #[test]
    fn a_window_of_nothing_but_padding_has_the_smallest_float() {
        let (_, values) = pool(
            &[
                (typed::Pooling::KERNEL_W, 1),
                (typed::Pooling::STRIDE_W, 2),
                (typed::Pooling::PAD_LEFT, 1),
                (typed::Pooling::PAD_MODE, 1),
            ],
            &[1, 1, 1],
        );
        assert_eq!(values, [f32::MIN; 4]);
    }
}
