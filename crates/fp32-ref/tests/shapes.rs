//! Shapes without running, and what keeps a network from running.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use fp32_ref::{Net, NetOptions, Registry, Shape, Shapes, Tensor, validate};
use ncnn_format::{ErrorKind, Graph, LayerKind, Model, Severity};

fn model(lines: &str) -> Model {
    let count = lines.lines().count();
    Model::from_param_text(&format!("7767517\n{count} {}\n{lines}\n", 4 * count)).unwrap()
}

fn shape(dims: &[usize]) -> Shape {
    Shape::new(dims).unwrap()
}

/// The shapes of all blobs of `lines`, `?` where unknown.
fn shapes(lines: &str, given: &[(&str, &[usize])]) -> String {
    let model = model(lines);
    let graph = Graph::new(&model).unwrap();
    let given: Vec<_> = given.iter().map(|(name, dims)| (graph.blob(name).unwrap(), shape(dims))).collect();
    let shapes = Shapes::of_model(&model, &graph, &given, &Registry::default());
    let text = |index| shapes.get(ncnn_format::BlobId(index)).map_or("?".to_owned(), |shape| shape.to_string());
    (0..graph.blobs().len()).map(text).collect::<Vec<_>>().join(" ")
}

#[test]
fn layers_with_weights_need_none_for_their_shapes() {
    for (layer, input, expected) in [
        ("Convolution l 1 1 data out 0=8 1=3 6=216", &[3, 9, 7][..], "8x7x5"),
        ("Convolution l 1 1 data out 0=8 1=3 3=2 4=1 6=216 8=2", &[3, 9, 7], "8x5x4"),
        ("Convolution l 1 1 data out 0=8 1=3 4=-233 3=2 6=216", &[3, 9, 7], "8x5x4"),
        ("Convolution l 1 1 data out 0=8 1=1 6=24", &[3], "8"),
        ("ConvolutionDepthWise l 1 1 data out 0=3 1=3 11=1 6=9 7=3", &[3, 9, 7], "3x9x5"),
        ("InnerProduct l 1 1 data out 0=10 2=630", &[3, 9, 7], "10"),
        ("InnerProduct l 1 1 data out 0=10 2=70", &[9, 7], "9x10"),
        ("InnerProduct l 1 1 data out 0=10 2=630 8=2", &[9, 70], "10"),
        ("Deconvolution l 1 1 data out 0=4 1=2 3=2 6=48", &[3, 4, 5], "4x8x10"),
        ("Gemm l 1 1 data out 3=1 5=1 6=1 8=6 9=5", &[7, 5], "7x6"),
        ("Embed l 1 1 data out 0=16 1=100 3=1600", &[5], "5x16"),
        ("LSTM l 1 1 data out 0=4 1=80", &[6, 5], "6x4"),
        ("BatchNorm l 1 1 data out 0=3", &[3, 4, 5], "3x4x5"),
        ("LayerNorm l 1 1 data out 0=5", &[3, 4, 5], "3x4x5"),
        ("PReLU l 1 1 data out 0=3", &[3, 4, 5], "3x4x5"),
    ] {
        let found = shapes(&format!("Input data 0 1 data\n{layer}"), &[("data", input)]);
        assert_eq!(found.split(' ').nth(1), Some(expected), "{layer}");
    }
}

