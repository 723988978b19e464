//! Layers that stay float because the user says so.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Workspace, fails, succeeds};

fn terms(at: &Workspace, param: &str) -> Vec<(String, bool)> {
    let text = fs::read_to_string(at.path(param)).unwrap();
    let names = ["conv1", "conv2", "fc1", "fc2"];
    let is_int8 = |name: &str| {
        let line = text.lines().find(|line| line.split_whitespace().nth(1) == Some(name)).unwrap();
        line.contains(" 8=")
    };
    names.iter().map(|name| ((*name).to_owned(), is_int8(name))).collect()
}

fn float_layers(at: &Workspace, param: &str) -> Vec<String> {
    terms(at, param).into_iter().filter(|(_, int8)| !int8).map(|(name, _)| name).collect()
}

#[test]
fn excluded_layers_are_comments_in_the_table_and_float_in_the_model() {
    let at = Workspace::with_lenet();
    let calibrate = [&at.calibrate("calib", "t.table")[..], &["--exclude", "conv2", "--float-last"]].concat();
    let text = succeeds(&calibrate, &at);
    assert!(text.contains("note: layer conv2 stays float: excluded by conv2\n"), "{text}");
    let table = fs::read_to_string(at.path("t.table")).unwrap();
    for line in [
        "# layer conv2 stays float: excluded by conv2\n#conv2_param_0 ",
        "#conv2 ",
        "float: one of the last layers\n#fc2 ",
    ] {
        assert!(table.contains(line), "{line} in {table}");
    }
    assert!(!table.contains("\n\n"), "a blank line ends the table for ncnn2int8");
    succeeds(&at.quantize("t.table", "out"), &at);
    assert_eq!(float_layers(&at, "out.param"), ["conv2", "fc2"]);
}

#[test]
fn quantize_excludes_from_a_table_and_from_images_alike() {
    let at = Workspace::with_lenet();
    succeeds(&at.calibrate("calib", "t.table"), &at);
    let only = ["--only", "conv*", "--float-first"];
    let text = succeeds(&[&at.quantize("t.table", "out")[..], &only].concat(), &at);
    assert_eq!(text.matches("stays float").count(), 3, "each layer is named once: {text}");
    assert_eq!(float_layers(&at, "out.param"), ["conv1", "fc1", "fc2"]);
    let model = ["quantize", "--param", "lenet.param", "--bin", "lenet.bin", "--pixel", "GRAY"];
    succeeds(&[&model[..], &["--images", "calib", "--out", "direct"], &only].concat(), &at);
    assert_eq!(float_layers(&at, "direct.param"), ["conv1", "fc1", "fc2"]);
    assert_eq!(fs::read(at.path("out.bin")).unwrap(), fs::read(at.path("direct.bin")).unwrap());
}

#[test]
fn a_misspelt_pattern_is_refused_before_anything_is_done() {
    let at = Workspace::with_lenet();
    let message = fails(&[&at.calibrate("nowhere", "t.table")[..], &["--exclude", "cnv1"]].concat(), &at);
    assert!(message.starts_with("error: cnv1 matches no layer that could be int8; did you mean conv1"), "{message}");
}
