//! Calibrations and comparisons leave the program and come back; docs/results.md names all their keys.

#![cfg(feature = "serde")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod random_model;

use std::collections::BTreeSet;
use std::path::Path;

use fp32_ref::Tensor;
use histogram_kl::Rule;
use ncnn_format::{LayerKind, Model};
use proptest::prelude::*;
use quantizer::calibrate::{
    CalibrateOptions, Calibration, Choice, HalfRange, LayerCalibration, Method, Scored, Similarity, calibrate,
};
use quantizer::compare::{BlobComparison, CompareOptions, Comparison, Scores, compare};
use quantizer::{Agreement, ConvertOptions, Cosine, Sqnr, TopK, WinogradGuard, convert};
use random_model::random_model;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const NETWORK: &str = "\
Input data 0 1 data 0=6 1=6 2=2
Convolution stem 1 1 data a 0=4 1=3 4=1 5=1 6=72 9=1
Convolution wide 1 1 a b 0=4 1=3 4=1 5=1 6=144
Pooling pool 1 1 b p 0=1 4=1
InnerProduct fc 1 1 p out 0=3 1=1 2=12";

/// An LSTM beside it, which gets rows of its own.
const SEQUENCE: &str = "\
Input data 0 1 data 0=4 1=3
InnerProduct fc 1 1 data a 0=8 1=1 2=96
Reshape rows 1 1 a r 0=4 1=2
LSTM lstm 1 1 r out 0=3 1=48 2=0";

fn model() -> Model {
    random_model(NETWORK)
}

fn samples() -> Vec<Tensor> {
    let value = |sample: usize, i: usize| (((i * 37 + sample * 101) % 211) as f32 / 105.0 - 1.0).powi(3);
    (0..4).map(|sample| Tensor::new([2, 6, 6], (0..72).map(|i| value(sample, i)).collect()).unwrap()).collect()
}

fn calibrated(method: impl Into<CalibrateOptions>) -> Calibration {
    calibrate(&model(), &samples(), method, &()).unwrap()
}

fn compared() -> Comparison {
    let int8 = convert(&model(), &calibrated(Method::Auto).table(), ConvertOptions::default()).unwrap().model;
    compare(&model(), &int8, &samples(), &CompareOptions::default(), &()).unwrap()
}

/// Through text and through a tree of values.
fn again<T: Serialize + DeserializeOwned + PartialEq>(value: &T) -> T {
    let tree = serde_json::to_value(value).unwrap();
    let text = serde_json::to_string(value).unwrap();
    let (back, from_tree): (T, T) = (serde_json::from_str(&text).unwrap(), serde_json::from_value(tree).unwrap());
    assert!(back == from_tree, "{text}");
    back
}

fn read<T: DeserializeOwned>(json: Value) -> Result<T, String> {
    serde_json::from_value(json).map_err(|error| error.to_string())
}

#[test]
fn calibrations_of_all_methods_come_back_equal() {
    for method in Method::all() {
        let calibration = calibrated(method);
        let back = again(&calibration);
        assert!(back == calibration, "{method}");
        assert_eq!(back.table().to_text(), calibration.table().to_text());
        assert_eq!(again(&method), method);
    }
}

#[test]
fn dead_blobs_dead_channels_and_lowered_channels_come_back_equal() {
    let mut model = model();
    let weights = &mut model.layers[2].weights[0];
    let ncnn_format::WeightData::F32(values, _) = &mut weights.data else { panic!("{:?}", weights.data) };
    values[..36].fill(0.0);
    let zeros = vec![Tensor::new([2, 6, 6], vec![0.0; 72]).unwrap()];
    for (samples, method) in [(&zeros, Method::NcnnKl), (&zeros, Method::Auto), (&samples(), Method::NcnnKl)] {
        let calibration = calibrate(&model, samples, method, &()).unwrap();
        assert!(again(&calibration) == calibration);
        assert_eq!(calibration.layers[1].weights.dead, [0]);
        let remarks = calibration.remarks();
        assert!(remarks.iter().any(|remark| remark.code == "dead-channels"), "{remarks:?}");
        assert_eq!(remarks.iter().any(|remark| remark.code == "dead-input"), samples.len() == 1, "{remarks:?}");
    }
    let dead = serde_json::to_value(calibrate(&model, &zeros, Method::NcnnKl, &()).unwrap()).unwrap();
    let stem = &dead["layers"][0];
    assert_eq!((&stem["scale"], &stem["decided"], &stem["threshold"]), (&json!("inf"), &Value::Null, &json!(127.0)));
    assert_eq!(dead["layers"][1]["weight_scales"][0], "inf");
    let options = CalibrateOptions::from(Method::Auto).with_winograd(WinogradGuard::Exact);
    let mut lowered = calibrated(options);
    lowered.layers[1].weights.scales[2] /= 4.0;
    lowered.layers[1].weights.reduced = vec![2];
    lowered.layers[1].weights.observed = vec![0, 3];
    assert!(again(&lowered) == lowered);
    let bits = &serde_json::to_value(&lowered).unwrap()["layers"][1]["reduced_channels"][0];
    assert_eq!((&bits["channel"], &bits["bits"]), (&json!(2), &json!(6.0)));
}

