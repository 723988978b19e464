//! How close two networks are.

use ncnn_format::{Error, Result};

use crate::labels::Label;

/// Signal-to-quantization-noise ratio: 10 · log10(Σ ref² / Σ (ref − other)²).
///
/// Sums are kept in f64. Merging in another order may change the last bits, so
/// merge in the order of the samples where bytes matter.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sqnr {
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    signal: f64,
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    noise: f64,
}

impl Sqnr {
    /// Adds pairs of elements.
    ///
    /// # Errors
    /// `Invalid` when the lengths differ.
    pub fn add(&mut self, reference: &[f32], other: &[f32]) -> Result<()> {
        for (reference, other) in pairs(reference, other)? {
            self.signal += reference * reference;
            self.noise += (reference - other) * (reference - other);
        }
        Ok(())
    }

    /// Adds what another accumulator has seen.
    pub fn merge(&mut self, other: Self) {
        self.signal += other.signal;
        self.noise += other.noise;
    }

    /// The ratio in decibels: +∞ when all pairs were equal (also when there were
    /// none), −∞ when the reference was all zero and the other was not.
    pub fn db(&self) -> f64 {
        if self.noise == 0.0 { f64::INFINITY } else { 10.0 * (self.signal / self.noise).log10() }
    }
}

/// Cosine of the angle between two tensors: Σ ab / √(Σa² · Σb²).
///
/// Kept and merged like [`Sqnr`].
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cosine {
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    product: f64,
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    reference: f64,
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    other: f64,
}

impl Cosine {
    /// Adds pairs of elements.
    ///
    /// # Errors
    /// `Invalid` when the lengths differ.
    pub fn add(&mut self, reference: &[f32], other: &[f32]) -> Result<()> {
        for (reference, other) in pairs(reference, other)? {
            self.product += reference * other;
            self.reference += reference * reference;
            self.other += other * other;
        }
        Ok(())
    }

    /// Adds what another accumulator has seen.
    pub fn merge(&mut self, other: Self) {
        self.product += other.product;
        self.reference += other.reference;
        self.other += other.other;
    }

    /// From −1 to 1. Two zero tensors are alike (1), a zero and another are not (0).
    pub fn value(&self) -> f64 {
        if self.reference == 0.0 || self.other == 0.0 {
            return if self.reference == self.other { 1.0 } else { 0.0 };
        }
        // One root of the product, so that a tensor and itself give exactly 1.
        (self.product / (self.reference * self.other).sqrt()).clamp(-1.0, 1.0)
    }
}

/// The pairs of elements in f64.
fn pairs<'a>(reference: &'a [f32], other: &'a [f32]) -> Result<impl Iterator<Item = (f64, f64)> + 'a> {
    if reference.len() != other.len() {
        return Err(Error::invalid(format!("cannot compare {} elements with {}", reference.len(), other.len())));
    }
    Ok(reference.iter().zip(other).map(|(&reference, &other)| (f64::from(reference), f64::from(other))))
}

/// Indices of the `k` largest of `scores`, largest first; of equal ones the lower
/// index comes first, NaN comes last.
///
/// ```
/// assert_eq!(quantizer::top_k(&[0.1, 0.7, 0.2], 2), [1, 2]);
/// ```
pub fn top_k(scores: &[f32], k: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    // Adding 0 makes -0 equal to 0; the sort is stable.
    let key = |&index: &usize| if scores[index].is_nan() { f32::NEG_INFINITY } else { scores[index] + 0.0 };
    order.sort_by(|a, b| scores[*a].is_nan().cmp(&scores[*b].is_nan()).then(key(b).total_cmp(&key(a))));
    order.truncate(k);
    order
}

/// How often the right class was first, and among the first five.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TopK {
    /// Samples whose best class was right.
    pub top1: usize,
    /// Samples with the right class among the best five.
    pub top5: usize,
    /// Samples seen.
    pub total: usize,
}

