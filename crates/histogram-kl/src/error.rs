//! What a caller of this crate can get wrong.

use std::fmt;

/// A mistake of the caller, with the value found.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// The range of a histogram is infinite, NaN or negative.
    AbsMax {
        /// Range found.
        value: f32,
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
        /// Number of counts found.
        found: usize,
    },
    /// The counts of a histogram sum to more than 64 bits hold.
    TooMany,
    /// A percentage is not in (0, 100], or is no decimal number with up to six decimals.
    Percent {
        /// What was given.
        value: String,
    },
    /// There is no rule of that name.
    UnknownRule {
        /// Name found.
        name: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AbsMax { value } => write!(f, "absolute maximum of a histogram is {value}"),
            Self::Ranges { left, right } => {
                write!(f, "histograms over 0..={left} and 0..={right} cannot be merged")
            }
            Self::Bins { found } => {
                write!(f, "a histogram has {} bins, found {found} counts", crate::Histogram::BINS)
            }
            Self::TooMany => write!(f, "counts of a histogram sum to more than 64 bits hold"),
            Self::Percent { value } => {
                write!(f, "a percentage is above 0 and at most 100 with up to 6 decimals, found {value:?}")
            }
            Self::UnknownRule { name } => {
                let known: Vec<String> = crate::Rule::ALL.iter().map(ToString::to_string).collect();
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
        let mistake = Error::Bins { found: 3 };
        let error = ncnn_format::Error::from(mistake.clone());
        assert_eq!((error.kind(), error.to_string()), (ncnn_format::ErrorKind::Invalid, mistake.to_string()));
        assert_eq!(error.source().and_then(|source| source.downcast_ref()), Some(&mistake));
    }
}