#[test]
fn shapes_are_those_of_a_run() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/fmnist");
    for name in ["lenet_fp16w", "mbv2_bn", "resnet_fp16w"] {
        let model = Model::load(format!("{folder}/{name}.param"), format!("{folder}/{name}.bin")).unwrap();
        let (graph, net) = (Graph::new(&model).unwrap(), Net::new(&model).unwrap());
        let shapes = Shapes::of_model(&model, &graph, &[], &Registry::default());
        assert!(shapes.failures().is_empty(), "{name}");
        let input = graph.blob_name(graph.inputs()[0]);
        let inferred = net.infer_shapes(&[(input, shape(&[1, 28, 28]))]).unwrap();
        net.run(&[(input, Tensor::filled(shape(&[1, 28, 28]), 0.5))], &mut |blob: ncnn_format::BlobId, value: &_| {
            let value: &fp32_ref::Value = value;
            assert_eq!(shapes.get(blob), Some(value.shape()), "{name}: {}", graph.blob_name(blob));
            assert_eq!(inferred[blob.0], value.shape());
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn what_is_unknown_hides_only_what_depends_on_it() {
    let lines =
        "Input data 0 1 data 0=4 1=4 2=2\nSplit s 1 2 data a b\nMystery m 1 1 a c\nReLU r 1 1 c d\nAbsVal v 1 1 b e";
    assert_eq!(shapes(lines, &[]), "2x4x4 2x4x4 2x4x4 ? ? 2x4x4");
    let other = "Input data 0 1 data\nReLU r 1 1 data d";
    assert_eq!(shapes(other, &[]), "? ?");
    assert_eq!(shapes(other, &[("data", &[5])]), "5 5");
}

#[test]
fn a_given_shape_goes_before_the_declared_one() {
    assert_eq!(shapes("Input data 0 1 data 0=4 1=4 2=2\nFlatten f 1 1 data d", &[("data", &[3, 2, 2])]), "3x2x2 12");
}

#[test]
fn failures_name_the_layer_and_say_why() {
    let model = model("Input data 0 1 data 0=4 1=4 2=2\nConvolution c 1 1 data out 0=8 1=9 6=1296\nReLU r 1 1 out end");
    let graph = Graph::new(&model).unwrap();
    let shapes = Shapes::of_model(&model, &graph, &[], &Registry::default());
    let [(layer, error)] = shapes.failures() else { panic!("{shapes:?}") };
    assert_eq!(*layer, 1);
    assert_eq!(error.to_string(), "layer c: a kernel spanning 9 rows does not fit into 4 padded rows");
    assert_eq!(shapes.into_known().unwrap_err().kind(), ErrorKind::Invalid);
}

#[test]
fn shapes_that_depend_on_values_are_unknown_but_no_fault() {
    let lines = "Input data 0 1 data 0=4 1=4 2=2\nInput at 0 1 at 0=6\nCrop c 2 1 data at out 0=-233";
    assert_eq!(shapes(lines, &[]), "2x4x4 6 ?");
    assert!(validate(&model(lines), &[], &NetOptions::default()).is_empty());
    let net = Net::new(&model(lines)).unwrap();
    let error = net.infer_shapes(&[("data", shape(&[2, 4, 4])), ("at", shape(&[6]))]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
}

#[test]
fn weights_without_end_are_not_stood_in_for() {
    let lines = "Input data 0 1 data 0=4\nEmbed e 1 1 data out 0=65536 1=65536 3=2147483647";
    assert_eq!(shapes(lines, &[]), "4 ?");
}

#[test]
fn a_sound_network_leaves_nothing_to_say() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/fmnist");
    for name in ["lenet_fp16w", "mbv2_bn", "resnet_fp16w"] {
        let model = Model::load(format!("{folder}/{name}.param"), format!("{folder}/{name}.bin")).unwrap();
        assert_eq!(validate(&model, &[], &NetOptions::default()), [], "{name}");
    }
}

/// Severity and text of all remarks.
fn remarks(model: &Model, inputs: &[(&str, Shape)]) -> Vec<String> {
    let remarks = validate(model, inputs, &NetOptions::default());
    remarks.iter().map(|remark| format!("{}: {remark}", remark.severity)).collect()
}

#[test]
fn all_faults_are_found_at_once() {
    let lines = "Input data 0 1 data 0=4 1=4 2=3\n\
        Split s 1 4 data a b c d\n\
        Mystery m 1 1 a m\n\
        Convolution k 1 1 b k 0=8 1=3 6=216\n\
        PixelShuffle p 1 1 c p 0=0\n\
        ShuffleChannel g 1 1 d g 0=2";
    assert_eq!(
        remarks(&model(lines), &[]),
        [
            "warning: layer m: layers of type Mystery cannot be run: the registry has no such type",
            "error: layer k: no weight was loaded",
            "error: layer p: upscale_factor is 0, expected at least 1",
            "error: layer g: 3 channels (3x4x4) cannot be divided into 2 equal groups",
        ]
        .map(|text| text.to_owned())
    );
}

#[test]
fn what_is_validated_runs_and_what_is_not_does_not() {
    for (lines, dims) in [
        ("Input data 0 1 data\nPooling p 1 1 data out 1=3", &[2, 5, 5][..]),
        ("Input data 0 1 data\nPooling p 1 1 data out 1=9", &[2, 5, 5]),
        ("Input data 0 1 data\nReshape r 1 1 data out 0=7", &[2, 7]),
        ("Input data 0 1 data\nReshape r 1 1 data out 0=14", &[2, 7]),
        ("Input data 0 1 data\nPermute p 1 1 data out 0=1", &[2, 7]),
        ("Input data 0 1 data\nSlice p 1 2 data out x -23300=2,1,1 1=0", &[2, 7]),
        ("Input data 0 1 data\nSlice p 1 2 data out x -23300=2,3,1 1=0", &[2, 7]),
        ("Input data 0 1 data\nGLU g 1 1 data out 0=0", &[3, 7]),
        ("Input data 0 1 data\nSplit s 1 2 data a b\nMatMul m 2 1 a b out", &[2, 7]),
        ("Input data 0 1 data\nReorg r 1 1 data out 0=2", &[2, 4, 4]),
        ("Input data 0 1 data\nTile t 1 1 data out 0=9 1=2", &[2, 4, 4]),
    ] {
        let model = model(lines);
        let remarks = validate(&model, &[("data", shape(dims))], &NetOptions::default());
        let run = Net::new(&model).and_then(|net| net.run(&[("data", Tensor::filled(shape(dims), 1.0))], &mut ()));
        assert_eq!(remarks.is_empty(), run.is_ok(), "{lines} of {dims:?}: {remarks:?}, {:?}", run.err());
    }
}

#[test]
fn a_graph_that_is_none_is_said_after_the_layers() {
    let lines = "Input data 0 1 data\nPixelShuffle p 1 1 data p 0=0\nReLU r 1 1 nothing out";
    let found = remarks(&model(lines), &[]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[1], "error: layer r: reads the blob nothing, which no layer above it makes");
    let orphan = remarks(&model("MemoryData m 0 1 m 0=2\nReLU r 1 1 m out"), &[]);
    assert!(orphan.iter().any(|text| text.contains("no Input layer")), "{orphan:?}");
}

#[test]
fn inputs_that_are_none_are_faults_of_the_caller() {
    let model = model("Input data 0 1 data\nReLU r 1 1 data out");
    let remarks = validate(&model, &[("out", shape(&[2]))], &NetOptions::default());
    assert_eq!(remarks.len(), 1);
    assert_eq!((remarks[0].severity, remarks[0].code.as_ref()), (Severity::Error, "invalid"));
}

#[test]
fn an_unknown_type_stays_unknown_to_the_float_executor() {
    assert!(matches!(model("Mystery m 0 1 out").layers[0].kind, LayerKind::Custom(_)));
    let int8 = model("Input data 0 1 data\nInnerProduct fc 1 1 data out 0=1 2=2 8=2");
    let found = remarks(&int8, &[]);
    assert_eq!(found, ["warning: layer fc: this InnerProduct is an int8 layer, which int8-exec runs"]);
}
