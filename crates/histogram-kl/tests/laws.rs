//! Laws of ranges, histograms and rules, on values drawn at random.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use histogram_kl::{GrowingHistogram, Histogram, Maxima, Percent, Range, Rule, Threshold, divergence};
use histograms::histograms;
use proptest::collection::vec;
use proptest::prelude::*;

#[path = "common/histograms.rs"]
mod histograms;

fn values() -> impl Strategy<Value = Vec<f32>> {
    let value = prop_oneof![
        8 => -4.0..4.0f32,
        2 => Just(0.0f32),
        1 => Just(-0.0f32),
        1 => any::<f32>(),
        1 => -1000.0..1000.0f32,
    ];
    vec(value, 0..200)
}

fn range(values: &[f32]) -> Range {
    let mut range = Range::default();
    range.add(values);
    range
}

fn histogram(absmax: f32, values: &[f32]) -> Histogram {
    let mut histogram = Histogram::new(absmax).unwrap();
    histogram.add(values);
    histogram
}

fn growing(values: &[f32]) -> GrowingHistogram {
    let mut histogram = GrowingHistogram::default();
    histogram.add(values);
    histogram
}

fn maxima(samples: &[(u64, Vec<f32>)]) -> Maxima {
    let mut maxima = Maxima::default();
    samples.iter().for_each(|(sample, values)| maxima.add(*sample, values));
    maxima
}

fn counted(absmax: f32, counts: &[u64]) -> Histogram {
    Histogram::from_counts(absmax, counts).unwrap()
}

fn value(threshold: Option<Threshold>) -> Option<f32> {
    threshold.map(|threshold| threshold.value())
}

fn bin(threshold: Option<Threshold>) -> Option<usize> {
    threshold.and_then(|threshold| threshold.bin())
}

/// Values, and the same in another order.
fn shuffled() -> impl Strategy<Value = (Vec<f32>, Vec<f32>)> {
    values().prop_flat_map(|values| (Just(values.clone()), Just(values).prop_shuffle()))
}

/// What clipping to the upper edge of a bin does to counts.
fn clipped(counts: &[u64], last: usize) -> Vec<u64> {
    let mut clipped = counts.to_vec();
    clipped[last] = counts[last..].iter().sum();
    clipped[last + 1..].fill(0);
    clipped
}

/// The bits of a range, which tell 0 from −0.
fn bits(range: &Range) -> ([Option<u32>; 3], u64, u64) {
    ([Some(range.absmax()), range.min(), range.max()].map(|x| x.map(f32::to_bits)), range.values(), range.nonfinite())
}

