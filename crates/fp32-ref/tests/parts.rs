//! Watching, cutting and changing networks.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fp32_ref::{Blobs, Net, NetOptions, Observer, Outputs, Part, Tensor, Value, Watch, Workspace};
use ncnn_format::{BlobId, Error, ErrorKind, Model, Result};

/// Two branches, a blob that three layers read, two outputs.
const BRANCHES: &str = "7767517\n9 13\n\
    Input data 0 1 data 0=4 1=4 2=2\n\
    Split s 1 3 data a b c\n\
    ReLU r 1 1 a ra\n\
    AbsVal v 1 1 b vb\n\
    Sigmoid g 1 1 vb gb\n\
    BinaryOp sum 2 1 ra gb sum 0=0\n\
    TanH t 1 1 c out2\n\
    Split s2 1 2 sum x y\n\
    BinaryOp mul 2 1 x y out 0=2\n";

fn branches() -> (Model, Tensor) {
    (Model::from_param_text(BRANCHES).unwrap(), made_up(&[2, 4, 4]))
}

fn made_up(dims: &[usize]) -> Tensor {
    let values = (0..dims.iter().product::<usize>()).map(|index| (index as f32 * 0.37).sin() * 3.0).collect();
    Tensor::new(dims, values).unwrap()
}

fn fixture(name: &str) -> (Model, Tensor) {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/fmnist");
    let model = Model::load(format!("{folder}/{name}.param"), format!("{folder}/{name}.bin")).unwrap();
    (model, made_up(&[1, 28, 28]))
}

/// The networks that every law is asked of.
fn networks() -> Vec<(&'static str, Model, Tensor)> {
    let mut networks: Vec<_> = ["lenet_fp16w", "mbv2_bn", "resnet_fp16w"]
        .map(|name| {
            let (model, input) = fixture(name);
            (name, model, input)
        })
        .into();
    let (model, input) = branches();
    networks.push(("branches", model, input));
    networks
}

fn input_name(net: &Net) -> &str {
    net.graph().blob_name(net.graph().inputs()[0])
}

fn bits(value: &Value) -> Vec<u32> {
    value.to_tensor().as_slice().iter().map(|x| x.to_bits()).collect()
}

/// The outputs of a whole run against blobs.
#[track_caller]
fn assert_outputs(net: &Net, expected: &Outputs, found: &Blobs, what: &str) {
    for &blob in net.graph().outputs() {
        let name = net.graph().blob_name(blob);
        let expected: Vec<u32> = expected.get(name).unwrap().as_slice().iter().map(|x| x.to_bits()).collect();
        assert_eq!(bits(found.get(blob).unwrap()), expected, "{what}: {name}");
    }
}

#[test]
fn a_network_cut_anywhere_gives_the_bits_of_the_whole() {
    for (name, model, input) in networks() {
        let net = Net::new(&model).unwrap();
        let (graph, mut workspace) = (net.graph(), Workspace::default());
        let whole = net.run(&[(input_name(&net), input.clone())], &mut ()).unwrap();
        let fed: Blobs = [(graph.inputs()[0], Value::Planar(input))].into_iter().collect();
        for cut in 0..=graph.nodes().len() {
            let (head, tail) = (Part::range(graph, 0..cut), Part::range(graph, cut..graph.nodes().len()));
            let mut known = fed.clone();
            known.extend(net.run_part(&mut workspace, &head, &known, &mut ()).unwrap());
            known.extend(net.run_part(&mut workspace, &tail, &known, &mut ()).unwrap());
            assert_outputs(&net, &whole, &known, &format!("{name} cut at {cut}"));
        }
    }
}

#[test]
fn layers_run_one_by_one_give_the_bits_of_the_whole() {
    for (name, model, input) in networks() {
        let net = Net::new(&model).unwrap();
        let whole = net.run(&[(input_name(&net), input.clone())], &mut ()).unwrap();
        let mut known: Blobs = [(net.graph().inputs()[0], Value::Planar(input))].into_iter().collect();
        for layer in 0..net.graph().nodes().len() {
            let part = Part::range(net.graph(), layer..layer + 1);
            known.extend(net.run_part(&mut Workspace::default(), &part, &known, &mut ()).unwrap());
        }
        assert_outputs(&net, &whole, &known, name);
    }
}

