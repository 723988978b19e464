//! Input at the ends: nothing, one value, the smallest and the largest numbers and counts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use histogram_kl::{Error, GrowingHistogram, Histogram, Maxima, Range, Rule, expected_squared_error, sqnr_db};

const BINS: usize = Histogram::BINS;

/// The histogram of values over their own range.
fn of(values: &[f32]) -> Histogram {
    let mut range = Range::default();
    range.add(values);
    let mut histogram = Histogram::new(range.absmax()).unwrap();
    histogram.add(values);
    histogram
}

/// A histogram over `[0, 1]` with counts in a few bins.
fn filled(bins: &[(usize, u64)]) -> Histogram {
    let mut counts = vec![0; BINS];
    bins.iter().for_each(|&(bin, count)| counts[bin] = count);
    Histogram::from_counts(1.0, &counts).unwrap()
}

/// The thresholds of all rules, each checked to be one.
fn thresholds(histogram: &Histogram) -> Vec<(Rule, Option<f32>)> {
    let check = |&rule: &Rule| {
        let threshold = rule.threshold(histogram);
        if let Some(found) = threshold {
            assert!(found.value() > 0.0 && found.value().is_finite() && found.scale().is_finite(), "{rule}: {found:?}");
            assert!(found.value() <= histogram.absmax() || rule == Rule::AciqNcnn, "{rule}: {found:?}");
            assert!(found.bin().is_none_or(|bin| (1..=BINS).contains(&bin)), "{rule}: {found:?}");
            assert!(!found.divergence().is_some_and(f32::is_nan), "{rule}: {found:?}");
        }
        assert_eq!(rule.threshold(histogram), threshold, "{rule} chooses once more");
        (rule, threshold.map(|found| found.value()))
    };
    Rule::ALL.iter().map(check).collect()
}

#[test]
fn of_nothing_and_of_zeros_nothing_is_known() {
    let unbinned = Histogram::new(1.0).unwrap().with_unbinned(u64::MAX, u64::MAX);
    for histogram in [of(&[]), of(&[0.0, -0.0]), of(&[f32::NAN, f32::INFINITY]), Histogram::new(7.0).unwrap(), unbinned]
    {
        assert!(thresholds(&histogram).iter().all(|(_, threshold)| threshold.is_none()), "{histogram:?}");
        assert_eq!(expected_squared_error(&histogram, 1.0), 0.0);
        assert_eq!(sqnr_db(&histogram, 1.0, 127), None);
    }
}

#[test]
fn what_lies_in_the_last_bin_alone_is_clipped_by_less_than_two_bins() {
    for count in [1, 1000, u64::MAX] {
        for (rule, threshold) in thresholds(&filled(&[(BINS - 1, count)])) {
            // The rules of ncnn look at shares and at the number of values, not at where they lie.
            let is_ncnns = matches!(rule, Rule::KlNcnn | Rule::AciqNcnn);
            assert!(is_ncnns || threshold.unwrap() > 2046.4 / 2048.0, "{rule}: {threshold:?}");
        }
    }
}

#[test]
fn a_single_value_is_kept_by_every_rule_but_that_of_ncnn() {
    for value in [1.0f32, -3.5, 1e-20, 1e30] {
        let histogram = of(&[value]);
        for (rule, threshold) in thresholds(&histogram).into_iter().filter(|(rule, _)| *rule != Rule::KlNcnn) {
            let share = threshold.unwrap() / value.abs();
            assert!((2046.4 / 2048.0..=1.0).contains(&share), "{rule}: {share}");
        }
        // All of its candidates clip everything and cost the same; the first has the fewest bins.
        let found = Rule::KlNcnn.threshold(&histogram).unwrap();
        assert_eq!((found.bin(), found.value()), (Some(128), 128.5 * value.abs() / 2048.0));
    }
}

#[test]
fn what_lies_in_the_first_bin_alone_needs_no_more_than_the_searches_try() {
    let histogram = filled(&[(0, 1000)]);
    let found = |rule: &str| rule.parse::<Rule>().unwrap().threshold(&histogram).unwrap();
    assert_eq!(found("percentile:99.99").bin(), Some(1));
    assert_eq!(found("mse").bin(), Some(1), "a bin more than the values need, which the middle of one cuts");
    assert_eq!(found("kl-merge").bin(), Some(128), "a level is a bin at least");
    assert_eq!(found("absmax").value(), 1.0);
}

#[test]
fn values_far_apart_are_cut_or_kept_but_never_lost() {
    let histogram = filled(&[(0, u64::from(u32::MAX)), (BINS - 1, 1)]);
    for (rule, threshold) in thresholds(&histogram) {
        let error = expected_squared_error(&histogram, threshold.unwrap());
        assert!(error > 0.0 && error < 1.0, "{rule}: {error}");
    }
}

