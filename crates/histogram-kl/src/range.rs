//! The extent of a tensor's values: the first pass of calibration.

use crate::error::Error;
use crate::simd::vectorized;

/// Extremes and number of values seen so far.
///
/// The default value has seen nothing and is the unit of [`Range::merge`], which is associative and
/// commutative: any way of sharding the samples gives the same bits.
///
/// ```
/// use histogram_kl::Range;
///
/// let mut range = Range::default();
/// assert_eq!((range.min(), range.absmax()), (None, 0.0));
/// range.add(&[1.0, -3.0, f32::NAN]);
/// assert_eq!((range.min(), range.max(), range.absmax()), (Some(-3.0), Some(1.0), 3.0));
/// assert_eq!((range.values(), range.nonfinite()), (3, 1));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Smallest finite value, +∞ if there were none, which every value is below. Never −0.
    min: f32,
    /// Largest finite value, −∞ if there were none. Never −0.
    max: f32,
    values: u64,
    nonfinite: u64,
}

impl Default for Range {
    fn default() -> Self {
        Self { min: f32::INFINITY, max: f32::NEG_INFINITY, values: 0, nonfinite: 0 }
    }
}

impl Range {
    /// A range that was stored: its smallest and largest finite value, if there were any, the number of
    /// values, and how many of those were infinite or NaN.
    ///
    /// # Errors
    /// `Extremes` unless both are finite and in order, `Values` unless there are extremes exactly where
    /// there are finite values.
    pub fn from_extremes(extremes: Option<(f32, f32)>, values: u64, nonfinite: u64) -> Result<Self, Error> {
        if nonfinite > values || extremes.is_some() != (values > nonfinite) {
            return Err(Error::Values { values, nonfinite });
        }
        let Some((min, max)) = extremes else { return Ok(Self { values, nonfinite, ..Self::default() }) };
        if min.is_finite() && max.is_finite() && min <= max {
            Ok(Self { min: min + 0.0, max: max + 0.0, values, nonfinite })
        } else {
            Err(Error::Extremes { min, max })
        }
    }

    /// Takes more values into account.
    pub fn add(&mut self, values: &[f32]) {
        // Extremes side by side become vector code; a product with 0 is 0 unless it is NaN.
        let mut seen = Self { values: values.len() as u64, ..Self::default() };
        let mut lanes = vectorized(
            #[inline(always)]
            || {
                let mut lanes = Lanes::default();
                let (blocks, rest) = values.as_chunks::<WIDTH>();
                for block in blocks {
                    lanes.add(block);
                }
                // The first value of the rest stands in for those that are missing.
                if let Some(&first) = rest.first() {
                    let mut last = [first; WIDTH];
                    last[..rest.len()].copy_from_slice(rest);
                    lanes.add(&last);
                }
                lanes
            },
        );
        if lanes.zero.iter().any(|zero| zero.is_nan()) {
            lanes = Lanes::default();
            values.iter().filter(|x| x.is_finite()).for_each(|&x| lanes.add(&[x; WIDTH]));
            seen.nonfinite = values.iter().map(|x| u64::from(!x.is_finite())).sum();
        }
        for (min, max) in lanes.min.into_iter().zip(lanes.max) {
            // Adding 0 makes -0 into 0, of which either could otherwise remain, depending on the order.
            seen.min = seen.min.min(min + 0.0);
            seen.max = seen.max.max(max + 0.0);
        }
        self.merge(&seen);
    }

    /// Takes everything into account that another range has seen.
    pub fn merge(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.values = self.values.saturating_add(other.values);
        self.nonfinite = self.nonfinite.saturating_add(other.nonfinite);
    }

    /// Largest absolute value of the finite values; 0 if there were none, as every magnitude is at least
    /// that.
    pub fn absmax(&self) -> f32 {
        self.extremes().map_or(0.0, |(min, max)| max.max(-min) + 0.0)
    }

    /// Smallest finite value, if there was any. Never −0.
    pub fn min(&self) -> Option<f32> {
        self.extremes().map(|(min, _)| min)
    }

    /// Largest finite value, if there was any. Never −0.
    pub fn max(&self) -> Option<f32> {
        self.extremes().map(|(_, max)| max)
    }

