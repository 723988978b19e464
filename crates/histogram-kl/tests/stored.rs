//! The stored form of results: what comes back, what is refused, and what the README says about it.

#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use histogram_kl::{Histogram, Percent, Range, Rule, Threshold};
use histograms::histograms;
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

#[path = "common/histograms.rs"]
mod histograms;

fn again<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let text = serde_json::to_string(value).unwrap();
    let by_text: T = serde_json::from_str(&text).unwrap();
    // Through a tree as well, whose keys are in no order of ours.
    let by_tree: Value = serde_json::to_value(&by_text).unwrap();
    serde_json::from_value(by_tree).unwrap()
}

/// Why a text is refused.
fn refused<T: DeserializeOwned + std::fmt::Debug>(text: &str) -> String {
    serde_json::from_str::<T>(text).unwrap_err().to_string()
}

/// A whole histogram as JSON, with other values for some keys.
fn histogram(changes: &Value) -> String {
    let mut form = json!({"version": 1, "absmax": 3.0, "zeros": 1, "nonfinite": 0, "counts": vec![0; Histogram::BINS]});
    for (key, value) in changes.as_object().unwrap() {
        form[key] = value.clone();
    }
    form.to_string()
}

proptest! {
    #[test]
    fn ranges_come_back(values in vec(any::<f32>(), 0..20)) {
        let mut range = Range::default();
        range.add(&values);
        let found = again(&range);
        prop_assert_eq!(found, range);
        let bits = |range: &Range| range.extremes().map(|(min, max)| (min.to_bits(), max.to_bits()));
        prop_assert_eq!(bits(&found), bits(&range));
    }

    #[test]
    fn thresholds_come_back(bits in any::<u32>()) {
        if let Ok(threshold) = Threshold::new(f32::from_bits(bits)) {
            prop_assert_eq!(again(&threshold).value().to_bits(), bits);
        }
    }

    #[test]
    fn rules_come_back_by_their_names(millionths in 1..=100_000_000u32) {
        for rule in Rule::ALL.iter().copied().chain([Rule::Percentile(Percent::from_millionths(millionths).unwrap())]) {
            prop_assert_eq!(again(&rule), rule);
            prop_assert_eq!(serde_json::to_value(rule).unwrap(), json!(rule.to_string()));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn histograms_come_back_with_the_thresholds_of_their_rules(
        counts in histograms(),
        absmax in prop_oneof![Just(0.0f32), 1e-30..1e30f32],
        zeros in any::<u64>(),
        nonfinite in any::<u64>(),
    ) {
        let histogram = Histogram::from_counts(absmax, &counts).unwrap().with_unbinned(zeros, nonfinite);
        let found = again(&histogram);
        prop_assert_eq!(&found, &histogram);
        for rule in [Rule::Mse, Rule::KlNcnn, Rule::AbsMax] {
            let threshold = rule.threshold(&histogram);
            prop_assert_eq!(rule.threshold(&found), threshold);
            prop_assert_eq!(again(&threshold), threshold);
        }
    }
}

#[test]
fn the_forms_are_those_of_the_readme() {
    let readme = include_str!("../README.md");
    let forms = readme.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let [range, histogram, threshold, rule]: [&str; 4] = forms.lines().collect::<Vec<_>>().try_into().unwrap();

    let mut seen = Range::default();
    seen.add(&[1.0, 2.0, -3.0, 0.5, -0.5]);
    assert_eq!(serde_json::from_str::<Range>(range).unwrap(), seen);
    assert_eq!(serde_json::to_value(seen).unwrap(), serde_json::from_str::<Value>(range).unwrap());

    let mut counts = vec!["0"; Histogram::BINS - 2];
    let all = histogram.replace('…', &std::mem::take(&mut counts).join(", "));
    let counted: Histogram = serde_json::from_str(&all).unwrap();
    assert_eq!((counted.total(), counted.zeros(), counted.absmax()), (4, 1, 3.0));
    assert_eq!(serde_json::to_value(&counted).unwrap(), serde_json::from_str::<Value>(&all).unwrap());

    let found: Threshold = serde_json::from_str(threshold).unwrap();
    assert_eq!((found.value(), found.bin(), found.divergence()), (2.5, Some(1707), Some(0.125)));
    assert_eq!(serde_json::to_value(found).unwrap(), serde_json::from_str::<Value>(threshold).unwrap());

    assert_eq!(serde_json::from_str::<Rule>(rule).unwrap().to_string(), "percentile:99.99");
}

#[test]
fn what_is_not_known_is_null() {
    let text = r#"{"version":1,"values":0,"nonfinite":0,"min":null,"max":null}"#;
    assert_eq!(serde_json::to_string(&Range::default()).unwrap(), text);
    let text = r#"{"version":1,"value":127.0,"bin":null,"divergence":null}"#;
    assert_eq!(serde_json::to_string(&Threshold::UNIT).unwrap(), text);
    assert_eq!(serde_json::to_string(&Rule::Mse.threshold(&Histogram::new(0.0).unwrap())).unwrap(), "null");
    assert_eq!(serde_json::from_str::<Option<Threshold>>("null").unwrap(), None);
}

#[test]
fn ranges_that_contradict_themselves_are_refused() {
    let kinds = [
        (r#"{"version":1,"values":2,"nonfinite":0,"min":3.0,"max":2.0}"#, "a range from 3 to 2 is none"),
        (r#"{"version":1,"values":2,"nonfinite":0,"min":-1e39,"max":2.0}"#, "number out of range"),
        (r#"{"version":1,"values":2,"nonfinite":0,"min":0,"max":1e39}"#, "number out of range"),
        (r#"{"version":1,"values":2,"nonfinite":0,"min":0}"#, "a smallest value and no largest one"),
        (r#"{"version":1,"values":2,"nonfinite":0,"max":0}"#, "or the reverse"),
        (r#"{"version":1,"values":2,"nonfinite":0}"#, "found 2 values of which 0 are not"),
        (r#"{"version":1,"values":2,"nonfinite":2,"min":0,"max":1}"#, "found 2 values of which 2 are not"),
        (r#"{"version":1,"values":2,"nonfinite":3}"#, "found 2 values of which 3 are not"),
        (r#"{"version":1,"values":-2,"nonfinite":3}"#, "invalid value: integer `-2`"),
        (r#"{"version":1,"values":18446744073709551616,"nonfinite":0}"#, "invalid type: floating point"),
        (r#"{"version":1,"nonfinite":0}"#, "missing field `values`"),
        (r#"{"version":2,"mean":0.5}"#, "version 2 of the form; this reads 1"),
        (r#"{"values":0,"nonfinite":0}"#, "missing field `version`"),
        (r#"{"version":1,"values":0,"nonfinite":0,"mean":0.5}"#, "unknown field `mean`"),
        (r#"{"version":1,"values":0,"values":0,"nonfinite":0}"#, "duplicate field `values`"),
        ("null", "invalid type: null"),
        ("", "EOF"),
    ];
    for (text, reason) in kinds {
        let message = refused::<Range>(text);
        assert!(message.contains(reason), "{text}: {message}");
    }
}

#[test]
fn histograms_that_are_none_are_refused() {
    let mut full = vec![0; Histogram::BINS];
    (full[0], full[1]) = (u64::MAX, 1);
    let kinds = [
        (json!({"counts": vec![1; 2047]}), "a histogram has 2048 bins, found 2047 counts"),
        (json!({"counts": vec![1; 2049]}), "a histogram has 2048 bins, found 2049 counts"),
        (json!({"counts": []}), "found 0 counts"),
        (json!({"counts": full}), "counts of a histogram sum to more than 64 bits hold"),
        (json!({"counts": [-1]}), "invalid value: integer `-1`"),
        (json!({"counts": [0.5]}), "invalid type: floating point `0.5`"),
        (json!({"counts": null}), "invalid type: null"),
        (json!({"absmax": -1.0}), "absolute maximum of a histogram is -1"),
        (json!({"absmax": 1e39}), "number out of range"),
        (json!({"absmax": null}), "invalid type: null"),
        (json!({"zeros": -1}), "invalid value: integer `-1`"),
        (json!({"nonfinite": "many"}), "invalid type: string"),
        (json!({"version": 0}), "version 0 of the form; this reads 1"),
        (json!({"version": "1"}), "invalid type: string"),
        (json!({"bins": 2048}), "unknown field `bins`"),
    ];
    assert!(serde_json::from_str::<Histogram>(&histogram(&json!({}))).is_ok());
    for (changes, reason) in kinds {
        let message = refused::<Histogram>(&histogram(&changes));
        assert!(message.contains(reason), "{reason}: {message}");
    }
}

#[test]
fn thresholds_and_rules_that_are_none_are_refused() {
    let kinds = [
        (r#"{"version":1,"value":0.0}"#, "a threshold is positive and finite, and 127 divided by it too, found 0"),
        (r#"{"version":1,"value":-1.0}"#, "found -1"),
        (r#"{"version":1,"value":1e39}"#, "number out of range"),
        (r#"{"version":1,"value":1e-40}"#, "127 divided by it too"),
        (r#"{"version":1,"value":1.0,"bin":0}"#, "a threshold keeps 1 to 2048 bins, found 0"),
        (r#"{"version":1,"value":1.0,"bin":2049}"#, "found 2049"),
        (r#"{"version":1,"value":1.0,"bin":1.5}"#, "invalid type: floating point"),
        (r#"{"version":1,"value":1.0,"divergence":1e39}"#, "number out of range"),
        (r#"{"version":1,"value":1.0,"dead":true}"#, "unknown field `dead`"),
        (r#"{"version":9,"value":1.0}"#, "version 9 of the form; this reads 1"),
        (r#"{"version":1}"#, "missing field `value`"),
    ];
    for (text, reason) in kinds {
        let message = refused::<Threshold>(text);
        assert!(message.contains(reason), "{text}: {message}");
    }
    for (text, reason) in [
        (r#""kld""#, r#"no rule is called "kld", known are kl, "#),
        (r#""percentile:0""#, "a percentage is above 0"),
        (r#""KL""#, "no rule is called"),
        ("7", "invalid type: integer `7`"),
    ] {
        let message = refused::<Rule>(text);
        assert!(message.contains(reason), "{text}: {message}");
    }
}
