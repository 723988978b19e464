//! Counting that is interrupted, divided and used again.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::time::{Duration, Instant};

use common::{Workspace, fails, spawn, succeeds};

const FLAGS: [&str; 6] = ["--mean", "73", "--norm", "0.0111111", "--pixel", "GRAY"];

fn calibrate<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["calibrate", "--param", "lenet.param", "--bin", "lenet.bin", "--images", "calib"], &FLAGS[..], more].concat()
}

fn read(at: &Workspace, name: &str) -> Vec<u8> {
    fs::read(at.path(name)).unwrap()
}

/// How many samples a statistics file has; `None` while it cannot be read.
fn counted(at: &Workspace, name: &str) -> Option<usize> {
    let json: serde_json::Value = serde_json::from_slice(&fs::read(at.path(name)).ok()?).unwrap();
    Some(json["samples"].as_array().unwrap().len())
}

#[test]
fn thresholds_by_another_method_are_those_of_calibrating_with_it() {
    let at = Workspace::with_lenet();
    succeeds(&calibrate(&["--out", "first.table", "--stats", "lenet.stats"]), &at);
    for method in ["mse", "absmax", "kl"] {
        let exactly = ["--passes", "1", "--winograd", "proven"];
        succeeds(&calibrate(&[&["--out", "direct.table", "--method", method], &exactly[..]].concat()), &at);
        let thresholds = ["thresholds", "--stats", "lenet.stats", "--param", "lenet.param", "--bin", "lenet.bin"];
        let text = succeeds(
            &[&thresholds[..], &["--method", method, "--winograd", "proven", "--out", "later.table"]].concat(),
            &at,
        );
        assert!(text.ends_with("wrote later.table: 4 layers from 8 samples\n"), "{text}");
        assert_eq!(read(&at, "direct.table"), read(&at, "later.table"), "{method}");
    }
    for method in ["moving-average", "eq"] {
        let thresholds = ["thresholds", "--stats", "lenet.stats", "--param", "lenet.param", "--bin", "lenet.bin"];
        let message = fails(&[&thresholds[..], &["--method", method, "--out", "later.table"]].concat(), &at);
        assert_eq!(
            message,
            format!("error: lenet.stats: {method} needs the samples themselves, counts are not enough")
        );
    }
    // The default compares outputs, which statistics cannot; it says so.
    let text = succeeds(&calibrate(&["--out", "again.table", "--stats", "lenet.stats"]), &at);
    assert!(text.contains("note: the rules of 3 of 4 inputs were chosen by the squared error of the input"), "{text}");
    assert_eq!(read(&at, "first.table"), read(&at, "again.table"));
}

#[test]
fn methods_that_need_samples_are_refused_before_anything_is_counted() {
    let at = Workspace::with_lenet();
    for method in ["eq", "moving-average"] {
        let message = fails(&calibrate(&["--out", "t.table", "--stats", "none.stats", "--method", method]), &at);
        assert_eq!(message, format!("error: {method} needs the samples themselves, counts are not enough"));
        assert!(counted(&at, "none.stats").is_none());
    }
}

#[test]
fn four_shards_merged_in_any_order_are_the_bytes_of_one_process() {
    let at = Workspace::with_lenet();
    let choice = ["--limit", "7", "--shuffle-seed", "3"];
    succeeds(&calibrate(&[&["--out", "t.table", "--stats", "one.stats", "--threads", "1"], &choice[..]].concat()), &at);
    for part in ["1", "2", "3", "4"] {
        let (file, shard) = (format!("{part}.stats"), format!("{part}/4"));
        let more = [&["--stats", &file, "--shard", &shard, "--threads", part], &choice[..]].concat();
        succeeds(&calibrate(&more), &at);
    }
    for order in [["1", "2", "3", "4"], ["4", "3", "2", "1"], ["3", "1", "4", "2"]] {
        let files = order.map(|part| format!("{part}.stats"));
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let text = succeeds(&[&["merge", "--out", "all.stats"], &files[..]].concat(), &at);
        assert_eq!(text, "wrote all.stats: 7 of 7 samples, 0 skipped\n");
        assert!(read(&at, "one.stats") == read(&at, "all.stats"), "{order:?}");
    }
    // Merging in two steps is the same.
    succeeds(&["merge", "--out", "a.stats", "2.stats", "4.stats"], &at);
    let text = succeeds(&["merge", "--out", "b.stats", "3.stats", "1.stats"], &at);
    assert!(text.starts_with("note: 3 of 7 samples are not counted yet\n"), "{text}");
    succeeds(&["merge", "--out", "all.stats", "a.stats", "b.stats"], &at);
    assert!(read(&at, "one.stats") == read(&at, "all.stats"));
}

#[test]
fn a_run_that_is_killed_is_taken_up_again_and_gives_the_same_bytes() {
    let at = Workspace::with_lenet();
    // Many samples, so that there is a middle to be killed in; an emulator needs fewer.
    let samples = if cfg!(target_arch = "x86_64") { 2000 } else { 300 };
    let names: Vec<_> = fs::read_dir(at.path("calib")).unwrap().map(|it| it.unwrap().file_name()).collect();
    let list: String = (0..samples).map(|i| format!("calib/{}\n", names[i % names.len()].to_str().unwrap())).collect();
    at.write("many.txt", list.as_bytes());
    let args = |stats| {
        let model = ["calibrate", "--param", "lenet.param", "--bin", "lenet.bin", "--images", "many.txt", "--quiet"];
        [&model[..], &FLAGS, &["--out", "t.table", "--stats", stats]].concat()
    };
    let mut child = spawn(&[&args("killed.stats")[..], &["--checkpoint-every", "20", "--threads", "1"]].concat(), &at);
    let start = Instant::now();
    while counted(&at, "killed.stats").is_none() && start.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(2));
    }
    // SIGKILL: the process gets no chance to tidy up.
    child.kill().unwrap();
    child.wait().unwrap();
    let before = counted(&at, "killed.stats").unwrap();
    assert!(0 < before && before < samples, "killed in the middle, not after {before} samples");
    let text = succeeds(&args("killed.stats"), &at);
    assert!(text.contains(&format!("note: killed.stats had {before} of {samples} samples already\n")), "{text}");
    let table = read(&at, "t.table");
    succeeds(&args("whole.stats"), &at);
    assert!(read(&at, "killed.stats") == read(&at, "whole.stats"));
    assert_eq!(read(&at, "t.table"), table);
}

