//! Conversion to int8 on small networks, with what it says about odd ones.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use ncnn_format::{Encoding, Weight};
use ncnn_format::{F32Tag, Layer, Model, ScaleTable, WeightData, WeightRole, typed, weight_layout};
use quantizer::{ConvertOptions, Converted, FloatStorage, convert};

/// A network whose weights count up from 0.01 in steps of 0.01.
fn network(param: &str) -> Model {
    let count = param.lines().count();
    let mut model = Model::from_param_text(&format!("7767517\n{count} 99\n{param}\n")).unwrap();
    for layer in &mut model.layers {
        for spec in weight_layout(layer).unwrap() {
            let values = (1..=spec.len).map(|i| i as f32 / 100.0).collect();
            let tag = if spec.encoding == Encoding::Tagged { F32Tag::Tagged } else { F32Tag::Raw };
            layer.weights.push(Weight { role: spec.role, data: WeightData::F32(values, tag) });
        }
    }
    model
}

fn table(text: &str) -> ScaleTable {
    ScaleTable::parse(text).unwrap()
}

fn converted(param: &str, rows: &str) -> Converted {
    let result = convert(&network(param), &table(rows), ConvertOptions::default()).unwrap();
    // What was made can be written, and reads back as the same model.
    let mut again = Model::from_param_text(&result.model.to_param_text()).unwrap();
    again.read_bin(&result.model.bin_bytes().unwrap()).unwrap();
    assert_eq!(again.layers, result.model.layers);
    result
}

fn refusal(param: &str, rows: &str) -> String {
    convert(&network(param), &table(rows), ConvertOptions::default()).unwrap_err().to_string()
}

fn term(converted: &Converted, layer: &str) -> i32 {
    converted.model.layer(layer).unwrap().int8_term().unwrap().unwrap()
}

fn floats(layer: &Layer, role: WeightRole) -> Vec<f32> {
    layer.weight_f32(role).unwrap().into_owned()
}

const CHAIN: &str = "Input data 0 1 data 0=4 1=4 2=1\n\
                     Convolution conv 1 1 data a 0=2 1=3 5=1 6=18 9=1\n\
                     ConvolutionDepthWise dw 1 1 a b 0=2 1=1 6=2 7=2\n\
                     Convolution point 1 1 b c 0=1 1=1 6=2\n\
                     InnerProduct fc 1 1 c out 0=2 2=8";
const CHAIN_ROWS: &str = "conv_param_0 100 200\ndw_param_0 300 400\npoint_param_0 500\nfc_param_0 600 700\n\
                          conv 1\ndw 2\npoint 3\nfc 4\n";

#[test]
fn a_chain_of_convolutions_hands_on_int8() {
    let result = converted(CHAIN, CHAIN_ROWS);
    assert_eq!(["conv", "dw", "point", "fc"].map(|layer| term(&result, layer)), [102, 101, 2, 2]);
    assert_eq!(result.remarks, []);
    let dw = result.model.layer("dw").unwrap();
    assert_eq!(dw.weight_i8(WeightRole::Weight).unwrap(), [3, 8]);
    assert_eq!(floats(dw, WeightRole::WeightScales), [300.0, 400.0]);
    assert_eq!(floats(dw, WeightRole::InputScale), [2.0]);
    assert_eq!(floats(dw, WeightRole::OutputScale), [3.0]);
    let conv = result.model.layer("conv").unwrap();
    assert_eq!(floats(conv, WeightRole::Bias), [0.01, 0.02]);
    assert_eq!(typed::Convolution::read(conv).unwrap().activation_type, 1);
}

#[test]
fn requantizing_can_be_left_out() {
    let options = ConvertOptions::default().with_requantize(false);
    let result = convert(&network(CHAIN), &table(CHAIN_ROWS), options).unwrap();
    assert_eq!(["conv", "dw", "point", "fc"].map(|layer| term(&result, layer)), [2, 1, 2, 2]);
}

/// Two convolutions behind a Split, which has a third output if `tail` is not empty.
fn split(tail: &str) -> String {
    let outputs = if tail.is_empty() { "2 s0 s1" } else { "3 s0 s1 s2" };
    let (count, names) = outputs.split_once(' ').unwrap();
    let text = format!(
        "Input data 0 1 data 0=4 1=4 2=1\nConvolution a 1 1 data x 0=1 1=1 6=1\nSplit split 1 {count} x {names}\n\
         Convolution b 1 1 s0 y 0=1 1=1 6=1\nConvolution c 1 1 s1 z 0=1 1=1 6=1\n{tail}"
    );
    text.trim_end().to_owned()
}