proptest! {
    #[test]
    fn ranges_merge_in_any_order(a in values(), b in values(), c in values()) {
        let whole = bits(&range(&[a.clone(), b.clone(), c.clone()].concat()));
        let (a, b, c) = (range(&a), range(&b), range(&c));
        let merged = |ranges: [&Range; 4]| {
            let mut sum = Range::default();
            ranges.iter().for_each(|range| sum.merge(range));
            bits(&sum)
        };
        let unit = Range::default();
        prop_assert_eq!(merged([&a, &b, &c, &unit]), whole);
        prop_assert_eq!(merged([&c, &unit, &a, &b]), whole);
        let (mut left, mut right) = (a, b);
        left.merge(&b);
        left.merge(&c);
        right.merge(&c);
        let mut nested = a;
        nested.merge(&right);
        prop_assert_eq!(bits(&left), bits(&nested));
    }

    #[test]
    fn a_range_holds_all_finite_values(values in values()) {
        let range = range(&values);
        for x in values.iter().copied().filter(|x| x.is_finite()) {
            prop_assert!(x.abs() <= range.absmax() && range.min().unwrap() <= x && x <= range.max().unwrap());
        }
        prop_assert_eq!(range.nonfinite(), values.iter().filter(|x| !x.is_finite()).count() as u64);
    }

    #[test]
    fn shards_merge_to_the_histogram_of_the_whole(absmax in 0.0..10.0f32, a in values(), b in values(), c in values()) {
        let whole = histogram(absmax, &[a.clone(), b.clone(), c.clone()].concat());
        let (a, b, c) = (histogram(absmax, &a), histogram(absmax, &b), histogram(absmax, &c));
        let merged = |histograms: [&Histogram; 3]| {
            let mut sum = Histogram::new(absmax).unwrap();
            histograms.iter().for_each(|histogram| sum.merge(histogram).unwrap());
            sum
        };
        prop_assert_eq!(&merged([&a, &b, &c]), &whole);
        prop_assert_eq!(&merged([&c, &a, &b]), &whole);
        prop_assert_eq!(merged([&a, &merged([&b, &c, &merged([&whole; 3])]), &a]).total(), 3 * whole.total() + 2 * a.total() + b.total() + c.total());
        let mut with_unit = a.clone();
        with_unit.merge(&Histogram::new(absmax).unwrap()).unwrap();
        prop_assert_eq!(with_unit, a);
    }

    #[test]
    fn growing_shards_merge_in_any_order(a in values(), b in values(), c in values()) {
        let whole = growing(&[a.clone(), b.clone(), c.clone()].concat());
        let (a, b, c) = (growing(&a), growing(&b), growing(&c));
        let merged = |left: &GrowingHistogram, right: &GrowingHistogram| {
            let mut sum = left.clone();
            sum.merge(right);
            sum
        };
        prop_assert!(merged(&a, &b) == merged(&b, &a));
        prop_assert!(merged(&merged(&a, &b), &c) == whole);
        prop_assert!(merged(&a, &merged(&b, &c)) == whole);
        prop_assert!(merged(&whole, &GrowingHistogram::default()) == whole);
        prop_assert!(merged(&GrowingHistogram::default(), &whole) == whole);
    }

    #[test]
    fn a_stored_growing_histogram_goes_on_as_the_one_that_was_not(a in values(), b in values()) {
        let mut kept = growing(&a);
        let mut restored = GrowingHistogram::from_counts(kept.range(), kept.counts(), kept.zeros()).unwrap();
        prop_assert!(restored == kept);
        kept.add(&b);
        restored.add(&b);
        prop_assert!(restored == kept);
    }

    #[test]
    fn maxima_merge_in_any_order(
        a in vec((0..9u64, values()), 0..6),
        b in vec((0..9u64, values()), 0..6),
        c in vec((0..9u64, values()), 0..6),
    ) {
        let whole = maxima(&[a.clone(), b.clone(), c.clone()].concat());
        let merged = |parts: [&[(u64, Vec<f32>)]; 3]| {
            let mut sum = Maxima::default();
            parts.iter().for_each(|part| sum.merge(&maxima(part)));
            sum
        };
        prop_assert_eq!(&merged([&a, &b, &c]), &whole);
        prop_assert_eq!(&merged([&c, &a, &b]), &whole);
        prop_assert_eq!(merged([&b, &c, &a]).moving_average(0.3), whole.moving_average(0.3));
    }

    #[test]
    fn the_order_of_values_does_not_matter((values, others) in shuffled()) {
        let (range, other) = (range(&values), range(&others));
        prop_assert_eq!(bits(&range), bits(&other));
        prop_assert_eq!(histogram(range.absmax(), &values), histogram(range.absmax(), &others));
        prop_assert!(growing(&values) == growing(&others));
    }

    #[test]
    fn signs_do_not_matter_to_a_histogram(values in values()) {
        let mirrored: Vec<f32> = values.iter().map(|x| -x).collect();
        let (plain, negated) = (range(&values), range(&mirrored));
        prop_assert_eq!(negated.extremes(), plain.extremes().map(|(min, max)| (0.0 - max, 0.0 - min)));
        prop_assert_eq!(histogram(plain.absmax(), &values), histogram(negated.absmax(), &mirrored));
    }

    #[test]
    fn every_value_is_counted_once(values in values()) {
        let counted = histogram(range(&values).absmax(), &values);
        prop_assert_eq!(counted.total() + counted.zeros() + counted.nonfinite(), values.len() as u64);
    }

    #[test]
    fn divergence_is_never_negative_and_zero_of_itself(weights in vec((0.0..1.0f64, 0.01..1.0f64), 1..100)) {
        let normalised = |values: Vec<f64>| {
            let sum: f64 = values.iter().sum();
            values.iter().map(|value| value / sum).collect::<Vec<_>>()
        };
        let p = normalised(weights.iter().map(|&(p, _)| p + 1e-9).collect());
        let q = normalised(weights.iter().map(|&(_, q)| q).collect());
        prop_assert!(divergence(&p, &q) >= -1e-12);
        prop_assert!(divergence(&p, &p) == 0.0);
    }
}

