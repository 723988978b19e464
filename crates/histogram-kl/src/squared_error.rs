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
/// the largest magnitude that is not clipped; 0 for an empty histogram, in which nothing is lost.
///
/// ```
/// use histogram_kl::{Histogram, expected_squared_error};
///
/// let mut histogram = Histogram::new(127.0)?;
/// histogram.add(&[127.0, -64.0]);
/// // Steps of 1, and nothing clipped: rounding alone.
/// assert_eq!(expected_squared_error(&histogram, 127.0), 1.0 / 12.0);
/// assert!(expected_squared_error(&histogram, 100.0) > 300.0);
/// # Ok::<(), histogram_kl::Error>(())
/// ```
pub fn expected_squared_error(histogram: &Histogram, threshold: f32) -> f64 {
    error_with(histogram, f64::from(threshold), 127.0)
}

fn error_with(histogram: &Histogram, threshold: f64, largest: f64) -> f64 {
    let values = histogram.total().saturating_add(histogram.zeros());
    if values == 0 {
        return 0.0;
    }
    let rounding = (threshold / largest).powi(2) / 12.0;
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

/// The expected signal-to-quantization-noise ratio in decibels, `10 · log10(mean x² / mean error²)`, when
/// `threshold` is coded as `largest` (127, or 255 if there were unsigned codes): what a histogram loses.
///
/// A blob that is never negative uses half of the signed codes only; the difference between 255 and 127
/// is what that costs: at most 6.05 dB, one bit, and less where clipping dominates.
///
/// `None` for a histogram whose bins are empty: there is no signal.
///
/// ```
/// use histogram_kl::{Histogram, sqnr_db};
///
/// let mut histogram = Histogram::new(1.0)?;
/// histogram.add(&[0.25, 0.5, 1.0]);
/// let bits = |largest| sqnr_db(&histogram, 1.0, largest);
/// let gained = bits(255).zip(bits(127)).map(|(unsigned, signed)| format!("{:.2}", unsigned - signed));
/// assert_eq!(gained, Some("6.05".to_owned()));
/// # Ok::<(), histogram_kl::Error>(())
/// ```
pub fn sqnr_db(histogram: &Histogram, threshold: f32, largest: u32) -> Option<f64> {
    let width = f64::from(histogram.bin_width());
    let squares = |(bin, &count): (usize, &u64)| count as f64 * ((bin as f64 + 0.5) * width).powi(2);
    let signal: f64 = histogram.counts().iter().enumerate().map(squares).sum();
    let values = histogram.total().saturating_add(histogram.zeros()) as f64;
    let noise = values * error_with(histogram, f64::from(threshold), f64::from(largest));
    (signal > 0.0).then(|| 10.0 * (signal / noise).log10())
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
    let mut inside: u128 = counts.iter().map(|&count| u128::from(count)).sum();
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
    fn unsigned_codes_would_save_a_bit_where_nothing_is_clipped() {
        let saved =
            |threshold| sqnr_db(&uniform(), threshold, 255).unwrap() - sqnr_db(&uniform(), threshold, 127).unwrap();
        assert!((saved(1.0) - 20.0 * (255.0f64 / 127.0).log10()).abs() < 1e-9);
        assert!(saved(0.5) < 0.1, "clipping does not care");
        assert_eq!(sqnr_db(&Histogram::new(1.0).unwrap(), 1.0, 127), None);
    }

    #[test]
    fn the_search_finds_the_least_of_all() {
        let mut counts = vec![0; Histogram::BINS];
        counts[..300].fill(10_000);
        counts[2047] = 1;
        let histogram = Histogram::from_counts(8.0, &counts).unwrap();
        let found = search(&histogram).unwrap();
        let least = (1..2048)
            .map(|kept| expected_squared_error(&histogram, Threshold::after_bins(&histogram, kept).value()))
            .fold(f64::INFINITY, f64::min);
        assert_eq!(expected_squared_error(&histogram, found.value()), least);
        assert!(found.value() < 8.0);
        // Of an even spread next to nothing is worth clipping.
        assert!(search(&uniform()).unwrap().value() > 0.99);
    }
}
