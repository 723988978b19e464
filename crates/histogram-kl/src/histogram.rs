//! Counts of absolute values: the second pass of calibration.

use crate::error::Error;
use crate::slots::{ZERO_LANES, count, join_lanes, whole_part};

/// How often |x| fell into each of 2048 equal bins over `[0, absmax]`.
///
/// Exact zeros are counted apart and are in no bin (after a ReLU they are half of all values, and
/// every scale represents them exactly). Counts are integers, so [`Histogram::merge`] is associative
/// and commutative and an empty histogram of the same range is its unit.
///
/// ```
/// use histogram_kl::Histogram;
///
/// let mut histogram = Histogram::new(2048.0)?;
/// histogram.add(&[0.0, 0.5, -1.5, 1.75, 2048.0, f32::NAN]);
/// assert_eq!(histogram.counts()[..3], [1, 2, 0]);
/// assert_eq!((histogram.total(), histogram.zeros(), histogram.nonfinite()), (4, 1, 1));
///
/// let mut whole = histogram.clone();
/// whole.merge(&histogram)?;
/// assert_eq!(whole.total(), 8);
/// # Ok::<(), histogram_kl::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    absmax: f32,
    /// The bins, then the exact zeros in the first of several lanes, then the values that are
    /// infinite or NaN.
    slots: Box<[u64]>,
}

const ZEROS: usize = Histogram::BINS;
const NONFINITE: usize = Histogram::BINS + ZERO_LANES;
const SLOTS: usize = NONFINITE + 1;

impl Histogram {
    /// Number of bins.
    pub const BINS: usize = 2048;

    /// An empty histogram over `[0, absmax]`.
    ///
    /// # Errors
    /// `AbsMax` unless `absmax` is finite and not negative.
    pub fn new(absmax: f32) -> Result<Self, Error> {
        if absmax.is_finite() && absmax >= 0.0 {
            Ok(Self { absmax: absmax + 0.0, slots: vec![0; SLOTS].into() })
        } else {
            Err(Error::AbsMax { value: absmax })
        }
    }

    /// A histogram from counts of bins that were stored.
    ///
    /// # Errors
    /// `AbsMax` as for [`Histogram::new`], `Bins` unless there are [`Histogram::BINS`] counts,
    /// `TooMany` if they sum to more than 64 bits hold.
    pub fn from_counts(absmax: f32, counts: &[u64]) -> Result<Self, Error> {
        let mut histogram = Self::new(absmax)?;
        if counts.len() != Self::BINS {
            return Err(Error::Bins { bins: Self::BINS, found: counts.len() });
        }
        counts.iter().try_fold(0u64, |total, &count| total.checked_add(count)).ok_or(Error::TooMany)?;
        histogram.slots[..Self::BINS].copy_from_slice(counts);
        Ok(histogram)
    }

    /// The same histogram with other numbers of values that are in no bin: exact zeros, and infinite
    /// or NaN ones. Completes [`Histogram::from_counts`].
    pub fn with_unbinned(mut self, zeros: u64, nonfinite: u64) -> Self {
        self.slots[ZEROS] = zeros;
        self.slots[NONFINITE] = nonfinite;
        self
    }

    /// Counts more values.
    ///
    /// The bin of x is `min((int)((|x| / absmax) · 2048), 2047)` in f32, as in ncnn's
    /// `tools/quantize/ncnn2table.cpp`, so values above `absmax` count as `absmax`.
    ///
    /// A count starts anew after 2^64 − 1. Nobody counts that far one by one, but stored counts may be close.
    pub fn add(&mut self, values: &[f32]) {
        let absmax = self.absmax;
        count(
            &mut self.slots,
            values,
            #[inline(always)]
            move |x, lane| slot(x, absmax, lane),
        );
        join_lanes(&mut self.slots[ZEROS..NONFINITE]);
    }

    /// Counts everything that another histogram has counted.
    ///
    /// # Errors
    /// `Ranges` unless both have the same range, `TooMany` if the counts sum to more than 64 bits
    /// hold; then nothing is changed.
    pub fn merge(&mut self, other: &Self) -> Result<(), Error> {
        if self.absmax != other.absmax {
            return Err(Error::Ranges { left: self.absmax, right: other.absmax });
        }
        self.total().checked_add(other.total()).ok_or(Error::TooMany)?;
        for (count, more) in self.slots.iter_mut().zip(&other.slots) {
            *count = count.saturating_add(*more);
        }
        Ok(())
    }