#[test]
fn the_end_of_a_network_can_be_run_again_from_the_same_values() {
    let (model, input) = branches();
    let net = Net::new(&model).unwrap();
    let mut kept = Blobs::new();
    let whole = net.run(&[("data", input)], &mut kept).unwrap();
    let before: Vec<Vec<u32>> = kept.iter().map(|(_, value)| bits(value)).collect();
    let part = Part::dependents(net.graph(), &[4]);
    for turn in 0..3 {
        let made = net.run_part(&mut Workspace::default(), &part, &kept, &mut ()).unwrap();
        let out = net.graph().blob("out").unwrap();
        assert_eq!(bits(made.get(out).unwrap()), bits(kept.get(out).unwrap()), "run {turn}");
        assert_eq!(made.len(), 1, "the other output does not depend on it");
    }
    // Layers that work in place must not have written over what was kept.
    assert_eq!(kept.iter().map(|(_, value)| bits(value)).collect::<Vec<_>>(), before);
    assert_outputs(&net, &whole, &kept, "kept");
}

#[test]
fn a_part_knows_what_crosses_its_border() {
    let (model, _) = branches();
    let net = Net::new(&model).unwrap();
    let graph = net.graph();
    let names = |blobs: &[BlobId]| blobs.iter().map(|&blob| graph.blob_name(blob).to_owned()).collect::<Vec<_>>();
    for (part, inputs, outputs, runs) in [
        (Part::whole(graph), vec!["data"], vec!["out2", "out"], vec![1, 2, 3, 4, 5, 6, 7, 8]),
        (Part::range(graph, 0..0), vec![], vec![], vec![]),
        (Part::range(graph, 0..2), vec!["data"], vec!["a", "b", "c"], vec![1]),
        (Part::range(graph, 2..5), vec!["a", "b"], vec!["ra", "gb"], vec![2, 3, 4]),
        (Part::range(graph, 5..99), vec!["c", "ra", "gb"], vec!["out2", "out"], vec![5, 6, 7, 8]),
        (Part::dependents(graph, &[6]), vec!["c"], vec!["out2"], vec![6]),
        (Part::dependents(graph, &[3]), vec!["b", "ra"], vec!["out"], vec![3, 4, 5, 7, 8]),
        (Part::dependents(graph, &[2, 6]), vec!["a", "c", "gb"], vec!["out2", "out"], vec![2, 5, 6, 7, 8]),
    ] {
        let found: Vec<usize> = (0..graph.nodes().len()).filter(|&layer| part.runs(layer)).collect();
        assert_eq!((names(part.inputs()), names(part.outputs())), (owned(&inputs), owned(&outputs)));
        assert_eq!(found, runs);
    }
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn a_missing_value_is_named() {
    let (model, _) = branches();
    let net = Net::new(&model).unwrap();
    let run =
        |part: &Part| net.run_part(&mut Workspace::default(), part, &Blobs::new(), &mut ()).unwrap_err().to_string();
    let expected = "no value for the blob a; the part of the network needs a, b";
    assert_eq!(run(&Part::range(net.graph(), 2..5)), expected);
    assert_eq!(run(&Part::whole(net.graph())), "no value for the input data; the network needs data");
}

#[test]
fn inputs_are_checked_before_anything_runs() {
    let (model, input) = branches();
    let net = Net::new(&model).unwrap();
    for (inputs, expected) in [
        (vec!["sum"], "the blob sum is not an input; the inputs are data"),
        (vec!["data", "data"], "the input data was given twice"),
        (vec![], "no value for the input data; the network needs data"),
        (vec!["nothing"], "no blob is called nothing; the inputs are data, the outputs out2, out"),
    ] {
        let inputs: Vec<(&str, Tensor)> = inputs.into_iter().map(|name| (name, input.clone())).collect();
        let mut seen = 0;
        let error = net.run(&inputs, &mut counting(&mut seen)).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str(), seen), (ErrorKind::Invalid, expected, 0));
    }
}

