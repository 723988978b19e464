//! Layers of the goldens with parameters and inputs that nobody meant: an error or a result, never a panic.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fp32_ref::{BuildOptions, Order, Pixels, Shape, Tensor, Workspace, build};
use ncnn_format::{F32Tag, Layer, Model, Weight, WeightData, weight_layout};

/// Goldens whose layers this is asked of.
const FILES: [&str; 3] = ["layers.txt", "sequence.txt", "shapes.txt"];
/// What every parameter is set to in turn.
const VALUES: [i32; 10] = [0, 1, -1, 2, 3, 7, -233, 1 << 16, i32::MAX, i32::MIN];
/// Larger weights and outputs are not made.
const LARGEST: usize = 1 << 16;

/// Cases of each layer type that are taken from a file: all, but few where an emulator runs them.
const CASES: usize = if cfg!(target_arch = "x86_64") { usize::MAX } else { 3 };

/// The layer lines of a golden file with the dimensions of their inputs.
fn cases(text: &str) -> Vec<(String, Vec<Vec<usize>>)> {
    let (mut cases, mut inputs) = (Vec::new(), Vec::new());
    let mut taken = BTreeMap::<&str, usize>::new();
    for line in text.lines() {
        if line.starts_with("case ") {
            inputs.clear();
        } else if let Some(rest) = line.strip_prefix("input ") {
            inputs.push(rest.split(' ').skip(3).map(|word| word.parse().unwrap()).collect());
        } else if let Some(layer) = line.strip_prefix("layer ") {
            let taken = taken.entry(layer.split(' ').next().unwrap()).or_default();
            if *taken < CASES {
                *taken += 1;
                cases.push((layer.to_owned(), inputs.clone()));
            }
        }
    }
    cases
}

/// The line, and the line with every parameter changed, missing or doubled in length.
fn variants(line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let mut lines = vec![line.to_owned()];
    let params = words.iter().enumerate().filter(|(_, word)| word.contains('=') && !word.contains('"'));
    for (index, word) in params {
        let (key, _) = word.split_once('=').unwrap();
        let array = key.starts_with("-23") && key.len() == 6;
        let changed =
            VALUES.iter().map(|value| if array { format!("{key}=1,{value}") } else { format!("{key}={value}") });
        for changed in changed.chain([String::new()]) {
            let mut words = words.clone();
            words[index] = &changed;
            lines.push(words.join(" ").replace("  ", " ").trim_end().to_owned());
        }
    }
    lines
}

fn layer_of(line: &str, inputs: usize) -> Option<Layer> {
    let mut text = format!("7767517\n{} 99\n", inputs + 1);
    for index in 0..inputs {
        text += &format!("Input in{index} 0 1 in{index}\n");
    }
    let mut model = Model::from_param_text(&format!("{text}{line}\n")).ok()?;
    let mut layer = model.layers.pop()?;
    for spec in weight_layout(&layer).ok()? {
        if spec.len > LARGEST {
            return None;
        }
        let values = (0..spec.len).map(|index| (index % 7) as f32 * 0.25 - 0.5).collect();
        layer.weights.push(Weight { role: spec.role, data: WeightData::F32(values, F32Tag::Tagged) });
    }
    Some(layer)
}

/// The inputs, and inputs that are fewer, more, flatter, deeper or of other sizes.
fn input_variants(inputs: &[Vec<usize>]) -> Vec<Vec<Vec<usize>>> {
    let mut all = vec![inputs.to_vec()];
    if let Some((last, rest)) = inputs.split_last() {
        all.push(rest.to_vec());
        all.push([inputs, std::slice::from_ref(last)].concat());
    }
    for index in 0..inputs.len() {
        let dims = &inputs[index];
        let grown: Vec<usize> = dims.iter().map(|dim| dim + 1).collect();
        for other in [vec![dims.iter().product()], [&[1], &dims[..]].concat(), dims[1..].to_vec(), grown, vec![1; 4]] {
            let mut inputs = inputs.to_vec();
            inputs[index] = other;
            all.push(inputs);
        }
    }
    all.retain(|inputs| inputs.iter().all(|dims| (1..=4).contains(&dims.len())));
    all
}

/// Runs the layer if it can be; checks that shapes and values agree on whether it can.
fn try_layer(layer: &Layer, inputs: &[Vec<usize>]) -> Result<(), String> {
    let Ok(built) = build(layer, BuildOptions::default()) else { return Ok(()) };
    let tensors: Vec<Tensor> = inputs.iter().map(|dims| Tensor::filled(Shape::new(dims).unwrap(), 0.5)).collect();
    let shapes: Vec<Shape> = tensors.iter().map(Tensor::shape).collect();
    let foretold = built.output_shapes(&shapes);
    if foretold.as_ref().is_ok_and(|foretold| foretold.iter().any(|shape| shape.volume() > LARGEST)) {
        return Ok(());
    }
    if built.order(&shapes) != Order::Planar && shapes.iter().all(|shape| shape.rank() == 3) {
        let pixels = shapes.iter().map(|&shape| Pixels::new(shape, vec![0.5; shape.volume()]).unwrap()).collect();
        match (&foretold, built.run_pixels(pixels, &mut Workspace::default())) {
            (Ok(foretold), Ok(outputs)) if outputs.iter().map(|value| value.shape()).eq(foretold.iter().copied()) => {}
            (Err(_), Err(_)) => {}
            (foretold, found) => return Err(format!("foretold {foretold:?}, as pixels {found:?}")),
        }
    }
    match foretold {
        Ok(foretold) => match built.run(tensors) {
            Ok(outputs) if outputs.iter().map(Tensor::shape).eq(foretold) => Ok(()),
            Ok(_) => Err("the shapes are not those foretold".to_owned()),
            Err(error) => Err(format!("foretold shapes, then failed: {error}")),
        },
        Err(foretold) => match built.run(tensors) {
            Err(_) => Ok(()),
            Ok(_) if foretold.kind() == ncnn_format::ErrorKind::Unsupported => Ok(()),
            Ok(_) => Err(format!("ran although the shapes do not work: {foretold}")),
        },
    }
}

#[test]
fn no_parameters_and_inputs_make_a_layer_panic() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    let mut wrong = Vec::new();
    for name in FILES {
        for (line, inputs) in cases(&std::fs::read_to_string(folder.join(name)).unwrap()) {
            for (index, variant) in variants(&line).iter().enumerate() {
                let Some(layer) = layer_of(variant, inputs.len()) else { continue };
                let all = if index == 0 { input_variants(&inputs) } else { vec![inputs.clone()] };
                for inputs in all {
                    let result = catch_unwind(AssertUnwindSafe(|| try_layer(&layer, &inputs)));
                    match result {
                        Ok(Ok(())) => {}
                        Ok(Err(message)) => wrong.push(format!("{variant} of {inputs:?}: {message}")),
                        Err(_) => wrong.push(format!("{variant} of {inputs:?}: panicked")),
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} times:\n{}", wrong.len(), wrong.join("\n"));
}
