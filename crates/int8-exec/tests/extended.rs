//! Own layer types, observers that fail, parts of a network, replaced layers, and plans that cannot be made.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{floats, network};
use fp32_ref::{Blobs, Layer, Outputs, Part, Registry, Shape, Tensor, Watch};
use int8_exec::{Int8Net, Options, Value, validate};
use ncnn_format::{BlobId, Error, Model, Result};

const RESIDUAL: &str = "
    Input data 0 1 data
    Convolution c0 1 1 data c0 0=8 1=3 4=1 5=1 6=216 9=1
    Split s0 1 2 c0 c0a c0b
    Convolution c1 1 1 c0a c1 0=8 1=3 4=1 5=1 6=576 9=1
    Eltwise e1 2 1 c0b c1 e1 0=1
    ReLU r1 1 1 e1 r1
    Pooling p1 1 1 r1 p1 1=2 2=2
    ConvolutionDepthWise d1 1 1 p1 d1 0=8 1=3 4=1 5=1 6=72 7=8 9=2 -23310=1,0.1
    Pooling gp 1 1 d1 gp 0=1 4=1
    InnerProduct fc 1 1 gp out 0=5 1=1 2=40";

const REQUANTIZED: &str = "
    Input data 0 1 data
    Convolution c0 1 1 data c0 0=8 1=3 4=1 5=1 6=216 8=102 9=1
    Split s0 1 2 c0 a b
    ConvolutionDepthWise d 1 1 a d 0=8 1=3 4=1 5=1 6=72 7=8 8=101 9=1
    Convolution c1 1 1 b out2 0=8 1=1 5=1 6=64
    Convolution c2 1 1 d out 0=8 1=1 5=1 6=64";

/// A plan has no step for Quantize.
const ALONE: &str = "
    Input data 0 1 data
    Convolution c0 1 1 data c0 0=8 1=1 5=1 6=24
    Quantize q 1 1 c0 q 0=1
    Noop n 1 1 q out";

fn alone() -> Model {
    let mut model = network(ALONE, 3);
    let scale = ncnn_format::WeightData::F32(vec![9.0], ncnn_format::F32Tag::Raw);
    let role = ncnn_format::WeightRole::Scale;
    model.layers[2].weights = vec![ncnn_format::Weight { role, data: scale }];
    model
}

fn golden(name: &str) -> Model {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden");
    Model::load(format!("{folder}/{name}.int8.param"), format!("{folder}/{name}.int8.bin")).unwrap()
}

fn networks() -> Vec<(&'static str, Model, Tensor)> {
    let mut networks: Vec<_> =
        ["lenet.kl", "lenet.aciq", "mbv2_bn.kl"].map(|name| (name, golden(name), floats(&[1, 28, 28], 9))).into();
    networks.push(("residual", network(RESIDUAL, 1), floats(&[3, 12, 10], 2)));
    networks.push(("requantized", network(REQUANTIZED, 1), floats(&[3, 9, 10], 2)));
    networks
}

fn input(net: &Int8Net) -> &str {
    net.graph().blob_name(net.graph().inputs()[0])
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    tensor.as_slice().iter().map(|x| x.to_bits()).collect()
}

#[track_caller]
fn assert_outputs(net: &Int8Net, expected: &Outputs, found: &Blobs<Value>, what: &str) {
    for &blob in net.graph().outputs() {
        let name = net.graph().blob_name(blob);
        let found = found.get(blob).unwrap().to_f32().unwrap();
        assert_eq!(bits(&found), bits(expected.get(name).unwrap()), "{what}: {name}");
    }
}

#[test]
fn a_network_cut_anywhere_gives_the_bits_of_its_plan() {
    for (name, model, image) in networks() {
        let net = Int8Net::new(&model).unwrap();
        let whole = net.run(&[(input(&net), image.clone())], &mut ()).unwrap();
        let fed: Blobs<Value> = [(net.graph().inputs()[0], Value::F32(image))].into_iter().collect();
        let layers = net.graph().nodes().len();
        for cut in 0..=layers {
            let mut known = fed.clone();
            for part in [Part::range(net.graph(), 0..cut), Part::range(net.graph(), cut..layers)] {
                known.extend(net.run_part(&part, &known, &mut ()).unwrap());
            }
            assert_outputs(&net, &whole, &known, &format!("{name} cut at {cut}"));
        }
    }
}

