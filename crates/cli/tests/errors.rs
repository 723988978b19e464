//! What a user reads when something is wrong: every message names the place and the value.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Workspace, fails, succeeds};

#[test]
fn a_missing_model_names_the_file() {
    let at = Workspace::new();
    let message =
        fails(&["calibrate", "--param", "none.param", "--bin", "none.bin", "--images", ".", "--out", "t.table"], &at);
    assert!(message.starts_with("error: none.param: cannot read: "), "{message}");
}

#[test]
fn an_unreadable_image_names_the_image_and_leaves_no_table() {
    let at = Workspace::with_lenet();
    at.write("images/broken.png", b"\x89PNG\r\n\x1a\nnot really");
    let message = fails(&at.calibrate("images", "t.table"), &at);
    assert!(message.contains("images/broken.png: "), "{message}");
    assert!(!at.path("t.table").exists());
}

#[test]
fn an_empty_folder_and_an_empty_list_say_so() {
    let at = Workspace::with_lenet();
    fs::create_dir(at.path("nothing")).unwrap();
    let message = fails(&at.calibrate("nothing", "t.table"), &at);
    assert!(message.starts_with("error: nothing: no JPEG, PNG, BMP, PNM or .npy file"), "{message}");
    at.write("list.txt", b"\n# only a comment\n");
    let message = fails(&at.calibrate("list.txt", "t.table"), &at);
    assert!(message.starts_with("error: list.txt: "), "{message}");
}

#[test]
fn a_list_with_a_missing_file_names_the_line() {
    let at = Workspace::with_lenet();
    at.write("list.txt", b"# images\nnowhere.png\n");
    let message = fails(&at.calibrate("list.txt", "t.table"), &at);
    assert!(message.contains("list.txt:2: ") && message.contains("nowhere.png"), "{message}");
}

#[test]
fn a_wrong_shape_names_the_layer_and_both_sizes() {
    let at = Workspace::with_lenet();
    let mut args = at.calibrate("calib", "t.table");
    args.extend(["--shape", "32,32,1"]);
    let message = fails(&args, &at);
    assert!(message.contains("layer fc1: ") && message.contains("800") && message.contains("1152"), "{message}");
    let mut args = at.calibrate("calib", "t.table");
    args.extend(["--shape", "28,28,3"]);
    let message = fails(&args, &at);
    assert_eq!(message, "error: pixel type GRAY has 1 channels, but the shape asks for 3");
    args.truncate(5);
    args.extend(["--images", "calib", "--out", "t.table", "--shape", "28,28,3", "--pixel", "RGB"]);
    let message = fails(&args, &at);
    assert!(message.ends_with("layer conv1: expects 1 channel, the input has 3 (3x28x28)"), "{message}");
}

#[test]
fn the_wrong_number_of_means_is_counted() {
    let at = Workspace::with_lenet();
    let mut args = at.calibrate("calib", "t.table");
    args.extend(["--mean", "1,2,3"]);
    let message = fails(&args, &at);
    assert!(message.contains("mean") && message.contains('3') && message.contains('1'), "{message}");
}

#[test]
fn a_truncated_bin_names_the_byte_and_the_layer() {
    let at = Workspace::with_lenet();
    let bytes = fs::read(at.path("lenet.bin")).unwrap();
    at.write("lenet.bin", &bytes[..bytes.len() / 2]);
    let message = fails(&at.calibrate("calib", "t.table"), &at);
    assert!(message.contains("lenet.bin: byte ") && message.contains("layer fc1: "), "{message}");
}

#[test]
fn a_layer_with_one_row_as_a_comment_stays_float_and_the_others_do_not() {
    let at = Workspace::with_lenet();
    succeeds(&at.calibrate("calib", "t.table"), &at);
    let table = fs::read_to_string(at.path("t.table")).unwrap();
    for (row, reason) in [
        ("conv2_param_0 ", "layer conv2: no row conv2_param_0 in the table, stays float"),
        ("conv2 ", "layer conv2: no input scale in the table, stays float"),
    ] {
        let half = table.replace(&format!("\n{row}"), &format!("\n#{row}"));
        at.write("half.table", half.as_bytes());
        let text = succeeds(&at.quantize("half.table", "out"), &at);
        assert!(text.contains(reason) && text.matches("stays float").count() == 1, "{text}");
    }
}

