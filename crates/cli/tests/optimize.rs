//! `optimize` by itself and on the way to int8.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Workspace, fails, run, succeeds};

const OPTIMIZE: [&str; 7] = ["optimize", "--param", "lenet.param", "--bin", "lenet.bin", "--out", "small"];

#[test]
fn a_network_shrinks_and_says_how_far_its_outputs_moved() {
    let at = Workspace::with_lenet();
    let text = succeeds(&OPTIMIZE, &at);
    assert!(text.contains("ReLU relu1: fused into conv1\n"), "{text}");
    assert!(text.contains("9 layers, 12 before; largest relative difference "), "{text}");
    let json = succeeds(&[&OPTIMIZE[..], &["--json"]].concat(), &at);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["layers"], 9);
    let is_of_relu1 = |remark: &&serde_json::Value| remark["place"]["layer"] == "relu1";
    let remark = json["remarks"].as_array().unwrap().iter().find(is_of_relu1).unwrap();
    assert_eq!((&remark["code"], &remark["message"]), (&"optimized".into(), &"ReLU: fused into conv1".into()));
    assert!(json["outputs"][0]["relative_difference"].as_f64().unwrap() < 1e-5);
    // What is small already does not shrink.
    let again = ["optimize", "--param", "small.param", "--bin", "small.bin", "--out", "again"];
    assert!(succeeds(&again, &at).starts_with("9 layers, 9 before; "));
    assert_eq!(fs::read(at.path("small.param")).unwrap(), fs::read(at.path("again.param")).unwrap());
    assert_eq!(fs::read(at.path("small.bin")).unwrap(), fs::read(at.path("again.bin")).unwrap());
}

#[test]
fn nothing_is_written_when_outputs_differ_by_more_than_allowed() {
    let at = Workspace::with_lenet();
    let message = fails(&[&OPTIMIZE[..], &["--tolerance=-1"]].concat(), &at);
    assert!(message.contains("output prob differs by ") && message.contains("more than -1e0"), "{message}");
    assert!(!at.path("small.param").exists());
    let text = succeeds(&[&OPTIMIZE[..], &["--runs", "0"]].concat(), &at);
    assert!(text.contains("outputs were not compared"), "{text}");
}

#[test]
fn wrong_names_and_shapes_are_said() {
    let at = Workspace::with_lenet();
    for (more, expected) in [
        (["--keep", "nowhere"], "no blob is called nowhere"),
        (["--output", "nowhere"], "no blob is called nowhere"),
        (["--shape", "nowhere=28,28,1"], "no input is called nowhere; there are data"),
    ] {
        let message = fails(&[&OPTIMIZE[..], &more].concat(), &at);
        assert_eq!(message, format!("error: {expected}"));
    }
    at.write("free.param", b"7767517\n2 2\nInput data 0 1 data\nReLU r 1 1 data out\n");
    at.write("free.bin", b"");
    let args = ["optimize", "--param", "free.param", "--bin", "free.bin", "--out", "small"];
    let message = fails(&args, &at);
    assert!(
        message.ends_with("so nothing can be compared; give --shape, or compare nothing with --runs 0"),
        "{message}"
    );
    succeeds(&[&args[..], &["--shape", "5,4,3"]].concat(), &at);
}

#[test]
fn on_the_way_it_gives_the_same_int8_model_as_by_itself() {
    let at = Workspace::with_lenet();
    succeeds(&OPTIMIZE, &at);
    let images = ["--images", "calib", "--mean", "73", "--norm", "0.0111111"];
    let steps = ["quantize", "--param", "small.param", "--bin", "small.bin", "--out", "steps"];
    succeeds(&[&steps[..], &images].concat(), &at);
    let model = ["--param", "lenet.param", "--bin", "lenet.bin"];
    let text = succeeds(&[&["quantize", "--optimize", "--out", "way"], &model[..], &images].concat(), &at);
    assert!(text.contains("9 layers, 12 before; "), "{text}");
    let table = [&["calibrate", "--optimize", "--out", "t.table"], &model[..], &images].concat();
    assert!(succeeds(&table, &at).contains("the table is for the optimized model"));
    succeeds(&[&["quantize", "--optimize", "--table", "t.table", "--out", "two"], &model[..]].concat(), &at);
    for suffix in ["param", "bin"] {
        let read = |stem: &str| fs::read(at.path(&format!("{stem}.{suffix}"))).unwrap();
        assert_eq!(read("steps"), read("way"), "{suffix}");
        assert_eq!(read("steps"), read("two"), "{suffix}");
    }
}

#[test]
fn the_help_says_when_to_use_it() {
    let output = run(&["optimize", "--help"], &Workspace::new());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("before calibrating") && text.contains("--keep"), "{text}");
}