#[test]
fn an_observer_sees_what_it_wants_and_stops_the_run() {
    let (net, image) = (Int8Net::new(&network(RESIDUAL, 1)).unwrap(), floats(&[3, 12, 10], 2));
    let feeds = [("data", image)];
    let wanted = ["e1", "c1"].map(|name| net.graph().blob(name).unwrap());
    let mut seen = Vec::new();
    let mut watch = Watch::new(&wanted, |place, value: &Value| {
        seen.push((place, value.shape().to_string()));
        Ok(())
    });
    net.run(&feeds, &mut watch).unwrap();
    assert_eq!(seen, [(1, "8x12x10".to_owned()), (0, "8x12x10".to_owned())]);

    let mut count = 0;
    let error = net.run(&feeds, &mut |blob: BlobId, _: &Value| {
        count += 1;
        if blob == wanted[1] { Err(Error::invalid("enough")) } else { Ok(()) }
    });
    assert_eq!(error.unwrap_err().to_string(), "enough");
    assert_eq!(count, wanted[1].0 + 1, "nothing behind it was run");
}

#[test]
fn whoever_wants_nothing_lets_the_plan_run() {
    let net = Int8Net::new(&network(RESIDUAL, 1)).unwrap();
    let feeds = [("data", floats(&[3, 12, 10], 2))];
    let mut nothing = Watch::new(&[], |_, _: &Value| Err(Error::invalid("was shown something")));
    let planned = net.run(&feeds, &mut nothing).unwrap();
    let mut all = Blobs::new();
    let alone = net.run(&feeds, &mut all).unwrap();
    assert_eq!(all.len(), net.graph().blobs().len());
    assert_eq!(bits(planned.get("out").unwrap()), bits(alone.get("out").unwrap()));
}

#[test]
fn a_replaced_layer_gives_the_bits_of_a_fresh_network() {
    for (name, model, image) in networks() {
        let net = Int8Net::new(&model).unwrap();
        let feeds = [(input(&net), image)];
        let mut kept = Blobs::new();
        let before = net.run(&feeds, &mut kept).unwrap();
        let other =
            if name == "residual" || name == "requantized" { network_again(name) } else { golden("lenet.aciq") };
        for (index, layer) in other.layers.iter().enumerate().filter(|(_, layer)| layer.is_int8().unwrap()) {
            let Ok(replaced) = net.with_layer(index, layer) else { continue };
            let mut changed = model.clone();
            changed.layers[index] = layer.clone();
            let fresh = Int8Net::new(&changed).unwrap().run(&feeds, &mut ()).unwrap();
            let found = replaced.run(&feeds, &mut ()).unwrap();
            for (blob, value) in fresh.iter() {
                assert_eq!(bits(found.get(blob).unwrap()), bits(value), "{name}, layer {index}");
            }
            let part = Part::dependents(net.graph(), &[index]);
            let made = replaced.run_part(&part, &kept, &mut ()).unwrap();
            for (blob, value) in made.iter() {
                let expected = bits(fresh.get(net.graph().blob_name(blob)).unwrap());
                assert_eq!(bits(&value.to_f32().unwrap()), expected, "{name}, behind layer {index}");
            }
        }
        let after = net.run(&feeds, &mut ()).unwrap();
        assert!(before.iter().zip(after.iter()).all(|(a, b)| bits(a.1) == bits(b.1)), "{name}: the first stays");
    }
}

/// The same lines with other weights.
fn network_again(name: &str) -> Model {
    network(if name == "residual" { RESIDUAL } else { REQUANTIZED }, 77)
}

#[test]
fn float_and_int8_layers_take_each_others_places() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/fmnist");
    let float = Model::load(format!("{folder}/mbv2_bn.param"), format!("{folder}/mbv2_bn.bin")).unwrap();
    let int8 = golden("mbv2_bn.kl");
    let image = [("data", floats(&[1, 28, 28], 4))];
    let nets = [&float, &int8].map(|model| Int8Net::new(model).unwrap());
    let quantized: Vec<usize> =
        int8.layers.iter().enumerate().filter(|(_, layer)| layer.is_int8().unwrap()).map(|(index, _)| index).collect();
    assert!(quantized.len() > 10);
    for &index in quantized.iter().step_by(4) {
        let (mut one_int8, mut one_float) = (float.clone(), int8.clone());
        one_int8.layers[index] = int8.layers[index].clone();
        one_float.layers[index] = float.layers[index].clone();
        for (net, layer, fresh) in
            [(&nets[0], &int8.layers[index], one_int8), (&nets[1], &float.layers[index], one_float)]
        {
            let replaced = net.with_layer(index, layer).unwrap().run(&image, &mut ()).unwrap();
            let fresh = Int8Net::new(&fresh).unwrap().run(&image, &mut ()).unwrap();
            for (blob, value) in fresh.iter() {
                assert_eq!(bits(replaced.get(blob).unwrap()), bits(value), "layer {}", layer.name);
            }
        }
    }
    // All of them, one after the other, make the one network the other.
    let mut net = Int8Net::new(&float).unwrap();
    for (index, layer) in int8.layers.iter().enumerate().filter(|(_, layer)| layer.inputs.len() == 1) {
        net = net.with_layer(index, layer).unwrap();
    }
    let (found, expected) = (net.run(&image, &mut ()).unwrap(), nets[1].run(&image, &mut ()).unwrap());
    let same = |(a, b): ((&str, &Tensor), (&str, &Tensor))| bits(a.1) == bits(b.1);
    assert!(found.iter().zip(expected.iter()).all(same));
}

