//! Files that are no model of today's ncnn: read if they can be, else named.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use proptest::prelude::*;

use ncnn_format::{BinFile, ForeignFile, LayerKind, Limits, Model, ParamValue, ScaleTable, WeightRole};

fn fixture(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/format").join(name)
}

/// The error that loading `bytes` as a `.param` gives, without the path.
fn refused(bytes: &[u8]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.param");
    fs::write(&path, bytes).unwrap();
    Model::load_param(&path).unwrap_err().message().to_owned()
}

fn old() -> (Model, Vec<String>) {
    let text = fs::read_to_string(fixture("old2017.param")).unwrap();
    let (model, warnings) = Model::from_param_text_with(&text, &Limits::default()).unwrap();
    (model, warnings.iter().map(ToString::to_string).collect())
}

#[test]
fn a_text_of_2017_becomes_todays() {
    let (model, warnings) = old();
    assert_eq!(
        warnings,
        ["line 1: a text of 2017, without magic number and with parameters by position: today's ncnn does not read it"]
    );
    insta::assert_snapshot!(model.to_param_text(), @r#"
    7767517
    12 13
    Input                    data                     0 1 data 0=8 1=8 2=3
    Convolution              conv1                    1 1 data conv1 0=4 1=3 2=1 3=1 4=1 5=1 6=108
    ReLU                     relu1                    1 1 conv1 conv1_relu1 0=0.000000e+00
    ConvolutionDepthWise     dw                       1 1 conv1_relu1 dw 0=4 1=3 2=1 3=1 4=1 5=0 6=36 7=4
    Split                    splitncnn_0              1 2 dw dw_splitncnn_0 dw_splitncnn_1
    LRN                      norm                     1 1 dw_splitncnn_0 norm 0=0 1=5 2=1.000000e-04 3=7.500000e-01
    Eltwise                  sum                      2 1 norm dw_splitncnn_1 sum 0=1 -23301=2,1.000000e+00,5.000000e-01
    Pooling                  pool                     1 1 sum pool 0=1 1=0 2=1 3=0 4=1
    PriorBox                 prior                    2 1 pool data prior -23300=1,3.000000e+01 -23302=2,2.000000e+00,3.000000e+00 3=1.000000e-01 4=1.000000e-01 5=2.000000e-01 6=2.000000e-01 7=1 8=0 9=0 10=0 11=-2.330000e+02 12=-2.330000e+02 13=5.000000e-01
    Reduction                mean                     1 1 pool mean 0=3 2=1.000000e+00 1=0 -23303=2,1,2 5=1
    InnerProduct             fc                       1 1 mean fc 0=2 1=1 2=8
    Softmax                  prob                     1 1 fc prob 0=0
    "#);
    assert_eq!(Model::from_param_text(&model.to_param_text()).unwrap(), model);
}

#[test]
fn weights_of_2017_are_read() {
    let (mut model, _) = old();
    // Tags are 0, values too.
    model.read_bin(&vec![0; 4 * (1 + 108 + 4 + 1 + 36 + 1 + 8 + 2)]).unwrap();
    assert!(model.trailing_bytes.is_empty());
    assert_eq!(model.layer("fc").unwrap().weight_f32(WeightRole::Weight).unwrap().len(), 8);
}

#[test]
fn what_changed_its_meaning_since_2017_is_noted() {
    let text =
        "4 4\nInput d 0 1 d 10 -233 -233\nReshape r 1 1 d r 1 2 3 1\nSoftmaxV2 s 1 1 r s 1\nMine m 1 1 s m 3 0.5\n";
    let (model, warnings) = Model::from_param_text_with(text, &Limits::default()).unwrap();
    let lines: Vec<String> = warnings.iter().skip(1).map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join(" | "), @"line 3: layer r: permutes before it reshapes (parameter 3), which today's ncnn does not do | line 4: layer s: axis 1 was counted otherwise in 2017; today's ncnn wants 1=1 beside an axis that was checked | line 5: layer m: type Mine is not known: its values got their positions as ids");
    assert_eq!(model.layers[0].params.iter().count(), 1, "a vector has one size");
    assert_eq!(model.layers[3].kind, LayerKind::Custom("Mine".into()));
    assert!(matches!(model.layers[3].params.raw(1), Some(ParamValue::Number(_))));
}

