//! What a rule decides: the largest magnitude that is not clipped.

use crate::error::Error;
use crate::histogram::Histogram;

/// The largest magnitude that is not clipped, and how a [`Rule`](crate::Rule) came to it.
///
/// A threshold is positive and finite, and so is its [scale](Threshold::scale). A tensor of nothing
/// but zeros is *dead*: nothing is known about its range, and rules say `None` instead of a threshold.
///
/// ```
/// use histogram_kl::{Histogram, Rule, Threshold};
///
/// let mut histogram = Histogram::new(4.0)?;
/// histogram.add(&[1.0, -4.0]);
/// let threshold = Rule::AbsMax.threshold(&histogram);
/// assert_eq!(threshold.map(|it| (it.value(), it.scale())), Some((4.0, 31.75)));
///
/// let dead = Rule::AbsMax.threshold(&Histogram::new(0.0)?);
/// assert_eq!(dead, None);
/// // Who must write some scale asks for the one that leaves values as they are.
/// assert_eq!(dead.unwrap_or(Threshold::UNIT).scale(), 1.0);
/// # Ok::<(), histogram_kl::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    value: f32,
    bin: Option<usize>,
    divergence: Option<f32>,
}

impl Threshold {
    /// The threshold 127, whose scale is 1: what may stand for a dead tensor where a scale must be
    /// written. The scale is harmless and arbitrary, so callers should say so aloud.
    pub const UNIT: Self = Self::of(127.0);

    /// A threshold that no rule chose.
    ///
    /// # Errors
    /// `Threshold` unless `value` is positive and finite and not so small that its scale is infinite.
    ///
    /// ```
    /// use histogram_kl::Threshold;
    ///
    /// assert_eq!(Threshold::new(2.54)?.scale(), 50.0);
    /// assert!(Threshold::new(0.0).is_err());
    /// # Ok::<(), histogram_kl::Error>(())
    /// ```
    pub fn new(value: f32) -> Result<Self, Error> {
        Self::of(value).checked().ok_or(Error::Threshold { value })
    }

    /// As [`Threshold::new`], with what a rule told about it.
    ///
    /// # Errors
    /// As [`Threshold::new`]; `KeptBins` unless `bin` is one of 1..=2048; `Divergence` unless
    /// `divergence` is finite.
    #[cfg(feature = "serde")]
    pub(crate) fn from_parts(value: f32, bin: Option<usize>, divergence: Option<f32>) -> Result<Self, Error> {
        if let Some(found) = bin.filter(|bin| !(1..=Histogram::BINS).contains(bin)) {
            return Err(Error::KeptBins { found, bins: Histogram::BINS });
        }
        if let Some(value) = divergence.filter(|divergence| !divergence.is_finite()) {
            return Err(Error::Divergence { value });
        }
        Ok(Self { bin, divergence, ..Self::new(value)? })
    }

    const fn of(value: f32) -> Self {
        Self { value, bin: None, divergence: None }
    }

    /// What a formula gave, which may not be a threshold: see [`Threshold::checked`].
    pub(crate) fn unchecked(value: f32) -> Self {
        Self::of(value)
    }

    /// Itself if it is a threshold. A range next to the smallest floats can give a value that no finite
    /// scale reaches, one next to the largest a value beyond them.
    pub(crate) fn checked(self) -> Option<Self> {
        (self.value > 0.0 && self.value.is_finite() && self.scale().is_finite()).then_some(self)
    }

    /// The whole range, without a search.
    pub(crate) fn whole_range(histogram: &Histogram) -> Self {
        Self::of(histogram.absmax())
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
        Self { bin: Some(bin), ..Self::of(value.min(absmax)) }
    }

    /// The upper edge of `bin`: `(bin + 1) · absmax / 2048`.
    pub(crate) fn at_upper_edge(histogram: &Histogram, bin: usize) -> Self {
        Self { bin: Some(bin + 1), ..Self::at_position(histogram, (bin + 1) as f64) }
    }

    /// `bins` widths of a bin from 0, but not beyond the range.
    pub(crate) fn at_position(histogram: &Histogram, bins: f64) -> Self {
        let value = bins * f64::from(histogram.absmax()) / Histogram::BINS as f64;
        Self::of((value as f32).min(histogram.absmax()))
    }

    /// Largest absolute value that is not clipped: at most the range of the histogram, except under
    /// `aciq-ncnn`.
    pub fn value(&self) -> f32 {
        self.value
    }

    /// Number of bins kept, for rules that search over bins.
    pub fn bin(&self) -> Option<usize> {
        self.bin
    }

    /// Divergence at that bin in nats, for rules that compute one.
    pub fn divergence(&self) -> Option<f32> {
        self.divergence
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
    fn the_threshold_that_stands_for_a_dead_tensor_has_a_scale_of_one() {
        assert_eq!((Threshold::UNIT.value(), Threshold::UNIT.scale()), (127.0, 1.0));
        assert_eq!((Threshold::UNIT.bin(), Threshold::UNIT.divergence()), (None, None));
        assert_eq!(Threshold::new(127.0), Ok(Threshold::UNIT));
    }

    #[test]
    fn what_has_no_finite_positive_scale_is_no_threshold() {
        for value in [0.0, -0.0, -1.0, f32::INFINITY, f32::NEG_INFINITY, 1e-45, 127.0 / f32::MAX / 2.0] {
            assert_eq!(Threshold::new(value), Err(Error::Threshold { value }));
            assert_eq!(Threshold::unchecked(value).checked(), None);
        }
        let message = Threshold::new(f32::NAN).unwrap_err().to_string();
        assert_eq!(message, "a threshold is positive and finite, and 127 divided by it too, found NaN");
        for value in [f32::MAX, 1e-36, 0.5] {
            let threshold = Threshold::new(value).unwrap();
            assert!(threshold.value() == value && threshold.scale().is_finite() && threshold.scale() > 0.0, "{value}");
        }
    }
}
