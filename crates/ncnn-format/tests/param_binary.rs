//! `.param.bin`: what ncnn2mem makes of a text, and what we read back.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ncnn_format::typed::ParamKey;
use ncnn_format::{ErrorKind, LayerKind, Limits, Model, Number, ParamValue};
use proptest::prelude::*;

const TEXT: &str = "7767517\n5 6\n\
    Input            data   0 1 data 0=4 1=4 2=1\n\
    Split            split  1 2 data a b\n\
    MyNorm           norm   1 1 a n 0=0.5 1=3\n\
    Convolution      conv   1 1 b c 0=2 1=3 4=1 6=18 10=0.5, -23330=4,3,4,4,2\n\
    Reshape          shape  2 1 n c out 6=\"0w,-1\"\n";

fn words(words: &[i32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// The words of [`TEXT`], from the layout in ncnn's sources.
fn binary() -> Vec<u8> {
    let half = i32::from_ne_bytes(0.5_f32.to_ne_bytes());
    let mut bytes = words(&[7_767_517, 5, 6]);
    bytes.extend(words(&[16, 0, 1, 0, 0, 4, 1, 4, 2, 1, -233]));
    bytes.extend(words(&[33, 1, 2, 0, 1, 2, -233]));
    bytes.extend(words(&[256, 1, 1, 1, 3, 0, half, 1, 3, -233]));
    bytes.extend(words(&[6, 1, 1, 2, 4, 0, 2, 1, 3, 4, 1, 6, 18, -23310, 1, half, -23330, 4, 3, 4, 4, 2, -233]));
    bytes.extend(words(&[27, 2, 1, 3, 4, 5, -23406, 5]));
    bytes.extend(b"0w,-1\0\0\0");
    bytes.extend(words(&[-233]));
    bytes
}

fn error(bytes: &[u8]) -> String {
    Model::from_param_binary(bytes).unwrap_err().to_string()
}

#[test]
fn a_text_becomes_the_words_that_ncnn2mem_writes() {
    assert_eq!(Model::from_param_text(TEXT).unwrap().to_param_binary().unwrap(), binary());
}

#[test]
fn layers_and_blobs_are_named_after_their_numbers() {
    let (model, warnings) = Model::from_param_binary(&binary()).unwrap();
    assert_eq!(warnings, []);
    let names: Vec<&str> = model.layers.iter().map(|layer| layer.name.as_str()).collect();
    assert_eq!(names, ["Input_0", "Split_1", "custom0_2", "Convolution_3", "Reshape_4"]);
    assert_eq!(model.layers[4].inputs, ["blob3", "blob4"]);
    assert_eq!(model.layers[2].kind, LayerKind::Custom("custom0".into()));
    let conv = &model.layers[3].params;
    assert_eq!(conv.raw(10), Some(&ParamValue::Array(vec![Number::Float(0.5)])), "a float by the layer's type");
    let shape_hint: ParamKey<Vec<i32>> = ParamKey::custom(30, "shape hint");
    assert_eq!(conv.get(shape_hint).unwrap().unwrap(), [3, 4, 4, 2]);
    let custom = &model.layers[2].params;
    assert_eq!(custom.raw(0), Some(&ParamValue::Number(Number::Int(0x3F00_0000))), "untyped words are integers");
    assert_eq!(custom.get(ParamKey::<f32>::custom(0, "any")).unwrap(), Some(0.5), "with the bits of what they are");
    assert_eq!(model.layers[4].reshape().unwrap().shape_expr, "0w,-1");
}

#[test]
fn a_binary_is_written_back_byte_for_byte() {
    let (model, _) = Model::from_param_binary(&binary()).unwrap();
    assert_eq!(model.to_param_binary().unwrap(), binary());
    // Through the text as well: the numbers are in the names.
    let again = Model::from_param_text(&model.to_param_text()).unwrap();
    assert_eq!(again.to_param_binary().unwrap(), binary());
}

#[test]
fn an_int_that_is_no_finite_float_goes_to_text_and_back() {
    let bytes =
        Model::from_param_text("7767517\n1 1\nPriorBox p 0 1 p 11=-233 12=2.5\n").unwrap().to_param_binary().unwrap();
    let (model, _) = Model::from_param_binary(&bytes).unwrap();
    let text = model.to_param_text();
    assert!(text.ends_with(" 11=-233 12=2.500000e+00\n"), "{text}");
    model.check_param_text().unwrap();
    assert_eq!(Model::from_param_text(&text).unwrap().to_param_binary().unwrap(), bytes);
}

#[test]
fn odd_numbering_and_counts_survive() {
    // Blobs out of order, one of them never used, a custom type 5, an empty array.
    let bytes = words(&[7_767_517, 2, 9, 16, 0, 1, 7, -23300, 0, -233, 261, 1, 1, 7, 2, -233]);
    let (model, _) = Model::from_param_binary(&bytes).unwrap();
    assert_eq!(model.to_param_binary().unwrap(), bytes);
    assert!(model.to_param_text().starts_with("7767517\n2 2\nInput "), "the text counts what is there");
}

#[test]
fn names_that_only_look_like_numbers_of_a_file_are_numbered_afresh() {
    let text = "7767517\n2 2\nInput a 0 1 blob900\nReLU b 1 1 blob900 blob1\n";
    let bytes = Model::from_param_text(text).unwrap().to_param_binary().unwrap();
    assert_eq!(bytes, words(&[7_767_517, 2, 2, 16, 0, 1, 0, -233, 26, 1, 1, 0, 1, -233]));
}

#[test]
fn an_edited_binary_is_numbered_by_appearance() {
    let (mut model, _) = Model::from_param_binary(&binary()).unwrap();
    model.layers[4].outputs[0] = "result".into();
    assert_eq!(model.to_param_binary().unwrap(), binary());
}

#[test]
fn a_duplicated_output_is_two_blobs_and_inputs_mean_the_first() {
    let text = "7767517\n3 3\nInput a 0 1 x\nInput b 0 1 x\nReLU c 1 1 x y\n";
    let bytes = Model::from_param_text(text).unwrap().to_param_binary().unwrap();
    assert_eq!(bytes, words(&[7_767_517, 3, 3, 16, 0, 1, 0, -233, 16, 0, 1, 1, -233, 26, 1, 1, 0, 2, -233]));
}

#[test]
fn odd_bytes_are_noted() {
    let mut bytes = binary();
    bytes.extend([1, 2, 3]);
    let padding = bytes.len() - 3 - 4 - 3;
    bytes[padding] = 9;
    let (_, warnings) = Model::from_param_binary(&bytes).unwrap();
    let lines: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        ["byte 248: the bytes behind text 6 are not zero", "byte 260: 3 bytes behind the last layer are ignored"]
    );
    let twice = words(&[7_767_517, 1, 1, 16, 0, 1, 0, 0, 1, -23300, 1, 5, -233]);
    let (_, warnings) = Model::from_param_binary(&twice).unwrap();
    assert_eq!(warnings[0].to_string(), "byte 36: layer Input_0: parameter 0 is given again; the later value counts");
}

#[test]
fn damaged_files_are_refused_with_the_byte() {
    let layer = |rest: &[i32]| words(&[&[7_767_517, 1, 1][..], rest].concat());
    insta::assert_snapshot!(error(&[]), @"byte 0: expected the number 7767517 of 4 bytes, the file has 0 left");
    insta::assert_snapshot!(error(b"7767517\n"), @"byte 0: expected 7767517 at the start, found 926299959");
    insta::assert_snapshot!(error(&words(&[7_767_517, 0, 1])), @"byte 4: 0 layers: ncnn wants some");
    insta::assert_snapshot!(error(&words(&[7_767_517, -1, 1])), @"byte 4: -1 layers: ncnn wants some");
    insta::assert_snapshot!(error(&words(&[7_767_517, i32::MAX, 1])), @"byte 4: 2147483647 layers, the limit is 1048576");
    insta::assert_snapshot!(error(&words(&[7_767_517, 1, 0])), @"byte 8: 0 blobs: ncnn wants some");
    insta::assert_snapshot!(error(&layer(&[])), @"byte 12: expected the number of a layer type of 4 bytes, the file has 0 left");
    insta::assert_snapshot!(error(&layer(&[110])), @"byte 12: type 110 is neither one of ncnn's own (0..110) nor a custom one (256 and above)");
    insta::assert_snapshot!(error(&layer(&[-1])), @"byte 12: type -1 is neither one of ncnn's own (0..110) nor a custom one (256 and above)");
    insta::assert_snapshot!(error(&layer(&[16, -1])), @"byte 16: layer Input_0: expected the number of inputs, found -1");
    insta::assert_snapshot!(error(&layer(&[16, 40000, 40000])), @"byte 20: layer Input_0: 80000 inputs and outputs, the limit is 65536");
    insta::assert_snapshot!(error(&layer(&[16, 0, 1, 1])), @"byte 24: layer Input_0: output blob 1 is not in 0..1");
    insta::assert_snapshot!(error(&layer(&[26, 1, 0, -1])), @"byte 24: layer ReLU_0: input blob -1 is not in 0..1");
    insta::assert_snapshot!(error(&layer(&[16, 0, 1, 0])), @"byte 28: layer Input_0: expected a parameter id of 4 bytes, the file has 0 left");
    insta::assert_snapshot!(error(&layer(&[16, 0, 1, 0, 32])), @"byte 28: layer Input_0: parameter id 32 stands for none in 0..32");
    insta::assert_snapshot!(error(&layer(&[16, 0, 1, 0, -1])), @"byte 28: layer Input_0: parameter id -1 stands for none in 0..32");
    insta::assert_snapshot!(error(&layer(&[16, 0, 1, 0, -23332])), @"byte 28: layer Input_0: parameter id -23332 stands for none in 0..32");
    insta::assert_snapshot!(error(&layer(&[16, 0, 1, 0, i32::MIN])), @"byte 28: layer Input_0: parameter id -2147483648 stands for none in 0..32");
    insta::assert_snapshot!(error(&layer(&[16, 0, 1, 0, -23300, 3, 1])), @"byte 36: layer Input_0: expected an array of 12 bytes, the file has 4 left");
    insta::assert_snapshot!(error(&layer(&[16, 0, 1, 0, -23300, i32::MAX])), @"byte 32: layer Input_0: array 0 has length 2147483647, the limit is 1048576");
    insta::assert_snapshot!(error(&layer(&[16, 0, 1, 0, -23400, 256])), @"byte 32: layer Input_0: text 0 has 256 bytes, ncnn takes 255");
    insta::assert_snapshot!(error(&layer(&[16, 0, 1, 0, -23400, 3, -1, -233])), @"byte 36: layer Input_0: text 0 is not UTF-8");
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let bytes = binary();
    for end in 0..bytes.len() {
        let error = Model::from_param_binary(&bytes[..end]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{end}");
        assert!(error.place().byte.is_some(), "{error}");
    }
}

#[test]
fn what_the_format_cannot_say_is_refused() {
    let refusal = |text: &str| Model::from_param_text(text).unwrap().to_param_binary().unwrap_err().to_string();
    let many: String = (0..257).map(|i| format!("C{i} c{i} 0 1 b{i}\n")).collect();
    insta::assert_snapshot!(refusal(&format!("7767517\n257 257\n{many}")), @"layer c256: the format has no number for custom type 256 (C256): 256 marks all of them");
    let long = "a".repeat(256);
    insta::assert_snapshot!(refusal(&format!("7767517\n1 1\nInput a 0 1 a 6={long}\n")), @"layer a: the text of parameter 6 has 256 bytes, ncnn takes 255");
    insta::assert_snapshot!(Model::default().to_param_binary().unwrap_err(), @"a model without layers cannot be written: ncnn refuses to read it");
}

#[test]
fn limits_are_kept() {
    let mut tight = Limits::default();
    tight.text_bytes = 100;
    let refused = |limits: &Limits| Model::from_param_binary_with(&binary(), limits).unwrap_err().to_string();
    insta::assert_snapshot!(refused(&tight), @"260 bytes, the limit is 100");
    tight = Limits::default();
    tight.array_len = 2;
    insta::assert_snapshot!(refused(&tight), @"byte 192: layer Convolution_3: array 30 has length 4, the limit is 2");
    tight.layers = 2;
    insta::assert_snapshot!(refused(&tight), @"byte 4: 5 layers, the limit is 2");
}

#[test]
fn load_knows_a_binary_by_its_first_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (param, bin) = (folder.path().join("net.param.bin"), folder.path().join("net.bin"));
    Model::from_param_text(TEXT).unwrap().save_param_binary(&param).unwrap();
    // Tag 0, then eighteen zeros.
    std::fs::write(&bin, [0; 76]).unwrap();
    let model = Model::load(&param, &bin).unwrap();
    assert_eq!(model.layers[3].weights[0].data.len(), 18);
    std::fs::write(&param, &binary()[..40]).unwrap();
    let error = Model::load_param(&param).unwrap_err();
    assert_eq!(error.place().file.as_deref(), Some(param.as_path()));
}

/// A file as a list of words that is well formed in most cases.
fn generated() -> impl Strategy<Value = Vec<u8>> {
    let kind = prop_oneof![4 => 0..110_i32, 1 => 256..260_i32];
    let record = prop_oneof![
        (0..32_i32, any::<i32>()).prop_map(|(id, word)| words(&[id, word])),
        (0..32_i32, proptest::collection::vec(any::<i32>(), 0..5)).prop_map(|(id, values)| {
            words(&[&[-23300 - id, i32::try_from(values.len()).unwrap()][..], &values].concat())
        }),
        (0..32_i32, "[a-z0-9,()]{0,20}").prop_map(|(id, text)| {
            let mut bytes = words(&[-23400 - id, i32::try_from(text.len()).unwrap()]);
            bytes.extend(text.as_bytes());
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        }),
    ];
    let blobs = || proptest::collection::vec(0..9_i32, 0..4);
    let layer = (kind, blobs(), blobs(), proptest::collection::vec(record, 0..6));
    (proptest::collection::vec(layer, 1..6), 9..12_i32).prop_map(|(layers, blobs)| {
        let mut bytes = words(&[7_767_517, i32::try_from(layers.len()).unwrap(), blobs]);
        for (kind, inputs, outputs, records) in layers {
            let counts = [kind, i32::try_from(inputs.len()).unwrap(), i32::try_from(outputs.len()).unwrap()];
            bytes.extend(words(&[&counts[..], &inputs, &outputs].concat()));
            bytes.extend(records.concat());
            bytes.extend(words(&[-233]));
        }
        bytes
    })
}

proptest! {
    #[test]
    fn what_was_read_without_a_warning_is_written_back(bytes in generated()) {
        let (model, warnings) = Model::from_param_binary(&bytes).unwrap();
        let written = model.to_param_binary().unwrap();
        prop_assert!(!warnings.is_empty() || written == bytes);
        prop_assert_eq!(Model::from_param_binary(&written).unwrap().0, model);
    }

    #[test]
    fn any_damage_is_read_or_refused(bytes in generated(), at: prop::sample::Index, word: i32) {
        let mut bytes = bytes;
        let at = at.index(bytes.len() / 4) * 4;
        bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
        if let Ok((model, warnings)) = Model::from_param_binary(&bytes) {
            let written = model.to_param_binary().unwrap();
            prop_assert!(!warnings.is_empty() || written == bytes);
        }
    }

    #[test]
    fn any_words_are_read_or_refused(tail in proptest::collection::vec(-25..300_i32, 0..40)) {
        let _ = Model::from_param_binary(&words(&[&[7_767_517, 2, 5][..], &tail].concat()));
    }
}
