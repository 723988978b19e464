//! Choosing by hand which layers become int8.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod random_model;

use ncnn_format::{Model, ScaleTable};
use quantizer::{ConvertOptions, Selection, comment_out, convert};
use random_model::random_model;

/// Two branches that meet, with two heads.
fn model() -> Model {
    random_model(
        "Input data 0 1 x 0=4 1=4 2=2\nConvolution stem/conv1 1 1 x a 0=2 1=1 6=4\nReLU stem/relu 1 1 a b\n\
         Split s 1 2 b c d\nConvolution left/conv2 1 1 c e 0=2 1=1 6=4\n\
         ConvolutionDepthWise right/dw 1 1 d f 0=2 1=3 4=1 6=18 7=2\nBinaryOp add 2 1 e f g\n\
         Split t 1 2 g h i\nInnerProduct head/fc1 1 1 h j 0=2 2=64\nConvolution head/conv3 1 1 i k 0=2 1=1 6=4\n",
    )
}

fn excluded(selection: &Selection) -> Vec<String> {
    selection.excluded(&model()).unwrap().into_iter().filter_map(|remark| remark.place.layer).collect()
}

fn refusal(selection: &Selection) -> String {
    selection.excluded(&model()).unwrap_err().to_string()
}

fn exclude(patterns: &[&str]) -> Selection {
    Selection { exclude: patterns.iter().map(ToString::to_string).collect(), ..Selection::default() }
}

#[test]
fn patterns_are_names_globs_and_types() {
    assert_eq!(excluded(&exclude(&["left/conv2"])), ["left/conv2"]);
    assert_eq!(excluded(&exclude(&["head/*"])), ["head/fc1", "head/conv3"]);
    assert_eq!(excluded(&exclude(&["*conv?"])), ["stem/conv1", "left/conv2", "head/conv3"]);
    assert_eq!(excluded(&exclude(&["ConvolutionDepthWise", "InnerProduct"])), ["right/dw", "head/fc1"]);
    assert!(excluded(&Selection::default()).is_empty());
}

#[test]
fn only_keeps_what_matches_and_exclude_takes_from_it() {
    let selection = Selection { only: vec!["Convolution".into()], ..exclude(&["stem/*"]) };
    let remarks = selection.excluded(&model()).unwrap();
    assert!(remarks.iter().all(|remark| remark.code == "stays-float" && remark.place.layer.is_some()), "{remarks:?}");
    let reasons: Vec<String> = remarks.iter().map(ToString::to_string).collect();
    assert_eq!(
        reasons,
        [
            "layer stem/conv1 stays float: excluded by stem/*",
            "layer right/dw stays float: not among the layers wanted",
            "layer head/fc1 stays float: not among the layers wanted",
        ]
    );
}

#[test]
fn the_first_and_the_last_layers_are_those_without_others_before_or_behind() {
    let ends = |float_first, float_last| excluded(&Selection { float_first, float_last, ..Selection::default() });
    assert_eq!(ends(true, false), ["stem/conv1"]);
    assert_eq!(ends(false, true), ["head/fc1", "head/conv3"]);
    assert_eq!(ends(true, true).len(), 3);
}

#[test]
fn a_pattern_without_a_match_is_refused_with_what_comes_close() {
    let message = refusal(&exclude(&["left/conv1"]));
    assert!(
        message.starts_with("left/conv1 matches no layer that could be int8; did you mean left/conv2, "),
        "{message}"
    );
    let message = refusal(&exclude(&["convolution"]));
    assert!(message.contains("did you mean Convolution, ConvolutionDepthWise"), "{message}");
    let message = refusal(&exclude(&["backbone*"]));
    assert!(message.contains("there are stem/conv1, Convolution, left/conv2"), "{message}");
    assert_eq!(
        refusal(&exclude(&["stem/relu"])),
        "stem/relu matches stem/relu (ReLU), which has no int8 form; every layer like it is float anyway"
    );
    assert!(refusal(&exclude(&["*"])).contains("nothing is left to quantize"));
}

#[test]
fn excluded_rows_become_comments_that_can_be_taken_back() {
    let model = model();
    let text = "stem/conv1_param_0 1.000000 2.000000 \nleft/conv2_param_0 3.000000 4.000000 \n\
                stem/conv1 5.000000 \nleft/conv2 6.000000 \n";
    let table = ScaleTable::parse(text).unwrap();
    let excluded = exclude(&["left/conv2"]).excluded(&model).unwrap();
    let commented = comment_out(&table, &excluded);
    let written = commented.to_text();
    let expected = "stem/conv1_param_0 1.000000 2.000000 \n\
         # layer left/conv2 stays float: excluded by left/conv2\n#left/conv2_param_0 3.000000 4.000000 \n\
         stem/conv1 5.000000 \n\
         # layer left/conv2 stays float: excluded by left/conv2\n#left/conv2 6.000000 \n";
    assert_eq!(written, expected);
    assert_eq!(ScaleTable::parse(&written).unwrap(), commented);
    let converted = convert(&model, &commented, ConvertOptions::default()).unwrap();
    let term = |name: &str| converted.model.layer(name).unwrap().int8_term().unwrap().unwrap();
    assert_eq!([term("stem/conv1"), term("left/conv2")], [2, 0]);
    let back: String = written
        .lines()
        .filter(|line| !line.starts_with("# "))
        .map(|line| format!("{}\n", line.trim_start_matches('#')))
        .collect();
    assert_eq!(ScaleTable::parse(&back).unwrap(), table);
}
