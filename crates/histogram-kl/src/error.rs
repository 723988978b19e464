//! What a caller of this crate can get wrong.

use std::fmt;

/// A mistake of the caller, with the value found.
///
/// ```
/// use histogram_kl::{Error, Histogram};
///
/// let error = Histogram::new(f32::INFINITY).unwrap_err();
/// assert_eq!(error, Error::AbsMax { value: f32::INFINITY });
/// assert_eq!(error.to_string(), "absolute maximum of a histogram is inf");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The range of a histogram is infinite, NaN or negative.
    AbsMax {
        /// Range found.
        value: f32,
    },
    /// The smallest and the largest value of a range are not finite or in the wrong order.
    Extremes {
        /// Smallest value found.
        min: f32,
        /// Largest value found.
        max: f32,
    },
    /// A range has extremes though none of its values is finite, or none though some are.
    Values {
        /// Number of values found.
        values: u64,
        /// How many of them are infinite or NaN.
        nonfinite: u64,
    },
    /// The counts of a growing histogram are not those of its range.
    Counted {
        /// Number of values of the range.
        values: u64,
        /// Number of values counted.
        counted: u64,
    },
    /// Histograms of different ranges cannot be merged: their bins mean different values.
    Ranges {
        /// Range of the histogram that was to grow.
        left: f32,
        /// Range of the histogram that was to be added.
        right: f32,
    },
    /// Stored counts are not one per bin.
    Bins {
        /// Number of bins that the histogram has.
        bins: usize,
        /// Number of counts found.
        found: usize,
    },
    /// The counts of a histogram sum to more than 64 bits hold.
    TooMany,
    /// A threshold is not positive or not finite, or so small that its scale is infinite.
    Threshold {
        /// Threshold found.
        value: f32,
    },
    /// A threshold keeps no bin, or more bins than a histogram has.
    KeptBins {
        /// Number of bins that a histogram has.
        bins: usize,
        /// Number of bins kept.
        found: usize,
    },
    /// The divergence at a threshold is infinite or NaN.
    Divergence {
        /// Divergence found.
        value: f32,
    },
    /// A percentage is not in (0, 100], or is no decimal number with up to six decimals.
    Percent {
        /// What was given.
        value: String,
    },
    /// There is no rule of that name.
    UnknownRule {
        /// Name found.
        name: String,
        /// The names that there are.
        known: Vec<String>,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AbsMax { value } => write!(f, "absolute maximum of a histogram is {value}"),
            Self::Extremes { min, max } => write!(f, "a range from {min} to {max} is none"),
            Self::Values { values, nonfinite } => write!(
                f,
                "a range has extremes if and only if some of its values are finite, found {values} values of which \
                 {nonfinite} are not"
            ),
            Self::Counted { values, counted } => write!(f, "a range of {values} values has counts of {counted}"),
            Self::Ranges { left, right } => {
                write!(f, "histograms over 0..={left} and 0..={right} cannot be merged")
            }
            Self::Bins { bins, found } => write!(f, "a histogram has {bins} bins, found {found} counts"),
            Self::TooMany => write!(f, "counts of a histogram sum to more than 64 bits hold"),
            Self::Threshold { value } => {
                write!(f, "a threshold is positive and finite, and 127 divided by it too, found {value}")
            }
            Self::KeptBins { bins, found } => write!(f, "a threshold keeps 1 to {bins} bins, found {found}"),
            Self::Divergence { value } => write!(f, "the divergence at a threshold is {value}"),
            Self::Percent { value } => {
                write!(f, "a percentage is above 0 and at most 100 with up to 6 decimals, found {value:?}")
            }
            Self::UnknownRule { name, known } => {
                write!(f, "no rule is called {name:?}, known are {}", known.join(", "))
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

#[cfg(all(test, feature = "ncnn-format"))]
mod tests {
    use std::error::Error as _;

    use super::*;

    #[test]
    fn as_an_error_about_a_model_the_mistake_keeps_its_text_and_its_type() {
        let mistake = Error::Bins { found: 3, bins: 2048 };
        let error = ncnn_format::Error::from(mistake.clone());
        assert_eq!((error.kind(), error.to_string()), (ncnn_format::ErrorKind::Invalid, mistake.to_string()));
        assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&mistake));
    }
}
