//! What a threshold costs in squared error.
//!
//! Coding a value x with steps of s = threshold / 127 costs
//!
//! ```text
//! |x| ≤ threshold:  s² / 12          rounding: the error is uniform over a step
//! |x| > threshold:  (|x| − threshold)²   clipping
//! ```
//!
//! and nothing for zeros, which every scale reproduces. The expectation over a
//! histogram takes every value for the centre of its bin. Source of s² / 12:
//! Widrow, "Statistical theory of quantization", 1956.

use crate::histogram::Histogram;
use crate::threshold::Threshold;

/// The expected squared error of one value (zeros included) when `threshold` is
/// the largest magnitude that is not clipped; 0 for an empty histogram.
pub fn expected_squared_error(histogram: &Histogram, threshold: f32) -> f64 {
    let values = histogram.total() + histogram.zeros();
    if values == 0 {
        return 0.0;
    }
    let threshold = f64::from(threshold);
    let rounding = (threshold / 127.0).powi(2) / 12.0;
    let width = f64::from(histogram.bin_width());
    let sum: f64 = histogram
        .counts()
        .iter()
        .enumerate()
        .map(|(bin, &count)| {
            let beyond = (bin as f64 + 0.5) * width - threshold;
            count as f64 * if beyond > 0.0 { beyond * beyond } else { rounding }
        })
        .sum();
    sum / values as f64
}

/// The threshold of least expected squared error, among the middles of all bins and the whole range.
///
/// In units of half a bin a threshold behind `kept` bins is 2 · kept + 1 and a value beyond it
/// 2 · (bin − kept) farther, so with all errors times 48 · 127² the sums are integers: a running sum
/// over the bins is exact, and the first of the least ones is the same for any order of adding.
pub(crate) fn search(histogram: &Histogram) -> Option<Threshold> {
    let counts = histogram.counts();
    if histogram.total() == 0 {
        return None;
    }
    let mut inside = u128::from(histogram.total());
    let whole = inside * (2 * counts.len() as u128).pow(2);
    // Sums over the bins beyond, of their counts, and of counts times distance and its square.
    let (mut count, mut first, mut second) = (0u128, 0u128, 0u128);
    let mut best = None;
    let mut least = whole;
    for kept in (1..counts.len()).rev() {
        let error = inside * (2 * kept as u128 + 1).pow(2) + CLIPPING * second;
        // The whole range unless another is better, and of equal ones the shortest.
        if error < least || (error == least && best.is_some()) {
            (best, least) = (Some(kept), error);
        }
        let here = u128::from(counts[kept]);
        inside -= here;
        count += here;
        // All distances grow by one: (d + 1)² = d² + 2d + 1.
        second += 2 * first + count;
        first += count;
    }
    Some(best.map_or(Threshold::whole_range(histogram), |kept| Threshold::after_bins(histogram, kept)))
}

/// A squared distance of one bin, in units of which rounding with a threshold of half a bin costs 1.
const CLIPPING: u128 = 48 * 127 * 127;

#[cfg(test)]
mod tests {
    use super::*;

    fn uniform() -> Histogram {
        Histogram::from_counts(1.0, &[100; Histogram::BINS]).unwrap()
    }

    #[test]
    fn without_clipping_only_rounding_costs() {
        let step = 1.0 / 127.0;
        let found = expected_squared_error(&uniform(), 1.0);
        assert!((found / (step * step / 12.0) - 1.0).abs() < 1e-12, "{found}");
    }

    #[test]
    fn the_expectation_is_what_coding_the_values_costs() {
        // 2048 values, one per bin, coded and decoded in f64.
        let values: Vec<f64> = (0..Histogram::BINS).map(|bin| (bin as f64 + 0.5) / 2048.0).collect();
        for threshold in [0.3, 0.75, 1.0] {
            let scale = 127.0 / threshold;
            let coded = |x: f64| (x * scale).round().min(127.0) / scale;
            let mean = values.iter().map(|&x| (x - coded(x)).powi(2)).sum::<f64>() / 2048.0;
            let expected = expected_squared_error(&uniform(), threshold as f32);
            assert!((mean / expected - 1.0).abs() < 0.02, "{threshold}: {mean} {expected}");
        }
    }

    #[test]
    fn zeros_cost_nothing() {
        let half = Histogram::from_counts(1.0, &[100; Histogram::BINS]).unwrap().with_unbinned(100 * 2048, 0);
        assert_eq!(expected_squared_error(&half, 0.9), expected_squared_error(&uniform(), 0.9) / 2.0);
        let empty = Histogram::new(1.0).unwrap();
        assert_eq!(expected_squared_error(&empty, 1.0), 0.0);
    }

    #[test]
    fn the_search_finds_the_least_of_all() {
        let mut counts = vec![0; Histogram::BINS];
        counts[..300].fill(10_000);
        counts[2047] = 1;
        let histogram = Histogram::from_counts(8.0, &counts).unwrap();
        let found = search(&histogram).unwrap();
        let least = (1..2048)
            .map(|kept| expected_squared_error(&histogram, Threshold::after_bins(&histogram, kept).value))
            .fold(f64::INFINITY, f64::min);
        assert_eq!(expected_squared_error(&histogram, found.value), least);
        assert!(found.value < 8.0);
        // Of an even spread next to nothing is worth clipping.
        assert!(search(&uniform()).unwrap().value > 0.99);
    }
}
