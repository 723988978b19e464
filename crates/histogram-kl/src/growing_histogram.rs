//! Counts of absolute values whose extent is not known yet: calibration in one pass.

use crate::error::Error;
use crate::histogram::Histogram;
use crate::range::Range;
use crate::slots::{ZERO_LANES, count, join_lanes, whole_part};

/// How often |x| fell into each of many fine bins, and the [`Range`] of x.
///
/// The bins cover `[0, 2^e)` for the smallest e that holds every value seen. When a
/// larger value comes, neighbouring bins are added in pairs, which is exact: the counts
/// are those that would have been found with the final e from the start. So adding and
/// [merging](GrowingHistogram::merge) in any order give the same bits.
///
/// [`GrowingHistogram::histogram`] then divides the fine bins among the 2048 of a
/// [`Histogram`]: each of those is made of eight to sixteen fine ones, and a count is
/// wrong by no more than the values near its two edges.
///
/// ```
/// use histogram_kl::{GrowingHistogram, Rule};
///
/// let mut growing = GrowingHistogram::default();
/// growing.add(&[0.25, -0.5, 0.0]);
/// growing.add(&[3.0, 100.0]);
/// assert_eq!((growing.range().absmax(), growing.zeros()), (100.0, 1));
///
/// let histogram = growing.histogram()?;
/// assert_eq!((histogram.absmax(), histogram.total()), (100.0, 4));
/// assert_eq!(Rule::AbsMax.threshold(&histogram).map(|it| it.value()), Some(100.0));
/// # Ok::<(), histogram_kl::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct GrowingHistogram {
    range: Range,
    /// The bins end at 2 to this power.
    exponent: i32,
    /// The bins, then the exact zeros in the first of several lanes, then what is not finite.
    slots: Box<[u64]>,
}

const BINS: usize = 1 << 15;
/// Values worked on at a time.
const PART: usize = 1 << 12;
const NONFINITE: usize = BINS + ZERO_LANES;
/// Below 2^-90 the width of a bin would leave the normal range of f32.
const LEAST_EXPONENT: i32 = -90;

impl Default for GrowingHistogram {
    fn default() -> Self {
        Self { range: Range::default(), exponent: LEAST_EXPONENT, slots: vec![0; NONFINITE + 1].into_boxed_slice() }
    }
}

impl GrowingHistogram {
    /// Number of fine bins.
    pub const BINS: usize = BINS;

    /// Counts more values.
    pub fn add(&mut self, values: &[f32]) {
        // A part is looked at twice while it is in the first-level cache.
        for part in values.chunks(PART) {
            self.range.add(part);
            self.widen(exponent_over(self.range.absmax()));
            // A power of two, so the product is exact. In f32, 2 to the power of -128 would be 0.
            let scale = self.bins_per_unit() as f32;
            count(
                &mut self.slots,
                part,
                #[inline(always)]
                move |x, lane| slot(x, scale, lane),
            );
        }
        join_lanes(&mut self.slots[BINS..NONFINITE]);
    }

    /// Counts everything that another histogram has counted.
    pub fn merge(&mut self, other: &Self) {
        self.range.merge(&other.range);
        self.widen(other.exponent);
        let (bins, rest) = other.slots.split_at(BINS);
        let shift = u32::try_from(self.exponent - other.exponent).unwrap_or(0);
        for (index, &count) in bins.iter().enumerate() {
            if count > 0 {
                let slot = &mut self.slots[index.checked_shr(shift).unwrap_or(0)];
                *slot = slot.saturating_add(count);
            }
        }
        for (slot, &count) in self.slots[BINS..].iter_mut().zip(rest) {
            *slot = slot.saturating_add(count);
        }
    }

    /// A histogram from its range and its counts, as they were stored. Bins that are not given are
    /// empty; where the bins end follows from the range.
    ///
    /// # Errors
    /// `Bins` for more than [`GrowingHistogram::BINS`] counts, `TooMany` if they sum to more than 64 bits
    /// hold, `Counted` unless counts, zeros and what is not finite are the values of the range.
    pub fn from_counts(range: Range, counts: &[u64], zeros: u64) -> Result<Self, Error> {
        let mut histogram = Self::default();
        if counts.len() > BINS {
            return Err(Error::Bins { bins: BINS, found: counts.len() });
        }
        let outside = zeros.checked_add(range.nonfinite());
        let counted = counts.iter().try_fold(outside.ok_or(Error::TooMany)?, |sum, &count| sum.checked_add(count));
        let counted = counted.ok_or(Error::TooMany)?;
        if counted != range.values() {
            return Err(Error::Counted { values: range.values(), counted });
        }
        histogram.slots[..counts.len()].copy_from_slice(counts);
        histogram.slots[BINS] = zeros;
        histogram.slots[NONFINITE] = range.nonfinite();
        histogram.exponent = exponent_over(range.absmax());
        histogram.range = range;
        Ok(histogram)
    }