#[test]
fn a_table_row_of_the_wrong_length_is_counted() {
    let at = Workspace::with_lenet();
    succeeds(&at.calibrate("calib", "t.table"), &at);
    let table = fs::read_to_string(at.path("t.table")).unwrap();
    let cut: String = table
        .lines()
        .map(|line| {
            if line.starts_with("conv2_param_0") { "conv2_param_0 1.0 2.0 \n".to_owned() } else { format!("{line}\n") }
        })
        .collect();
    at.write("t.table", cut.as_bytes());
    let message = fails(&at.quantize("t.table", "out"), &at);
    assert!(message.contains("layer conv2: ") && message.contains("32") && message.contains('2'), "{message}");
}

#[test]
fn an_all_zero_channel_is_said_aloud_and_gets_a_finite_scale() {
    let at = Workspace::with_tiny_net(&[0.0, 0.5]);
    let output = succeeds(&at.tiny(&["--method", "kl"]), &at);
    assert!(
        output.contains(
            "layer conv: the weights of 1 of 2 channels are all zero or too small for a scale (first: channel 0)"
        ),
        "{output}"
    );
    let table = fs::read_to_string(at.path("t.table")).unwrap();
    assert!(!table.contains("inf"), "{table}");
    succeeds(&at.tiny(&["--method", "ncnn-kl"]), &at);
    let table = fs::read_to_string(at.path("t.table")).unwrap();
    assert!(table.starts_with("conv_param_0 inf "), "as ncnn2table prints it: {table}");
}

#[test]
fn a_nan_weight_names_layer_and_index() {
    let at = Workspace::with_tiny_net(&[1.0, f32::NAN]);
    let message = fails(&at.tiny(&[]), &at);
    assert!(message.contains("layer conv: ") && message.contains("NaN") && message.contains('1'), "{message}");
}

#[test]
fn a_blob_that_was_always_zero_is_said_aloud() {
    let at = Workspace::with_tiny_net(&[1.0, -0.25]);
    at.write_tiny_input(&[0.0; 8]);
    let output = succeeds(&at.tiny(&[]), &at);
    assert!(output.contains("layer conv: its input data was zero in all 1 samples"), "{output}");
}

#[test]
fn an_unknown_layer_is_named_before_any_image_is_read() {
    let at = Workspace::with_lenet();
    let param = fs::read_to_string(at.path("lenet.param")).unwrap().replace("Softmax ", "SoftMaxx");
    at.write("lenet.param", param.as_bytes());
    at.write("images/broken.png", b"not an image");
    let message = fails(&at.calibrate("images", "t.table"), &at);
    assert!(message.contains("layer prob: ") && message.contains("SoftMaxx"), "{message}");
}

#[test]
fn an_int8_model_is_not_calibrated_again() {
    let at = Workspace::with_lenet();
    succeeds(&at.calibrate("calib", "t.table"), &at);
    succeeds(&at.quantize("t.table", "int8"), &at);
    let message = fails(
        &[
            "calibrate",
            "--param",
            "int8.param",
            "--bin",
            "int8.bin",
            "--images",
            "calib",
            "--pixel",
            "GRAY",
            "--out",
            "u.table",
        ],
        &at,
    );
    assert!(message.contains("layer conv1: ") && message.contains("int8"), "{message}");
}

#[test]
fn calibrate_does_not_overwrite_the_model_it_reads() {
    let at = Workspace::with_lenet();
    let before = fs::read(at.path("lenet.param")).unwrap();
    let message = fails(&at.calibrate("calib", "lenet.param"), &at);
    assert!(message.starts_with("error: lenet.param: --out would overwrite the model"), "{message}");
    assert_eq!(fs::read(at.path("lenet.param")).unwrap(), before);
}

#[test]
fn a_prefix_that_is_a_folder_is_refused() {
    let at = Workspace::with_lenet();
    succeeds(&at.calibrate("calib", "t.table"), &at);
    for prefix in [".", "calib", "new/"] {
        let message = fails(&at.quantize("t.table", prefix), &at);
        assert!(message.contains("found the folder"), "{prefix}: {message}");
    }
}

#[test]
fn options_that_would_do_nothing_are_refused() {
    let at = Workspace::with_lenet();
    succeeds(&at.calibrate("calib", "t.table"), &at);
    let mut args = at.quantize("t.table", "out");
    args.extend(["--mean", "3"]);
    assert!(fails(&args, &at).contains("--mean"));
}

