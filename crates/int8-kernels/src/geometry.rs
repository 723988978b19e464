//! Sizes of a convolution and of what surrounds its input.

use crate::error::{Error, checked_product};
use crate::limits::MAX_DEPTH;

/// The sizes of a convolution that do not depend on its input.
///
/// Weights are laid out `[out_channels][in_channels / groups][kernel_h][kernel_w]`. Output channel
/// `o` belongs to group `o / (out_channels / groups)` and reads that group's input channels.
///
/// ```
/// use int8_kernels::{ConvShape, Padding};
///
/// let shape = ConvShape { kernel_h: 3, kernel_w: 3, stride_h: 2, stride_w: 2, ..ConvShape::pointwise(3, 32) };
/// assert_eq!(shape.depth(), Ok(27));
/// assert_eq!(shape.output_size(224, 224, &Padding::uniform(1)), Some((112, 112)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConvShape {
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Number of groups; `groups == in_channels == out_channels` is a depthwise convolution.
    pub groups: usize,
    /// Rows of the kernel.
    pub kernel_h: usize,
    /// Columns of the kernel.
    pub kernel_w: usize,
    /// Input rows from one output row to the next.
    pub stride_h: usize,
    /// Input columns from one output column to the next.
    pub stride_w: usize,
    /// Input rows from one kernel row to the next.
    pub dilation_h: usize,
    /// Input columns from one kernel column to the next.
    pub dilation_w: usize,
}

/// Rows and columns around the input, all of one value.
///
/// The value is an int8 value (it is not multiplied by a scale), within −127..=127.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Padding {
    /// Rows above.
    pub top: usize,
    /// Rows below.
    pub bottom: usize,
    /// Columns to the left.
    pub left: usize,
    /// Columns to the right.
    pub right: usize,
    /// Value of the added elements.
    pub value: i8,
}

impl ConvShape {
    /// A 1x1 convolution, which over an input of 1x1 is an inner product.
    pub const fn pointwise(in_channels: usize, out_channels: usize) -> Self {
        Self {
            in_channels,
            out_channels,
            groups: 1,
            kernel_h: 1,
            kernel_w: 1,
            stride_h: 1,
            stride_w: 1,
            dilation_h: 1,
            dilation_w: 1,
        }
    }

    /// Checks that the sizes make sense together.
    ///
    /// # Errors
    /// `Zero` for a size of zero, `Groups` if the groups divide the channels unevenly, `Depth` if
    /// the products per output value exceed [`MAX_DEPTH`], `TooLarge` if a size overflows.
    pub fn validate(&self) -> Result<(), Error> {
        for (what, size) in [
            ("in_channels", self.in_channels),
            ("out_channels", self.out_channels),
            ("groups", self.groups),
            ("kernel_h", self.kernel_h),
            ("kernel_w", self.kernel_w),
            ("stride_h", self.stride_h),
            ("stride_w", self.stride_w),
            ("dilation_h", self.dilation_h),
            ("dilation_w", self.dilation_w),
        ] {
            if size == 0 {
                return Err(Error::Zero { what });
            }
        }
        for (what, channels) in [("input channels", self.in_channels), ("output channels", self.out_channels)] {
            if channels % self.groups != 0 {
                return Err(Error::Groups { groups: self.groups, what, channels });
            }
        }
        let depth = self.depth()?;
        if depth > MAX_DEPTH {
            return Err(Error::Depth { depth });
        }
        checked_product("weights", &[depth, self.out_channels])?;
        self.extent().map(|_| ()).ok_or(Error::TooLarge { what: "dilated kernel" })
    }

    /// Products per output value: `in_channels / groups · kernel_h · kernel_w`.
    ///
    /// # Errors
    /// `Zero` if there are no groups, `TooLarge` if the product overflows.
    pub fn depth(&self) -> Result<usize, Error> {
        let channels = self.in_channels.checked_div(self.groups).ok_or(Error::Zero { what: "groups" })?;
        checked_product("depth", &[channels, self.kernel_h, self.kernel_w])
    }

    /// Whether every channel is a group of its own.
    pub fn is_depthwise(&self) -> bool {
        self.groups == self.in_channels && self.groups == self.out_channels
    }