    /// Upper end of the last bin.
    pub fn absmax(&self) -> f32 {
        self.absmax
    }

    /// The counts of the bins.
    pub fn counts(&self) -> &[u64] {
        &self.slots[..Self::BINS]
    }

    /// How many values were exactly zero.
    pub fn zeros(&self) -> u64 {
        self.slots[ZEROS]
    }

    /// How many values were infinite or NaN; they are in no bin.
    pub fn nonfinite(&self) -> u64 {
        self.slots[NONFINITE]
    }

    /// How many values are in the bins.
    pub fn total(&self) -> u64 {
        self.counts().iter().fold(0, |total, &count| total.saturating_add(count))
    }

    /// Width of a bin: `absmax / 2048`.
    pub fn bin_width(&self) -> f32 {
        self.absmax / Self::BINS as f32
    }
}

/// Where a value is counted.
#[inline(always)]
fn slot(x: f32, absmax: f32, lane: u32) -> u32 {
    let bin = whole_part(x.abs() / absmax * Histogram::BINS as f32, (Histogram::BINS - 1) as f32);
    if !x.is_finite() {
        NONFINITE as u32
    } else if x == 0.0 {
        ZEROS as u32 + lane
    } else {
        bin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled_bins(histogram: &Histogram) -> Vec<(usize, u64)> {
        histogram.counts().iter().copied().enumerate().filter(|&(_, count)| count > 0).collect()
    }

    #[test]
    fn values_fall_into_the_bin_of_their_magnitude() {
        let mut histogram = Histogram::new(2048.0).unwrap();
        histogram.add(&[0.5, -0.5, 1.0, -1.5, 2047.9, 2048.0, 1e9, 0.0, -0.0, f32::NAN, f32::NEG_INFINITY]);
        assert_eq!(filled_bins(&histogram), [(0, 2), (1, 2), (2047, 3)]);
        assert_eq!((histogram.zeros(), histogram.nonfinite(), histogram.total()), (2, 2, 7));
        assert_eq!((histogram.absmax(), histogram.bin_width()), (2048.0, 1.0));
    }

    #[test]
    fn blocks_do_not_change_what_is_counted() {
        let values: Vec<f32> = (0..1000).map(|i| i as f32).collect();
        let mut histogram = Histogram::new(2048.0).unwrap();
        histogram.add(&values);
        assert_eq!((histogram.total(), histogram.zeros()), (999, 1));
        assert!(histogram.counts()[1..1000].iter().all(|&count| count == 1));
    }

    #[test]
    fn a_range_of_zero_keeps_everything_countable() {
        let mut histogram = Histogram::new(0.0).unwrap();
        histogram.add(&[0.0, 1.0]);
        assert_eq!((histogram.zeros(), filled_bins(&histogram)), (1, vec![(2047, 1)]));
    }

    #[test]
    fn ranges_that_are_no_ranges_are_refused() {
        for absmax in [f32::NAN, f32::INFINITY, -1.0] {
            let message = Histogram::new(absmax).unwrap_err().to_string();
            assert_eq!(message, format!("absolute maximum of a histogram is {absmax}"));
        }
    }

    #[test]
    fn stored_counts_come_back_and_wrong_ones_are_refused() {
        let mut histogram = Histogram::new(3.0).unwrap();
        histogram.add(&[1.0, 2.0, 0.0, f32::NAN]);
        let again = Histogram::from_counts(3.0, histogram.counts())
            .unwrap()
            .with_unbinned(histogram.zeros(), histogram.nonfinite());
        assert_eq!(histogram, again);
        let short = Histogram::from_counts(3.0, &[1, 2]).unwrap_err();
        assert_eq!(short.to_string(), "a histogram has 2048 bins, found 2 counts");
        let full = Histogram::from_counts(3.0, &[u64::MAX; 2048]).unwrap_err();
        assert_eq!(full.to_string(), "counts of a histogram sum to more than 64 bits hold");
    }

    #[test]
    fn merging_needs_equal_ranges_and_room() {
        let mut one = Histogram::new(1.0).unwrap();
        let error = one.merge(&Histogram::new(2.0).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "histograms over 0..=1 and 0..=2 cannot be merged");
        let mut counts = vec![0; 2048];
        counts[7] = u64::MAX;
        one.add(&[0.5]);
        let before = one.clone();
        let full = Histogram::from_counts(1.0, &counts).unwrap();
        assert_eq!(one.merge(&full), Err(Error::TooMany));
        assert_eq!(one, before);
    }
}
