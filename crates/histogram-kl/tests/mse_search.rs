//! The search of the least expected squared error against one that sums every candidate anew.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use histogram_kl::{Histogram, Rule, expected_squared_error};
use proptest::collection::vec;
use proptest::prelude::*;

const BINS: usize = Histogram::BINS;

/// The error of a threshold of `half_bins`, times 48 · 127² and as an integer.
fn error(counts: &[u64], half_bins: usize) -> u128 {
    let cost = |(bin, &count): (usize, &u64)| {
        let beyond = (2 * bin + 1).saturating_sub(half_bins) as u128;
        let each = if beyond > 0 { 12 * 127 * 127 * beyond.pow(2) } else { (half_bins as u128).pow(2) };
        u128::from(count) * each
    };
    counts.iter().enumerate().map(cost).sum()
}

/// The bins kept; `None` for the whole range.
fn plain(counts: &[u64]) -> Option<usize> {
    let mut best = (None, error(counts, 2 * BINS));
    for kept in 1..BINS {
        let error = error(counts, 2 * kept + 1);
        if error < best.1 {
            best = (Some(kept), error);
        }
    }
    best.0
}

fn histograms() -> impl Strategy<Value = Vec<u64>> {
    let sparse = vec((0..BINS, 1..u64::MAX / 64), 1..40).prop_map(|filled| {
        let mut counts = vec![0; BINS];
        filled.into_iter().for_each(|(bin, count)| counts[bin] = count);
        counts
    });
    let decay = (1.0..900.0f64, 1.0..9e12f64, vec(0..3u64, BINS)).prop_map(|(width, height, noise)| {
        (0..BINS).map(|bin| (height * (-(bin as f64) / width).exp()) as u64 + noise[bin]).collect()
    });
    prop_oneof![2 => sparse, 2 => decay, 1 => vec(0..1u64 << 40, BINS), 1 => (1..3u64).prop_map(|count| vec![count; BINS])]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_running_sums_find_what_new_sums_find(counts in histograms()) {
        let histogram = Histogram::from_counts(3.0, &counts).unwrap();
        let found = Rule::Mse.threshold(&histogram).unwrap();
        prop_assert_eq!(found.bin(), plain(&counts));
        let least = error(&counts, found.bin().map_or(2 * BINS, |bin| 2 * bin + 1));
        let expected = expected_squared_error(&histogram, found.value()) * histogram.total() as f64;
        let unit = (3.0 / BINS as f64).powi(2) / (48.0 * 127.0 * 127.0);
        prop_assert!((expected / (least as f64 * unit) - 1.0).abs() < 1e-3, "{} {}", expected, least as f64 * unit);
    }
}

#[test]
fn a_single_bin_is_searched_like_any_other() {
    for bin in [0, 1, 77, 2046, 2047] {
        let mut counts = vec![0; BINS];
        counts[bin] = 9;
        let found = Rule::Mse.threshold(&Histogram::from_counts(1.0, &counts).unwrap()).unwrap();
        assert_eq!(found.bin(), plain(&counts));
    }
}
