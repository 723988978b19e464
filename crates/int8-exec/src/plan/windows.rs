//! The windows of a pooling layer.

use std::ops::Range;

use fp32_ref::{Layer, Shape, Tensor};
use int8_kernels::{Padding, PoolWindow};
use ncnn_format::{Error, Result};

/// The rows and columns of the input behind each row and column of the output; empty where a window
/// meets only padding.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Windows {
    rows: Vec<Range<usize>>,
    columns: Vec<Range<usize>>,
}

/// Windows of `kernel` (rows, columns) every `stride` that are those of `layer` on an image of
/// `shape`; `None` if there are none such, as when windows have several sizes.
///
/// # Errors
/// Those of the layer.
pub(super) fn pool_window(
    layer: &dyn Layer,
    shape: Shape,
    kernel: (usize, usize),
    stride: (usize, usize),
) -> Result<Option<PoolWindow>> {
    let windows = Windows::of(layer, shape)?;
    let vertical = padding(&windows.rows, kernel.0, stride.0, shape.h());
    let horizontal = padding(&windows.columns, kernel.1, stride.1, shape.w());
    let (Some((top, bottom)), Some((left, right))) = (vertical, horizontal) else { return Ok(None) };
    let window = PoolWindow {
        kernel_h: kernel.0,
        kernel_w: kernel.1,
        stride_h: stride.0,
        stride_w: stride.1,
        padding: Padding { top, bottom, left, right, value: 0 },
    };
    let size = (windows.rows.len(), windows.columns.len());
    Ok((window.output_size(shape.h(), shape.w()) == Some(size)).then_some(window))
}

/// The padding before and after an axis of `size` that makes `ranges` the windows.
fn padding(ranges: &[Range<usize>], kernel: usize, stride: usize, size: usize) -> Option<(usize, usize)> {
    let fits = |before: usize| {
        ranges.iter().enumerate().all(|(index, range)| {
            let start = (index * stride).saturating_sub(before).min(size);
            let end = (index * stride + kernel).saturating_sub(before).min(size);
            if range.is_empty() { start >= end } else { (start..end) == *range }
        })
    };
    let before = (0..=kernel + stride).find(|&before| fits(before))?;
    let covered = (ranges.len().checked_sub(1)? * stride + kernel).saturating_sub(size + before);
    Some((before, covered))
}

impl Windows {
    /// The windows over which `layer` takes the largest value of an image of `shape`.
    ///
    /// The layer is asked itself: for images whose values are row or column numbers.
    ///
    /// # Errors
    /// Those of the layer.
    fn of(layer: &dyn Layer, shape: Shape) -> Result<Self> {
        let (h, w) = (shape.h(), shape.w());
        let ask = |value: &dyn Fn(usize) -> f32| -> Result<Tensor> {
            let image = Tensor::new([1, h, w], (0..h * w).map(value).collect())?;
            let output = layer.run(vec![image])?.into_iter().next();
            output.ok_or_else(|| Error::malformed("a pooling layer without an output"))
        };
        let (last_row, first_row) = (ask(&|at| (at / w) as f32)?, ask(&|at| -((at / w) as f32))?);
        let (last_column, first_column) = (ask(&|at| (at % w) as f32)?, ask(&|at| -((at % w) as f32))?);
        let (out_h, out_w) = (last_row.shape().h(), last_row.shape().w());
        let range = |first: &Tensor, last: &Tensor, mut cells: Box<dyn Iterator<Item = usize>>| {
            // A window of padding alone has the smallest float.
            let cell = cells.find(|&cell| last.as_slice()[cell] >= 0.0);
            cell.map_or(0..0, |cell| -first.as_slice()[cell] as usize..last.as_slice()[cell] as usize + 1)
        };
        let row = |y: usize| range(&first_row, &last_row, Box::new((0..out_w).map(move |x| y * out_w + x)));
        let column = |x: usize| range(&first_column, &last_column, Box::new((0..out_h).map(move |y| y * out_w + x)));
        Ok(Self { rows: (0..out_h).map(row).collect(), columns: (0..out_w).map(column).collect() })
    }
}

#[cfg(test)]
mod tests {
    use fp32_ref::BuildOptions;
    use ncnn_format::LayerKind;
    use ncnn_format::typed::{self, ParamKey};

    use super::*;

    fn windows(params: &[(ParamKey<i32>, i32)], h: usize, w: usize) -> Windows {
        let mut layer = ncnn_format::Layer::new(LayerKind::Pooling, "pool");
        params.iter().for_each(|&(key, value)| layer.params.set(key, value));
        Windows::of(&*fp32_ref::build(&layer, BuildOptions::default()).unwrap(), Shape::new(&[7, h, w]).unwrap())
            .unwrap()
    }

    #[test]
    fn padding_cuts_windows_short() {
        let windows = windows(
            &[
                (typed::Pooling::KERNEL_W, 3),
                (typed::Pooling::STRIDE_W, 2),
                (typed::Pooling::PAD_LEFT, 1),
                (typed::Pooling::PAD_MODE, 1),
            ],
            5,
            4,
        );
        assert_eq!((windows.rows, windows.columns), (vec![0..2, 1..4, 3..5], vec![0..2, 1..4]));
    }

    #[test]
    fn a_window_of_padding_alone_is_empty() {
        let windows = windows(
            &[
                (typed::Pooling::KERNEL_W, 1),
                (typed::Pooling::STRIDE_W, 2),
                (typed::Pooling::PAD_LEFT, 1),
                (typed::Pooling::PAD_MODE, 1),
            ],
            3,
            3,
        );
        assert_eq!((windows.rows, windows.columns), (vec![0..0, 1..2, 0..0], vec![0..0, 1..2, 0..0]));
    }

    #[test]
    fn regular_windows_are_recognized() {
        let fit = |params: &[(ParamKey<i32>, i32)], kernel, stride, h, w| {
            let mut layer = ncnn_format::Layer::new(LayerKind::Pooling, "pool");
            params.iter().for_each(|&(key, value)| layer.params.set(key, value));
            pool_window(
                &*fp32_ref::build(&layer, BuildOptions::default()).unwrap(),
                Shape::new(&[7, h, w]).unwrap(),
                kernel,
                stride,
            )
            .unwrap()
        };
        let window =
            fit(&[(typed::Pooling::KERNEL_W, 3), (typed::Pooling::STRIDE_W, 2)], (3, 3), (2, 2), 112, 112).unwrap();
        assert_eq!(window.padding, Padding { top: 0, bottom: 1, left: 0, right: 1, value: 0 });
        assert_eq!(
            fit(&[(typed::Pooling::GLOBAL_POOLING, 1)], (3, 5), (1, 1), 3, 5).unwrap().output_size(3, 5),
            Some((1, 1))
        );
        assert_eq!(
            fit(
                &[(typed::Pooling::ADAPTIVE_POOLING, 1), (typed::Pooling::OUT_W, 2), (typed::Pooling::OUT_H, 2)],
                (2, 2),
                (1, 1),
                3,
                5
            ),
            None,
            "adaptive windows differ in size"
        );
    }

    #[test]
    fn a_global_window_is_the_whole_image() {
        let windows = windows(&[(typed::Pooling::GLOBAL_POOLING, 1)], 3, 5);
        assert_eq!((&windows.rows[..], &windows.columns[..]), (&[0..3; 1][..], &[0..5; 1][..]));
    }
}
