//! The extent of a tensor's values: the first pass of calibration.

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
        // Lanes that do not wait for each other become vector code.
        let mut lanes = [Lane::default(); 8];
        let (blocks, rest) = values.as_chunks::<8>();
        for block in blocks {
            lanes.iter_mut().zip(block).for_each(|(lane, &x)| lane.add(x));
        }
        lanes.iter_mut().zip(rest).for_each(|(lane, &x)| lane.add(x));
        let mut seen = Self { values: values.len() as u64, ..Self::default() };
        for lane in lanes {
            seen.min = seen.min.min(lane.min);
            seen.max = seen.max.max(lane.max);
        }
        seen.nonfinite = values.iter().map(|x| u64::from(!x.is_finite())).sum();
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

/// Extremes of the finite values at every eighth place.
#[derive(Clone, Copy)]
struct Lane {
    min: f32,
    max: f32,
}

impl Default for Lane {
    fn default() -> Self {
        Self { min: f32::INFINITY, max: f32::NEG_INFINITY }
    }
}

impl Lane {
    /// NaN stands for every value that is not finite: no comparison with it holds. Adding 0 makes −0
    /// into 0, of which either could otherwise remain, depending on the order.
    #[inline(always)]
    fn add(&mut self, x: f32) {
        let x = if x.is_finite() { x + 0.0 } else { f32::NAN };
        self.min = if x < self.min { x } else { self.min };
        self.max = if x > self.max { x } else { self.max };
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