    /// Height and width of the output, or `None` if the kernel does not fit the padded input or a
    /// size is zero or overflows.
    pub fn output_size(&self, height: usize, width: usize, padding: &Padding) -> Option<(usize, usize)> {
        let (extent_h, extent_w) = self.extent()?;
        let padded_h = height.checked_add(padding.top)?.checked_add(padding.bottom)?;
        let padded_w = width.checked_add(padding.left)?.checked_add(padding.right)?;
        let rows = padded_h.checked_sub(extent_h)?.checked_div(self.stride_h)?;
        let columns = padded_w.checked_sub(extent_w)?.checked_div(self.stride_w)?;
        Some((rows.checked_add(1)?, columns.checked_add(1)?))
    }

    /// Height and width of the output of an input of so many rows, columns and channels.
    pub(crate) fn checked_output(&self, found: [usize; 3], padding: &Padding) -> Result<(usize, usize), Error> {
        if padding.value == i8::MIN {
            return Err(Error::PaddingValue);
        }
        let [height, width, _] = found;
        let expected = [height, width, self.in_channels];
        if found != expected {
            return Err(Error::ImageSize { what: "input", expected, found });
        }
        self.output_size(height, width, padding).ok_or(Error::KernelTooLarge {
            kernel: self.extent().unwrap_or((usize::MAX, usize::MAX)),
            input: (height, width),
        })
    }

    /// Height and width that the dilated kernel covers.
    pub(crate) fn extent(&self) -> Option<(usize, usize)> {
        let along = |kernel: usize, dilation: usize| kernel.checked_sub(1)?.checked_mul(dilation)?.checked_add(1);
        Some((along(self.kernel_h, self.dilation_h)?, along(self.kernel_w, self.dilation_w)?))
    }
}

impl Padding {
    /// `size` rows or columns of zeros on each side.
    pub const fn uniform(size: usize) -> Self {
        Self { top: size, bottom: size, left: size, right: size, value: 0 }
    }

    /// Whether nothing is added.
    pub fn is_empty(&self) -> bool {
        self.top == 0 && self.bottom == 0 && self.left == 0 && self.right == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_sizes_follow_the_formula() {
        let shape = ConvShape { kernel_h: 3, kernel_w: 3, stride_h: 2, dilation_w: 2, ..ConvShape::pointwise(1, 1) };
        let padding = Padding { top: 1, bottom: 1, left: 2, right: 2, value: 0 };
        assert_eq!(shape.output_size(7, 7, &padding), Some((4, 7)));
        assert_eq!(shape.output_size(3, 4, &Padding::default()), None);
        assert_eq!(shape.output_size(3, 5, &Padding::default()), Some((1, 1)));
        let endless = Padding { top: usize::MAX, ..padding };
        assert_eq!(shape.output_size(7, 7, &endless), None);
        assert_eq!(ConvShape { stride_w: 0, ..shape }.output_size(7, 7, &padding), None);
    }

    #[test]
    fn shapes_that_make_no_sense_are_refused_by_name() {
        let good = ConvShape { groups: 2, ..ConvShape::pointwise(4, 6) };
        assert_eq!(good.validate(), Ok(()));
        let message = |shape: ConvShape| shape.validate().unwrap_err().to_string();
        assert_eq!(message(ConvShape { stride_w: 0, ..good }), "stride_w is zero");
        assert_eq!(message(ConvShape { groups: 3, ..good }), "3 groups do not divide 4 input channels");
        assert_eq!(message(ConvShape { groups: 4, ..good }), "4 groups do not divide 6 output channels");
        assert_eq!(
            message(ConvShape { kernel_h: 300, kernel_w: 300, ..good }),
            "depth 180000 exceeds 131071, sums could overflow"
        );
        assert_eq!(message(ConvShape { kernel_h: usize::MAX, ..good }), "depth is too large to address");
        assert_eq!(
            message(ConvShape { kernel_h: 3, dilation_h: usize::MAX, ..good }),
            "dilated kernel is too large to address"
        );
        assert_eq!(
            message(ConvShape { out_channels: usize::MAX - 1, kernel_h: 3, groups: 1, ..good }),
            "weights is too large to address"
        );
        assert_eq!(ConvShape { groups: 0, ..good }.depth(), Err(Error::Zero { what: "groups" }));
    }
}
