//! Counts and rules against slow, plain definitions of them, on random input.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use histogram_kl::{
    GrowingHistogram, Histogram, Maxima, Range, Rule, Threshold, aciq, divergence, expected_squared_error, kl, sqnr_db,
};
use histograms::histograms;
use proptest::collection::vec;
use proptest::prelude::*;
use statrs::function::erf::erfc;

#[path = "common/histograms.rs"]
mod histograms;
#[path = "common/textbook.rs"]
mod textbook;

const BINS: usize = Histogram::BINS;

/// Values of every magnitude, and some that are none.
fn values() -> impl Strategy<Value = Vec<f32>> {
    let value = prop_oneof![
        8 => -4.0..4.0f32,
        2 => Just(0.0f32),
        1 => any::<f32>(),
        1 => (-150..128i32).prop_map(|power| 2f32.powi(power)),
    ];
    vec(value, 0..600)
}

fn finite(values: &[f32]) -> impl Iterator<Item = f32> {
    values.iter().copied().filter(|x| x.is_finite())
}

fn absmax(values: &[f32]) -> f32 {
    finite(values).fold(0.0, |absmax, x| absmax.max(x.abs()))
}

fn threshold(rule: Rule, histogram: &Histogram) -> Threshold {
    rule.threshold(histogram).unwrap()
}

/// The middle of the bin after `kept` ones.
fn middle(histogram: &Histogram, kept: usize) -> f32 {
    ((kept as f32 + 0.5) * histogram.absmax() / BINS as f32).min(histogram.absmax())
}

/// The middle of every bin that is not empty, in f64, with its count.
fn bins(histogram: &Histogram) -> Vec<(f64, f64)> {
    let width = f64::from(histogram.absmax()) / BINS as f64;
    let filled = |(bin, &count): (usize, &u64)| (count > 0).then_some(((bin as f64 + 0.5) * width, count as f64));
    histogram.counts().iter().enumerate().filter_map(filled).collect()
}

/// The expected squared error times the number of values.
fn error(histogram: &Histogram, threshold: f64, largest: f64) -> f64 {
    let cost = |x: f64| if x > threshold { (x - threshold).powi(2) } else { (threshold / largest).powi(2) / 12.0 };
    bins(histogram).into_iter().map(|(x, count)| count * cost(x)).sum()
}

/// Where a function with a single valley between `low` and `high` is least.
fn least(mut low: f64, mut high: f64, function: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..200 {
        let (a, b) = (low + (high - low) / 3.0, high - (high - low) / 3.0);
        if function(a) < function(b) { high = b } else { low = a }
    }
    low
}

fn is_close(found: f64, expected: f64, relative: f64) -> bool {
    (found - expected).abs() <= expected.abs() * relative
}

/// That no number of bins costs less than the one found, and none before it the same.
fn check_search(rule: Rule, counts: &[u64], cost: impl Fn(&[f64], &[f64]) -> f64, without: f64) {
    let found = threshold(rule, &Histogram::from_counts(1.0, counts).unwrap());
    let cost = |kept| textbook::merged(counts, kept).map_or(without, |[p, q]| cost(&p, &q));
    let kept = found.bin().unwrap();
    let own = cost(kept);
    assert!((f64::from(found.divergence().unwrap()) - own).abs() < 1e-6 * (1.0 + own), "{rule} {kept}: {own}");
    for other in 128..=BINS {
        // Sums in another order differ in their last digits.
        assert!(cost(other) > own - 1e-11, "{rule}: {other} costs {}, {kept} costs {own}", cost(other));
    }
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig::with_cases(if cfg!(target_arch = "x86_64") { cases } else { cases / 4 })
}