const SPLIT_ROWS: &str = "a_param_0 1\nb_param_0 1\nc_param_0 1\na 5\nb 7\nc 7\n";

#[test]
fn a_split_passes_int8_when_all_behind_it_take_it() {
    let result = converted(&split(""), SPLIT_ROWS);
    assert_eq!(["a", "b", "c"].map(|layer| term(&result, layer)), [102, 2, 2]);
    assert_eq!(floats(result.model.layer("a").unwrap(), WeightRole::OutputScale), [7.0]);
}

#[test]
fn a_split_stays_float_when_one_behind_it_does_not() {
    for tail in ["ReLU r 1 1 s2 w", "Noop n 0 0"] {
        assert_eq!(term(&converted(&split(tail), SPLIT_ROWS), "a"), 2, "{tail}");
    }
}

#[test]
fn different_scales_behind_a_split_are_not_fused() {
    let result = converted(&split(""), &format!("{SPLIT_ROWS}c 8\n"));
    assert_eq!(term(&result, "a"), 2);
    let texts: Vec<String> = result.remarks.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["layer a: the readers of its output have different scales, so it stays float"]);
    assert_eq!(result.remarks[0].code, "scales-differ");
}

#[test]
fn a_blob_read_twice_without_a_split_stays_float() {
    let param = "Input data 0 1 data 0=4 1=4 2=1\nConvolution a 1 1 data x 0=1 1=1 6=1\n\
                 Convolution b 1 1 x y 0=1 1=1 6=1\nReLU r 1 1 x z";
    let result = converted(param, "a_param_0 1\nb_param_0 1\na 5\nb 7\n");
    assert_eq!(term(&result, "a"), 2);
    assert!(result.remarks[0].to_string().contains("several layers read its output"));
}

#[test]
fn a_layer_between_stops_int8() {
    let param = "Input data 0 1 data 0=4 1=4 2=1\nConvolution a 1 1 data x 0=1 1=1 6=1\nReLU r 1 1 x y\n\
                 Convolution b 1 1 y z 0=1 1=1 6=1";
    let result = converted(param, "a_param_0 1\nb_param_0 1\na 5\nb 7\n");
    assert_eq!((term(&result, "a"), term(&result, "b")), (2, 2));
}

#[test]
fn layers_without_an_input_scale_stay_float_and_are_noted() {
    let result = converted(CHAIN, "conv_param_0 100 200\npoint_param_0 500\npoint 3\nghost 1\n");
    assert_eq!(["conv", "dw", "point", "fc"].map(|layer| term(&result, layer)), [0, 0, 2, 0]);
    let notes: Vec<String> = result.remarks.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "row ghost of the table names no layer",
            "layer conv: no input scale in the table, stays float",
            "layer dw: no row in the table, stays float",
            "layer fc: no row in the table, stays float",
        ]
    );
}

#[test]
fn a_layer_without_weight_scales_stays_float_and_is_noted() {
    let result = converted(CHAIN, "conv 1\npoint_param_0 500\npoint 3\n");
    assert_eq!(["conv", "point"].map(|layer| term(&result, layer)), [0, 2]);
    assert_eq!(result.remarks[0].to_string(), "layer conv: no row conv_param_0 in the table, stays float");
}

#[test]
fn rows_of_the_wrong_length_are_errors() {
    let message = refusal(CHAIN, "conv_param_0 100\nconv 1\n");
    assert_eq!(message, "layer conv: row conv_param_0 of the table has 1 values, expected 2");
    let message = refusal(CHAIN, "conv_param_0 100 100\nconv 1 2 3\n");
    assert_eq!(message, "layer conv: row conv of the table has 3 values, expected 1");
}

#[test]
fn scales_that_cannot_be_used_are_errors() {
    for bad in ["0", "-1", "nan", "inf"] {
        let message = refusal(CHAIN, &format!("conv_param_0 100 {bad}\nconv 1\n"));
        let found = if bad == "nan" { "NaN" } else { bad };
        assert_eq!(
            message,
            format!(
                "layer conv: value 1 of row conv_param_0 of the table is {found}, expected a finite positive scale"
            )
        );
        assert!(refusal(CHAIN, &format!("conv_param_0 1 1\nconv {bad}\n")).contains("value 0 of row conv of"));
    }
}

