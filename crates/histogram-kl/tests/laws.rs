//! Laws of ranges, histograms and rules, on values drawn at random.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use histogram_kl::{Histogram, Range, Rule, Threshold, divergence};
use proptest::collection::vec;
use proptest::prelude::*;

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
            let value = |threshold: Option<Threshold>| threshold.map(|it| it.value());
            prop_assert_eq!(value(scaled), value(plain).map(|value| value * factor), "{}", rule);
            let bin = |threshold: Option<Threshold>| threshold.and_then(|it| it.bin());
            prop_assert_eq!(bin(scaled), bin(plain));
        }
    }
}