#[test]
fn a_damaged_text_of_2017_is_refused_with_line_and_layer() {
    let error = |text: &str| Model::from_param_text(text).unwrap_err().to_string();
    insta::assert_snapshot!(error("1 1\nConvolution c 1 1 a b 4 3 1\n"), @"line 2: layer c: has 3 values, expected more");
    insta::assert_snapshot!(error("1 1\nConvolution c 1 1 a b 4 3 1 1 x 1 9\n"), @"line 2: layer c: value 5 should be an integer, found 'x'");
    insta::assert_snapshot!(error("1 1\nConvolution c 1 1 a b 4 3 1 1 1.5 1 9\n"), @"line 2: layer c: value 5 should be an integer, found '1.5'");
    insta::assert_snapshot!(error("1 1\nConvolution c 1 1 a b 4 3 1 1 0 1 9 9\n"), @"line 2: layer c: has 1 values more than Convolution had in 2017");
    insta::assert_snapshot!(error("1 1\nConvolution c 1 1 a\n"), @"line 2: layer c: expected the name of an output, found the end of the line");
    insta::assert_snapshot!(error("1 1\nSlice c 1 1 a b 2000000000 1\n"), @"line 2: layer c: a list of 2000000000 values, 1 are left on the line");
    insta::assert_snapshot!(error("1 1\nReduction c 1 1 a b 0 7 1\n"), @"line 2: layer c: reduction over dimension 7, expected -2 to 2");
    insta::assert_snapshot!(error("2 1\nReLU c 1 1 a b 0\n"), @"line 2: the header counts 2 layers, the text ends after 1");
    insta::assert_snapshot!(error("1 1\nReLU c 1 1 a b 0\nReLU d 1 1 a b 0\n"), @"line 3: more than the 1 layers that the header counts");
    insta::assert_snapshot!(error("1 1\nReLU c 40000 40000 a b 0\n"), @"line 2: layer c: 80000 inputs and outputs, the limit is 65536");
    insta::assert_snapshot!(error("9999999 1\nReLU c 1 1 a b 0\n"), @"line 1: 9999999 layers, the limit is 1048576");
    let old = fs::read_to_string(fixture("old2017.param")).unwrap();
    for end in 0..old.len() {
        let _ = Model::from_param_text(&old[..end]);
    }
}

#[test]
fn a_graph_of_pnnx_is_named_with_the_file_to_use() {
    let error = Model::load_param(fixture("pnnx.pnnx.param")).unwrap_err();
    insta::assert_snapshot!(error.message(), @"this is pnnx's own graph; the ncnn model is the file beside it that ends in .ncnn.param");
    // One that happens to be in our grammar.
    let plain = Model::from_param_text("7767517\n1 1\npnnx.Input in 0 1 0\n").unwrap_err();
    assert_eq!(plain.message(), error.message());
    // An operator of pnnx that was left in an ncnn model is a custom layer.
    assert!(Model::from_param_text("7767517\n2 2\nInput in 0 1 0\npnnx.Expression e 1 1 0 1\n").is_ok());
}