#[test]
fn an_all_zero_channel_becomes_zeros_with_scale_one() {
    let mut model = network(CHAIN);
    let WeightData::F32(values, _) = &mut model.layers[1].weights[0].data else { panic!() };
    values[..9].fill(0.0);
    let rows = CHAIN_ROWS.replace("conv_param_0 100", "conv_param_0 inf");
    let result = convert(&model, &table(&rows), ConvertOptions::default()).unwrap();
    let texts: Vec<String> = result.remarks.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["layer conv: all weights are zero in 1 channel(s): [0]"]);
    let conv = result.model.layer("conv").unwrap();
    assert_eq!(conv.weight_i8(WeightRole::Weight).unwrap()[..10], [0, 0, 0, 0, 0, 0, 0, 0, 0, 20]);
    assert_eq!(floats(conv, WeightRole::WeightScales), [1.0, 200.0]);
}

#[test]
fn a_weight_that_is_not_finite_is_an_error() {
    let mut model = network(CHAIN);
    let WeightData::F32(values, _) = &mut model.layers[1].weights[0].data else { panic!() };
    values[10] = f32::NAN;
    let message = convert(&model, &table(CHAIN_ROWS), ConvertOptions::default()).unwrap_err().to_string();
    assert_eq!(message, "layer conv: weight 1 of channel 1 is NaN, expected finite numbers");
}

#[test]
fn a_table_of_another_model_is_an_error() {
    assert_eq!(refusal(CHAIN, "x 1\n"), "no row of the table names a layer of the model; the first is x");
    assert_eq!(refusal(CHAIN, ""), "no row of the table names a layer of the model; it is empty");
}

#[test]
fn an_int8_model_is_not_converted_again() {
    let result = converted(CHAIN, CHAIN_ROWS);
    let message = convert(&result.model, &table(CHAIN_ROWS), ConvertOptions::default()).unwrap_err().to_string();
    assert_eq!(message, "layer conv: is int8 already (int8_scale_term 102); convert the float model");
    let sdpa = "Input q 0 1 q\nSDPA sdpa 1 1 q out 18=2";
    assert!(refusal(sdpa, "x 1\n").contains("layer sdpa: is int8 already (int8_scale_term 2)"));
}

#[test]
fn what_stays_float_is_stored_as_ncnn2int8_does() {
    let param = "Input data 0 1 data 0=4 1=4 2=1\nMemoryData memory 0 1 m 0=3 21=0\n\
                 Deconvolution up 1 1 data a 0=2 1=1 5=1 6=2\nInnerProduct fc 1 1 a out 0=1 2=8";
    let mut model = network(param);
    let WeightData::F32(values, _) = &mut model.layers[2].weights[0].data else { panic!() };
    values[1] = 1e6;
    let WeightData::F32(values, _) = &mut model.layers[2].weights[1].data else { panic!() };
    values[1] = 1e-31;
    model.trailing_bytes = vec![1, 2, 3];
    let rows = table("fc_param_0 1\nfc 1\n");
    let result = convert(&model, &rows, ConvertOptions::default()).unwrap();
    let memory = result.model.layer("memory").unwrap();
    assert_eq!(memory.params.get(typed::MemoryData::LOAD_TYPE).unwrap(), None);
    assert_eq!(memory.weights[0].data, WeightData::F32(vec![0.01, 0.02, 0.03], F32Tag::Raw));
    let up = result.model.layer("up").unwrap();
    assert!(matches!(up.weights[0].data, WeightData::F16(_)));
    assert_eq!(floats(up, WeightRole::Bias), [0.01, 0.0]);
    let notes: Vec<String> = result.remarks.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "layer up: 1 float weight(s) are beyond 65504 and become infinite in fp16",
            "3 byte(s) after the last weight are left out",
        ]
    );

    let keep = ConvertOptions::default().with_float_storage(FloatStorage::Keep);
    let kept = convert(&model, &rows, keep).unwrap().model;
    assert_eq!(kept.layer("up"), model.layer("up"));
    assert_eq!(kept.layer("memory"), model.layer("memory"));
}

#[test]
fn weights_that_come_from_another_layer_are_left_alone() {
    let param = "Input data 0 1 data 0=4 1=4 2=1\nConvolution dynamic 2 1 data w x 0=1 1=1 19=1\n\
                 InnerProduct fc 1 1 x out 0=1 2=8";
    let result = converted(param, "fc_param_0 1\nfc 1\n");
    assert_eq!(term(&result, "dynamic"), 0);
}