#[test]
fn rows_of_layers_for_sequences_come_back_equal() {
    let samples = vec![Tensor::new([3, 4], (0..12).map(|i| i as f32 - 5.0).collect()).unwrap()];
    let calibration = calibrate(&random_model(SEQUENCE), &samples, Rule::Mse, &()).unwrap();
    assert!(!calibration.sequence_rows.is_empty());
    assert!(again(&calibration) == calibration);
}

#[test]
fn comparisons_come_back_equal() {
    let comparison = compared();
    assert!(comparison.blobs.len() >= 3 && comparison.scores.is_some());
    assert_eq!(again(&comparison), comparison);
    let same = compare(&model(), &model(), &samples(), &CompareOptions::default(), &()).unwrap();
    assert_eq!(same.blobs[0].sqnr_db, f64::INFINITY);
    assert_eq!(serde_json::to_value(&same).unwrap()["layers"][0]["sqnr_db"], "inf");
    assert_eq!(again(&same), same);
    assert_eq!(again(&Comparison { scores: None, ..comparison.clone() }), Comparison { scores: None, ..comparison });
}

#[test]
fn the_json_of_earlier_versions_is_still_in_it() {
    let layer = &serde_json::to_value(calibrated(Method::Auto)).unwrap()["layers"][1];
    let calibration = calibrated(Method::Auto);
    let known = &calibration.layers[1];
    let choice = known.choice.as_ref().unwrap();
    assert_eq!(layer["layer"], "wide");
    assert_eq!(layer["rule"], json!(choice.winner.rule.to_string()));
    assert_eq!(layer["error"], json!(choice.winner.error));
    assert_eq!(layer["runner_up"]["threshold"], json!(choice.runner_up.unwrap().threshold.unwrap().value()));
    assert_eq!(layer["absmax"], json!(known.range.absmax()));
    assert_eq!(layer["threshold"], json!(known.reported_threshold()));
    assert_eq!(layer["scale"], json!(known.input_scale));
    assert_eq!(layer["clipped"], json!(known.clipped()));
    let half = known.half_range().unwrap();
    assert_eq!(layer["signed_costs_db"], json!(half.unsigned_db - half.sqnr_db));
    assert_eq!((&layer["dead_channels"], &layer["observed_channels"]), (&json!([]), &json!(known.weights.observed)));
    let comparison = serde_json::to_value(compared()).unwrap();
    assert_eq!(comparison["layers"][0]["type"], "Convolution");
    assert_eq!((&comparison["scores"]["samples"], &comparison["scores"]["labelled"]), (&json!(4), &json!(0)));
}

#[test]
fn unknown_keys_are_ignored_and_another_schema_is_not() {
    let calibration = calibrated(Method::Auto);
    let mut json = serde_json::to_value(&calibration).unwrap();
    json["news"] = json!(1);
    json["layers"][0]["news"] = json!([1]);
    assert!(read::<Calibration>(json.clone()) == Ok(calibration));
    json["schema"] = json!("ncnn-quant/calibration/2");
    let expected = "unknown variant `ncnn-quant/calibration/2`, expected `ncnn-quant/calibration/1`";
    assert_eq!(read::<Calibration>(json.clone()).unwrap_err(), expected);
    let other = json!({ "schema": "ncnn-quant/calibration/1", "samples": 0, "layers": [], "scores": null });
    let expected = "unknown variant `ncnn-quant/calibration/1`, expected `ncnn-quant/comparison/1`";
    assert_eq!(read::<Comparison>(other).unwrap_err(), expected);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let whole = serde_json::to_value(calibrated(Method::Auto)).unwrap();
    let refused = |key: &str, value: Value| {
        let mut json = whole.clone();
        json["layers"][1][key] = value;
        read::<Calibration>(json).unwrap_err()
    };
    assert_eq!(refused("weight_scales", json!([1.0])), "layer wide: 1 and 4 scales of weights");
    assert_eq!(refused("dead_channels", json!([4])), "layer wide: channel 4 of 4");
    assert_eq!(refused("observed_channels", json!([9])), "layer wide: channel 9 of 4");
    assert_eq!(refused("reduced_channels", json!([{ "channel": 4 }])), "layer wide: channel 4 of 4");
    assert!(refused("scale", json!("large")).contains("found large"));
    assert!(refused("decided", json!({ "version": 1, "value": 0.0, "bin": null, "divergence": null })).contains('0'));
    assert!(refused("histogram", json!(null)).contains("null"));
    let mut json = whole.clone();
    json["layers"][1].as_object_mut().unwrap().remove("range");
    assert!(read::<Calibration>(json).unwrap_err().contains("missing field `range`"));
}