#[test]
fn files_of_other_programs_are_named() {
    insta::assert_snapshot!(refused(b""), @"the file is empty; the program that wrote it failed, or the download did");
    insta::assert_snapshot!(refused(b"\x20\0\0\0TFL3\0\0\0\0"), @"this is a TensorFlow Lite model; convert it to ONNX and that with pnnx");
    insta::assert_snapshot!(refused(b"\x08\x07\x12\x07pytorch\x1a\x031.9:"), @"this is an ONNX model; convert it with pnnx");
    insta::assert_snapshot!(refused(b"\x0a\x31\x0a\x05input\x12\x0bPlaceholder*\x0b\x0a\x05dtype\xff"), @"this is a TensorFlow graph; convert it to ONNX and that with pnnx");
    insta::assert_snapshot!(refused(b"\x0a\x07AlexNet\xa2\x06\x10\x0a\x05conv1\x12\x0bConvolution"), @"this is a Caffe model; convert it and its prototxt with ncnn's caffe2ncnn");
    insta::assert_snapshot!(refused(b"# net\nname: \"AlexNet\"\nlayer {\n  name: \"data\"\n}\n"), @"this is a Caffe prototxt; convert it and its .caffemodel with ncnn's caffe2ncnn");
    insta::assert_snapshot!(refused(b"PK\x03\x04\0\0\x08\x08"), @"this is a zip archive, as PyTorch and Keras save models; unpack it, or convert it with pnnx");
    insta::assert_snapshot!(refused(b"\x80\x02\x8a\x0a"), @"this is a Python pickle, as old PyTorch saves models; export TorchScript and convert it with pnnx");
    insta::assert_snapshot!(refused(b"\x89HDF\r\n\x1a\n\0"), @"this is an HDF5 file, as Keras saves models; convert it to ONNX and that with pnnx");
    insta::assert_snapshot!(refused(b"\x1f\x8b\x08\0"), @"this is a compressed file; unpack it first");
    insta::assert_snapshot!(refused(b"\n<!DOCTYPE html>\n<html>"), @"this is a web page; the download went wrong");
    insta::assert_snapshot!(refused(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"), @"this is a place holder of git LFS; fetch the file itself with git lfs pull");
    insta::assert_snapshot!(refused(b"{\n  \"nodes\": []"), @"this is JSON; ncnn's text starts with 7767517");
    insta::assert_snapshot!(refused(b"\xff\xfe7\x007\x006\x00"), @"this is text in UTF-16; save it as UTF-8");
    insta::assert_snapshot!(refused(b"\xef\xbb\xbf7767517\n1 1\nInput a 0 1 a\n"), @"the text starts with a byte order mark; save it as UTF-8 without one");
    insta::assert_snapshot!(refused(b"7767518\n1 1\nInput a 0 1 a\n"), @"this is the int8 dialect of August 2018 (magic number 7767518), which ncnn itself no longer reads; convert and quantize the float model again");
    insta::assert_snapshot!(refused(b"\xde\xad\xbe\xef\xde\xad"), @"expected UTF-8 text, found byte 0xBE; is this a binary file?");
    insta::assert_snapshot!(refused(b"hello world\n"), @"expected 7767517 at the start, found 'hello': either this is no ncnn .param, or it is too old and should be made again with today's converter");
}

#[test]
fn weights_and_tables_are_recognised_too() {
    let folder = tempfile::tempdir().unwrap();
    let (param, path) = (folder.path().join("a.param"), folder.path().join("a.bin"));
    fs::write(&param, "7767517\n2 2\nInput a 0 1 a\nInnerProduct f 1 1 a b 0=100 2=1000\n").unwrap();
    for (bytes, named) in [
        (&b"version https://git-lfs.github.com/spec/v1\n"[..], "git LFS"),
        (b"<html><body>404</body></html>", "web page"),
        (b"", "empty"),
        (b"PK\x03\x04", "zip"),
        (&Model::load_param(&param).unwrap().to_param_binary().unwrap(), ".param.bin"),
        // The start of real weights that were cut short.
        (b"\x08\x07\x12\x07", "needs"),
        (b"\0\0\0\0\0\0\0\0", "needs 4000 bytes"),
    ] {
        fs::write(&path, bytes).unwrap();
        let error = Model::load(&param, &path).unwrap_err();
        assert!(error.message().contains(named), "{error}");
        assert_eq!(error.place().file.as_deref(), Some(path.as_path()));
        let file = BinFile::open(&path).unwrap();
        let one_by_one = Model::load_param(&param).unwrap().index_bin(&file).unwrap_err();
        assert_eq!(one_by_one.to_string(), error.to_string());
    }
    let error = ScaleTable::parse("<html>\n").unwrap_err();
    assert!(error.message().contains("web page"), "{error}");
}

#[test]
fn ncnns_own_files_are_not_foreign() {
    for bytes in [
        &b"7767517\n1 1\nInput a 0 1 a\n"[..],
        b"conv1_param_0 1.0 2.0 \n",
        b"\0\0\0\0\0\0\x80\x3f",
        b"\x47\x6b\x30\x01\0\0",
        b"\x38\x4b\x0d\0\x01\x02",
        b"\n7767517\n1 1\nInput a 0 1 a\nConvolution",
    ] {
        assert_eq!(ForeignFile::sniff(bytes), None, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_recognised_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = ForeignFile::sniff(&bytes);
    }

    #[test]
    fn any_values_of_2017_are_read_or_refused(
        kind in "(Convolution|Input|Slice|PriorBox|Eltwise|Reduction|Reshape|ConcatV2|Mine)",
        values in proptest::collection::vec("-?[0-9]{1,3}|-?[0-9]\\.[0-9]|x", 0..20),
    ) {
        let text = format!("1 1\n{kind} c 1 1 a b {}\n", values.join(" "));
        if let Ok(model) = Model::from_param_text(&text) {
            prop_assert_eq!(Model::from_param_text(&model.to_param_text()).unwrap(), model);
        }
    }
}
