//! Where a kernel's windows lie along one axis of a row, plane or volume.

use ncnn_format::{Error, Result};

use super::window::{extent, padded, positive, same_pad, windows};

/// The elements of a kernel along one axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct GridAxis {
    kernel: usize,
    stride: usize,
    dilation: usize,
    pad: AxisPad,
}

/// How an axis is extended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AxisPad {
    /// By these numbers of elements.
    Exact { before: usize, after: usize },
    /// So that there are ceil(size / stride) windows, an odd remainder after the end.
    SameUpper,
    /// The same, an odd remainder before the start.
    SameLower,
}

/// A [`GridAxis`] laid on an axis of a particular size.
#[derive(Debug, Clone, Copy)]
pub(super) struct AxisPlace {
    axis: GridAxis,
    /// Elements of the input.
    size: usize,
    /// Elements added before it.
    before: usize,
    /// The number of windows.
    pub(super) count: usize,
}

impl GridAxis {
    /// An axis whose windows are its elements.
    pub(super) const SINGLE: Self =
        Self { kernel: 1, stride: 1, dilation: 1, pad: AxisPad::Exact { before: 0, after: 0 } };

    /// From the parameters called `kernel_`, `stride_` and `dilation_` plus `name`.
    pub(super) fn new(name: &str, [kernel, stride, dilation]: [i32; 3], pad: AxisPad) -> Result<Self> {
        Ok(Self {
            kernel: positive(&format!("kernel_{name}"), kernel)?,
            stride: positive(&format!("stride_{name}"), stride)?,
            dilation: positive(&format!("dilation_{name}"), dilation)?,
            pad,
        })
    }

    /// The number of kernel elements.
    pub(super) fn kernel(&self) -> usize {
        self.kernel
    }

    /// Lays the windows on `size` elements.
    pub(super) fn place(&self, size: usize) -> Result<AxisPlace> {
        let extent = extent("elements", self.kernel, self.dilation)?;
        let same = same_pad(size, extent, self.stride);
        let (before, after) = match self.pad {
            AxisPad::Exact { before, after } => (before, after),
            AxisPad::SameUpper => (same / 2, same - same / 2),
            AxisPad::SameLower => (same - same / 2, same / 2),
        };
        let count = windows("elements", padded(size, before, after)?, extent, self.stride)?;
        Ok(AxisPlace { axis: *self, size, before, count })
    }
}

impl AxisPad {
    /// From the pads before and after each axis, which hang together: all -233 mean
    /// [`AxisPad::SameUpper`], all -234 [`AxisPad::SameLower`]; other values without a
    /// positive one among them mean no padding.
    pub(super) fn all<const N: usize>(pads: [(i32, i32); N]) -> Result<[Self; N]> {
        let every = |value: i32| pads.iter().all(|&pad| pad == (value, value));
        if every(-233) || every(-234) {
            return Ok([if every(-233) { Self::SameUpper } else { Self::SameLower }; N]);
        }
        let any = pads.iter().any(|&(before, after)| before > 0 || after > 0);
        let exact = |pad: i32| match usize::try_from(pad) {
            Ok(pad) => Ok(pad),
            Err(_) if !any => Ok(0),
            Err(_) => Err(Error::malformed(format!("negative and positive padding are mixed: {pads:?}"))),
        };
        let mut all = [Self::SameUpper; N];
        for (pad, (before, after)) in all.iter_mut().zip(pads) {
            *pad = Self::Exact { before: exact(before)?, after: exact(after)? };
        }
        Ok(all)
    }
}

impl AxisPlace {
    /// The element of the input that kernel element `tap` of window `window` meets; `None` for padding.
    pub(super) fn source(&self, window: usize, tap: usize) -> Option<usize> {
        let padded = window * self.axis.stride + tap * self.axis.dilation;
        padded.checked_sub(self.before).filter(|&source| source < self.size)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_odd_remainder_goes_to_the_side_of_the_mode() {
        let sources = |pad| {
            let place = GridAxis::new("w", [2, 1, 1], pad).unwrap().place(2).unwrap();
            (0..place.count).map(|window| place.source(window, 0)).collect::<Vec<_>>()
        };
        assert_eq!(sources(AxisPad::SameUpper), [Some(0), Some(1)]);
        assert_eq!(sources(AxisPad::SameLower), [None, Some(0)]);
    }

    #[test]
    fn pads_hang_together() {
        assert_eq!(AxisPad::all([(-234, -234); 2]).unwrap(), [AxisPad::SameLower; 2]);
        assert_eq!(AxisPad::all([(-233, -234)]).unwrap(), [AxisPad::Exact { before: 0, after: 0 }]);
        let message = AxisPad::all([(-233, -233), (1, 0)]).unwrap_err().to_string();
        assert_eq!(message, "negative and positive padding are mixed: [(-233, -233), (1, 0)]");
    }
}