#[test]
fn a_replacement_must_have_the_blobs_of_what_it_replaces() {
    let model = network(RESIDUAL, 1);
    let net = Int8Net::new(&model).unwrap();
    let error = net.with_layer(3, &model.layers[1]).unwrap_err().to_string();
    assert_eq!(error, "layer c0: reads data, the layer that it replaces reads c0a");
    let error = net.with_layer(0, &model.layers[0]).unwrap_err().to_string();
    assert!(error.starts_with("layer data: an Input layer cannot"), "{error}");
    assert!(net.with_layer(10, &model.layers[1]).is_err());
}

/// Doubles, and counts how often it is asked for shapes.
struct Double(Arc<AtomicUsize>);

impl Layer for Double {
    fn output_shapes(&self, inputs: &[Shape]) -> Result<Vec<Shape>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(inputs.to_vec())
    }

    fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>> {
        Ok(inputs.into_iter().map(|input| input.map(|x| 2.0 * x)).collect())
    }
}

fn doubling() -> (Registry, Arc<AtomicUsize>) {
    let (asked, mut registry) = (Arc::new(AtomicUsize::new(0)), Registry::default());
    let count = Arc::clone(&asked);
    registry.register("Double", move |_| Ok(Box::new(Double(Arc::clone(&count)))));
    (registry, asked)
}

#[test]
fn an_own_type_runs_in_a_plan_and_beside_it() {
    let lines = "
        Input data 0 1 data
        Convolution c0 1 1 data c0 0=8 1=3 4=1 5=1 6=216
        Double d 1 1 c0 d
        Convolution c1 1 1 d out 0=4 1=1 5=1 6=32";
    let (model, feeds) = (network(lines, 5), [("data", floats(&[3, 8, 8], 6))]);
    let error = Int8Net::new(&model).unwrap_err().to_string();
    assert_eq!(error, "layer d: layers of type Double cannot be run: the registry has no such type");
    let net = Int8Net::with_options(&model, Options::default().with_registry(doubling().0)).unwrap();
    let report = net.plan_report(&[("data", feeds[0].1.shape())]).unwrap();
    assert!(report.steps.iter().any(|step| step.kind == "Double" && step.kernel == "fp32-ref"));
    let mut all = Blobs::new();
    let alone = net.run(&feeds, &mut all).unwrap();
    assert_eq!(bits(alone.get("out").unwrap()), bits(net.run(&feeds, &mut ()).unwrap().get("out").unwrap()));
    let value = |name| all.get(net.graph().blob(name).unwrap()).unwrap().to_f32().unwrap();
    assert_eq!(value("d"), value("c0").map(|x| 2.0 * x));
}

#[test]
fn an_own_type_under_a_built_in_name_is_not_taken_for_that() {
    let (registry, _) = {
        let (asked, mut registry) = (Arc::new(AtomicUsize::new(0)), Registry::default());
        let count = Arc::clone(&asked);
        registry.register("ReLU", move |_| Ok(Box::new(Double(Arc::clone(&count)))));
        (registry, asked)
    };
    let (model, feeds) = (network(RESIDUAL, 1), [("data", floats(&[3, 12, 10], 2))]);
    let net = Int8Net::with_options(&model, Options::default().with_registry(registry)).unwrap();
    let mut all = Blobs::new();
    let alone = net.run(&feeds, &mut all).unwrap();
    assert_eq!(bits(alone.get("out").unwrap()), bits(net.run(&feeds, &mut ()).unwrap().get("out").unwrap()));
    let value = |name| all.get(net.graph().blob(name).unwrap()).unwrap().to_f32().unwrap();
    assert_eq!(value("r1"), value("e1").map(|x| 2.0 * x), "no plan has fused a ReLU");
}

