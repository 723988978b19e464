//! What inspect, diff, convert and check say about small models written by hand.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fs;

use common::{Workspace, fails, run, succeeds};

const NET: &str = "7767517\n\
    4 4\n\
    Input        data 0 1 data 0=4 1=4 2=1\n\
    Convolution  conv 1 1 data a 0=2 1=3 4=1 5=1 6=18 9=2 -23310=1,0.25\n\
    MyLayer      mine 1 1 a b 0=1\n\
    InnerProduct fc   1 1 b c 0=3 2=96\n";

/// A `net.param` and a `net.bin` whose weights count up from -1 in steps of 0.125.
fn net() -> Workspace {
    let at = Workspace::new();
    at.write("net.param", NET.as_bytes());
    at.write("net.bin", &bin(-1.0));
    at
}

fn bin(first: f32) -> Vec<u8> {
    let values = |from: f32, count: u16| (0..count).flat_map(move |i| (from + f32::from(i) * 0.125).to_le_bytes());
    let mut bytes = vec![0; 4];
    bytes.extend(values(first, 18));
    bytes.extend(values(0.0, 2));
    bytes.extend([0; 4]);
    bytes.extend(values(0.0, 96));
    bytes
}

/// Runs, expects exit code `code`, returns standard output.
fn answers(code: i32, args: &[&str], at: &Workspace) -> String {
    let output = run(args, at);
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn inspect_gives_shapes_parameters_weights_and_work() {
    let at = net();
    insta::assert_snapshot!(succeeds(&["inspect", "--params", "--weights", "net.param"], &at), @r"
    net.param: 4 layers, 4 blobs; inputs: data; outputs: c

    layer   type           output   MACs   weights   stored as   bytes
    --------------------------------------------------------------------
    data    Input           1x4x4
    conv    Convolution     2x4x4    288        20        fp32      84
    mine    MyLayer             ?
    fc      InnerProduct        ?               96        fp32     388

    data  w=4 h=4 c=1
    conv  num_output=2 kernel_w=3 pad_left=1 bias_term=1 weight_data_size=18 activation_type=2 activation_params=[0.25]
    mine  0=1
    fc    num_output=3 weight_data_size=96

    layer   weight   elements   stored as   min      max   zeros   not finite
    ---------------------------------------------------------------------------
    conv    weight         18        fp32    -1    1.125       1            0
    conv    bias            2        fp32     0    0.125       1            0
    fc      weight         96        fp32     0   11.875       1            0

    Convolution 1, InnerProduct 1, Input 1, MyLayer 1
    288 multiply-adds
    net.bin: 472 B
    the shapes behind layer mine are not known: layers of type MyLayer cannot be run
    ");
}

#[test]
fn inspect_needs_no_bin_and_takes_a_shape() {
    let at = Workspace::new();
    at.write(
        "a.param",
        b"7767517\n4 5\nInput data 0 1 data\nConvolution conv 1 1 data a 0=8 1=3 3=2 6=216 8=2\n\
          Split s 1 2 a b c\nPooling p 1 1 b d 4=1 0=1\n",
    );
    insta::assert_snapshot!(succeeds(&["inspect", "--shape", "9,7,3", "a.param"], &at), @r"
    a.param: 4 layers, 5 blobs; inputs: data; outputs: c, d

    layer   type             output   MACs   weights   stored as   bytes
    ----------------------------------------------------------------------
    data    Input             3x7x9
    conv    Convolution       8x3x4   2592
    s       Split         8x3x4 * 2
    p       Pooling               8

    Convolution 1, Input 1, Pooling 1, Split 1
    2592 multiply-adds
    no a.bin: weights not shown
    ");
    insta::assert_snapshot!(succeeds(&["inspect", "a.param"], &at), @r"
    a.param: 4 layers, 5 blobs; inputs: data; outputs: c, d

    layer   type          output   MACs   weights   stored as   bytes
    -------------------------------------------------------------------
    data    Input              ?
    conv    Convolution        ?
    s       Split          ? * 2
    p       Pooling            ?

    Convolution 1, Input 1, Pooling 1, Split 1
    no a.bin: weights not shown
    the shapes behind layer data are not known: the Input layer does not say how large it is; give --shape
    ");
    assert!(fails(&["inspect", "--shape", "9,x", "a.param"], &at).contains("--shape takes [BLOB=]W,H,C, found 9,x"));
}

#[test]
fn inspect_as_json_has_what_the_text_has_and_more() {
    let at = net();
    let text = succeeds(&["inspect", "--json", "--weights", "net.param"], &at);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let conv = &json[0]["layers"][1];
    assert_eq!(conv["output_shapes"][0], serde_json::json!([2, 4, 4]));
    assert_eq!(conv["macs"], 288);
    assert_eq!(conv["params"]["activation_params"], serde_json::json!([0.25]));
    assert_eq!(conv["weights"][0]["max"], 1.125);
    let without: serde_json::Value = serde_json::from_str(&succeeds(&["inspect", "--json", "net.param"], &at)).unwrap();
    let weight = &without[0]["layers"][1]["weights"][0];
    assert_eq!((&weight["elements"], weight.get("max")), (&18.into(), None), "elements are not read");
    assert_eq!(json[0]["shapes_unknown"][0]["layer"], "mine");
}

#[test]
fn inspect_counts_the_rows_and_scales_of_a_table() {
    let at = Workspace::new();
    at.write("t.table", b"conv_param_0 1.5 inf 3.0 \nconv 62.8 \n");
    at.write("scales.txt", b"conv_param_0 1.5 inf 3.0 \nconv 62.8 \n");
    let any_name = succeeds(&["inspect", "--table", "scales.txt"], &at);
    assert_eq!(any_name.replace("scales.txt", "t.table"), succeeds(&["inspect", "t.table"], &at));
    insta::assert_snapshot!(succeeds(&["inspect", "t.table"], &at), @r"
    t.table: 2 rows (1 of weights, 1 of inputs), 1 scales not finite

    row            scales    smallest     largest   not finite
    ------------------------------------------------------------
    conv_param_0        3    1.500000    3.000000            1
    conv                1   62.799999   62.799999            0
    ");
}

#[test]
fn diff_says_what_changed_in_a_model() {
    let at = net();
    assert_eq!(answers(0, &["diff", "net.param", "net.param"], &at), "no differences\n");
    let changed = NET.replace("5=1 6=18", "3=2 6=18 5=1").replace("MyLayer      mine", "ReLU         relu");
    at.write("new.param", changed.replace("fc   1 1 b c", "out  1 1 b d").as_bytes());
    at.write("new.bin", &bin(-0.875));
    insta::assert_snapshot!(answers(1, &["diff", "net.param", "new.param"], &at), @r"
    layer conv: stride_w 1 (default) -> 2
    layer conv: weight 18 of 18 elements differ, by at most 0.125
    layer mine (MyLayer): removed
    layer fc: is called out now
    layer fc: outputs c -> d
    layer relu (ReLU): added
    ");
    fs::remove_file(at.path("new.bin")).unwrap();
    let text = answers(1, &["diff", "net.param", "new.param"], &at);
    assert!(text.ends_with("weights not compared: there is no .bin beside both models\n"), "{text}");
}

#[test]
fn diff_does_not_mind_defaults_that_are_spelled_out() {
    let at = net();
    at.write("new.param", NET.replace("1=3 4=1", "1=3 2=1 3=1 11=3 13=1 4=1").as_bytes());
    at.write("new.bin", &bin(-1.0));
    assert_eq!(answers(0, &["diff", "net.param", "new.param"], &at), "no differences\n");
}

#[test]
fn diff_looks_behind_the_last_weight() {
    let at = net();
    at.write("old.param", NET.as_bytes());
    at.write("old.bin", &[bin(-1.0), vec![1, 2]].concat());
    at.write("new.param", NET.as_bytes());
    at.write("new.bin", &[bin(-1.0), vec![1, 3]].concat());
    assert_eq!(answers(0, &["diff", "old.param", "old.param"], &at), "no differences\n");
    assert_eq!(answers(1, &["diff", "old.param", "new.param"], &at), "the 2 bytes behind the last weight differ\n");
    assert_eq!(answers(1, &["diff", "net.param", "new.param"], &at), "bytes behind the last weight: 0, now 2\n");
}

#[test]
fn diff_says_what_changed_in_a_table() {
    let at = Workspace::new();
    at.write("old.table", b"conv_param_0 1.0 2.0 4.0 \nfc_param_0 1.0 \nconv 8.0 \nfc 1.0 \n");
    at.write("new.table", b"conv_param_0 1.0 2.5 3.0 \nconv 8.5 \nfc 1.0 2.0 \nhead 7.0 \n");
    insta::assert_snapshot!(answers(1, &["diff", "old.table", "new.table"], &at), @r"
    row conv_param_0: 2 of 3 scales changed, most: scale 2, 4 -> 3 (-25.000 %)
    row fc_param_0: removed
    row conv: 8 -> 8.5 (+6.250 %)
    row fc: 1 scales, now 2
    row head: added
    ");
    assert_eq!(answers(0, &["diff", "old.table", "old.table"], &at), "no differences\n");
}

#[test]
fn diff_that_fails_is_neither_the_same_nor_different() {
    let at = net();
    let output = run(&["diff", "net.param", "none.param"], &at);
    assert_eq!(output.status.code(), Some(2));
    at.write("t.table", b"a 1\n");
    assert_eq!(run(&["diff", "net.param", "t.table"], &at).status.code(), Some(2));
}

#[test]
fn convert_makes_a_binary_param_and_text_again() {
    let at = net();
    assert_eq!(succeeds(&["convert", "net.param", "b.param.bin"], &at), "wrote b.param.bin\n");
    succeeds(&["convert", "b.param.bin", "text.param"], &at);
    succeeds(&["convert", "text.param", "again.param.bin"], &at);
    assert_eq!(fs::read(at.path("b.param.bin")).unwrap(), fs::read(at.path("again.param.bin")).unwrap());
    let text = fs::read_to_string(at.path("text.param")).unwrap();
    assert!(text.contains("0=2 1=3 4=1 5=1 6=18 9=2 -23310=1,"), "{text}");
}

#[test]
fn convert_does_not_write_text_over_weights() {
    let at = net();
    let error = fails(&["convert", "net.param", "net.bin"], &at);
    assert_eq!(error, "error: net.bin: a .bin holds weights without names or sizes; give the .param beside it");
    assert_eq!(fs::read(at.path("net.bin")).unwrap(), bin(-1.0));
}

#[test]
fn convert_stores_floats_in_half_the_bytes_and_back() {
    let at = net();
    let half = ["convert", "net.param", "h.param", "--bin", "net.bin", "--out-bin", "h.bin", "--storage", "fp16"];
    insta::assert_snapshot!(succeeds(&half, &at), @"wrote h.param and h.bin (244 B, was 472 B): 2 weights stored anew");
    let full = ["convert", "h.param", "f.param", "--bin", "h.bin", "--out-bin", "f.bin", "--storage", "fp32"];
    succeeds(&full, &at);
    // Steps of an eighth are exact in half floats.
    assert_eq!(fs::read(at.path("f.bin")).unwrap(), fs::read(at.path("net.bin")).unwrap());
    assert_eq!(fs::read_to_string(at.path("h.param")).unwrap(), NET);
}

#[test]
fn convert_refuses_what_half_floats_cannot_hold() {
    let at = net();
    at.write("net.bin", &bin(70_000.0));
    let half = ["convert", "net.param", "h.param", "--bin", "net.bin", "--out-bin", "h.bin", "--storage", "fp16"];
    assert_eq!(fails(&half, &at), "error: net.bin: layer conv: weight 0 is 70000, too large for fp16");
    assert!(!at.path("h.param").exists() && !at.path("h.bin").exists());
}

#[test]
fn check_lists_findings_with_advice_and_fails_on_errors_only() {
    let at = net();
    insta::assert_snapshot!(succeeds(&["check", "net.param"], &at), @r"
    warning: net.param:5: layer mine: ncnn has no layer type MyLayer
        the program that loads the model must register it
    0 errors, 1 warning
    ");
    at.write("bad.param", NET.replace("-23310=1,0.25", "10=0.25").replace("1 1 b c", "1 1 x c").as_bytes());
    at.write("t.table", b"conv_param_0 1.0 2.0 3.0 \n\nconv inf \n");
    insta::assert_snapshot!(answers(1, &["check", "bad.param", "t.table"], &at), @r"
    error: bad.param:2: the header counts 4 blobs, there are 5; ncnn writes past its array of blobs
    error: bad.param:4: layer conv: activation_params (parameter 10) should be an array, found the number 0.25; ncnn takes it for an empty array and crashes
        write -23310=1,0.25
    warning: bad.param:5: layer mine: ncnn has no layer type MyLayer
        the program that loads the model must register it
    error: bad.param:6: layer fc: reads the blob x, which no layer makes
        ncnn logs this, loads the model and fails when it runs
    error: t.table:2: ncnn2int8 stops at this blank line and loses 1 rows
        remove the line
    error: t.table: row conv: scale 0 is inf
        the channel or blob was always zero; any finite scale, such as 1, does
    warning: t.table: layer fc: no row fc_param_0 for its weights
        the layer stays float
    warning: t.table: layer fc: no row fc for its input
        the layer stays float
    5 errors, 3 warnings
    ");
}

#[test]
fn check_reports_a_bin_that_does_not_fit() {
    let at = net();
    let mut bytes = bin(-1.0);
    bytes.truncate(100);
    at.write("net.bin", &bytes);
    let text = answers(1, &["check", "net.param"], &at);
    assert!(text.contains("error: net.bin: byte 88: layer fc: weight of 96 elements needs 384 bytes"), "{text}");
    at.write("garbage.param", b"hello");
    assert!(answers(1, &["check", "garbage.param"], &at).starts_with("error: garbage.param:1: "));
    assert!(fails(&["check", "none.param"], &at).starts_with("error: none.param: cannot read"));
}