impl TopK {
    /// Counts one sample.
    pub fn add(&mut self, scores: &[f32], label: &Label) {
        let best = top_k(scores, 5);
        self.top1 += usize::from(best.first().is_some_and(|&class| label.matches(class)));
        self.top5 += usize::from(best.iter().any(|&class| label.matches(class)));
        self.total += 1;
    }

    /// Adds what another counter has seen.
    pub fn merge(&mut self, other: Self) {
        self.top1 += other.top1;
        self.top5 += other.top5;
        self.total += other.total;
    }
}

/// How often two networks give the same best class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Agreement {
    /// Samples with the same best class.
    pub same: usize,
    /// Samples seen.
    pub total: usize,
}

impl Agreement {
    /// Counts one sample.
    pub fn add(&mut self, reference: &[f32], other: &[f32]) {
        self.same += usize::from(top_k(reference, 1) == top_k(other, 1));
        self.total += 1;
    }

    /// Adds what another counter has seen.
    pub fn merge(&mut self, other: Self) {
        self.same += other.same;
        self.total += other.total;
    }

    /// The part that agrees, 0 to 1; `None` before the first sample.
    pub fn rate(&self) -> Option<f64> {
        (self.total > 0).then(|| self.same as f64 / self.total as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_tenth_of_the_amplitude_is_twenty_decibels() {
        let mut sqnr = Sqnr::default();
        sqnr.add(&[10.0, -10.0], &[11.0, -11.0]).unwrap();
        assert!((sqnr.db() - 20.0).abs() < 1e-12);
    }

    #[test]
    fn extremes_have_stated_values() {
        let both = |a: &[f32], b: &[f32]| {
            let (mut sqnr, mut cosine) = (Sqnr::default(), Cosine::default());
            sqnr.add(a, b).unwrap();
            cosine.add(a, b).unwrap();
            (sqnr.db(), cosine.value())
        };
        assert_eq!(both(&[1.0, 2.0], &[1.0, 2.0]), (f64::INFINITY, 1.0));
        assert_eq!(both(&[0.0], &[0.0]), (f64::INFINITY, 1.0));
        assert_eq!(both(&[0.0], &[2.0]), (f64::NEG_INFINITY, 0.0));
        assert_eq!(both(&[], &[]), (f64::INFINITY, 1.0));
        assert_eq!(both(&[3.0, 4.0], &[-3.0, -4.0]).1, -1.0);
    }

    #[test]
    fn lengths_must_agree() {
        let message = Sqnr::default().add(&[1.0], &[]).unwrap_err().to_string();
        assert_eq!(message, "cannot compare 1 elements with 0");
        assert!(Cosine::default().add(&[1.0], &[]).is_err());
    }

    #[test]
    fn ties_go_to_the_lower_index_and_nan_to_the_end() {
        assert_eq!(top_k(&[1.0, 3.0, 3.0, f32::NAN, 2.0], 3), [1, 2, 4]);
        assert_eq!(top_k(&[-0.0, 0.0], 2), [0, 1]);
        assert_eq!(top_k(&[f32::NAN, f32::NEG_INFINITY], 9), [1, 0]);
        assert!(top_k(&[], 3).is_empty());
    }

    #[test]
    fn counts_the_first_and_the_first_five() {
        let scores = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
        let label = |class, alternates: &[usize]| Label { class, alternates: alternates.to_vec() };
        let mut top = TopK::default();
        top.add(&scores, &label(5, &[]));
        top.add(&scores, &label(0, &[5]));
        let mut more = TopK::default();
        more.add(&scores, &label(1, &[]));
        more.add(&scores, &label(0, &[]));
        top.merge(more);
        assert_eq!(top, TopK { top1: 2, top5: 3, total: 4 });
    }

    #[test]
    fn agreement_compares_the_best_class_only() {
        let mut agreement = Agreement::default();
        assert_eq!(agreement.rate(), None);
        agreement.add(&[1.0, 2.0], &[-5.0, 9.0]);
        let mut more = Agreement::default();
        more.add(&[1.0, 2.0], &[5.0, 2.0]);
        agreement.merge(more);
        assert_eq!(agreement.rate(), Some(0.5));
    }

    proptest! {
        #[test]
        fn merging_equals_adding(values in proptest::collection::vec((-8i16..8, -8i16..8), 1..40), cut in 0usize..40) {
            // Small integers: every sum is exact, whatever its order.
            let (a, b): (Vec<f32>, Vec<f32>) = values.iter().map(|&(a, b)| (f32::from(a), f32::from(b))).unzip();
            let cut = cut.min(a.len());
            let (mut whole, mut parts, mut rest) = (Sqnr::default(), Sqnr::default(), Sqnr::default());
            whole.add(&a, &b).unwrap();
            parts.add(&a[..cut], &b[..cut]).unwrap();
            rest.add(&a[cut..], &b[cut..]).unwrap();
            parts.merge(rest);
            prop_assert_eq!(whole, parts);
            let (mut whole, mut parts, mut rest) = (Cosine::default(), Cosine::default(), Cosine::default());
            whole.add(&a, &b).unwrap();
            parts.add(&a[..cut], &b[..cut]).unwrap();
            rest.add(&a[cut..], &b[cut..]).unwrap();
            parts.merge(rest);
            prop_assert_eq!(whole, parts);
        }

        #[test]
        fn ratios_and_cosines_are_their_definitions(
            values in proptest::collection::vec((-9f32..9.0, -9f32..9.0), 1..40),
        ) {
            let (a, b): (Vec<f32>, Vec<f32>) = values.into_iter().unzip();
            let (mut sqnr, mut cosine) = (Sqnr::default(), Cosine::default());
            sqnr.add(&a, &b).unwrap();
            cosine.add(&a, &b).unwrap();
            let sum = |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(&b).map(|(&a, &b)| f(a.into(), b.into())).sum::<f64>();
            let (signal, noise) = (sum(&|a, _| a * a), sum(&|a, b| (a - b) * (a - b)));
            let norms = signal.sqrt() * sum(&|_, b| b * b).sqrt();
            prop_assume!(norms > 0.0);
            prop_assert!(noise == 0.0 || (sqnr.db() - 10.0 * (signal / noise).log10()).abs() < 1e-9);
            prop_assert!((cosine.value() - sum(&|a, b| a * b) / norms).abs() < 1e-9);
        }

        #[test]
        fn a_common_factor_changes_neither(values in proptest::collection::vec((-9i8..9, -9i8..9), 1..40)) {
            // A power of two: every product is exact.
            let floats = |factor: f32| -> (Vec<f32>, Vec<f32>) {
                values.iter().map(|&(a, b)| (f32::from(a) * factor, f32::from(b) * factor)).unzip()
            };
            let measured = |(a, b): (Vec<f32>, Vec<f32>)| {
                let (mut sqnr, mut cosine) = (Sqnr::default(), Cosine::default());
                sqnr.add(&a, &b).unwrap();
                cosine.add(&a, &b).unwrap();
                (sqnr.db(), cosine.value())
            };
            prop_assert_eq!(measured(floats(1.0)), measured(floats(4.0)));
        }

        #[test]
        fn the_best_are_those_of_a_full_sort(scores in proptest::collection::vec(-4i8..4, 0..12), k in 0usize..14) {
            let scores: Vec<f32> = scores.into_iter().map(f32::from).collect();
            let found = top_k(&scores, k);
            prop_assert_eq!(found.len(), k.min(scores.len()));
            let mut order: Vec<(i32, usize)> = scores.iter().enumerate().map(|(i, &x)| (-(x as i32), i)).collect();
            order.sort_unstable();
            prop_assert_eq!(found, order.into_iter().map(|(_, i)| i).take(k).collect::<Vec<_>>());
        }
    }
}
