//! Replays layers for sequences with int8 weights or products, whose outputs the stock ncnn runtime made.
//!
//! `xtask/python/int8_sequence_goldens.py` makes the files.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../../fp32-ref/tests/common/goldens.rs"]
mod goldens;

use std::path::Path;

use fp32_ref::Tensor;
use goldens::{Case, Draw, GoldenWeight};
use int8_exec::Int8Net;
use ncnn_format::{F32Tag, Layer, Model, Number, ParamValue, Weight, WeightData, weight_layout};

/// What ncnn's wheel on x86 differs by, relative to the largest value of an output. Where it runs
/// its plain layers, the bits are the same; elsewhere its vector code has an `exp` and roundings of its own.
const TOLERANCES: &[(&str, f32)] = &[
    ("Embed", 0.0),
    ("GRU", 0.0),
    ("RNN", 0.0),
    ("LSTM", 1e-6),
    ("Gemm", 5e-7),
    ("MultiHeadAttention", 1e-6),
    ("SDPA", 5e-7),
];

fn data(draw: &mut Draw, weight: &GoldenWeight) -> WeightData {
    let values = draw.weight(weight);
    match weight.storage.as_str() {
        "i8" => WeightData::I8(values.iter().map(|x| x.round_ties_even() as i8).collect()),
        "raw" => WeightData::F32(values, F32Tag::Raw),
        _ => WeightData::F32(values, F32Tag::Tagged),
    }
}

/// Gives `layer` the weights of its layout.
fn fill(layer: &mut Layer, mut data: impl FnMut(usize) -> WeightData) {
    for (index, spec) in weight_layout(layer).unwrap().iter().enumerate() {
        let data = data(index);
        assert_eq!(data.len(), spec.len, "{} of {}", spec.role, layer.kind);
        layer.weights.push(Weight { role: spec.role, data });
    }
}

/// The network of a layer and its inputs.
fn model(case: &Case) -> (Model, Vec<(&str, Tensor)>) {
    let mut draw = Draw(case.number);
    // The executor wants an input even for a constant.
    let mut lines = vec!["Input unused 0 1 unused".to_owned()];
    let mut feeds = vec![("unused", Tensor::new([1], vec![0.0]).unwrap())];
    for (name, low, high, dims) in &case.inputs {
        lines.push(format!("Input {name} 0 1 {name}"));
        let values = draw.values(dims.iter().product(), *low, *high);
        feeds.push((name, Tensor::new(dims, values).unwrap()));
    }
    lines.push(case.layer.clone());
    let mut model = Model::from_param_text(&format!("7767517\n{} 99\n{}\n", lines.len(), lines.join("\n"))).unwrap();
    fill(model.layers.last_mut().unwrap(), |index| data(&mut draw, &case.weights[index]));
    (model, feeds)
}

/// How the outputs of a case differ from what ncnn made, relative to the largest value of each.
fn difference(case: &Case, values: &mut &[f32]) -> f32 {
    let (model, feeds) = model(case);
    let net = Int8Net::new(&model).unwrap_or_else(|error| panic!("{}: {error}", case.describe()));
    let outputs = net.run(&feeds, &mut ()).unwrap_or_else(|error| panic!("{}: {error}", case.describe()));
    let alone = net.run(&feeds, &mut |_, _: &_| Ok(())).unwrap();
    let mut worst = 0.0_f32;
    for (name, dims) in &case.outputs {
        let (expected, rest) = values.split_at(dims.iter().product());
        *values = rest;
        let output = outputs.get(name).unwrap();
        assert_eq!(output, alone.get(name).unwrap(), "{}: a plan gives other values", case.describe());
        assert_eq!(output.shape().dims(), dims, "{}", case.describe());
        let largest = expected.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
        for (found, expected) in output.as_slice().iter().zip(expected) {
            assert!(found.is_finite(), "{}", case.describe());
            worst = worst.max((found - expected).abs() / largest.max(f32::MIN_POSITIVE));
        }
    }
    worst
}

#[test]
fn layers_for_sequences_give_what_ncnn_gives() {
    let (cases, values) = goldens::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sequence.txt"));
    let mut values = &values[..];
    let found: Vec<(&Case, f32)> = cases.iter().map(|case| (case, difference(case, &mut values))).collect();
    assert!(values.is_empty(), "the cases do not use all values");
    assert!(found.len() > 300, "only {} cases", found.len());
    let mut report = Vec::new();
    for &(kind, tolerance) in TOLERANCES {
        let of_kind: Vec<_> = found.iter().filter(|(case, _)| case.kind() == kind).collect();
        let equal = of_kind.iter().filter(|(_, worst)| *worst == 0.0).count();
        assert!(of_kind.len() > 20, "only {} cases of {kind}", of_kind.len());
        let (case, worst) = of_kind.iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap();
        if *worst > tolerance {
            report.push(format!("{kind}: {equal} of {} equal, worst {worst:e} in {}", of_kind.len(), case.describe()));
        }
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}

#[test]
fn senseless_parameters_are_refused_without_panic() {
    let (cases, _) = goldens::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sequence.txt"));
    for case in cases.iter().step_by(5) {
        for id in 0..=22 {
            for value in [-2_147_483_648, -1, 0, 1, 3, 64, 65_536, 2_147_483_647] {
                let (mut model, feeds) = model(case);
                let word = ParamValue::Number(Number::Int(value));
                model.layers.last_mut().unwrap().params.extend([(id, word)]);
                let Ok(net) = Int8Net::new(&model) else { continue };
                // Whether it works does not matter here.
                let _ = net.run(&feeds, &mut ());
            }
        }
    }
}

#[test]
fn weights_in_blocks_are_refused_by_name() {
    let text = "7767517\n2 2\nInput in 0 1 in\nGemm product 1 1 in out 3=1 5=1 6=1 8=4 9=32 10=-1 18=400\n";
    let model = Model::from_param_text(text).unwrap();
    let message = Int8Net::new(&model).err().unwrap().to_string();
    assert_eq!(message, "layer product: a Gemm with weights in blocks (quantize term 400) cannot be run");
}

#[test]
fn weights_left_float_are_refused_by_name() {
    let text = "7767517\n2 2\nInput in 0 1 in\nEmbed words 1 1 in out 0=2 1=3 3=6 18=2\n";
    let mut model = Model::from_param_text(text).unwrap();
    fill(&mut model.layers[1], |index| WeightData::F32(vec![1.0; [6, 1][index]], F32Tag::Tagged));
    let message = Int8Net::new(&model).err().unwrap().to_string();
    assert_eq!(message, "layer words: weight is stored as fp32, expected int8");
}
