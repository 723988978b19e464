//! Samples from folders, globs, lists and jobs; images, arrays and raw files; one input or several.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Workspace, fails, fails_with, succeeds};

const FLAGS: [&str; 6] = ["--mean", "73", "--norm", "0.0111111", "--pixel", "GRAY"];

fn read(at: &Workspace, name: &str) -> String {
    fs::read_to_string(at.path(name)).unwrap()
}

/// The table of `calibrate` with LeNet and these arguments.
fn table(at: &Workspace, more: &[&str]) -> String {
    let args = ["calibrate", "--param", "lenet.param", "--bin", "lenet.bin", "--out", "t.table"];
    succeeds(&[&args[..], &FLAGS, more].concat(), at);
    read(at, "t.table")
}

#[test]
fn a_folder_a_glob_and_a_list_are_the_same_samples() {
    let at = Workspace::with_lenet();
    let names: Vec<String> =
        fs::read_dir(at.path("calib")).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    at.write("plain.txt", names.iter().map(|name| format!("calib/{name}\n")).collect::<String>().as_bytes());
    at.write("classes.tsv", names.iter().map(|name| format!("calib/{name}\t3\n")).collect::<String>().as_bytes());
    let expected = table(&at, &["--images", "calib"]);
    for images in ["calib/*.png", "**/*.png", "plain.txt", "classes.tsv"] {
        assert_eq!(table(&at, &["--images", images]), expected, "{images}");
    }
}

