//! What a caller of this crate can get wrong.

use std::fmt;

use crate::limits::MAX_DEPTH;

/// A mistake of the caller, with the sizes that do not fit.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A buffer is not as long as the shape says.
    Length {
        /// Which buffer.
        what: &'static str,
        /// Elements that the shape asks for.
        expected: usize,
        /// Elements given.
        found: usize,
    },
    /// A buffer ends before the last element of its shape.
    TooShort {
        /// Which buffer.
        what: &'static str,
        /// Elements that the shape asks for at least.
        least: usize,
        /// Elements given.
        found: usize,
    },
    /// Pixels overlap.
    PixelStride {
        /// Of which buffer.
        what: &'static str,
        /// Channels of a pixel.
        channels: usize,
        /// Elements from one pixel to the next.
        pixel_stride: usize,
    },
    /// Output rows beyond the output.
    Rows {
        /// First row.
        first: usize,
        /// Row after the last.
        end: usize,
        /// Rows of the output.
        height: usize,
    },
    /// An image has another size than its use asks for.
    ImageSize {
        /// Which image.
        what: &'static str,
        /// Height, width and channels that the layer asks for.
        expected: [usize; 3],
        /// Height, width and channels given.
        found: [usize; 3],
    },
    /// An addend is to be in the first sink, which is none of floats.
    NoAddend,
    /// A size of a shape is zero.
    Zero {
        /// Which size.
        what: &'static str,
    },
    /// The groups do not divide a number of channels.
    Groups {
        /// Number of groups.
        groups: usize,
        /// Which channels.
        what: &'static str,
        /// Number of those channels.
        channels: usize,
    },
    /// One output value sums more products than an `i32` is sure to hold.
    Depth {
        /// Products per output value.
        depth: usize,
    },
    /// The kernel is larger than the padded input.
    KernelTooLarge {
        /// Height and width that the dilated kernel covers.
        kernel: (usize, usize),
        /// Height and width of the input, without padding.
        input: (usize, usize),
    },
    /// A product of sizes does not fit `usize`.
    TooLarge {
        /// What is too large.
        what: &'static str,
    },
    /// The padding value is −128, which activations never are.
    PaddingValue,
    /// The scale of a channel is not a finite number.
    Scale {
        /// Output channel.
        channel: usize,
        /// Scale found.
        value: f32,
    },
    /// There is no such output channel.
    Channel {
        /// Channel asked for.
        channel: usize,
        /// Number of channels.
        channels: usize,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { what, expected, found } => {
                write!(f, "{what} must have {expected} elements, found {found}")
            }
            Self::TooShort { what, least, found } => {
                write!(f, "{what} must have at least {least} elements, found {found}")
            }
            Self::PixelStride { what, channels, pixel_stride } => {
                write!(f, "{what}: {pixel_stride} elements per pixel are too few for {channels} channels")
            }
            Self::Rows { first, end, height } => {
                write!(f, "rows {first}..{end} are not within an output of {height} rows")
            }
            Self::ImageSize { what, expected: [h, w, c], found: [fh, fw, fc] } => {
                write!(f, "{what} must be {h}x{w} of {c} channels, found {fh}x{fw} of {fc}")
            }
            Self::NoAddend => write!(f, "the first sink does not hold floats to add"),
            Self::Zero { what } => write!(f, "{what} is zero"),
            Self::Groups { groups, what, channels } => {
                write!(f, "{groups} groups do not divide {channels} {what}")
            }
            Self::Depth { depth } => {
                write!(f, "depth {depth} exceeds {MAX_DEPTH}, sums could overflow")
            }
            Self::KernelTooLarge { kernel, input } => write!(
                f,
                "kernel of {}x{} does not fit an input of {}x{} with its padding",
                kernel.0, kernel.1, input.0, input.1
            ),
            Self::TooLarge { what } => write!(f, "{what} is too large to address"),
            Self::PaddingValue => write!(f, "padding value -128 is outside -127..=127"),
            Self::Scale { channel, value } => {
                write!(f, "scale of output channel {channel} is {value}")
            }
            Self::Channel { channel, channels } => {
                write!(f, "there is no output channel {channel} among {channels}")
            }
        }
    }
}

