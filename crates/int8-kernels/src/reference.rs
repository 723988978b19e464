//! The definition that every kernel must equal: plain loops, no packing, no blocks.

use crate::conv::check_run;
use crate::error::{Error, check_length, checked_product};
use crate::geometry::{ConvShape, Padding};
use crate::limits::MAX_DEPTH;

/// `out[row][column] = Σ weights[row][k] · activations[k][column]`.
///
/// `weights` is `[rows][depth]`, `activations` `[depth][columns]`, `out` `[rows][columns]`.
///
/// ```
/// let mut out = [0; 2];
/// int8_kernels::reference::gemm(1, 2, 2, &[3, -1], &[1, 2, 10, 20], &mut out)?;
/// assert_eq!(out, [-7, -14]);
/// # Ok::<(), int8_kernels::Error>(())
/// ```
///
/// # Errors
/// `Length` if a slice has another length, `TooLarge` if a size overflows, `Depth` if `depth` exceeds [`MAX_DEPTH`].
pub fn gemm(
    rows: usize,
    depth: usize,
    columns: usize,
    weights: &[i8],
    activations: &[i8],
    out: &mut [i32],
) -> Result<(), Error> {
    check_length("weights", checked_product("weights", &[rows, depth])?, weights.len())?;
    check_length("activations", checked_product("activations", &[depth, columns])?, activations.len())?;
    check_length("output", checked_product("output", &[rows, columns])?, out.len())?;
    if depth > MAX_DEPTH {
        return Err(Error::Depth { depth });
    }
    if out.is_empty() {
        return Ok(());
    }
    for row in 0..rows {
        for column in 0..columns {
            let mut sum = 0;
            for k in 0..depth {
                sum += i32::from(weights[row * depth + k]) * i32::from(activations[k * columns + column]);
            }
            out[row * columns + column] = sum;
        }
    }
    Ok(())
}

/// Convolution by its definition; layouts as in [`PackedConv`](crate::PackedConv), with `weights`
/// `[out_channels][in_channels / groups][kernel_h][kernel_w]`.
///
/// # Errors
/// Those of [`ConvShape::validate`] and of [`PackedConv::run`](crate::PackedConv::run).
pub fn conv(
    shape: &ConvShape,
    weights: &[i8],
    input: &[i8],
    height: usize,
    width: usize,
    padding: &Padding,
    out: &mut [i32],
) -> Result<(), Error> {
    shape.validate()?;
    let (out_height, out_width) = check_run(shape, input, height, width, padding, out)?;
    check_length("weights", checked_product("weights", &[shape.out_channels, shape.depth()?])?, weights.len())?;
    let in_group = shape.in_channels / shape.groups;
    let out_group = shape.out_channels / shape.groups;
    let at = |channel: usize, y: usize, x: usize| match (y.checked_sub(padding.top), x.checked_sub(padding.left)) {
        (Some(y), Some(x)) if y < height && x < width => i32::from(input[(channel * height + y) * width + x]),
        _ => i32::from(padding.value),
    };
    for o in 0..shape.out_channels {
        for out_y in 0..out_height {
            for out_x in 0..out_width {
                let mut sum = 0;
                for i in 0..in_group {
                    for kernel_y in 0..shape.kernel_h {
                        for kernel_x in 0..shape.kernel_w {
                            let y = out_y * shape.stride_h + kernel_y * shape.dilation_h;
                            let x = out_x * shape.stride_w + kernel_x * shape.dilation_w;
                            let tap = ((o * in_group + i) * shape.kernel_h + kernel_y) * shape.kernel_w + kernel_x;
                            sum += i32::from(weights[tap]) * at(o / out_group * in_group + i, y, x);
                        }
                    }
                }
                out[(o * out_height + out_y) * out_width + out_x] = sum;
            }
        }
    }
    Ok(())
}
