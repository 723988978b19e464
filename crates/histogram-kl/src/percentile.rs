//! Clipping a fixed share of the values.
//!
//! The threshold is the upper edge of the first bin at which at least p per cent of all values, exact
//! zeros included, are seen:
//!
//! ```text
//! m = min { m : zeros + count[0] + … + count[m] ≥ p / 100 · N },   threshold = (m + 1) · absmax / 2048
//! ```
//!
//! Source: the percentile calibration of NVIDIA's pytorch-quantization (Wu et al., "Integer
//! Quantization for Deep Learning Inference", 2020, §5), with 99.99 and 99.999 as its usual values.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::histogram::Histogram;
use crate::threshold::Threshold;

/// A percentage in (0, 100], to six decimals.
///
/// ```
/// use histogram_kl::{Percent, Rule};
///
/// let percent: Percent = "99.99".parse()?;
/// assert_eq!(percent, Percent::from_millionths(99_990_000)?);
/// assert_eq!(Rule::Percentile(percent).to_string(), "percentile:99.99");
/// assert!("101".parse::<Percent>().is_err());
/// # Ok::<(), histogram_kl::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Percent {
    millionths: u32,
}

const ONE: u32 = 1_000_000;

impl Percent {
    /// 99.9 per cent.
    pub const P99_9: Self = Self::literal(99_900_000);
    /// 99.99 per cent.
    pub const P99_99: Self = Self::literal(99_990_000);
    /// 99.999 per cent.
    pub const P99_999: Self = Self::literal(99_999_000);

    /// From millionths of a per cent: 99,990,000 is 99.99.
    ///
    /// # Errors
    /// `Percent` if it is 0 or above 100 per cent.
    pub fn from_millionths(millionths: u32) -> Result<Self, Error> {
        if (1..=100 * ONE).contains(&millionths) {
            Ok(Self { millionths })
        } else {
            Err(Error::Percent { value: (f64::from(millionths) / f64::from(ONE)).to_string() })
        }
    }

    pub(crate) const fn literal(millionths: u32) -> Self {
        Self { millionths }
    }

    /// Millionths of a per cent.
    pub fn millionths(self) -> u32 {
        self.millionths
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.millionths / ONE, self.millionths % ONE);
        if rest == 0 {
            return write!(f, "{whole}");
        }
        write!(f, "{whole}.{}", format!("{rest:06}").trim_end_matches('0'))
    }
}

impl FromStr for Percent {
    type Err = Error;

    /// A decimal number, exactly: 99.99 has no neighbour that it could be rounded to.
    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || Error::Percent { value: text.to_owned() };
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(decimals) || whole.len() > 3 || decimals.len() > 6 {
            return Err(wrong());
        }
        let number: u32 = format!("{whole}{decimals:0<6}").parse().map_err(|_| wrong())?;
        Self::from_millionths(number).map_err(|_| wrong())
    }
}

/// The threshold; `None` if every bin is empty.
pub(crate) fn search(histogram: &Histogram, percent: Percent) -> Option<Threshold> {
    let counts = histogram.counts();
    let zeros = u128::from(histogram.zeros());
    let values = u128::from(histogram.total()) + zeros;
    if histogram.total() == 0 {
        return None;
    }
    let wanted = values * u128::from(percent.millionths);
    let mut seen = zeros;
    let enough = |&count: &u64| {
        seen += u128::from(count);
        seen * u128::from(100 * ONE) >= wanted
    };
    let bin = counts.iter().position(enough).unwrap_or(counts.len() - 1);
    Some(Threshold::at_upper_edge(histogram, bin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: &[u64], zeros: u64, percent: &str) -> f32 {
        let histogram = Histogram::from_counts(2048.0, counts).unwrap().with_unbinned(zeros, 0);
        search(&histogram, percent.parse().unwrap()).unwrap().value()
    }

    #[test]
    fn the_edge_behind_the_share_is_taken() {
        let even = [1; 2048];
        assert_eq!(of(&even, 0, "50"), 1024.0);
        assert_eq!(of(&even, 0, "100"), 2048.0);
        // 2048 · 0.001 = 2.05 values may be clipped.
        assert_eq!(of(&even, 0, "99.9"), 2046.0);
        assert_eq!(of(&even, 2048, "75"), 1024.0, "zeros are values");
        assert_eq!(of(&even, 99 * 2048, "50"), 1.0, "the first bin is the least that is kept");
    }

    #[test]
    fn percentages_are_read_exactly_and_written_back() {
        for text in ["99.99", "99.999", "100", "0.000001", "50.5"] {
            assert_eq!(text.parse::<Percent>().unwrap().to_string(), text);
        }
        for text in ["0", "100.1", "-1", "", ".5", "5.", "99.9999999", "1e2", "x", "101"] {
            let error = text.parse::<Percent>().unwrap_err().to_string();
            assert_eq!(error, format!("a percentage is above 0 and at most 100 with up to 6 decimals, found {text:?}"));
        }
    }
}
