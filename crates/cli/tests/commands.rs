//! Every command does its work on a real network, for people and for machines.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Workspace, succeeds};
use serde_json::Value;

const INPUT: [&str; 4] = ["--mean", "73", "--norm", "0.0111111"];

fn json(args: &[&str], at: &Workspace) -> Value {
    serde_json::from_str(&succeeds(&[args, &["--json"]].concat(), at)).unwrap()
}

/// LeNet, calibrated and converted to `int8.*` in one go.
fn quantized() -> Workspace {
    let at = Workspace::with_lenet();
    let args = ["quantize", "--param", "lenet.param", "--bin", "lenet.bin", "--images", "calib", "--out", "int8"];
    let output = json(&[&args[..], &INPUT].concat(), &at);
    assert_eq!(output["table"], "int8.table");
    assert_eq!(output["layers"].as_array().unwrap().len(), 4);
    at
}

#[test]
fn one_go_and_two_steps_give_the_same_bytes() {
    let at = quantized();
    let mut calibrate = at.calibrate("calib", "t.table");
    calibrate.extend(INPUT);
    let calibrated = json(&calibrate, &at);
    assert_eq!(calibrated["samples"], 8);
    assert_eq!(calibrated["layers"][0]["rule"], "absmax");
    succeeds(&at.quantize("t.table", "two"), &at);
    for suffix in ["param", "bin"] {
        let read = |stem: &str| fs::read(at.path(&format!("{stem}.{suffix}"))).unwrap();
        assert_eq!(read("int8"), read("two"), "{suffix}");
    }
    assert_eq!(fs::read(at.path("int8.table")).unwrap(), fs::read(at.path("t.table")).unwrap());
}

#[test]
fn run_ranks_classes_and_saves_outputs() {
    let at = quantized();
    at.write("names.txt", b"shirt\ntrouser\npullover\ndress\ncoat\nsandal\nblouse\nsneaker\nbag\nboot\n");
    let image = ["--image", "calib/00000_9_boot.png", "--top", "2", "--classes", "names.txt"];
    for model in ["lenet", "int8"] {
        let files = [format!("{model}.param"), format!("{model}.bin")];
        let args =
            [&["run", "--param", &files[0], "--bin", &files[1], "--save-npy", "out"][..], &image, &INPUT].concat();
        let output = json(&args, &at);
        assert_eq!(output["outputs"][0]["blob"], "prob");
        assert_eq!(output["outputs"][0]["top"][0]["name"], "boot");
        assert_eq!(output["outputs"][0]["top"].as_array().unwrap().len(), 2);
        assert!(at.path("out/prob.npy").is_file());
    }
    // What was saved can be fed again: to a network that takes ten values.
    at.write("ten.param", b"7767517\n2 2\nInput in 0 1 in\nReLU relu 1 1 in out\n");
    at.write("ten.bin", b"");
    for npy in ["out/prob.npy", "in=out/prob.npy"] {
        let output = json(&["run", "--param", "ten.param", "--bin", "ten.bin", "--npy", npy], &at);
        assert_eq!(output["outputs"][0]["top"][0]["index"], 9);
    }
}

#[test]
fn compare_scores_both_networks_and_every_layer() {
    let at = quantized();
    let labels: String = fs::read_dir(at.path("calib"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| format!("{name}\t{}\n", name.split('_').nth(1).unwrap()))
        .collect();
    at.write("labels.tsv", labels.as_bytes());
    let args = [&at.compare("calib", "labels.tsv")[..], &INPUT].concat();
    let output = json(&args, &at);
    assert_eq!(output["scores"]["labelled"], 8);
    assert_eq!(output["scores"]["fp32"]["top1"], output["scores"]["int8"]["top1"]);
    assert_eq!(output["layers"].as_array().unwrap().len(), 5);
    assert!(output["layers"][0]["sqnr_db"].as_f64().unwrap() > 30.0);
    let text = succeeds(&args, &at);
    assert!(text.contains("same top-1 class: 8/8 (100.00 %)"), "{text}");
}

#[test]
fn inspect_describes_models_and_tables() {
    let at = quantized();
    let output = json(&["inspect", "int8.param", "int8.table"], &at);
    assert_eq!(output.as_array().unwrap().len(), 2);
    let text = succeeds(&["inspect", "int8.param", "int8.table"], &at);
    assert!(text.contains("int8.param: 12 layers, 12 blobs"), "{text}");
    assert!(text.contains("conv1_param_0"), "{text}");
}

#[test]
fn arrays_need_no_shape() {
    let at = Workspace::new();
    at.write("fc.param", b"7767517\n2 2\nInput in 0 1 in\nInnerProduct fc 1 1 in out 0=1 2=4\n");
    let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    at.write("fc.bin", &[&[0; 4][..], &floats(&[1.0, -2.0, 3.0, 0.5])].concat());
    let header = format!("{:<117}\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }");
    at.write(
        "in/a.npy",
        &[&b"\x93NUMPY\x01\x00\x76\x00"[..], header.as_bytes(), &floats(&[1.0, 2.0, -3.0, 4.0])].concat(),
    );
    let args = ["calibrate", "--param", "fc.param", "--bin", "fc.bin", "--images", "in", "--out", "fc.table"];
    assert_eq!(json(&args, &at)["layers"][0]["absmax"], 4.0);
}

#[test]
fn bench_times_the_network_and_its_layers() {
    let at = quantized();
    let files = ["bench", "--param", "int8.param", "--bin", "int8.bin", "--loops", "2", "--threads", "1"];
    let int8 = json(&[&files[..], &["--compare", "fp32"]].concat(), &at);
    assert!(int8["min_ms"].as_f64().unwrap() <= int8["median_ms"].as_f64().unwrap());
    assert!(int8["fp32"]["median_ms"].as_f64().unwrap() > 0.0);
    assert_eq!((&int8["kind"], &int8["loops"], &int8["threads"]), (&"int8".into(), &2.into(), &1.into()));
    let layers = int8["layers"].as_array().unwrap();
    assert!(layers.iter().any(|layer| layer["type"] == "InnerProduct" && layer["macs"].as_u64().unwrap() > 0));
    let scalar = json(&[&files[..], &["--isa", "scalar"]].concat(), &at);
    assert_eq!(scalar["isa"], "scalar");
    let fp32 = ["bench", "--param", "lenet.param", "--bin", "lenet.bin", "--loops", "1"];
    assert_eq!(json(&fp32, &at)["kind"], "fp32");
    let message = common::fails(&[&fp32[..], &["--compare", "fp32"]].concat(), &at);
    assert_eq!(message, "error: --compare fp32 needs an int8 network");
    let message = common::fails(&[&files[..], &["--isa", "mmx"]].concat(), &at);
    assert!(message.starts_with("error: this CPU has no instruction set mmx; it has scalar"), "{message}");
}

#[test]
fn plan_explains_every_step() {
    let at = quantized();
    let files = ["plan", "--param", "int8.param", "--bin", "int8.bin"];
    let text = succeeds(&[&files[..], &["--explain", "--shape", "28,28,1"]].concat(), &at);
    assert!(text.lines().next().unwrap().contains("multiply-adds"), "{text}");
    assert!(text.contains("max_pool") && text.contains("GB/s"), "{text}");
    let plan = json(&files, &at);
    let steps = plan["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["kernel"] == "quantize"));
    assert!(steps.iter().all(|step| step["bound"] == "compute" || step["bound"] == "memory"));
    assert!(plan["buffer_bytes"].as_u64().unwrap() > 0);
}
