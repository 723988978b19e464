//! Where a kernel's windows lie on a plane: padding and output size.

use ncnn_format::{Error, LinearLayer, Result};

/// The window of a 2-D convolution, with its parameters checked.
///
/// Shared by the fp32 and the int8 convolution, which pad alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConvWindow {
    /// Rows of the kernel, at least 1.
    pub kernel_h: usize,
    /// Columns of the kernel, at least 1.
    pub kernel_w: usize,
    /// Rows from one window to the next, at least 1.
    pub stride_h: usize,
    /// Columns from one window to the next, at least 1.
    pub stride_w: usize,
    /// Rows from one kernel element to the next, at least 1.
    pub dilation_h: usize,
    /// Columns from one kernel element to the next, at least 1.
    pub dilation_w: usize,
    /// How the plane is extended before the windows are laid on it.
    pub pads: Pads,
}

/// How a plane is extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Pads {
    /// By these numbers of rows and columns.
    Exact {
        /// Rows above.
        top: usize,
        /// Rows below.
        bottom: usize,
        /// Columns to the left.
        left: usize,
        /// Columns to the right.
        right: usize,
    },
    /// So that there are ceil(size / stride) windows, an odd remainder after the end.
    SameUpper,
    /// The same, an odd remainder before the start.
    SameLower,
}

/// A [`ConvWindow`] laid on a plane of a particular size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Rows added above.
    pub top: usize,
    /// Rows added below.
    pub bottom: usize,
    /// Columns added to the left.
    pub left: usize,
    /// Columns added to the right.
    pub right: usize,
    /// Rows of windows, at least 1.
    pub out_h: usize,
    /// Columns of windows, at least 1.
    pub out_w: usize,
}

impl ConvWindow {
    /// The window of an image convolution.
    ///
    /// # Errors
    /// `Malformed` for a kernel, stride or dilation below 1 and for a negative
    /// pad beside a positive one; `Unsupported` for a layer whose windows do not have two axes.
    pub fn of(layer: &LinearLayer) -> Result<Self> {
        let [h, w] = layer.window[..] else {
            return Err(Error::unsupported(format!("windows of {} axes, expected 2", layer.window.len())));
        };
        Ok(Self {
            kernel_h: positive("kernel_h", h.kernel)?,
            kernel_w: positive("kernel_w", w.kernel)?,
            stride_h: positive("stride_h", h.stride)?,
            stride_w: positive("stride_w", w.stride)?,
            dilation_h: positive("dilation_h", h.dilation)?,
            dilation_w: positive("dilation_w", w.dilation)?,
            pads: Pads::new(h.pads[0], h.pads[1], w.pads[0], w.pads[1])?,
        })
    }

    /// The number of kernel elements.
    pub(super) fn taps(&self) -> Result<usize> {
        self.kernel_h
            .checked_mul(self.kernel_w)
            .ok_or_else(|| Error::malformed(format!("a kernel of {} x {} is too large", self.kernel_w, self.kernel_h)))
    }

    /// Whether the windows are the elements of the plane, one by one.
    pub fn is_pointwise(&self) -> bool {
        let unit = [self.kernel_h, self.kernel_w, self.stride_h, self.stride_w] == [1; 4];
        unit && matches!(self.pads, Pads::NONE | Pads::SameUpper | Pads::SameLower)
    }

    /// Lays the windows on a plane of `h` rows and `w` columns.
    ///
    /// # Errors
    /// `Invalid` when not even one window fits, or sizes overflow.
    pub fn place(&self, h: usize, w: usize) -> Result<Placement> {
        let extent_h = extent("rows", self.kernel_h, self.dilation_h)?;
        let extent_w = extent("columns", self.kernel_w, self.dilation_w)?;
        let (top, bottom, left, right) = match self.pads {
            Pads::Exact { top, bottom, left, right } => (top, bottom, left, right),
            Pads::SameUpper => {
                let (pad_h, pad_w) = (same_pad(h, extent_h, self.stride_h), same_pad(w, extent_w, self.stride_w));
                (pad_h / 2, pad_h - pad_h / 2, pad_w / 2, pad_w - pad_w / 2)
            }
            Pads::SameLower => {
                let (pad_h, pad_w) = (same_pad(h, extent_h, self.stride_h), same_pad(w, extent_w, self.stride_w));
                (pad_h - pad_h / 2, pad_h / 2, pad_w - pad_w / 2, pad_w / 2)
            }
        };
        Ok(Placement {
            top,
            bottom,
            left,
            right,
            out_h: windows("rows", padded(h, top, bottom)?, extent_h, self.stride_h)?,
            out_w: windows("columns", padded(w, left, right)?, extent_w, self.stride_w)?,
        })
    }
}

impl Pads {
    /// No padding.
    pub const NONE: Self = Self::Exact { top: 0, bottom: 0, left: 0, right: 0 };