fn counting(seen: &mut usize) -> impl FnMut(BlobId, &Value) -> Result<()> {
    |_, _| {
        *seen += 1;
        Ok(())
    }
}

#[test]
fn an_observer_sees_every_blob_once_in_file_order() {
    for (name, model, input) in networks() {
        let net = Net::new(&model).unwrap();
        let mut seen = Vec::new();
        let mut see = |blob: BlobId, _: &Value| {
            seen.push(blob.0);
            Ok(())
        };
        net.run(&[(input_name(&net), input)], &mut see).unwrap();
        assert_eq!(seen, (0..net.graph().blobs().len()).collect::<Vec<_>>(), "{name}");
    }
}

#[test]
fn an_error_of_the_observer_stops_the_run_at_once_and_comes_out() {
    let (model, input) = branches();
    let net = Net::new(&model).unwrap();
    let (mut seen, stop) = (Vec::new(), net.graph().blob("vb").unwrap());
    let mut see = |blob: BlobId, _: &Value| {
        seen.push(blob);
        if blob == stop { Err(Error::invalid("enough")) } else { Ok(()) }
    };
    let error = net.run(&[("data", input)], &mut see).unwrap_err();
    assert_eq!(error.to_string(), "enough");
    assert_eq!(seen.last(), Some(&stop));
    assert!(seen.len() < net.graph().blobs().len());
}

/// Wants blobs with even numbers, and says so if it is shown another.
struct Even(Vec<BlobId>);

impl Observer for Even {
    fn wants(&self, blob: BlobId) -> bool {
        blob.0.is_multiple_of(2)
    }

    fn observe(&mut self, blob: BlobId, _: &Value) -> Result<()> {
        self.0.push(blob);
        if self.wants(blob) { Ok(()) } else { Err(Error::invalid("was not wanted")) }
    }
}

#[test]
fn only_wanted_blobs_are_shown() {
    let (model, input) = branches();
    let net = Net::new(&model).unwrap();
    let mut even = Even(Vec::new());
    net.run(&[("data", input)], &mut even).unwrap();
    assert_eq!(even.0.len(), net.graph().blobs().len().div_ceil(2));
}

#[test]
fn a_watch_gets_the_place_in_its_list() {
    let (model, input) = branches();
    let net = Net::new(&model).unwrap();
    let blobs = ["out", "data", "sum"].map(|name| net.graph().blob(name).unwrap());
    let mut seen = Vec::new();
    let mut watch = Watch::new(&blobs, |place, value: &Value| {
        seen.push((place, value.shape().volume()));
        Ok(())
    });
    net.run(&[("data", input)], &mut watch).unwrap();
    assert_eq!(seen, [(1, 32), (2, 32), (0, 32)]);
}

#[test]
fn blobs_keep_what_they_were_made_for() {
    let (model, input) = branches();
    let net = Net::new(&model).unwrap();
    let sum = net.graph().blob("sum").unwrap();
    let mut kept = Blobs::only(&[sum]);
    assert!(kept.is_empty());
    net.run(&[("data", input.clone())], &mut kept).unwrap();
    assert_eq!(kept.iter().map(|(blob, _)| blob).collect::<Vec<_>>(), [sum]);
    let value = kept.remove(sum).unwrap();
    assert!(kept.get(sum).is_none());
    kept.insert(sum, value);
    assert_eq!(kept.len(), 1);
    let mut all = Blobs::new();
    net.run(&[("data", input)], &mut all).unwrap();
    assert_eq!(all.len(), net.graph().blobs().len());
}

/// `layer` with all its weights times `factor`.
fn scaled(layer: &ncnn_format::Layer, factor: f32) -> ncnn_format::Layer {
    let mut layer = layer.clone();
    let role = layer.weights[0].role;
    let values = layer.weight_f32(role).unwrap().iter().map(|weight| weight * factor).collect();
    layer.set_weight_f32(role, values);
    layer
}