    /// Smallest and largest finite value, if there were any: what [`Range::from_extremes`] takes.
    pub fn extremes(&self) -> Option<(f32, f32)> {
        (self.min <= self.max).then_some((self.min, self.max))
    }

    /// Number of values seen, of every kind.
    pub fn values(&self) -> u64 {
        self.values
    }

    /// How many of them were infinite or NaN: no rule can use those, so callers must report them.
    pub fn nonfinite(&self) -> u64 {
        self.nonfinite
    }
}

/// Values looked at side by side.
const WIDTH: usize = 64;

/// Extremes of the values at every 64th place, all of them finite.
#[derive(Clone, Copy)]
struct Lanes {
    min: [f32; WIDTH],
    max: [f32; WIDTH],
    /// NaN if a value was not finite.
    zero: [f32; WIDTH],
}

impl Default for Lanes {
    fn default() -> Self {
        Self { min: [f32::INFINITY; WIDTH], max: [f32::NEG_INFINITY; WIDTH], zero: [0.0; WIDTH] }
    }
}

impl Lanes {
    #[inline(always)]
    fn add(&mut self, block: &[f32; WIDTH]) {
        for (lane, &x) in block.iter().enumerate() {
            self.min[lane] = if x < self.min[lane] { x } else { self.min[lane] };
            self.max[lane] = if x > self.max[lane] { x } else { self.max[lane] };
            self.zero[lane] += x * 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extremes_are_those_of_the_finite_values() {
        let mut range = Range::default();
        range.add(&[1.0, -3.0, f32::NAN, 2.0, f32::INFINITY]);
        assert_eq!(range, Range { min: -3.0, max: 2.0, values: 5, nonfinite: 2 });
        assert_eq!(range.absmax(), 3.0);
        range.add(&[4.5]);
        assert_eq!(range, Range { min: -3.0, max: 4.5, values: 6, nonfinite: 2 });
        assert_eq!(range.absmax(), 4.5);
    }

    #[test]
    fn nothing_finite_leaves_the_extremes_open() {
        let mut range = Range::default();
        range.add(&[]);
        assert_eq!(range, Range::default());
        range.add(&[f32::NAN]);
        assert_eq!(range, Range { values: 1, nonfinite: 1, ..Range::default() });
        assert_eq!((range.min(), range.max(), range.extremes(), range.absmax()), (None, None, None, 0.0));
    }

    #[test]
    fn negative_zero_is_zero() {
        let mut range = Range::default();
        range.add(&[-0.0]);
        let bits = |range: &Range| [range.absmax(), range.min, range.max].map(f32::to_bits);
        assert_eq!(bits(&range), [0, 0, 0]);
        assert_eq!(bits(&Range::from_extremes(Some((-0.0, -0.0)), 1, 0).unwrap()), [0, 0, 0]);
    }

    #[test]
    fn a_stored_range_comes_back_and_one_that_contradicts_itself_is_refused() {
        let mut range = Range::default();
        range.add(&[1.0, -3.0, f32::NAN]);
        for range in [range, Range::default()] {
            let again = Range::from_extremes(range.extremes(), range.values(), range.nonfinite());
            assert_eq!(again, Ok(range));
        }
        let without_finite = [(None, 1, 0), (None, 3, 4), (Some((0.0, 1.0)), 2, 2), (Some((0.0, 1.0)), 0, 0)];
        for (extremes, values, nonfinite) in without_finite {
            let found = Range::from_extremes(extremes, values, nonfinite);
            assert_eq!(found, Err(Error::Values { values, nonfinite }));
        }
        for (min, max) in [(1.0, 0.5), (f32::NEG_INFINITY, 0.0), (0.0, f32::INFINITY), (-f32::MAX, f32::NEG_INFINITY)] {
            assert_eq!(Range::from_extremes(Some((min, max)), 2, 0), Err(Error::Extremes { min, max }));
        }
        let message = Range::from_extremes(Some((f32::NAN, 1.0)), 2, 0).unwrap_err().to_string();
        assert_eq!(message, "a range from NaN to 1 is none");
    }
}