#[test]
fn statistics_hold_no_paths_and_no_times_and_say_where_they_come_from() {
    let at = Workspace::with_lenet();
    let images = at.path("calib");
    let flags = ["calibrate", "--param", "lenet.param", "--bin", "lenet.bin", "--out", "t.table"];
    let absolute = ["--images", images.to_str().unwrap(), "--stats", "absolute.stats"];
    succeeds(&[&flags[..], &FLAGS, &absolute].concat(), &at);
    succeeds(&calibrate(&["--out", "t.table", "--stats", "relative.stats"]), &at);
    assert_eq!(read(&at, "absolute.stats"), read(&at, "relative.stats"));
    let json: serde_json::Value = serde_json::from_slice(&read(&at, "relative.stats")).unwrap();
    assert_eq!((&json["format"], &json["version"]), (&"ncnn-quant statistics".into(), &1.into()));
    assert_eq!(json["inputs"][0], "data: 1x28x28, pixel GRAY, mean [73.0], norm [0.0111111], resize stretch");
    assert_eq!(json["samples"][0]["name"].as_str().unwrap(), "00000_9_boot.png");
    assert_eq!(json["samples"][0]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn statistics_of_something_else_are_refused_with_the_difference() {
    let at = Workspace::with_lenet();
    succeeds(&calibrate(&["--out", "t.table", "--stats", "a.stats"]), &at);
    let message = fails(&calibrate(&["--out", "t.table", "--stats", "a.stats", "--norm", "0.5"]), &at);
    assert!(
        message.starts_with("error: a.stats: the statistics are of another input: ") && message.contains("norm [0.5]"),
        "{message}"
    );
    let message = fails(&calibrate(&["--out", "t.table", "--stats", "a.stats", "--limit", "3"]), &at);
    assert!(message.contains("another choice of samples: none, here it is limit 3; "), "{message}");
    succeeds(
        &["convert", "lenet.param", "copy.param", "--bin", "lenet.bin", "--out-bin", "copy.bin", "--storage", "fp32"],
        &at,
    );
    let thresholds =
        ["thresholds", "--stats", "a.stats", "--param", "copy.param", "--bin", "copy.bin", "--out", "t.table"];
    let message = fails(&thresholds, &at);
    assert!(message.starts_with("error: a.stats: the statistics are of another .bin: "), "{message}");
    let message = fails(&["merge", "--out", "all.stats", "a.stats", "a.stats"], &at);
    assert_eq!(message, "error: a.stats: both have counted sample 0 (00000_9_boot.png)");
    let text = String::from_utf8(read(&at, "a.stats")).unwrap();
    at.write("new.stats", text.replacen("\"version\":1", "\"version\":2", 1).as_bytes());
    let message = fails(&["merge", "--out", "all.stats", "new.stats"], &at);
    assert_eq!(message, "error: new.stats: version 2 of the format; this reads 1");
    at.write("cut.stats", &text.as_bytes()[..text.len() / 2]);
    let message = fails(&["merge", "--out", "all.stats", "cut.stats"], &at);
    assert!(message.starts_with("error: cut.stats: no statistics, or damaged ones: "), "{message}");
}

#[test]
fn counts_that_do_not_add_up_are_refused() {
    let at = Workspace::with_tiny_net(&[1.0, 0.5]);
    succeeds(&at.tiny(&["--stats", "t.stats"]), &at);
    let text = String::from_utf8(read(&at, "t.stats")).unwrap();
    for (from, to) in
        [("\"zeros\":1", "\"zeros\":2"), ("\"first_bin\":", "\"first_bin\":40"), ("\"min\":-", "\"min\":9")]
    {
        at.write("bad.stats", text.replacen(from, to, 1).as_bytes());
        let message = fails(&["merge", "--out", "all.stats", "bad.stats"], &at);
        assert!(message.starts_with("error: bad.stats: blob data: "), "{from}: {message}");
    }
}

#[test]
fn skipped_samples_are_on_record_and_not_tried_again() {
    let at = Workspace::with_lenet();
    at.write("calib/0_broken.png", b"no image");
    let message = fails(&calibrate(&["--out", "t.table", "--stats", "a.stats"]), &at);
    assert!(message.contains("0_broken.png: "), "{message}");
    let more = ["--out", "t.table", "--stats", "b.stats", "--skip-bad"];
    let text = succeeds(&calibrate(&more), &at);
    assert!(text.contains("note: 1 of 9 samples cannot be read and were skipped:"), "{text}");
    let json: serde_json::Value = serde_json::from_slice(&read(&at, "b.stats")).unwrap();
    assert_eq!((&json["skipped"][0]["name"], &json["samples_in_all"]), (&"0_broken.png".into(), &9.into()));
    let text = succeeds(&calibrate(&more), &at);
    assert!(text.contains("b.stats had 8 of 9 samples already") && !text.contains("were skipped"), "{text}");
}