/// The keys of all objects in `value`.
fn keys(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| {
            into.insert(key.clone());
            keys(value, into);
        }),
        Value::Array(values) => values.iter().for_each(|value| keys(value, into)),
        _ => {}
    }
}

/// What stands between backticks in the first column of the tables of a section.
fn documented(section: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/results.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (_, section) = document.split_once(&format!("\n## {section}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let first_columns = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let ticked = |text: &str| text.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    first_columns.flat_map(ticked).collect()
}

#[test]
fn the_document_names_the_keys_of_a_calibration_and_no_others() {
    let mut found = BTreeSet::new();
    let mut calibration = calibrated(Method::Auto);
    calibration.layers[0].weights.reduced = vec![0];
    let sequence = vec![Tensor::new([3, 4], vec![1.0; 12]).unwrap()];
    let sequence = calibrate(&random_model(SEQUENCE), &sequence, Rule::Mse, &()).unwrap();
    for calibration in [calibration, calibrated(Method::Eq), sequence] {
        keys(&serde_json::to_value(&calibration).unwrap(), &mut found);
    }
    // Told in sentences.
    ["start", "reached", "channel", "bits"].iter().for_each(|key| assert!(found.remove(*key), "{key}"));
    assert_eq!(found, documented("Calibration"));
}

#[test]
fn the_document_names_the_keys_of_a_comparison_and_no_others() {
    let mut found = BTreeSet::new();
    keys(&serde_json::to_value(compared()).unwrap(), &mut found);
    ["top1", "top5", "total"].iter().for_each(|key| assert!(found.remove(*key), "{key}"));
    assert_eq!(found, documented("Comparison"));
}

#[test]
fn the_document_tells_keys_in_sentences_too() {
    let document =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/results.md")).unwrap();
    for key in ["start", "reached", "channel", "bits", "top1", "top5", "total"] {
        assert!(document.contains(&format!("`{key}`")), "{key}");
    }
}

fn any_float() -> impl Strategy<Value = f64> {
    prop_oneof![any::<f64>().prop_filter("NaN is not equal to itself", |x| !x.is_nan()), Just(f64::INFINITY), Just(0.0)]
}

proptest! {
    #[test]
    fn small_results_come_back_equal(
        (a, b, c) in (any_float(), any_float(), any_float()),
        (top1, top5, total) in (0usize..9, 0usize..9, 0usize..9),
        name in ".*",
    ) {
        let half = HalfRange { sqnr_db: a, unsigned_db: b };
        prop_assert_eq!(again(&half), half);
        let similarity = Similarity { start: a, reached: b };
        prop_assert_eq!(again(&similarity), similarity);
        let scored = Scored { rule: Rule::AciqGauss, threshold: None, error: c };
        prop_assert_eq!(again(&scored), scored);
        let choice = Choice { winner: scored, runner_up: Some(Scored { error: b, ..scored }), by_output: top1 > 4 };
        prop_assert_eq!(again(&choice), choice);
        let top = TopK { top1, top5, total };
        prop_assert_eq!(again(&top), top);
        let agreement = Agreement { same: top1, total };
        prop_assert_eq!(again(&agreement), agreement);
        let scores = Scores { fp32: top, int8: TopK { total: top5, ..top }, agreement };
        prop_assert_eq!(again(&scores), scores);
        let kind = LayerKind::from(&*name);
        let blob = BlobComparison { layer: name.clone(), kind, blob: name, int8: top5 > 4, sqnr_db: a, cosine: c };
        prop_assert_eq!(again(&blob), blob);
    }

    #[test]
    fn sums_of_metrics_come_back_and_go_on(values in proptest::collection::vec((-8f32..8.0, -8f32..8.0), 1..20)) {
        let (a, b): (Vec<f32>, Vec<f32>) = values.into_iter().unzip();
        let (mut sqnr, mut cosine) = (Sqnr::default(), Cosine::default());
        sqnr.add(&a, &b).unwrap();
        cosine.add(&a, &b).unwrap();
        let (mut stored_sqnr, mut stored_cosine) = (again(&sqnr), again(&cosine));
        sqnr.add(&b, &a).unwrap();
        stored_sqnr.add(&b, &a).unwrap();
        prop_assert_eq!(sqnr, stored_sqnr);
        cosine.add(&b, &a).unwrap();
        stored_cosine.add(&b, &a).unwrap();
        prop_assert_eq!(cosine, stored_cosine);
    }
}

#[test]
fn a_layer_alone_is_data_too() {
    let layer: LayerCalibration = calibrated(Method::Eq).layers.remove(1);
    assert!(layer.similarity.is_some());
    assert!(again(&layer) == layer);
}
