//! A registry with layer types of its user.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fp32_ref::{
    BuildOptions, Graph, Layer, Net, NetOptions, Order, Pixels, Registry, Shape, Shapes, Tensor, Value, Workspace,
};
use ncnn_format::typed::ParamKey;
use ncnn_format::{Error, ErrorKind, Model, Result};

/// Adds a number to every value, and counts how often it was built.
struct Shift(f32);

impl Layer for Shift {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        match inputs {
            [only] => Ok(vec![*only]),
            _ => Err(Error::invalid(format!("expects one input, found {}", inputs.len()))),
        }
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        Ok(inputs.into_iter().map(|input| input.map(|x| x + self.0)).collect())
    }
}

/// Swaps channels, pixel by pixel only.
struct Swap;

impl Layer for Swap {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        Ok(inputs.to_vec())
    }

    fn run(&self, _: Vec<Tensor>) -> Result<Vec<Tensor>> {
        Err(Error::unsupported("only pixels"))
    }

    fn order(&self, _: &[Shape]) -> Order {
        Order::Pixels
    }

    fn run_pixels(&self, inputs: Vec<Pixels>, _: &mut Workspace) -> Result<Vec<Value>> {
        let swapped = inputs.iter().map(|pixels| {
            let channels = pixels.shape().c();
            let values = pixels.as_slice().chunks_exact(channels).flat_map(|pixel| pixel.iter().rev().copied());
            Ok(Value::Pixels(Pixels::new(pixels.shape(), values.collect())?))
        });
        swapped.collect()
    }
}

fn model(lines: &str) -> Model {
    let count = lines.lines().count();
    Model::from_param_text(&format!("7767517\n{count} {count}\n{lines}\n")).unwrap()
}

fn shift(by: f32) -> Registry {
    let mut registry = Registry::default();
    registry.register("Shift", move |_| Ok(Box::new(Shift(by))));
    registry
}

fn run(net: &Net, dims: &[usize], values: &[f32]) -> Vec<f32> {
    let outputs = net.run(&[("data", Tensor::new(dims, values.to_vec()).unwrap())], &mut ()).unwrap();
    outputs.get("out").unwrap().as_slice().to_vec()
}

const SHIFTED: &str = "Input data 0 1 data 0=2\nShift s 1 1 data mid\nReLU act 1 1 mid out";

#[test]
fn an_own_type_runs_between_built_in_ones() {
    let net = Net::with_options(&model(SHIFTED), NetOptions::default().with_registry(shift(1.0))).unwrap();
    assert_eq!(run(&net, &[2], &[-3.0, 2.0]), [0.0, 3.0]);
}