    /// The counts of the fine bins over `[0, 2^e)`.
    pub fn counts(&self) -> &[u64] {
        &self.slots[..BINS]
    }

    /// How many values were exactly zero.
    pub fn zeros(&self) -> u64 {
        self.slots[BINS]
    }

    /// The extremes of the values and how many there were.
    pub fn range(&self) -> Range {
        self.range
    }

    /// The counts in 2048 bins over `[0, absmax]`.
    ///
    /// The values of a fine bin are taken to be spread evenly over it, and counts are
    /// rounded so that their sum is right.
    ///
    /// # Errors
    /// `TooMany` if the counts sum to more than 64 bits hold.
    pub fn histogram(&self) -> Result<Histogram, Error> {
        let width = f64::from(self.range.absmax()) / Histogram::BINS as f64;
        let mut counts = [0; Histogram::BINS];
        let mut below = 0;
        let total = self.slots[..BINS].iter().try_fold(0u64, |sum, &count| sum.checked_add(count));
        let total = total.ok_or(Error::TooMany)?;
        let mut cumulated = Cumulated { counts: &self.slots[..BINS], bin: 0, before: 0 };
        let fine_bins_per_unit = self.bins_per_unit();
        for (index, count) in counts.iter_mut().enumerate() {
            let end = (index + 1) as f64 * width * fine_bins_per_unit;
            let up_to = if index + 1 == Histogram::BINS { total } else { cumulated.up_to(end) };
            *count = up_to - below;
            below = up_to;
        }
        Ok(Histogram::from_counts(self.range.absmax(), &counts)?.with_unbinned(self.slots[BINS], self.slots[NONFINITE]))
    }

    /// How many bins a value of 1 is from 0, a power of two.
    fn bins_per_unit(&self) -> f64 {
        BINS as f64 * 2.0_f64.powi(-self.exponent)
    }

    /// Makes the bins reach 2 to the power of `exponent`, if they do not.
    fn widen(&mut self, exponent: i32) {
        let Ok(shift) = u32::try_from(exponent - self.exponent) else { return };
        if shift == 0 {
            return;
        }
        self.exponent = exponent;
        // Never more than the last index needs.
        let shift = shift.min(BINS.trailing_zeros());
        for index in 0..BINS {
            let count = std::mem::take(&mut self.slots[index]);
            self.slots[index >> shift] = self.slots[index >> shift].saturating_add(count);
        }
    }
}

/// Counts below a position, for positions that only grow.
struct Cumulated<'a> {
    counts: &'a [u64],
    bin: usize,
    before: u64,
}

impl Cumulated<'_> {
    fn up_to(&mut self, position: f64) -> u64 {
        let whole = (position as usize).min(self.counts.len() - 1);
        while self.bin < whole {
            self.before += self.counts[self.bin];
            self.bin += 1;
        }
        let count = self.counts[self.bin];
        let part = (position - self.bin as f64).clamp(0.0, 1.0) * count as f64;
        self.before + (part.round() as u64).min(count)
    }
}

/// The least power of two above `absmax`.
fn exponent_over(absmax: f32) -> i32 {
    // The exponent field of a float; that of subnormal ones is below the least one anyway.
    let exponent = (absmax.to_bits() >> 23) as i32 - 127;
    (exponent + 1).max(LEAST_EXPONENT)
}

