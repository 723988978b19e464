//! What `check` calls clean can be run, and what cannot be run it does not call clean.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{Workspace, run};

/// The network of these lines behind an input of 3x4x4, with one tag and then halves as `floats` weights; and that input.
fn network(lines: &str, floats: usize) -> Workspace {
    let at = Workspace::new();
    let count = lines.lines().count() + 1;
    let made: usize = lines.lines().map(|line| line.split_whitespace().nth(3).unwrap().parse::<usize>().unwrap()).sum();
    let blobs = made + 1;
    at.write("n.param", format!("7767517\n{count} {blobs}\nInput data 0 1 data 0=4 1=4 2=3\n{lines}\n").as_bytes());
    let weights = (0..floats).flat_map(|index| if index == 0 { [0; 4] } else { 0.5f32.to_le_bytes() });
    at.write("n.bin", &weights.collect::<Vec<u8>>());
    let header = format!("{:<117}\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4, 4), }");
    let values: Vec<u8> = (0..48u16).flat_map(|i| f32::from(i).to_le_bytes()).collect();
    at.write("x.npy", &[&b"\x93NUMPY\x01\x00\x76\x00"[..], header.as_bytes(), &values].concat());
    at
}

/// What `check` says, and whether `run` works.
fn checked(lines: &str, floats: usize) -> (String, bool, String) {
    let at = network(lines, floats);
    let check = run(&["check", "n.param"], &at);
    let ran = run(&["run", "--param", "n.param", "--bin", "n.bin", "--npy", "x.npy"], &at);
    assert!(check.status.code().is_some_and(|code| code < 2), "{lines}: {}", String::from_utf8_lossy(&check.stderr));
    assert!(ran.status.code().is_some_and(|code| code < 2), "{lines}: run neither works nor fails");
    (String::from_utf8(check.stdout).unwrap(), ran.status.success(), String::from_utf8_lossy(&ran.stderr).into_owned())
}

#[test]
fn what_cannot_be_run_is_not_called_clean() {
    for (lines, floats) in [
        ("MyLayer bad 1 1 data out", 0),
        ("PixelShuffle bad 1 1 data out 0=0", 0),
        ("PixelShuffle bad 1 1 data out 0=2", 0),
        ("Crop bad 1 1 data out 0=9", 0),
        ("Reshape bad 1 1 data out 0=7", 0),
        ("Permute bad 1 1 data out 0=99", 0),
        ("Pooling bad 1 1 data out 1=9", 0),
        ("Pooling bad 1 1 data out 1=2 2=0", 0),
        ("ShuffleChannel bad 1 1 data out 0=2", 0),
        ("Convolution bad 1 1 data out 0=1 1=9 6=243", 244),
        ("Convolution bad 1 1 data out 0=2 1=1 6=10", 11),
        ("Convolution bad 1 1 data out 0=2 1=1 3=0 6=6", 7),
        ("ConvolutionDepthWise bad 1 1 data out 0=4 1=1 6=8 7=2", 9),
        ("InnerProduct bad 1 1 data out 0=2 2=7", 8),
        ("Scale bad 1 1 data out 0=5", 5),
        ("BatchNorm bad 1 1 data out 0=2", 8),
        ("Split two 1 2 data a b\nPooling half 1 1 a c 1=2 2=2\nConcat bad 2 1 b c out 0=0", 0),
        ("Split two 1 2 data a b\nPooling half 1 1 a c 1=3 2=1\nBinaryOp bad 2 1 b c out 0=0", 0),
        ("ReLU bad 1 1 nowhere out", 0),
    ] {
        let (found, runs, message) = checked(lines, floats);
        assert!(!runs, "{lines}: it runs");
        assert!(found.contains("layer bad: "), "{lines}: run says {message}check says {found}");
    }
}

#[test]
fn what_is_called_clean_can_be_run() {
    for (lines, floats) in [
        ("ReLU good 1 1 data out", 0),
        ("PixelShuffle good 1 1 data out 0=1", 0),
        ("Crop good 1 1 data out 0=1 1=1 3=2 4=2 5=3", 0),
        ("Reshape good 1 1 data out 0=48", 0),
        ("Permute good 1 1 data out 0=3", 0),
        ("Pooling good 1 1 data out 1=2 2=2", 0),
        ("ShuffleChannel good 1 1 data out 0=3", 0),
        ("Convolution good 1 1 data out 0=2 1=3 6=54", 55),
        ("ConvolutionDepthWise good 1 1 data out 0=3 1=3 6=27 7=3", 28),
        ("InnerProduct good 1 1 data out 0=2 2=96", 97),
        ("Split two 1 2 data a b\nBinaryOp good 2 1 a b out 0=0", 0),
        ("Split two 1 2 data a b\nConcat good 2 1 a b out 0=0", 0),
        ("Softmax good 1 1 data out 0=0", 0),
    ] {
        let (found, runs, message) = checked(lines, floats);
        assert_eq!(found, "nothing found\n", "{lines}");
        assert!(runs, "{lines}: {message}");
    }
}

#[test]
fn a_finding_has_the_place_and_for_programs_the_same() {
    let at = network("PixelShuffle up 1 1 data out 0=0", 0);
    let output = run(&["check", "--json", "n.param"], &at);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(json["errors"], finding.as_object().map_or(0, |_| 1));
    assert!(finding["message"].as_str().unwrap().starts_with("n.param: "), "{finding}");
    assert!(finding["message"].as_str().unwrap().contains("layer up: "), "{finding}");
    assert_eq!(finding["place"], serde_json::json!({ "file": "n.param", "layer": "up" }));
    assert!(finding["code"].is_string() && finding["advice"].is_string(), "{finding}");
}