#[test]
fn a_labelled_list_scores_without_further_labels() {
    let at = Workspace::with_lenet();
    let lines: String = fs::read_dir(at.path("calib"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .map(|name| format!("calib/{name}\t{}\n", name.split('_').nth(1).unwrap()))
        .collect();
    at.write("val.tsv", lines.as_bytes());
    let model = ["--param", "lenet.param", "--bin", "lenet.bin"];
    succeeds(&[&["quantize", "--images", "calib", "--out", "int8"], &model[..], &FLAGS].concat(), &at);
    let int8 = ["compare", "--int8-param", "int8.param", "--int8-bin", "int8.bin", "--images", "val.tsv"];
    let text = succeeds(&[&int8[..], &model, &FLAGS].concat(), &at);
    assert!(text.contains("top-1") && text.contains("8/8 (100.00 %)"), "{text}");
}

#[test]
fn a_job_in_toml_or_json_does_what_the_options_do_and_options_win() {
    let at = Workspace::with_lenet();
    let expected = table(&at, &["--images", "calib", "--limit", "5", "--exclude", "fc*", "--method", "absmax"]);
    let toml = "param = '../lenet.param'\nbin = '../lenet.bin'\ntable = 'job.table'\nout = 'int8'\n\
                method = 'absmax'\nlimit = 5\nexclude = ['fc*']\n\n\
                [[input]]\nimages = '../calib'\npixel = 'GRAY'\nmean = 73\nnorm = [0.0111111]\n";
    at.write("jobs/lenet.toml", toml.as_bytes());
    succeeds(&["calibrate", "--job", "jobs/lenet.toml"], &at);
    assert_eq!(read(&at, "jobs/job.table"), expected);
    let json = r#"{"param": "lenet.param", "bin": "lenet.bin", "table": "json.table", "method": "absmax", "limit": 5,
        "exclude": ["fc*"], "input": [{"images": "calib", "pixel": "GRAY", "mean": 73, "norm": 0.0111111}]}"#;
    at.write("lenet.json", json.as_bytes());
    succeeds(&["calibrate", "--job", "lenet.json"], &at);
    assert_eq!(read(&at, "json.table"), expected);
    succeeds(&["calibrate", "--job", "lenet.json", "--method", "mse", "--out", "other.table"], &at);
    assert_ne!(read(&at, "other.table"), expected);
    // The same job converts and compares.
    succeeds(&["quantize", "--job", "jobs/lenet.toml"], &at);
    assert_eq!(read(&at, "jobs/int8.table"), expected);
    let text = succeeds(&["compare", "--job", "jobs/lenet.toml"], &at);
    assert!(text.contains("\n5 samples\n"), "{text}");
}

#[test]
fn a_job_with_a_mistake_names_the_line() {
    let at = Workspace::with_lenet();
    at.write("job.toml", b"param = 'lenet.param'\nbinn = 'lenet.bin'\n");
    let message = fails(&["calibrate", "--job", "job.toml"], &at);
    assert!(message.starts_with("error: job.toml:2: unknown field `binn`"), "{message}");
    at.write("job.toml", b"param = 'lenet.param'\n");
    let message = fails(&["calibrate", "--job", "job.toml"], &at);
    assert_eq!(message, "error: neither the command line nor the job has --bin");
}

#[test]
fn all_samples_that_cannot_be_read_are_listed_or_skipped() {
    let at = Workspace::with_lenet();
    let good = table(&at, &["--images", "calib"]);
    at.write("calib/0_broken.png", b"\x89PNG\r\n\x1a\nnot really");
    at.write("calib/zz_text.jpg", b"hello");
    let args = [&at.calibrate("calib", "none.table")[..], &FLAGS[..4]].concat();
    let message = fails_with(&args, &at);
    assert!(
        message.contains("error: 2 of 10 samples cannot be read (--skip-bad goes on without them):\n"),
        "{message}"
    );
    assert!(message.contains("\n  calib/0_broken.png: ") && message.contains("\n  calib/zz_text.jpg: "), "{message}");
    assert!(!at.path("none.table").exists());
    let args = [&at.calibrate("calib", "t.table")[..], &FLAGS[..4], &["--skip-bad"]].concat();
    let text = succeeds(&args, &at);
    assert!(
        text.contains("note: 2 of 10 samples cannot be read and were skipped:\nnote: skipped calib/0_broken.png: "),
        "{text}"
    );
    assert_eq!(read(&at, "t.table"), good);
}

#[test]
fn files_that_a_list_names_in_vain_are_all_listed_or_skipped() {
    let at = Workspace::with_lenet();
    let name = fs::read_dir(at.path("calib")).unwrap().next().unwrap().unwrap().file_name().into_string().unwrap();
    at.write("list.txt", format!("gone.png\ncalib/{name}\nlost.png\n").as_bytes());
    let message = fails_with(&at.calibrate("list.txt", "t.table"), &at);
    assert!(
        message.contains("2 files of the list do not exist:\n  list.txt:1: ") && message.contains("lost.png"),
        "{message}"
    );
    let text = succeeds(&[&at.calibrate("list.txt", "t.table")[..], &["--skip-bad"]].concat(), &at);
    assert!(text.contains("2 of 3 samples cannot be read") && text.contains("layers from 1 samples"), "{text}");
    at.write("list.txt", b"gone.png\n");
    let message = fails(&[&at.calibrate("list.txt", "t.table")[..], &["--skip-bad"]].concat(), &at);
    assert!(message.starts_with("error: none of the 1 samples can be read; the first: gone.png: "), "{message}");
}

#[test]
fn a_seed_chooses_the_same_samples_every_time() {
    let at = Workspace::with_lenet();
    let chosen = |seed: &str| table(&at, &["--images", "calib", "--limit", "2", "--shuffle-seed", seed]);
    assert_eq!(chosen("7"), chosen("7"));
    let tables: std::collections::HashSet<String> = ["1", "2", "3", "4", "5"].map(chosen).into();
    assert!(tables.len() > 1);
}

#[test]
fn resize_modes_give_other_inputs() {
    let at = Workspace::with_lenet();
    // An image of 40x20 in columns.
    let pixels: Vec<u8> = (0..20).flat_map(|_| (0..40).map(|x| 6 * x)).collect();
    at.write("wide/a.pgm", &[b"P5 40 20 255\n".as_slice(), &pixels].concat());
    let modes = ["stretch", "crop", "crop:30", "letterbox", "letterbox:0"];
    let tables: Vec<String> = modes.iter().map(|mode| table(&at, &["--images", "wide", "--resize", mode])).collect();
    assert!((1..tables.len()).all(|i| !tables[..i].contains(&tables[i])), "{modes:?}");
    assert_eq!(table(&at, &["--images", "wide"]), tables[0]);
    let args = [&at.calibrate("wide", "t.table")[..], &["--resize", "keep"]].concat();
    let message = fails(&args, &at);
    assert!(message.contains("layer fc1: "), "LeNet takes one size only: {message}");
}

/// Two inputs of different shapes that meet in a convolution, three samples of each.
fn two_inputs() -> Workspace {
    let at = Workspace::new();
    let param = "7767517\n5 5\nInput left 0 1 left 0=4 1=3 2=2\nInput right 0 1 right 0=2\n\
                 BinaryOp add 2 1 left right sum\nConvolution conv 1 1 sum a 0=2 1=1 6=4\nReLU relu 1 1 a out\n";
    at.write("two.param", param.as_bytes());
    at.write("two.bin", &[&[0; 4][..], &floats(&[1.0, -0.5, 0.25, 2.0])].concat());
    for (index, name) in ["a", "b", "c"].into_iter().enumerate() {
        let value = index as f32 + 1.0;
        at.write(&format!("l/{name}.raw"), &floats(&[value; 24]));
        let header = format!("{:<117}\n", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }");
        let npy = [&b"\x93NUMPY\x01\x00\x76\x00"[..], header.as_bytes(), &floats(&[10.0 * value, -value])].concat();
        at.write(&format!("r/{name}.npy"), &npy);
    }
    at
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn a_network_with_several_inputs_gets_a_sample_for_each() {
    let at = two_inputs();
    let model = ["calibrate", "--param", "two.param", "--bin", "two.bin", "--out", "t.table"];
    let text = succeeds(&[&model[..], &["--images", "left=l", "--images", "right=r", "--json"]].concat(), &at);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&json["samples"], &json["layers"][0]["absmax"]), (&3.into(), &33.0.into()));
    let expected = read(&at, "t.table");
    let job = "param = 'two.param'\nbin = 'two.bin'\ntable = 'job.table'\nout = 'int8'\n\
               [[input]]\nblob = 'left'\nimages = 'l'\nshape = [4, 3, 2]\n[[input]]\nblob = 'right'\nimages = 'r'\n";
    at.write("job.toml", job.as_bytes());
    succeeds(&["calibrate", "--job", "job.toml"], &at);
    assert_eq!(read(&at, "job.table"), expected);
    succeeds(&["quantize", "--job", "job.toml"], &at);
    let text = succeeds(&["compare", "--job", "job.toml"], &at);
    assert!(text.contains("3 samples"), "{text}");
}

#[test]
fn samples_that_do_not_pair_up_are_refused() {
    let at = two_inputs();
    let args = |left: &'static str, right: &'static str| {
        let model = ["calibrate", "--param", "two.param", "--bin", "two.bin", "--out", "t.table"];
        [&model[..], &["--images", left, "--images", right]].concat()
    };
    let message = fails(&args("left=l/a.raw", "right=r"), &at);
    assert!(message.contains("left has 1 samples and right has 3"), "{message}");
    let message = fails(&args("left=l/a.raw", "right=r/b.npy"), &at);
    assert!(message.contains("l/a.raw for left would go with r/b.npy for right"), "{message}");
    let message = fails(&args("left=l", "wrong=r"), &at);
    assert_eq!(message, "error: no input is called wrong; there are left, right");
    let message = fails(&args("left=l", "left=l"), &at);
    assert_eq!(message, "error: no samples for the input right; give --images right=DIR");
    let message = fails(&[&args("left=l", "right=r")[..], &["--shape", "left=4,3,1"]].concat(), &at);
    assert!(message.contains("l/c.raw: ") && message.contains("has 48 bytes as float32, found 96"), "{message}");
}