impl std::error::Error for Error {}

/// [`Invalid`](ncnn_format::ErrorKind::Invalid) with the same text, and this error as its source.
#[cfg(feature = "ncnn-format")]
impl From<Error> for ncnn_format::Error {
    fn from(error: Error) -> Self {
        Self::wrap(ncnn_format::ErrorKind::Invalid, error)
    }
}

/// Fails unless a buffer has the length that its shape asks for.
pub(crate) fn check_length(what: &'static str, expected: usize, found: usize) -> Result<(), Error> {
    if expected == found { Ok(()) } else { Err(Error::Length { what, expected, found }) }
}

/// Fails if a buffer ends before the last element of its shape.
pub(crate) fn check_at_least(what: &'static str, least: usize, found: usize) -> Result<(), Error> {
    if found >= least { Ok(()) } else { Err(Error::TooShort { what, least, found }) }
}

/// The product of sizes, or an error that names what has that size.
pub(crate) fn checked_product(what: &'static str, sizes: &[usize]) -> Result<usize, Error> {
    sizes.iter().try_fold(1usize, |product, &size| product.checked_mul(size)).ok_or(Error::TooLarge { what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_says_what_was_asked_for_and_what_was_found() {
        for (error, text) in [
            (Error::Length { what: "x", expected: 2, found: 3 }, "x must have 2 elements, found 3"),
            (Error::TooShort { what: "x", least: 2, found: 1 }, "x must have at least 2 elements, found 1"),
            (
                Error::PixelStride { what: "x", channels: 4, pixel_stride: 3 },
                "x: 3 elements per pixel are too few for 4 channels",
            ),
            (Error::Rows { first: 1, end: 9, height: 8 }, "rows 1..9 are not within an output of 8 rows"),
            (
                Error::ImageSize { what: "x", expected: [1, 2, 3], found: [4, 5, 6] },
                "x must be 1x2 of 3 channels, found 4x5 of 6",
            ),
            (Error::NoAddend, "the first sink does not hold floats to add"),
            (Error::Zero { what: "x" }, "x is zero"),
            (Error::Groups { groups: 2, what: "x", channels: 3 }, "2 groups do not divide 3 x"),
            (Error::Depth { depth: 200_000 }, "depth 200000 exceeds 131071, sums could overflow"),
            (
                Error::KernelTooLarge { kernel: (3, 4), input: (1, 2) },
                "kernel of 3x4 does not fit an input of 1x2 with its padding",
            ),
            (Error::TooLarge { what: "x" }, "x is too large to address"),
            (Error::PaddingValue, "padding value -128 is outside -127..=127"),
            (Error::Scale { channel: 3, value: f32::INFINITY }, "scale of output channel 3 is inf"),
            (Error::Channel { channel: 3, channels: 2 }, "there is no output channel 3 among 2"),
        ] {
            assert_eq!(error.to_string(), text);
            assert_eq!(error.clone(), error);
        }
    }

    #[test]
    fn products_that_do_not_fit_are_errors_and_those_with_a_zero_are_zero() {
        assert_eq!(checked_product("x", &[]), Ok(1));
        assert_eq!(checked_product("x", &[3, 4, 5]), Ok(60));
        assert_eq!(checked_product("x", &[usize::MAX, 2]), Err(Error::TooLarge { what: "x" }));
        assert_eq!(checked_product("x", &[0, usize::MAX, 2]), Ok(0));
        assert_eq!(check_length("x", 2, 2), Ok(()));
        assert_eq!(check_at_least("x", 2, 3), Ok(()));
        assert_eq!(check_at_least("x", 2, 1), Err(Error::TooShort { what: "x", least: 2, found: 1 }));
    }
}

#[cfg(all(test, feature = "ncnn-format"))]
mod conversion_tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn as_an_error_about_a_model_the_mistake_keeps_its_text_and_its_type() {
        let mistake = Error::Zero { what: "the stride" };
        let error = ncnn_format::Error::from(mistake.clone());
        assert_eq!((error.kind(), error.to_string()), (ncnn_format::ErrorKind::Invalid, mistake.to_string()));
        assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&mistake));
    }
}
