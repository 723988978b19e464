//! What a rule decides: the largest magnitude that is not clipped.

use crate::histogram::Histogram;

/// The answer of a [`Rule`](crate::Rule).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    /// Largest absolute value that is not clipped: positive, finite, at most the range of the
    /// histogram (except for dead tensors, where it is 127, and under `aciq-ncnn`).
    pub value: f32,
    /// Number of bins kept, for rules that search over bins.
    pub bin: Option<usize>,
    /// Divergence at that bin in nats, for rules that compute one.
    pub divergence: Option<f32>,
    /// Nothing but zeros was seen (or values so small that no finite scale reaches them), so nothing
    /// is known about the range. The value is then 127, which makes the scale a harmless 1, and
    /// callers must say so aloud.
    pub dead: bool,
}

impl Threshold {
    /// The threshold of a tensor of which nothing is known.
    pub(crate) const DEAD: Self = Self { value: 127.0, bin: None, divergence: None, dead: true };

    /// The whole range, without a search.
    pub(crate) fn whole_range(histogram: &Histogram) -> Self {
        Self { value: histogram.absmax(), bin: None, divergence: None, dead: false }
    }

    /// The middle of the bin after the kept ones: `(bin + 0.5) · absmax / 2048` in f32 from left to
    /// right, as in ncnn, but not beyond the range.
    pub(crate) fn at_bin(histogram: &Histogram, bin: usize, divergence: f32) -> Self {
        Self { divergence: Some(divergence), ..Self::after_bins(histogram, bin) }
    }

    /// As [`Threshold::at_bin`], for rules that know no divergence.
    pub(crate) fn after_bins(histogram: &Histogram, bin: usize) -> Self {
        let absmax = histogram.absmax();
        let value = (bin as f32 + 0.5) * absmax / Histogram::BINS as f32;
        // The product of an enormous range overflows on the way: divide first there.
        let value = if value.is_finite() { value } else { (bin as f32 + 0.5) * histogram.bin_width() };
        Self { value: value.min(absmax), bin: Some(bin), divergence: None, dead: false }
    }

    /// The upper edge of `bin`: `(bin + 1) · absmax / 2048`.
    pub(crate) fn at_upper_edge(histogram: &Histogram, bin: usize) -> Self {
        Self { bin: Some(bin + 1), ..Self::at_position(histogram, (bin + 1) as f64) }
    }

    /// `bins` widths of a bin from 0, but not beyond the range.
    pub(crate) fn at_position(histogram: &Histogram, bins: f64) -> Self {
        let value = bins * f64::from(histogram.absmax()) / Histogram::BINS as f64;
        Self { value: (value as f32).min(histogram.absmax()), ..Self::whole_range(histogram) }
    }

    /// ncnn's scale, a multiplier from values to int8: `127 / threshold`. Always finite and positive.
    pub fn scale(&self) -> f32 {
        127.0 / self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_the_middle_of_a_bin_and_not_beyond_the_range() {
        let histogram = Histogram::new(2048.0).unwrap();
        assert_eq!(Threshold::at_bin(&histogram, 200, 0.1).value, 200.5);
        assert_eq!(Threshold::at_bin(&histogram, 2048, 0.1).value, 2048.0);
        let enormous = Histogram::new(f32::MAX).unwrap();
        let threshold = Threshold::at_bin(&enormous, 1024, 0.1);
        assert!(threshold.value > f32::MAX / 2.01 && threshold.value < f32::MAX / 1.99);
        assert!(threshold.scale() > 0.0);
    }

    #[test]
    fn a_dead_tensor_has_a_scale_of_one() {
        assert_eq!(Threshold::DEAD.scale(), 1.0);
    }
}
