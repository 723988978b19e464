//! Windows of an image as rows of a matrix.

use crate::error::{Error, check_length, checked_product};
use crate::geometry::{ConvShape, Padding};
use crate::image::{Image, stored};

/// Writes the windows of a convolution as rows of a matrix, whose product with the weights is the convolution.
///
/// `out` is `[group][out_y · out_width + out_x][channel of the group][kernel_y][kernel_x]` stored bytes: a row of a group
/// has the order of the weights of one output channel, so that [`Gemm`](crate::Gemm) takes both as they are. Rows outside
/// the input have the padding's value.
///
/// [`PixelConv`](crate::PixelConv) gives the same sums without the matrix, which is `kernel_h · kernel_w` times as large as
/// the input, and faster. This is for other uses of windows: statistics, or solving for weights.
///
/// # Errors
/// Those of [`ConvShape::validate`]; `ImageSize` if the input has other channels, `KernelTooLarge` if the kernel does not
/// fit, `PaddingValue` if that is −128, `Length` if `out` is not as long as [`im2col_len`] says, `TooLarge` if a size
/// overflows.
///
/// ```
/// use int8_kernels::{ConvShape, Image, Padding, im2col, im2col_len, stored, unstored};
///
/// // Two neighbours at a time.
/// let shape = ConvShape { kernel_w: 2, ..ConvShape::pointwise(1, 1) };
/// let bytes = [1, 2, 3].map(stored);
/// let input = Image::new(&bytes, 1, 3, 1, 1)?;
/// let mut rows = vec![0; im2col_len(&shape, 1, 3, &Padding::default())?];
/// im2col(&shape, &input, &Padding::default(), &mut rows)?;
/// assert!(rows.into_iter().map(unstored).eq([1, 2, 2, 3]));
/// # Ok::<(), int8_kernels::Error>(())
/// ```
pub fn im2col(shape: &ConvShape, input: &Image<'_>, padding: &Padding, out: &mut [u8]) -> Result<(), Error> {
    shape.validate()?;
    let (_, width) = shape.checked_output([input.height(), input.width(), input.channels()], padding)?;
    check_length("im2col matrix", im2col_len(shape, input.height(), input.width(), padding)?, out.len())?;
    let (taps, depth) = (shape.kernel_h * shape.kernel_w, shape.depth()?);
    let in_group = shape.in_channels / shape.groups;
    let of_group = out.len() / shape.groups;
    for (group, out) in out.chunks_exact_mut(of_group).enumerate() {
        for (pixel, row) in out.chunks_exact_mut(depth).enumerate() {
            for tap in 0..taps {
                let y = pixel / width * shape.stride_h + tap / shape.kernel_w * shape.dilation_h;
                let x = pixel % width * shape.stride_w + tap % shape.kernel_w * shape.dilation_w;
                let to = row[tap..].iter_mut().step_by(taps);
                match channels_at(input, y.checked_sub(padding.top), x.checked_sub(padding.left)) {
                    Some(channels) => to.zip(&channels[group * in_group..]).for_each(|(to, &byte)| *to = byte),
                    None => to.for_each(|to| *to = stored(padding.value)),
                }
            }
        }
    }
    Ok(())
}

/// Bytes that [`im2col`] writes for an input of `height · width` pixels: as many as the products of one output channel
/// of each group.
///
/// # Errors
/// Those of [`ConvShape::validate`]; `KernelTooLarge` if the kernel does not fit, `PaddingValue` if the padding is −128,
/// `TooLarge` if the number does not fit `usize`.
pub fn im2col_len(shape: &ConvShape, height: usize, width: usize, padding: &Padding) -> Result<usize, Error> {
    shape.validate()?;
    let (rows, columns) = shape.checked_output([height, width, shape.in_channels], padding)?;
    checked_product("im2col matrix", &[shape.groups, rows, columns, shape.depth()?])
}

/// The channels of a pixel, if there is one at that place.
fn channels_at<'a>(input: &Image<'a>, y: Option<usize>, x: Option<usize>) -> Option<&'a [u8]> {
    let (y, x) = (y.filter(|&y| y < input.height())?, x.filter(|&x| x < input.width())?);
    let start = (y * input.width() + x) * input.pixel_stride();
    input.bytes().get(start..start + input.channels())
}