    /// From the four pad parameters of a convolution.
    ///
    /// All four -233 mean [`Pads::SameUpper`], all four -234 [`Pads::SameLower`];
    /// other values without a positive one among them mean no padding.
    ///
    /// # Errors
    /// `Malformed` for a negative pad beside a positive one.
    pub fn new(top: i32, bottom: i32, left: i32, right: i32) -> Result<Self> {
        let all = [top, bottom, left, right];
        if all.iter().any(|&pad| pad > 0) {
            let exact = |pad: i32| {
                usize::try_from(pad).map_err(|_| {
                    Error::malformed(format!(
                        "negative and positive padding are mixed: top {top}, bottom {bottom}, left {left}, right {right}"
                    ))
                })
            };
            return Ok(Self::Exact {
                top: exact(top)?,
                bottom: exact(bottom)?,
                left: exact(left)?,
                right: exact(right)?,
            });
        }
        Ok(match all {
            [-233, -233, -233, -233] => Self::SameUpper,
            [-234, -234, -234, -234] => Self::SameLower,
            _ => Self::NONE,
        })
    }
}

/// `value` as a size of at least 1.
pub(super) fn positive(name: &str, value: i32) -> Result<usize> {
    usize::try_from(value)
        .ok()
        .filter(|&value| value > 0)
        .ok_or_else(|| Error::malformed(format!("{name} is {value}, expected at least 1")))
}

/// Rows or columns from the first to the last element of a dilated kernel.
pub(super) fn extent(what: &str, kernel: usize, dilation: usize) -> Result<usize> {
    dilation
        .checked_mul(kernel - 1)
        .and_then(|reach| reach.checked_add(1))
        .ok_or_else(|| Error::malformed(format!("a kernel of {kernel} {what} dilated by {dilation} is too large")))
}

/// What `SAME` padding adds to `size` in total.
pub(super) fn same_pad(size: usize, extent: usize, stride: usize) -> usize {
    extent.saturating_add((size - 1) / stride * stride).saturating_sub(size)
}

/// `size` with what is added before and after.
pub(super) fn padded(size: usize, before: usize, after: usize) -> Result<usize> {
    size.checked_add(before)
        .and_then(|sum| sum.checked_add(after))
        .ok_or_else(|| Error::invalid(format!("padding {size} by {before} and {after} is too much")))
}

/// The number of windows that fit.
pub(super) fn windows(what: &str, padded: usize, extent: usize, stride: usize) -> Result<usize> {
    match padded.checked_sub(extent) {
        Some(room) => Ok(room / stride + 1),
        None => {
            Err(Error::invalid(format!("a kernel spanning {extent} {what} does not fit into {padded} padded {what}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(kernel: usize, stride: usize, dilation: usize, pads: Pads) -> ConvWindow {
        ConvWindow {
            kernel_h: kernel,
            kernel_w: kernel,
            stride_h: stride,
            stride_w: stride,
            dilation_h: dilation,
            dilation_w: dilation,
            pads,
        }
    }

    #[test]
    fn same_padding_gives_ceil_of_size_over_stride_windows() {
        let upper = square(3, 2, 1, Pads::SameUpper).place(6, 7).unwrap();
        assert_eq!(upper, Placement { top: 0, bottom: 1, left: 1, right: 1, out_h: 3, out_w: 4 });
        let lower = square(3, 2, 1, Pads::SameLower).place(6, 7).unwrap();
        assert_eq!(lower, Placement { top: 1, bottom: 0, left: 1, right: 1, out_h: 3, out_w: 4 });
    }

    #[test]
    fn same_padding_never_crops_when_the_stride_skips_the_end() {
        let placement = square(1, 2, 1, Pads::SameUpper).place(4, 4).unwrap();
        assert_eq!(placement, Placement { top: 0, bottom: 0, left: 0, right: 0, out_h: 2, out_w: 2 });
    }

    #[test]
    fn dilation_widens_the_window() {
        let pads = Pads::Exact { top: 1, bottom: 2, left: 0, right: 3 };
        let placement = square(3, 1, 2, pads).place(5, 5).unwrap();
        assert_eq!((placement.out_h, placement.out_w), (4, 4));
    }

    #[test]
    fn pads_that_are_not_all_alike_mean_none_unless_one_is_positive() {
        assert_eq!(Pads::new(-233, -233, -233, -233).unwrap(), Pads::SameUpper);
        assert_eq!(Pads::new(-234, -234, -234, -234).unwrap(), Pads::SameLower);
        assert_eq!(Pads::new(-233, -233, -233, 0).unwrap(), Pads::NONE);
        assert_eq!(Pads::new(0, 1, 0, 0).unwrap(), Pads::Exact { top: 0, bottom: 1, left: 0, right: 0 });
        let message = Pads::new(1, 1, -233, 0).unwrap_err().to_string();
        assert!(message.contains("top 1, bottom 1, left -233, right 0"), "{message}");
    }

    #[test]
    fn a_kernel_larger_than_the_plane_is_the_callers_mistake() {
        let message = square(5, 1, 1, Pads::NONE).place(3, 9).unwrap_err().to_string();
        assert_eq!(message, "a kernel spanning 5 rows does not fit into 3 padded rows");
    }
}