#[test]
fn why_there_is_no_plan_is_kept_and_found_out_once() {
    let lines = "
        Input data 0 1 data
        Convolution c0 1 1 data c0 0=8 1=1 5=1 6=24
        Double d 1 1 c0 e
        Quantize q 1 1 e q 0=1
        Noop n 1 1 q out";
    let mut model = network(lines, 3);
    model.layers[3].weights = alone().layers[2].weights.clone();
    let (registry, asked) = doubling();
    let net = Int8Net::with_options(&model, Options::default().with_registry(registry)).unwrap();
    let feed = |size: usize| [("data", floats(&[3, size, size], 6))];
    let why = "a layer that only runs by itself";
    let (mut session, mut other) = (net.session(), net.session());
    assert!(session.no_plan().is_none(), "it has not run");
    for _ in 0..3 {
        session.run(&feed(6)).unwrap();
        other.run(&feed(6)).unwrap();
        net.run(&feed(6), &mut ()).unwrap();
        assert_eq!(session.no_plan().unwrap().to_string(), why);
        assert_eq!(net.plan_report(&[("data", Shape::new(&[3, 6, 6]).unwrap())]).unwrap_err().to_string(), why);
    }
    assert_eq!(asked.load(Ordering::SeqCst), 1, "asked for shapes by the only attempt at a plan");
    session.run(&feed(7)).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2, "other shapes are another plan");
    session.run(&feed(6)).unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    assert!(session.profile(&feed(6)).unwrap().1.is_empty());
}

#[test]
fn a_session_with_a_plan_has_no_reason_against_it() {
    let net = Int8Net::new(&network(RESIDUAL, 1)).unwrap();
    let mut session = net.session();
    session.run(&[("data", floats(&[3, 12, 10], 2))]).unwrap();
    assert!(session.no_plan().is_none());
    let error = session.run(&[("data", floats(&[4, 12, 10], 2))]).unwrap_err();
    assert_eq!(error.to_string(), session.no_plan().unwrap().to_string(), "the error of running is that of planning");
    session.run(&[("data", floats(&[3, 12, 10], 2))]).unwrap();
    assert!(session.no_plan().is_none(), "shapes that work do so again");
}

#[test]
fn plans_switched_off_say_so() {
    let net = Int8Net::with_options(&network(RESIDUAL, 1), Options::default().with_fuse(false)).unwrap();
    let error = net.plan_report(&[("data", Shape::new(&[3, 12, 10]).unwrap())]).unwrap_err();
    assert_eq!(error.to_string(), "plans are switched off");
}

#[test]
fn quantized_blobs_cross_the_border_of_parts_as_integers() {
    let (net, image) = (Int8Net::new(&network(REQUANTIZED, 1)).unwrap(), floats(&[3, 9, 10], 2));
    let mut kept = Blobs::new();
    net.run(&[("data", image)], &mut kept).unwrap();
    let part = Part::range(net.graph(), 3..4);
    let made = net.run_part(&part, &kept, &mut ()).unwrap();
    let blob = net.graph().blob("d").unwrap();
    let (Some(Value::I8 { tensor: a, scale: s }), Some(Value::I8 { tensor: b, scale: t })) =
        (made.get(blob), kept.get(blob))
    else {
        panic!("int8 was expected")
    };
    assert_eq!((a, s), (b, t));
}

#[test]
fn sound_networks_leave_nothing_to_say() {
    for (name, model, image) in networks() {
        let net = Int8Net::new(&model).unwrap();
        assert_eq!(validate(&model, &[(input(&net), image.shape())], &Options::default()), [], "{name}");
    }
    assert_eq!(validate(&alone(), &[("data", Shape::new(&[3, 4, 4]).unwrap())], &Options::default()), []);
}

#[test]
fn faults_of_int8_layers_are_all_found() {
    let mut model = network(RESIDUAL, 1);
    model.layers[1].weights.pop();
    model.layers[7].weights.clear();
    let remarks = validate(&model, &[("data", Shape::new(&[3, 12, 10]).unwrap())], &Options::default());
    let texts: Vec<String> = remarks.iter().map(ToString::to_string).collect();
    assert_eq!(texts, ["layer c0: no input scale was loaded", "layer d1: no weight was loaded"]);
    let wrong = validate(&network(RESIDUAL, 1), &[("data", Shape::new(&[4, 12, 10]).unwrap())], &Options::default());
    assert_eq!(wrong.len(), 1);
    assert_eq!(wrong[0].to_string(), "layer c0: expects 3 channels of h x w, the input is 4x12x10");
}

#[test]
fn networks_and_sessions_can_be_shown() {
    let net = Int8Net::new(&network(RESIDUAL, 1)).unwrap();
    let mut session = net.session();
    session.run(&[("data", floats(&[3, 12, 10], 2))]).unwrap();
    assert!(format!("{net:?}").contains("layers: 10"), "{net:?}");
    assert!(format!("{session:?}").contains("plan: Some"), "{session:?}");
    fn is_shared<T: Send + Sync>(_: &T) {}
    is_shared(&net);
}