#[test]
fn a_replaced_layer_gives_the_bits_of_a_fresh_network() {
    for name in ["lenet_fp16w", "mbv2_bn"] {
        let (model, input) = fixture(name);
        let net = Net::new(&model).unwrap();
        let inputs = [(input_name(&net), input)];
        let mut kept = Blobs::new();
        let before = net.run(&inputs, &mut kept).unwrap();
        let with_weights = model.layers.iter().enumerate().filter(|(_, layer)| !layer.weights.is_empty());
        for (index, layer) in with_weights.step_by(5) {
            let mut changed = model.clone();
            changed.layers[index] = scaled(layer, 0.75);
            let fresh = Net::new(&changed).unwrap().run(&inputs, &mut ()).unwrap();
            let replaced = net.with_layer(index, &changed.layers[index]).unwrap();
            let part = Part::dependents(net.graph(), &[index]);
            let made = replaced.run_part(&mut Workspace::default(), &part, &kept, &mut ()).unwrap();
            assert_outputs(&net, &fresh, &made, &format!("{name}, layer {index} from kept values"));
            let whole = replaced.run(&inputs, &mut ()).unwrap();
            assert_eq!(whole.iter().next().unwrap().1, fresh.iter().next().unwrap().1, "{name}, layer {index}");
        }
        let after = net.run(&inputs, &mut ()).unwrap();
        assert_eq!(before.iter().next().unwrap().1, after.iter().next().unwrap().1, "the first network stays");
    }
}

#[test]
fn a_replacement_must_have_the_blobs_of_what_it_replaces() {
    let (model, _) = branches();
    let net = Net::new(&model).unwrap();
    let refusal = |index: usize, layer: &str| {
        let other = Model::from_param_text(&format!("7767517\n1 1\n{layer}\n")).unwrap();
        net.with_layer(index, &other.layers[0]).unwrap_err().to_string()
    };
    for (index, layer, expected) in [
        (99, "ReLU z 1 1 a ra", "there is no layer 99, the network has 9"),
        (2, "ReLU z 1 1 b ra", "layer z: reads b, the layer that it replaces reads a"),
        (2, "ReLU z 1 1 a rb", "layer z: makes rb, the layer that it replaces makes ra"),
        (0, "ReLU z 1 1 a ra", "layer z: an Input layer cannot be replaced or take the place of another"),
        (2, "Input z 0 1 ra", "layer z: an Input layer cannot be replaced or take the place of another"),
        (2, "Nonsense z 1 1 a ra", "layer z: layers of type Nonsense cannot be run: the registry has no such type"),
        (2, "PixelShuffle z 1 1 a ra 0=-2", "layer z: upscale_factor is -2, expected at least 1"),
    ] {
        assert_eq!(refusal(index, layer), expected);
    }
}

#[test]
fn winograd_is_a_choice_of_building_that_replaced_layers_keep() {
    let (model, input) = fixture("resnet_fp16w");
    let run = |net: &Net| net.run(&[("data", input.clone())], &mut ()).unwrap().iter().next().unwrap().1.clone();
    let [fast, plain] =
        [true, false].map(|on| Net::with_options(&model, NetOptions::default().with_winograd(on)).unwrap());
    assert_ne!(run(&fast), run(&plain), "the case must tell them apart");
    assert_eq!(run(&Net::new(&model).unwrap()), run(&fast));
    for (index, layer) in model.layers.iter().enumerate().filter(|(_, layer)| !layer.weights.is_empty()) {
        assert_eq!(run(&plain.with_layer(index, layer).unwrap()), run(&plain), "{}", layer.name);
    }
}

#[test]
fn networks_can_be_shown_and_shared() {
    let (model, _) = branches();
    let net = Net::new(&model).unwrap();
    let shown = format!("{net:?}");
    assert!(shown.contains("layers: 9") && shown.contains("out2, out"), "{shown}");
    fn is_shared<T: Send + Sync + Clone>(_: &T) {}
    is_shared(&net);
    is_shared(&Blobs::<Value>::new());
    is_shared(&Part::whole(net.graph()));
}