proptest! {
    // Each case searches a few times, which takes an emulator long.
    #![proptest_config(ProptestConfig::with_cases(if cfg!(target_arch = "x86_64") { 24 } else { 8 }))]

    #[test]
    fn a_threshold_is_positive_finite_and_within_the_range(values in values()) {
        let range = range(&values);
        let counted = histogram(range.absmax(), &values);
        for &rule in Rule::ALL {
            let Some(threshold) = rule.threshold(&counted) else { continue };
            prop_assert!(threshold.scale().is_finite() && threshold.scale() > 0.0, "{rule}: {threshold:?}");
            let within = threshold.value() <= range.absmax() || rule == Rule::AciqNcnn;
            prop_assert!(threshold.value() > 0.0 && within, "{rule}: {threshold:?}");
            prop_assert!(!threshold.divergence().is_some_and(f32::is_nan));
        }
    }

    #[test]
    fn doubling_all_values_doubles_the_threshold(values in vec(-4.0..4.0f32, 1..2000), power in -20..20i32) {
        let factor = 2f32.powi(power);
        let scaled: Vec<f32> = values.iter().map(|x| x * factor).collect();
        let (plain, scaled) = (histogram(range(&values).absmax(), &values), histogram(range(&scaled).absmax(), &scaled));
        for &rule in Rule::ALL {
            let (plain, scaled) = (rule.threshold(&plain), rule.threshold(&scaled));
            prop_assert_eq!(value(scaled), value(plain).map(|value| value * factor), "{}", rule);
            prop_assert_eq!(bin(scaled), bin(plain));
        }
    }

    #[test]
    fn a_longer_range_of_the_same_counts_scales_the_threshold(counts in histograms(), factor in 1e-6..1e6f32) {
        let (plain, scaled) = (counted(1.0, &counts), counted(factor, &counts));
        for &rule in Rule::ALL {
            let (plain, scaled) = (rule.threshold_of(&plain, 1000), rule.threshold_of(&scaled, 1000));
            prop_assert_eq!(bin(scaled), bin(plain), "{}", rule);
            let share = value(scaled).zip(value(plain)).map(|(scaled, plain)| scaled / factor / plain);
            prop_assert!(share.is_none_or(|share| (share - 1.0).abs() < 1e-6), "{rule}: {share:?}");
            prop_assert_eq!(scaled.is_some(), plain.is_some());
        }
    }

    #[test]
    fn twice_the_samples_have_the_same_threshold(counts in histograms(), power in 1..8u32) {
        prop_assume!(counts.iter().all(|&count| count < 1 << 42));
        let more: Vec<u64> = counts.iter().map(|count| count << power).collect();
        let (plain, more) = (counted(1.0, &counts), counted(1.0, &more));
        // Shares and moments are the same to the last bit; logarithms of counts are not.
        for &rule in Rule::ALL.iter().filter(|rule| !matches!(rule, Rule::KlMerge | Rule::Js)) {
            prop_assert_eq!(rule.threshold_of(&more, 1000), rule.threshold_of(&plain, 1000), "{}", rule);
        }
    }

    #[test]
    fn clipping_a_tail_never_raises_a_threshold(counts in histograms(), last in 0..Histogram::BINS) {
        let (plain, clipped) = (counted(1.0, &counts), counted(1.0, &clipped(&counts, last)));
        let percentiles = Rule::ALL.iter().copied().filter(|rule| matches!(rule, Rule::Percentile(_)));
        for rule in percentiles.chain([Rule::Mse, Rule::AciqGauss, Rule::AciqLaplace, Rule::AbsMax]) {
            let (plain, clipped) = (value(rule.threshold(&plain)), value(rule.threshold(&clipped)));
            prop_assert_eq!(clipped.is_some(), plain.is_some());
            let raised = clipped.zip(plain).is_some_and(|(clipped, plain)| clipped > plain * (1.0 + 1e-6));
            prop_assert!(!raised, "{rule}: {clipped:?} instead of {plain:?}");
            if matches!(rule, Rule::Percentile(_)) {
                let edge = (last + 1) as f32 / Histogram::BINS as f32;
                prop_assert_eq!(clipped, plain.map(|plain| plain.min(edge)), "{}", rule);
            }
        }
    }

    #[test]
    fn a_larger_share_reaches_farther(counts in histograms(), mut shares in vec(1..=100_000_000u32, 2..20)) {
        shares.sort_unstable();
        let histogram = counted(1.0, &counts).with_unbinned(1000, 0);
        let edge = |&share: &u32| bin(Rule::Percentile(Percent::from_millionths(share).unwrap()).threshold(&histogram));
        prop_assert!(shares.iter().map(edge).is_sorted());
    }

    #[test]
    fn the_rule_of_least_error_has_the_least_error_of_all_rules(counts in histograms()) {
        let histogram = counted(1.0, &counts);
        let error = |rule: Rule| {
            value(rule.threshold(&histogram)).map(|threshold| histogram_kl::expected_squared_error(&histogram, threshold))
        };
        // The others may end at an edge instead of a middle, which is half a bin nearer to the best.
        let by_bins = [Rule::Kl, Rule::KlNcnn, Rule::KlMerge, Rule::Js, Rule::AbsMax];
        for (rule, least) in by_bins.into_iter().filter_map(|rule| Some((rule, error(Rule::Mse)?))) {
            prop_assert!(error(rule).unwrap() >= least * (1.0 - 1e-6), "{rule}");
        }
    }
}
