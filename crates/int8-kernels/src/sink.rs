//! Where the values of a layer go, and what is added to them on the way.
//!
//! Both enums are exhaustive: who splits an image among threads must split every kind of them.

use std::ops::Range;

use crate::activation::Activation;
use crate::error::Error;
use crate::geometry::Padding;
use crate::image::{Image, check_extent};

/// A channels-last image that a layer writes, as floats or as int8 values of a scale.
///
/// The slice begins at the first row of the range that is computed, so that rows can be handed to
/// several threads: element `(y, x, c)` goes to
/// `((y - rows.start) · width + x) · pixel_stride + first_channel + c`.
#[derive(Debug)]
pub enum Sink<'a> {
    /// The values themselves.
    F32 {
        /// Written elements; others are left alone.
        values: &'a mut [f32],
        /// Where channels lie.
        place: Place,
    },
    /// `quantize(value, scale)`, as stored bytes.
    I8 {
        /// Written bytes; others are left alone.
        bytes: &'a mut [u8],
        /// Where channels lie.
        place: Place,
        /// The multiplier of the reader.
        scale: f32,
    },
}

/// The channels of a wider image that a sink fills (a concatenation in place).
///
/// ```
/// use int8_kernels::Place;
///
/// // The second of two layers of 8 channels that write one image of 16.
/// let second = Place { first_channel: 8, ..Place::whole(16) };
/// assert_eq!(second.pixel_stride, 16);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Elements from one pixel to the next.
    pub pixel_stride: usize,
    /// Channel of the wide image that channel 0 becomes.
    pub first_channel: usize,
}

/// A tensor of the output's shape that is added after the activation: `then(value + addend)`.
#[derive(Debug, Clone, Copy)]
pub struct Residual<'a> {
    /// What is added; the whole image, whatever rows are computed.
    pub addend: Addend<'a>,
    /// Activation of the sum.
    pub then: Activation,
}

/// The second operand of a residual addition.
#[derive(Debug, Clone, Copy)]
pub enum Addend<'a> {
    /// Channels-last floats, `pixel_stride` elements from one pixel to the next.
    F32 {
        /// The whole image.
        values: &'a [f32],
        /// Elements from one pixel to the next.
        pixel_stride: usize,
    },
    /// An int8 image; its values are `f32(q) · step`.
    I8 {
        /// The whole image.
        image: Image<'a>,
        /// `1 / scale`, or 0 for a scale of 0.
        step: f32,
    },
    /// What the first sink, one of floats, holds before it is overwritten.
    InSink,
}

impl Place {
    /// All channels of an image without gaps.
    pub const fn whole(channels: usize) -> Self {
        Self { pixel_stride: channels, first_channel: 0 }
    }
}

impl Sink<'_> {
    /// Fails unless `rows` rows of `width` pixels with `channels` channels fit.
    pub(crate) fn check(&self, rows: usize, width: usize, channels: usize) -> Result<(), Error> {
        let (length, place) = match self {
            Self::F32 { values, place } => (values.len(), place),
            Self::I8 { bytes, place, .. } => (bytes.len(), place),
        };
        let end = place.first_channel.checked_add(channels).ok_or(Error::TooLarge { what: "sink" })?;
        check_extent("sink", length, rows, width, end, place.pixel_stride)
    }
}

impl Residual<'_> {
    /// Fails unless the addend has `height · width` pixels with `channels` channels; `sinks` were
    /// checked before.
    pub(crate) fn check(&self, height: usize, width: usize, channels: usize, sinks: &[Sink<'_>]) -> Result<(), Error> {
        match self.addend {
            Addend::InSink if matches!(sinks.first(), Some(Sink::F32 { .. })) => Ok(()),
            Addend::InSink => Err(Error::NoAddend),
            Addend::F32 { values, pixel_stride } => {
                check_extent("residual", values.len(), height, width, channels, pixel_stride)
            }
            Addend::I8 { image, .. } => {
                let found = [image.height(), image.width(), image.channels()];
                let expected = [height, width, channels];
                if found == expected { Ok(()) } else { Err(Error::ImageSize { what: "residual", expected, found }) }
            }
        }
    }
}

/// What one run of a layer reads, and which rows of its output it computes.
#[derive(Debug, Clone)]
pub struct Run<'a> {
    /// The whole input.
    pub input: Image<'a>,
    /// What surrounds the input.
    pub padding: Padding,
    /// Output rows to compute.
    pub rows: Range<usize>,
    /// What is added to the output.
    pub residual: Option<Residual<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sink_ends_with_the_last_channel_of_its_last_pixel() {
        let fits = |length: usize, place: Place, rows: usize| {
            Sink::F32 { values: &mut vec![0.0; length], place }.check(rows, 3, 2).is_ok()
                && Sink::I8 { bytes: &mut vec![0; length], place, scale: 1.0 }.check(rows, 3, 2).is_ok()
        };
        let place = Place { pixel_stride: 5, first_channel: 1 };
        // Five pixels and three of the sixth.
        assert!(fits(28, place, 2) && !fits(27, place, 2));
        assert!(fits(0, place, 0), "no rows need no room");
        assert!(!fits(100, Place { pixel_stride: 2, first_channel: 1 }, 2));
        assert!(!fits(100, Place { pixel_stride: usize::MAX, first_channel: 1 }, 2));
        assert!(!fits(100, Place { pixel_stride: 5, first_channel: usize::MAX }, 2));
    }

    #[test]
    fn an_addend_is_as_large_as_the_whole_output() {
        let check =
            |addend: Addend<'_>, sinks: &[Sink<'_>]| Residual { addend, then: Activation::None }.check(2, 3, 4, sinks);
        let values = [0.0; 24];
        assert_eq!(check(Addend::F32 { values: &values, pixel_stride: 4 }, &[]), Ok(()));
        assert!(check(Addend::F32 { values: &values[1..], pixel_stride: 4 }, &[]).is_err());
        assert!(check(Addend::F32 { values: &values, pixel_stride: 3 }, &[]).is_err());
        let image = |height, width| Image::new(&[0; 24], height, width, 4, 4).unwrap();
        assert_eq!(check(Addend::I8 { image: image(2, 3), step: 1.0 }, &[]), Ok(()));
        assert!(check(Addend::I8 { image: image(3, 2), step: 1.0 }, &[]).is_err());
        assert_eq!(check(Addend::InSink, &[]), Err(Error::NoAddend));
        let bytes = Sink::I8 { bytes: &mut [], place: Place::whole(4), scale: 1.0 };
        assert_eq!(check(Addend::InSink, &[bytes]), Err(Error::NoAddend));
        let floats = Sink::F32 { values: &mut [], place: Place::whole(4) };
        assert_eq!(check(Addend::InSink, &[floats]), Ok(()));
    }
}