proptest! {
    #![proptest_config(cases(128))]

    #[test]
    fn a_range_is_a_fold_over_the_finite_values(values in values()) {
        let mut range = Range::default();
        range.add(&values);
        let expected = finite(&values).map(|x| x + 0.0).fold(None, |extremes: Option<(f32, f32)>, x| {
            Some(extremes.map_or((x, x), |(min, max)| (min.min(x), max.max(x))))
        });
        prop_assert_eq!(range.extremes(), expected);
        prop_assert_eq!(range.absmax(), absmax(&values));
        let nonfinite = values.iter().filter(|x| !x.is_finite()).count() as u64;
        prop_assert_eq!((range.values(), range.nonfinite()), (values.len() as u64, nonfinite));
    }

    #[test]
    fn a_histogram_counts_value_by_value(values in values(), absmax in prop_oneof![Just(4.0f32), 1e-3..1e3f32]) {
        let mut histogram = Histogram::new(absmax).unwrap();
        histogram.add(&values);
        let (mut counts, mut zeros) = (vec![0u64; BINS], 0);
        for x in finite(&values) {
            if x == 0.0 {
                zeros += 1;
            } else {
                counts[((x.abs() / absmax * 2048.0) as usize).min(2047)] += 1;
            }
        }
        prop_assert!(histogram.counts() == counts);
        prop_assert_eq!(histogram.zeros(), zeros);
    }

    #[test]
    fn a_growing_histogram_counts_in_bins_of_a_power_of_two(values in values()) {
        let mut growing = GrowingHistogram::default();
        values.chunks(97).for_each(|chunk| growing.add(chunk));
        let exponent = (-90..=128).find(|&exponent| 2f64.powi(exponent) > f64::from(absmax(&values))).unwrap();
        let mut counts = vec![0u64; GrowingHistogram::BINS];
        for x in finite(&values).filter(|&x| x != 0.0) {
            counts[(f64::from(x.abs()) / 2f64.powi(exponent) * GrowingHistogram::BINS as f64) as usize] += 1;
        }
        prop_assert!(growing.counts() == counts);
        let histogram = growing.histogram().unwrap();
        prop_assert_eq!(histogram.absmax(), absmax(&values));
        prop_assert_eq!(histogram.total(), growing.counts().iter().sum::<u64>());
        prop_assert_eq!((histogram.zeros(), histogram.nonfinite()), (growing.zeros(), growing.range().nonfinite()));
    }

    #[test]
    fn a_moving_average_is_taken_sample_by_sample(
        samples in vec(vec(-4.0..4.0f32, 1..9), 1..20),
        constant in 0.01..1.0f64,
    ) {
        let mut maxima = Maxima::default();
        // In any order, and in two parts.
        for (number, sample) in samples.iter().enumerate().rev() {
            let (left, right) = sample.split_at(sample.len() / 2);
            maxima.add(number as u64, left);
            maxima.add(number as u64, right);
        }
        let mut average = f64::from(absmax(&samples[0]));
        for sample in &samples[1..] {
            average += constant * (f64::from(absmax(sample)) - average);
        }
        prop_assert_eq!(maxima.moving_average(constant), Threshold::new(average as f32).ok());
    }

    #[test]
    fn a_percentile_is_the_bin_of_a_value_in_sorted_order(
        bins in vec(0..BINS, 1..300),
        zeros in 0..200usize,
        millionths in prop_oneof![1..=100_000_000u32, 99_000_000..=100_000_000u32],
    ) {
        let mut counts = vec![0; BINS];
        bins.iter().for_each(|&bin| counts[bin] += 1);
        let histogram = Histogram::from_counts(3.0, &counts).unwrap().with_unbinned(zeros as u64, 0);
        // Zeros lie below every bin, and the first bin is the least that is kept.
        let mut sorted = [vec![0; zeros], bins].concat();
        sorted.sort_unstable();
        let rank = (sorted.len() as u64 * u64::from(millionths)).div_ceil(100_000_000) as usize;
        let edge = sorted[rank - 1] + 1;
        let percent = histogram_kl::Percent::from_millionths(millionths).unwrap();
        let found = threshold(Rule::Percentile(percent), &histogram);
        prop_assert_eq!(found.bin(), Some(edge));
        prop_assert_eq!(found.value(), (edge as f64 * 3.0 / 2048.0) as f32);
    }

    #[test]
    fn the_cost_of_a_threshold_is_the_mean_over_all_values(
        counts in histograms(),
        share in 0.001..1.2f32,
        zeros in 0..1u64 << 40,
    ) {
        let histogram = Histogram::from_counts(5.0, &counts).unwrap().with_unbinned(zeros, 0);
        let values = histogram.total().saturating_add(zeros) as f64;
        let threshold = share * 5.0;
        let sum = error(&histogram, threshold.into(), 127.0);
        let found = expected_squared_error(&histogram, threshold);
        prop_assert!(is_close(found, if values > 0.0 { sum / values } else { 0.0 }, 1e-9), "{found}");
        let signal: f64 = bins(&histogram).into_iter().map(|(x, count)| count * x * x).sum();
        for largest in [127, 255] {
            let found = sqnr_db(&histogram, threshold, largest);
            let noise = error(&histogram, threshold.into(), largest.into());
            prop_assert_eq!(found.is_some(), signal > 0.0);
            prop_assert!(found.is_none_or(|found| (found - 10.0 * (signal / noise).log10()).abs() < 1e-6));
        }
    }

    #[test]
    fn the_analytic_rules_are_constants_times_moments(counts in histograms(), elements in 2..1u64 << 40) {
        let histogram = Histogram::from_counts(5.0, &counts).unwrap();
        prop_assume!(histogram.total() > 0);
        let values: f64 = bins(&histogram).iter().map(|(_, count)| count).sum();
        let moment = |power| bins(&histogram).iter().map(|(x, count)| count * x.powi(power)).sum::<f64>() / values;
        let laplace = 9.882_513_9 * moment(1);
        let gauss = 3.920_637_46 * moment(2).sqrt();
        let ncnn = 3.924_037_2 * 10.0 * 0.5 * 0.35 * (1.0 + (std::f64::consts::PI * 4f64.ln()).sqrt())
            / (2.0 * (elements as f64).ln()).sqrt();
        for (rule, expected) in
            [(Rule::AciqLaplace, laplace.min(5.0)), (Rule::AciqGauss, gauss.min(5.0)), (Rule::AciqNcnn, ncnn)]
        {
            let found = rule.threshold_of(&histogram, elements).unwrap();
            prop_assert!(is_close(found.value().into(), expected, 1e-6), "{rule}: {found:?} instead of {expected}");
            prop_assert_eq!((found.bin(), found.divergence()), (None, None));
        }
    }
}

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn kl_is_the_search_of_ncnn_where_clipping_pays(counts in histograms()) {
        let histogram = Histogram::from_counts(5.0, &counts).unwrap();
        let Some((kept, least)) = kl::reference(&counts) else {
            prop_assert_eq!(Rule::Kl.threshold(&histogram), None);
            return Ok(());
        };
        let searched = threshold(Rule::KlNcnn, &histogram);
        prop_assert_eq!(searched.value(), middle(&histogram, kept));
        prop_assert_eq!((searched.bin(), searched.divergence()), (Some(kept), Some(least)));
        let [clipped, whole] = [searched.value(), 5.0].map(|value| error(&histogram, value.into(), 127.0));
        // Where both cost nearly the same, the order of sums decides.
        if !is_close(clipped, whole, 1e-9) {
            let expected = if clipped < whole { searched } else { Threshold::new(5.0).unwrap() };
            prop_assert_eq!(threshold(Rule::Kl, &histogram), expected);
        }
    }

    #[test]
    fn the_published_searches_find_the_least_of_all_candidates(counts in histograms()) {
        prop_assume!(counts.iter().any(|&count| count > 0));
        check_search(Rule::KlMerge, &counts, divergence, f64::INFINITY);
        let js = |p: &[f64], q: &[f64]| {
            let middle: Vec<f64> = p.iter().zip(q).map(|(p, q)| (p + q) / 2.0).collect();
            (divergence(p, &middle) + divergence(q, &middle)) / 2.0
        };
        check_search(Rule::Js, &counts, js, std::f64::consts::LN_2);
    }
}

#[test]
fn the_constants_of_the_analytic_rules_minimise_the_expected_error() {
    let rounding = |z: f64| z * z / (12.0 * 127.0 * 127.0);
    // E(α) for a mean magnitude and a variance of 1, as the module states it.
    let laplace = least(1.0, 20.0, |z| 2.0 * (-z).exp() + rounding(z));
    let tail =
        |z: f64| (1.0 + z * z) * erfc(z / 2f64.sqrt()) - (2.0 / std::f64::consts::PI).sqrt() * z * (-z * z / 2.0).exp();
    let gauss = least(1.0, 20.0, |z| tail(z) + rounding(z));
    assert!((laplace - 9.882_513_9).abs() < 1e-5, "{laplace}");
    assert!((gauss - aciq::gauss_reach()).abs() < 1e-5, "{gauss} {}", aciq::gauss_reach());
}