/// Where a value is counted.
#[inline(always)]
fn slot(x: f32, scale: f32, lane: u32) -> u32 {
    // The bins reach beyond every finite value.
    let bin = whole_part(x.abs() * scale, (BINS - 1) as f32);
    if !x.is_finite() {
        NONFINITE as u32
    } else if x == 0.0 {
        BINS as u32 + lane
    } else {
        bin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waves(len: usize, height: f32) -> Vec<f32> {
        (0..len).map(|i| (i as f32 * 0.7).sin() * (i as f32 * 0.013).cos() * height).collect()
    }

    #[test]
    fn growing_gives_the_counts_of_the_final_extent() {
        let (small, large) = (waves(5000, 0.3), waves(5000, 77.0));
        let mut grown = GrowingHistogram::default();
        grown.add(&small);
        grown.add(&large);
        let mut at_once = GrowingHistogram::default();
        at_once.add(&[large, small].concat());
        assert_eq!(grown.histogram(), at_once.histogram());
    }

    #[test]
    fn merging_is_adding() {
        let (a, b) = (waves(3000, 5.0), [waves(3001, 0.01), vec![0.0; 100]].concat());
        let one = |values: &[f32]| {
            let mut histogram = GrowingHistogram::default();
            histogram.add(values);
            histogram
        };
        let mut merged = one(&b);
        merged.merge(&one(&a));
        let mut other = one(&a);
        other.merge(&one(&b));
        assert_eq!(merged, other);
        assert_eq!(merged.histogram(), one(&[a, b].concat()).histogram());
    }

    #[test]
    fn the_counts_are_close_to_those_of_two_passes() {
        let values = waves(200_000, 6.1);
        let mut growing = GrowingHistogram::default();
        growing.add(&values);
        let mut exact = Histogram::new(growing.range().absmax()).unwrap();
        exact.add(&values);
        let found = growing.histogram().unwrap();
        assert_eq!((found.total(), found.zeros()), (exact.total(), exact.zeros()));
        let mut difference = 0i64;
        for (a, b) in found.counts().iter().zip(exact.counts()) {
            difference += *a as i64 - *b as i64;
            assert!(difference.abs() <= 40, "the edges of bins are {difference} values off");
        }
    }

    #[test]
    fn zeros_and_what_is_not_finite_are_in_no_bin() {
        let mut growing = GrowingHistogram::default();
        growing.add(&[0.0, -0.0, 1.0, f32::NAN, f32::INFINITY]);
        let histogram = growing.histogram().unwrap();
        assert_eq!((histogram.total(), histogram.zeros(), histogram.nonfinite()), (1, 2, 2));
        assert_eq!(growing.range().absmax(), 1.0);
        let last = histogram.counts()[Histogram::BINS - 1];
        assert_eq!(last, 1, "the largest value belongs to the last bin");
    }

    #[test]
    fn extreme_magnitudes_do_no_harm() {
        for value in [f32::MAX, f32::MIN_POSITIVE, 1e-45, 2.0_f32.powi(-90), 1.0] {
            let mut growing = GrowingHistogram::default();
            growing.add(&[value, -value]);
            growing.add(&[1e-45]);
            assert_eq!(growing.histogram().unwrap().total(), 3, "{value:e}");
        }
    }

    #[test]
    fn values_next_to_the_largest_float_have_bins_of_their_own() {
        let mut growing = GrowingHistogram::default();
        growing.add(&[f32::MAX, f32::MAX / 2.0, 1e30]);
        let filled: Vec<usize> = (0..BINS).filter(|&bin| growing.counts()[bin] > 0).collect();
        assert_eq!(filled, [0, BINS / 2 - 1, BINS - 1]);
    }

    #[test]
    fn stored_counts_give_the_same_histogram() {
        let mut growing = GrowingHistogram::default();
        growing.add(&waves(3000, 5.0));
        growing.add(&[0.0, -0.0]);
        let restored = |counts: &[u64]| GrowingHistogram::from_counts(growing.range(), counts, growing.zeros());
        assert_eq!(restored(growing.counts()).unwrap(), growing);
        let used = growing.counts().iter().rposition(|&count| count > 0).unwrap() + 1;
        assert_eq!(restored(&growing.counts()[..used]).unwrap(), growing);
        assert_eq!(restored(&vec![0; BINS + 1]), Err(Error::Bins { bins: BINS, found: BINS + 1 }));
    }

    #[test]
    fn counts_of_another_range_are_refused() {
        let range = Range::from_extremes(Some((-1.0, 2.0)), 10, 1).unwrap();
        assert!(GrowingHistogram::from_counts(range, &[2, 4], 3).is_ok());
        let error = GrowingHistogram::from_counts(range, &[2, 4], 4).unwrap_err();
        assert_eq!(error.to_string(), "a range of 10 values has counts of 11");
        assert_eq!(GrowingHistogram::from_counts(range, &[u64::MAX, 1], 3), Err(Error::TooMany));
        assert_eq!(GrowingHistogram::from_counts(range, &[], u64::MAX), Err(Error::TooMany));
    }

    #[test]
    fn nothing_gives_an_empty_histogram() {
        assert_eq!(GrowingHistogram::default().histogram().unwrap(), Histogram::new(0.0).unwrap());
    }
}
