//! The extent of a tensor's values: the first pass of calibration.

use crate::simd::vectorized;

/// Extremes and number of values seen so far.
///
/// The default value has seen nothing and is the unit of [`Range::merge`], which is associative and
/// commutative: any way of sharding the samples gives the same bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Largest absolute value of the finite values, 0 if there were none.
    pub absmax: f32,
    /// Smallest finite value, +∞ if there were none. Never −0.
    pub min: f32,
    /// Largest finite value, −∞ if there were none. Never −0.
    pub max: f32,
    /// Number of values seen, of every kind.
    pub values: u64,
    /// How many of them were infinite or NaN: no rule can use those, so callers must report them.
    pub nonfinite: u64,
}

impl Default for Range {
    fn default() -> Self {
        Self { absmax: 0.0, min: f32::INFINITY, max: f32::NEG_INFINITY, values: 0, nonfinite: 0 }
    }
}

impl Range {
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
        seen.absmax = if seen.min <= seen.max { seen.max.max(-seen.min) } else { 0.0 };
        self.merge(&seen);
    }

    /// Takes everything into account that another range has seen.
    pub fn merge(&mut self, other: &Self) {
        self.absmax = self.absmax.max(other.absmax);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.values = self.values.saturating_add(other.values);
        self.nonfinite = self.nonfinite.saturating_add(other.nonfinite);
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
        assert_eq!(range, Range { absmax: 3.0, min: -3.0, max: 2.0, values: 5, nonfinite: 2 });
        range.add(&[4.5]);
        assert_eq!(range, Range { absmax: 4.5, min: -3.0, max: 4.5, values: 6, nonfinite: 2 });
    }

    #[test]
    fn nothing_finite_leaves_the_extremes_open() {
        let mut range = Range::default();
        range.add(&[]);
        assert_eq!(range, Range::default());
        range.add(&[f32::NAN]);
        assert_eq!(range, Range { values: 1, nonfinite: 1, ..Range::default() });
    }

    #[test]
    fn negative_zero_is_zero() {
        let mut range = Range::default();
        range.add(&[-0.0]);
        assert_eq!([range.absmax, range.min, range.max].map(f32::to_bits), [0, 0, 0]);
    }
}