#[test]
fn an_own_type_may_take_pixels() {
    let mut registry = Registry::default();
    registry.register("Swap", |_| Ok(Box::new(Swap)));
    let model = model("Input data 0 1 data\nSwap s 1 1 data out");
    let net = Net::with_options(&model, NetOptions::default().with_registry(registry)).unwrap();
    assert_eq!(run(&net, &[2, 1, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), [4.0, 5.0, 6.0, 1.0, 2.0, 3.0]);
}

#[test]
fn an_own_type_takes_part_in_shapes() {
    let model = model(SHIFTED);
    let options = NetOptions::default().with_registry(shift(1.0));
    let net = Net::with_options(&model, options).unwrap();
    let input = Shape::new(&[2]).unwrap();
    assert_eq!(net.infer_shapes(&[("data", input)]).unwrap(), vec![input; 3]);
    let graph = Graph::new(&model).unwrap();
    let shapes = Shapes::of_model(&model, &graph, &[], &shift(1.0));
    assert_eq!(shapes.get(graph.blob("out").unwrap()), Some(input));
    let without = Shapes::of_model(&model, &graph, &[], &Registry::default());
    assert_eq!(without.get(graph.blob("out").unwrap()), None);
    assert_eq!(without.failures().len(), 1);
}

#[test]
fn an_unknown_type_is_refused_with_a_word_on_the_registry() {
    let error = Net::new(&model(SHIFTED)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let expected = "layer s: layers of type Shift cannot be run: the registry has no such type";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn all_unknown_types_are_named_at_once() {
    let error = Net::new(&model("Input data 0 1 data\nOne a 1 1 data b\nTwo c 1 1 b out")).unwrap_err().to_string();
    assert!(error.contains("layer a: ") && error.contains("layer c: "), "{error}");
}

#[test]
fn an_own_type_takes_the_place_of_a_built_in_one() {
    let mut registry = Registry::default();
    registry.register("ReLU", |_| Ok(Box::new(Shift(10.0))));
    let text = "Input data 0 1 data\nReLU act 1 1 data out";
    let net = Net::with_options(&model(text), NetOptions::default().with_registry(registry)).unwrap();
    assert_eq!(run(&net, &[1], &[-3.0]), [7.0]);
    assert_eq!(run(&Net::new(&model(text)).unwrap(), &[1], &[-3.0]), [0.0], "other networks do not change");
}

#[test]
fn a_later_registration_counts_and_clones_keep_theirs() {
    let mut registry = shift(1.0);
    let before = registry.clone();
    registry.register("Shift", |_| Ok(Box::new(Shift(2.0))));
    for (registry, expected) in [(before, 1.0), (registry, 2.0)] {
        let net = Net::with_options(&model(SHIFTED), NetOptions::default().with_registry(registry)).unwrap();
        assert_eq!(run(&net, &[2], &[0.0, 0.0]), [expected; 2]);
    }
}

#[test]
fn a_layer_is_built_once_per_network_from_its_own_parameters() {
    let built = Arc::new(AtomicUsize::new(0));
    let mut registry = Registry::default();
    let count = Arc::clone(&built);
    registry.register("Shift", move |layer| {
        count.fetch_add(1, Ordering::SeqCst);
        let by = layer.params.get(ParamKey::custom(0, "by"))?;
        Ok(Box::new(Shift(by.unwrap_or(0.0))))
    });
    let text = "Input data 0 1 data\nShift a 1 1 data mid 0=5.0\nShift b 1 1 mid out 0=0.5";
    let net = Net::with_options(&model(text), NetOptions::default().with_registry(registry)).unwrap();
    assert_eq!(run(&net, &[1], &[1.0]), [6.5]);
    assert_eq!(run(&net, &[1], &[2.0]), [7.5]);
    assert_eq!(built.load(Ordering::SeqCst), 2);
}

#[test]
fn errors_of_an_own_type_name_the_layer() {
    let mut registry = Registry::default();
    registry.register("Shift", |layer| Err(Error::malformed(format!("no {} today", layer.kind))));
    let options = NetOptions::default().with_registry(registry);
    let error = Net::with_options(&model(SHIFTED), options).unwrap_err();
    assert_eq!(error.to_string(), "layer s: no Shift today");

    let two = model("Input data 0 1 data\nSplit t 1 2 data a b\nShift s 2 1 a b out");
    let net = Net::with_options(&two, NetOptions::default().with_registry(shift(1.0))).unwrap();
    let error = net.run(&[("data", Tensor::new([1], vec![0.0]).unwrap())], &mut ()).unwrap_err();
    assert_eq!(error.to_string(), "layer s: makes 2 blobs, the file names 1");
    let error = net.infer_shapes(&[("data", Shape::new(&[1]).unwrap())]).unwrap_err();
    assert_eq!(error.to_string(), "layer s: expects one input, found 2");
}

#[test]
fn a_registry_says_which_types_are_its_own() {
    let registry = shift(1.0);
    let model = model(SHIFTED);
    assert!(registry.is_own(&model.layers[1]));
    assert!(!registry.is_own(&model.layers[2]));
    assert!(!Registry::default().is_own(&model.layers[1]));
    assert_eq!(format!("{registry:?}"), r#"Registry { own: ["Shift"] }"#);
    assert!(registry.build(&model.layers[2], BuildOptions::default()).is_ok(), "built-in types stay");
}