#[test]
fn a_label_is_missing_or_beyond_the_classes() {
    let at = Workspace::with_lenet();
    succeeds(&at.calibrate("calib", "t.table"), &at);
    succeeds(&at.quantize("t.table", "int8"), &at);
    at.write("labels.tsv", b"00000_9_boot.png\t9\n");
    let message = fails(&at.compare("calib", "labels.tsv"), &at);
    assert!(message.contains("the labels have no row for this file"), "{message}");
    fs::create_dir(at.path("one")).unwrap();
    fs::copy(at.path("calib/00000_9_boot.png"), at.path("one/00000_9_boot.png")).unwrap();
    at.write("labels.tsv", b"00000_9_boot.png\t10\n");
    let message = fails(&at.compare("one", "labels.tsv"), &at);
    assert!(message.ends_with("the label is class 10, the network has 10 classes (0 to 9)"), "{message}");
}

#[test]
fn a_scale_that_a_table_cannot_hold_is_refused() {
    let at = Workspace::with_lenet();
    let mut args = at.calibrate("calib", "t.table");
    args.extend(["--norm", "1e9"]);
    let message = fails(&args, &at);
    assert!(message.contains("layer conv1: ") && message.contains("would be 0 in a table"), "{message}");
}

#[test]
fn two_layers_of_one_name_are_refused() {
    let at = Workspace::with_lenet();
    let param = fs::read_to_string(at.path("lenet.param")).unwrap().replace(" conv2    ", " conv1    ");
    at.write("lenet.param", param.as_bytes());
    let message = fails(&at.calibrate("calib", "t.table"), &at);
    assert!(message.contains("layer conv1: two layers have this name"), "{message}");
}

#[test]
fn wrong_usage_ends_with_code_2() {
    let at = Workspace::new();
    assert_eq!(common::run(&["calibrate"], &at).status.code(), Some(2));
    assert_eq!(common::run(&["calibrate", "--pixel", "CMYK"], &at).status.code(), Some(2));
    assert_eq!(common::run(&["calibrate", "--shape", "28,28"], &at).status.code(), Some(2));
    assert_eq!(common::run(&["--threads", "100000", "inspect", "x"], &at).status.code(), Some(2));
}

#[test]
fn the_fp32_model_is_not_overwritten() {
    let at = Workspace::with_lenet();
    succeeds(&at.calibrate("calib", "t.table"), &at);
    let before = fs::read(at.path("lenet.bin")).unwrap();
    let message = fails(&at.quantize("t.table", "./lenet"), &at);
    assert_eq!(message, "error: ./lenet.param: --out would overwrite the model that is read; choose another name");
    assert_eq!(fs::read(at.path("lenet.bin")).unwrap(), before);
}

#[test]
fn two_networks_with_other_outputs_are_not_compared() {
    let at = Workspace::with_lenet();
    let text = fs::read_to_string(at.path("lenet.param")).unwrap();
    let shorter = text.replacen("12 12", "11 11", 1);
    let (shorter, _) = shorter.split_once("Softmax").unwrap();
    at.write("cut.param", shorter.as_bytes());
    let mut args = vec!["compare", "--param", "lenet.param", "--bin", "lenet.bin", "--images", "calib"];
    args.extend(["--int8-param", "cut.param", "--int8-bin", "lenet.bin"]);
    let message = fails(&args, &at);
    assert!(message.contains("the outputs differ: prob in the fp32 model, logits in the int8 model"), "{message}");
}

#[test]
fn one_go_and_two_steps_give_the_same_bytes() {
    let at = Workspace::with_lenet();
    // Large inputs make small scales, of which a table keeps few digits.
    let mut calibrate = at.calibrate("calib", "t.table");
    calibrate.extend(["--norm", "100"]);
    succeeds(&calibrate, &at);
    succeeds(&at.quantize("t.table", "two"), &at);
    let mut quantize = vec!["quantize", "--param", "lenet.param", "--bin", "lenet.bin", "--pixel", "GRAY"];
    quantize.extend(["--images", "calib", "--norm", "100", "--out", "one"]);
    succeeds(&quantize, &at);
    assert_eq!(fs::read(at.path("one.table")).unwrap(), fs::read(at.path("t.table")).unwrap());
    assert!(fs::read(at.path("one.bin")).unwrap() == fs::read(at.path("two.bin")).unwrap(), "the models differ");
}