#[test]
fn the_smallest_floats_have_a_threshold_as_soon_as_a_scale_is_finite() {
    let scaled = |factor: f32| of(&[1.0, 0.25, -0.5, 0.75].map(|x| x * factor));
    for factor in [1e-45, 1e-40, f32::MIN_POSITIVE, 1e-37] {
        assert!(thresholds(&scaled(factor)).iter().all(|(_, threshold)| threshold.is_none()), "{factor:e}");
    }
    for factor in [1e-33, 1e-20] {
        assert!(thresholds(&scaled(factor)).iter().all(|(_, threshold)| threshold.is_some()), "{factor:e}");
    }
}

#[test]
fn the_largest_floats_have_a_threshold_that_is_one() {
    let histogram = of(&[f32::MAX, -f32::MAX / 2.0, f32::MAX / 4.0, 1.0]);
    for (rule, threshold) in thresholds(&histogram) {
        // ncnn's formula leaves the range here, and with it the floats.
        assert!(
            threshold.is_some_and(|value| value > f32::MAX / 8.0) || rule == Rule::AciqNcnn,
            "{rule}: {threshold:?}"
        );
    }
    assert!(expected_squared_error(&histogram, f32::MAX).is_finite());
}

#[test]
fn counts_of_nearly_64_bits_do_no_harm() {
    let half = u64::MAX / 2;
    let kinds: [&[(usize, u64)]; 6] = [
        &[(0, u64::MAX)],
        &[(0, half), (1, half)],
        &[(0, half), (BINS - 1, half)],
        &[(5, half), (1000, 1), (1001, half)],
        &[(0, u64::MAX - 1), (BINS - 1, 1)],
        &[(127, half), (128, half), (129, 1)],
    ];
    for bins in kinds {
        let histogram = filled(bins).with_unbinned(u64::MAX, u64::MAX);
        assert!(thresholds(&histogram).iter().all(|(_, threshold)| threshold.is_some()), "{bins:?}");
        assert!(expected_squared_error(&histogram, 0.5).is_finite());
        assert!(sqnr_db(&histogram, 0.5, 127).is_some_and(f64::is_finite));
    }
}

#[test]
fn adding_to_full_counts_leaves_a_histogram_that_rules_can_search() {
    let mut histogram = filled(&[(0, u64::MAX - 1)]).with_unbinned(u64::MAX, u64::MAX - 9);
    histogram.add(&[0.7, 0.8, 0.9, 1.0, 0.0, f32::NAN]);
    assert_eq!((histogram.total(), histogram.zeros()), (u64::MAX, u64::MAX), "sums stay at what 64 bits hold");
    assert!(thresholds(&histogram).iter().all(|(_, threshold)| threshold.is_some()));
    assert_eq!(filled(&[(3, 2)]).merge(&histogram), Err(Error::TooMany));
}

#[test]
fn what_does_not_fit_64_bits_is_refused() {
    let mut counts = vec![0; BINS];
    (counts[3], counts[2000]) = (u64::MAX, 1);
    assert_eq!(Histogram::from_counts(1.0, &counts), Err(Error::TooMany));
    let full = |value| {
        let range = Range::from_extremes(Some((-1.0, value)), u64::MAX, 0).unwrap();
        GrowingHistogram::from_counts(range, &[u64::MAX], 0).unwrap()
    };
    let mut growing = full(1.0);
    growing.merge(&full(1000.0));
    assert_eq!(growing.range().values(), u64::MAX);
    assert_eq!(growing.histogram().unwrap().total(), u64::MAX, "a count stays at what 64 bits hold");
    growing.add(&[500.0]);
    assert_eq!(growing.histogram(), Err(Error::TooMany));
}

#[test]
fn infinities_and_nan_are_counted_and_have_no_extent() {
    let mut values = vec![f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -f32::NAN];
    values.extend([1.0, -2.0, 0.0]);
    let mut range = Range::default();
    range.add(&values);
    assert_eq!((range.extremes(), range.nonfinite(), range.values()), (Some((-2.0, 1.0)), 4, 7));
    let histogram = of(&values);
    assert_eq!((histogram.total(), histogram.zeros(), histogram.nonfinite()), (2, 1, 4));
    let mut growing = GrowingHistogram::default();
    growing.add(&values);
    assert_eq!(growing.histogram().unwrap().nonfinite(), 4);
    let mut maxima = Maxima::default();
    maxima.add(0, &values);
    assert_eq!(maxima.iter().collect::<Vec<_>>(), [(0, 2.0)]);
    for absmax in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e-45] {
        assert!(matches!(Histogram::new(absmax), Err(Error::AbsMax { .. })), "{absmax}");
        assert!(matches!(Histogram::from_counts(absmax, &[0; BINS]), Err(Error::AbsMax { .. })), "{absmax}");
    }
}

#[test]
fn the_readme_lists_every_rule() {
    let readme = include_str!("../README.md");
    let listed: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let mut rules: Vec<String> = Rule::ALL
        .iter()
        .map(|rule| match rule {
            Rule::Percentile(_) => "percentile:P".to_owned(),
            _ => rule.to_string(),
        })
        .collect();
    rules.dedup();
    assert_eq!(listed, rules);
}
