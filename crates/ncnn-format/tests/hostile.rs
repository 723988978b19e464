//! Damaged and malicious files: an error or a model, never a panic, never memory
//! because the file says so.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ncnn_format::{ErrorKind, Limits, Model, ScaleTable, weight_layout};
use proptest::prelude::*;

const PARAM: &str = "7767517\n4 4\n\
    Input            data   0 1 data 0=4 1=4 2=1\n\
    Convolution      conv   1 1 data mid 0=2 1=3 5=1 6=18 8=2 -23310=1,0.5\n\
    LSTM             lstm   1 1 mid  seq 0=2 1=32\n\
    Reshape          shape  1 1 seq  out 6=\"0w,-1\" 0=4,2\n";

/// Everything that can be done with a text.
fn exercise(text: &str) {
    if let Ok((model, _)) = Model::from_param_text_with(text, &Limits::default()) {
        assert_eq!(model.to_param_text(), text, "an untouched model is its text");
        assert!(model.check_param_text().is_ok(), "what was read can be written");
        model.layers.iter().for_each(|layer| drop(weight_layout(layer)));
    }
    if let Ok(table) = ScaleTable::parse(text) {
        assert_eq!(ScaleTable::parse(&table.to_text()).unwrap().rows.len(), table.rows.len());
    }
}

fn bin() -> Vec<u8> {
    let mut model = Model::from_param_text(PARAM).unwrap();
    // All zero: every tag is 0, every value 0.0.
    model.read_bin(&[0; 4096]).unwrap();
    model.trailing_bytes.clear();
    model.bin_bytes().unwrap()
}

#[test]
fn a_text_cut_anywhere_does_no_harm() {
    for end in 0..PARAM.len() {
        exercise(&PARAM[..end]);
        exercise(&PARAM[end..]);
        exercise(&(PARAM[..end].to_owned() + &PARAM[end + 1..]));
    }
}

#[test]
fn a_text_with_any_byte_replaced_does_no_harm() {
    for at in 0..PARAM.len() {
        for other in ['\0', '\n', '\r', '\t', ' ', '"', ',', '=', '-', '9', 'e', '.', 'é', '\u{10FFFF}'] {
            exercise(&format!("{}{other}{}", &PARAM[..at], &PARAM[at + 1..]));
        }
    }
}

#[test]
fn a_bin_cut_anywhere_is_an_error() {
    let bytes = bin();
    for end in 0..bytes.len() {
        let mut model = Model::from_param_text(PARAM).unwrap();
        let error = model.read_bin(&bytes[..end]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{end}");
        assert!(error.place().byte.is_some() && error.place().layer.is_some(), "{error}");
    }
}

#[test]
fn claims_without_bytes_behind_them_cost_nothing() {
    let claims = [
        "7767517\n1048576 1\nInput a 0 1 a\n",
        "7767517\n2147483647 2147483647\n",
        "7767517\n1 1\nSplit a 0 65536 a\n",
        "7767517\n1 1\nSplit a 2147483647 2147483647 a\n",
        "2 2\nInput a 0 1 a\nSplit b 18446744073709551615 18446744073709551615 a\n",
        "7767517\n1 1\nInput a 0 1 a -23300=1048576,1\n",
        "7767517\n1 1\nInput a 0 1 a -23300=2147483647,1\n",
        "7767517\n1 1\nInput a 0 1 a -23300=99999999999999999999,1\n",
    ];
    for text in claims {
        assert!(Model::from_param_text(text).is_err(), "{text}");
    }
    for line in [
        "InnerProduct a 0 1 a 0=1 2=2147483647",
        "MemoryData a 0 1 a 0=2147483647 1=2147483647 2=2147483647 11=2147483647",
        "MemoryData a 0 1 a 0=65536 1=65536 2=65536",
        "Gemm a 0 1 a 4=1 7=2147483647 9=2147483647",
        "BatchNorm a 0 1 a 0=2147483647",
    ] {
        let mut model = Model::from_param_text(&format!("7767517\n1 1\n{line}\n")).unwrap();
        assert!(model.read_bin(&[0; 64]).is_err(), "{line}");
    }
}

#[test]
fn a_number_with_a_huge_exponent_takes_no_time() {
    let text = format!("7767517\n1 1\nInput a 0 1 a -23300=1000{}\n", ",1e4294967295".repeat(1000));
    assert!(Model::from_param_text(&text).is_ok());
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        exercise(&text);
    }

    #[test]
    fn any_tail_behind_a_header_is_read_or_refused(tail in "[-0-9a-eA-E=,\". \n\r\t]{0,80}") {
        exercise(&format!("7767517\n1 1\nSplit a 0 1 a {tail}"));
    }

    #[test]
    fn any_bytes_are_weights_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600), tag in 0..5_usize) {
        let mut bytes = bytes;
        let tag = [0_u32, 0x0130_6B47, 0x000D_4B38, 0x0002_C056, 7][tag];
        if let Some(start) = bytes.get_mut(..4) {
            start.copy_from_slice(&tag.to_le_bytes());
        }
        let mut model = Model::from_param_text(PARAM).unwrap();
        if let Ok(odd) = model.read_bin_with(&bytes, &Limits::default()) {
            prop_assert_eq!(model.bin_bytes().unwrap().len(), bytes.len());
            prop_assert!(!odd.is_empty() || model.bin_bytes().unwrap() == bytes);
        }
    }

    #[test]
    fn any_parameter_value_gives_a_layout_or_an_error(kind in 0..110_usize, values in proptest::collection::vec((0..32_u8, any::<i32>()), 0..8)) {
        let mut layer = ncnn_format::Layer::new(ncnn_format::LayerKind::BUILTIN[kind].clone(), "any");
        let word = |(id, value): (u8, i32)| (id, ncnn_format::ParamValue::Number(ncnn_format::Number::Int(value % 64)));
        layer.params.extend(values.into_iter().map(word));
        drop(weight_layout(&layer));
    }
}
