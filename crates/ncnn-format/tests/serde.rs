//! Remarks and layer types as data.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use ncnn_format::{LayerKind, Place, Remark, Severity};
use serde_json::{from_value, json, to_value};

#[test]
fn a_remark_is_written_by_its_schema_and_read_back() {
    let remark = Remark::warning("zero-channels", "channel 3 is zero")
        .advise("calibrate again")
        .in_layer("conv1")
        .at_line(3)
        .in_file("a.param");
    let schema = json!({
        "severity": "warning",
        "code": "zero-channels",
        "place": { "file": "a.param", "line": 3, "layer": "conv1" },
        "message": "channel 3 is zero",
        "advice": "calibrate again",
    });
    assert_eq!(to_value(&remark).unwrap(), schema);
    assert_eq!(from_value::<Remark>(schema).unwrap(), remark);
}

#[test]
fn what_a_remark_does_not_have_is_absent() {
    let remark = Remark::note("no-samples", "there were no samples");
    let schema = json!({ "severity": "note", "code": "no-samples", "message": "there were no samples" });
    assert_eq!(to_value(&remark).unwrap(), schema);
    assert_eq!(from_value::<Remark>(schema).unwrap(), remark);
    assert_eq!(to_value(Place::default()).unwrap(), json!({}));
}

#[test]
fn severities_have_the_names_that_people_read() {
    for severity in [Severity::Note, Severity::Warning, Severity::Error] {
        assert_eq!(to_value(severity).unwrap(), json!(severity.to_string()));
    }
    assert!(from_value::<Severity>(json!("fatal")).is_err());
}

#[test]
fn a_layer_type_is_its_name_whether_ncnn_knows_it_or_not() {
    for name in ["ConvolutionDepthWise", "YoloV9Head", ""] {
        let kind = LayerKind::from(name);
        assert_eq!(to_value(&kind).unwrap(), json!(name));
        assert_eq!(from_value::<LayerKind>(json!(name)).unwrap(), kind);
    }
    let text = r#""Convolution\u0031D""#;
    assert_eq!(serde_json::from_str::<LayerKind>(text).unwrap(), LayerKind::Convolution1D, "escapes are resolved");
    assert!(from_value::<LayerKind>(json!(6)).is_err());
}
