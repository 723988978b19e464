//! The rules on distributions whose properties are known, with statrs as the oracle.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use histogram_kl::{Histogram, Rule, divergence};
use statrs::distribution::{ContinuousCDF, Discrete, Laplace, Normal, Poisson};
use statrs::statistics::Distribution;

/// A histogram of `samples` evenly spread quantiles: a sample without noise.
fn quantiles(distribution: &impl ContinuousCDF<f64, f64>, samples: u32, absmax: f32) -> Histogram {
    let values: Vec<f32> =
        (0..samples).map(|i| distribution.inverse_cdf((f64::from(i) + 0.5) / f64::from(samples)) as f32).collect();
    let mut histogram = Histogram::new(absmax).unwrap();
    histogram.add(&values);
    histogram
}

#[test]
fn divergence_is_that_of_the_closed_form() {
    // D(Poisson(a) ‖ Poisson(b)) = a · ln(a / b) − a + b
    let (a, b) = (3.0f64, 5.0f64);
    let masses = |rate: f64| {
        let poisson = Poisson::new(rate).unwrap();
        assert_eq!(poisson.mean(), Some(rate));
        (0..100).map(|k| poisson.pmf(k)).collect::<Vec<f64>>()
    };
    let expected = a * (a / b).ln() - a + b;
    assert!((divergence(&masses(a), &masses(b)) - expected).abs() < 1e-12);
}

#[test]
fn a_distant_outlier_is_clipped_by_both_searches() {
    let normal = Normal::new(0.0, 1.0).unwrap();
    let mut histogram = quantiles(&normal, 100_000, 40.0);
    histogram.add(&[40.0]);
    for rule in [Rule::KlNcnn, Rule::KlMerge] {
        let threshold = rule.threshold(&histogram).unwrap();
        assert!((2.0..10.0).contains(&threshold.value()), "{rule}: {threshold:?}");
    }
    assert_eq!(Rule::AbsMax.threshold(&histogram).unwrap().value(), 40.0);
}

#[test]
fn an_even_distribution_keeps_nearly_its_whole_range() {
    let mut histogram = Histogram::new(1.0).unwrap();
    let values: Vec<f32> = (1..=204_800).map(|i| i as f32 / 204_800.0).collect();
    histogram.add(&values);
    for rule in [Rule::KlNcnn, Rule::KlMerge] {
        let threshold = rule.threshold(&histogram).unwrap();
        assert!(threshold.value() > 0.99, "{rule}: {threshold:?}");
    }
}

#[test]
fn the_searches_differ_where_tails_are_sparse() {
    let laplace = Laplace::new(0.0, 1.0).unwrap();
    let histogram = quantiles(&laplace, 20_000, 12.0);
    let [ncnn, textbook] = [Rule::KlNcnn, Rule::KlMerge].map(|rule| rule.threshold(&histogram).unwrap());
    assert_ne!(ncnn.bin(), textbook.bin(), "{ncnn:?} {textbook:?}");
}
