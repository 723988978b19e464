//! The largest magnitude of every sample: what a moving average needs and a histogram has lost.

use std::collections::BTreeMap;

use crate::threshold::Threshold;

/// The largest |x| of a tensor, sample by sample.
///
/// Samples are known by their numbers, so [`Maxima::merge`] is associative and commutative and an empty
/// one is its unit, although a moving average depends on the order of the samples: it is taken at the
/// end, in the order of the numbers.
///
/// ```
/// use histogram_kl::Maxima;
///
/// let mut maxima = Maxima::default();
/// maxima.add(1, &[1.0, 8.0]);
/// maxima.add(0, &[-4.0]);
/// assert_eq!(maxima.moving_average(0.5).map(|it| it.value()), Some(6.0));
/// assert_eq!(Maxima::default().moving_average(0.5), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Maxima {
    by_sample: BTreeMap<u64, f32>,
}

impl Maxima {
    /// How much a new maximum counts by default: that of PyTorch's MovingAverageMinMaxObserver.
    pub const CONSTANT: f64 = 0.01;

    /// Takes the finite values of sample number `sample` into account; a sample may come in parts, and one
    /// without finite values is none.
    pub fn add(&mut self, sample: u64, values: &[f32]) {
        if let Some(absmax) = values.iter().map(|x| x.abs()).filter(|x| x.is_finite()).reduce(f32::max) {
            self.raise(sample, absmax);
        }
    }

    /// Takes everything into account that another has seen.
    pub fn merge(&mut self, other: &Self) {
        other.by_sample.iter().for_each(|(&sample, &absmax)| self.raise(sample, absmax));
    }

    fn raise(&mut self, sample: u64, absmax: f32) {
        let known = self.by_sample.entry(sample).or_default();
        *known = known.max(absmax);
    }

    /// Number and largest magnitude of every sample, in the order of the numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u64, f32)> {
        self.by_sample.iter().map(|(&sample, &absmax)| (sample, absmax))
    }

    /// The moving average of the maxima as a threshold, `constant` in (0, 1]:
    ///
    /// ```text
    /// a ← max of the first sample,   a ← a + constant · (max − a) for each of the others
    /// ```
    ///
    /// Source: Jacob et al., "Quantization and Training of Neural Networks for Efficient
    /// Integer-Arithmetic-Only Inference", 2018, §3.1. `None` if there are no samples, or the average is no
    /// threshold: 0, or so small that its scale is infinite.
    pub fn moving_average(&self, constant: f64) -> Option<Threshold> {
        let mut maxima = self.by_sample.values().map(|&absmax| f64::from(absmax));
        let first = maxima.next()?;
        let average = maxima.fold(first, |average, max| average + constant * (max - average)) as f32;
        Threshold::new(average).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(samples: &[(u64, f32)]) -> Maxima {
        let mut maxima = Maxima::default();
        samples.iter().for_each(|&(sample, absmax)| maxima.add(sample, &[0.0, -absmax, absmax / 2.0, f32::NAN]));
        maxima
    }

    #[test]
    fn later_samples_pull_the_average() {
        let maxima = seen(&[(0, 4.0), (1, 8.0), (2, 2.0)]);
        assert_eq!(maxima.moving_average(0.5).unwrap().value(), 4.0);
        assert_eq!(maxima.moving_average(1.0).unwrap().value(), 2.0);
        assert_eq!(seen(&[(7, 3.0)]).moving_average(0.01).unwrap().value(), 3.0);
    }

    #[test]
    fn shards_merge_in_any_order_and_by_parts() {
        let whole = seen(&[(0, 4.0), (1, 8.0), (2, 2.0)]);
        let mut merged = seen(&[(2, 2.0), (1, 5.0)]);
        merged.merge(&Maxima::default());
        merged.merge(&seen(&[(1, 8.0), (0, 4.0)]));
        assert_eq!(merged, whole);
    }

    #[test]
    fn nothing_and_zeros_have_no_average_threshold() {
        assert_eq!(Maxima::default().moving_average(0.1), None);
        assert_eq!(seen(&[(0, 0.0), (1, 0.0)]).moving_average(0.1), None);
        assert_eq!(seen(&[(0, 1e-45)]).moving_average(0.1), None);
        assert_eq!(seen(&[(0, 1.0)]).moving_average(f64::NAN), seen(&[(0, 1.0)]).moving_average(0.5));
        assert_eq!(seen(&[(0, 1.0), (1, 2.0)]).moving_average(f64::NAN), None);
    }

    #[test]
    fn samples_are_listed_in_order_and_those_without_finite_values_not_at_all() {
        let mut maxima = seen(&[(5, 2.0), (3, 1.0)]);
        maxima.add(4, &[f32::NAN, f32::INFINITY]);
        maxima.add(2, &[]);
        assert_eq!(maxima.iter().collect::<Vec<_>>(), [(3, 1.0), (5, 2.0)]);
    }
}
