//! Layers for sequences: their rows and their int8 form, against ncnn2table and ncnn2int8.
//!
//! `xtask/python/int8_conversions.py` makes the files.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use ncnn_format::{
    F32Tag, Layer, LayerKind, Model, ScaleTable, Storage, Weight, WeightData, WeightRole, typed, weight_layout,
};
use quantizer::{ConvertOptions, convert, sequence_rows};

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn network() -> Model {
    Model::load(data("sequence.param"), data("sequence.bin")).unwrap()
}

/// A network of one layer whose weights are all 1.
fn one_layer(line: &str) -> Model {
    let mut model = Model::from_param_text(&format!("7767517\n2 2\nInput in 0 1 in\n{line}\n")).unwrap();
    let layer = &mut model.layers[1];
    for spec in weight_layout(layer).unwrap() {
        let data = WeightData::F32(vec![1.0; spec.len], F32Tag::Tagged);
        layer.weights.push(Weight { role: spec.role, data });
    }
    model
}

/// The parameters of a layer, defaults filled in.
fn parameters(layer: &Layer) -> String {
    match layer.kind {
        LayerKind::Embed => format!("{:?}", typed::Embed::read(layer).unwrap()),
        LayerKind::Gemm => format!("{:?}", typed::Gemm::read(layer).unwrap()),
        LayerKind::GRU => format!("{:?}", typed::GRU::read(layer).unwrap()),
        LayerKind::LSTM => format!("{:?}", typed::LSTM::read(layer).unwrap()),
        // ncnn's writer keeps seven digits of the scale.
        LayerKind::MultiHeadAttention => {
            let mut params = typed::MultiHeadAttention::read(layer).unwrap();
            params.scale = (params.scale * 1e4).round();
            format!("{params:?}")
        }
        LayerKind::RNN => format!("{:?}", typed::RNN::read(layer).unwrap()),
        LayerKind::SDPA => format!("{:?}", typed::SDPA::read(layer).unwrap()),
        _ => String::new(),
    }
}

/// Whether `layer` is a Gemm whose weight B is stored as N x K.
fn has_b_by_columns(layer: &Layer) -> bool {
    layer.gemm().is_ok_and(|params| (params.trans_b, params.constant_b) == (1, 1))
}

fn table(text: &str) -> ScaleTable {
    ScaleTable::parse(text).unwrap()
}

#[test]
fn the_rows_are_those_of_ncnn2table() {
    let expected = ScaleTable::load(data("sequence.table")).unwrap();
    let rows = sequence_rows(&network()).unwrap();
    let keys = |rows: &[ncnn_format::TableRow]| rows.iter().map(|row| row.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&rows), keys(&expected.rows));
    for (found, expected) in rows.iter().zip(&expected.rows) {
        assert_eq!(found.values, expected.values, "{}", found.key);
    }
}

#[test]
fn the_int8_model_is_that_of_ncnn2int8() {
    let source = network();
    let rows = ScaleTable::load(data("sequence.table")).unwrap();
    let converted = convert(&source, &rows, ConvertOptions::default()).unwrap();
    assert_eq!(converted.remarks, []);
    let golden = std::fs::read(data("sequence.int8.bin")).unwrap();
    let mut expected = Model::from_param_text(&std::fs::read_to_string(data("sequence.int8.param")).unwrap()).unwrap();
    expected.read_bin(&golden).unwrap();
    let mut compared = 0;
    for ((source, found), expected) in source.layers.iter().zip(&converted.model.layers).zip(&expected.layers) {
        assert_eq!((&found.kind, &found.name), (&expected.kind, &expected.name));
        assert_eq!(parameters(found), parameters(expected), "{}", found.name);
        if has_b_by_columns(source) {
            // ncnn2int8 looks at the first row of such a B only, and clips the others.
            let largest = |values: &[f32]| values.iter().fold(0.0_f32, |largest, x| largest.max(x.abs()));
            let (b, k) = (source.weight_f32(WeightRole::MatrixB).unwrap(), source.gemm().unwrap().constant_k as usize);
            assert_eq!(*expected.weight_f32(WeightRole::MatrixBScale).unwrap(), [127.0 / largest(&b[..k])]);
            assert_eq!(*found.weight_f32(WeightRole::MatrixBScale).unwrap(), [127.0 / largest(&b)]);
            continue;
        }
        compared += usize::from(!found.weights.is_empty());
        assert_eq!(found.weights, expected.weights, "{}", found.name);
    }
    assert!(compared > 25, "only {compared} layers");
    assert_eq!(converted.model.bin_bytes().unwrap().len(), golden.len());
    // What was written reads back.
    let mut again = Model::from_param_text(&converted.model.to_param_text()).unwrap();
    again.read_bin(&converted.model.bin_bytes().unwrap()).unwrap();
    assert_eq!(again.layers, converted.model.layers);
}

#[test]
fn they_stay_float_on_request() {
    let rows = ScaleTable::load(data("sequence.table")).unwrap();
    let options = ConvertOptions::default().with_sequence_layers(false);
    let converted = convert(&network(), &rows, options).unwrap();
    let mut weights = converted.model.layers.iter().flat_map(|layer| &layer.weights);
    assert!(weights.all(|weight| weight.data.storage() != Storage::I8));
    assert_eq!(converted.remarks.len(), 35);
    assert_eq!(converted.remarks[0].to_string(), "layer layer0: Embed is not quantized, stays float");
}

#[test]
fn a_network_of_gemms_needs_no_row() {
    let gemm = one_layer("Gemm product 1 1 in out 3=0 5=1 6=1 8=2 9=3 10=-1");
    let converted = convert(&gemm, &ScaleTable::default(), ConvertOptions::default()).unwrap();
    let layer = &converted.model.layers[1];
    assert_eq!((layer.gemm().unwrap().quantize_term, layer.gemm().unwrap().trans_b), (2, 1));
    let options = ConvertOptions::default().with_sequence_layers(false);
    let message = convert(&gemm, &ScaleTable::default(), options).unwrap_err().to_string();
    assert_eq!(message, "no row of the table names a layer of the model; it is empty");
}

#[test]
fn rows_must_be_complete_and_fit() {
    let rnn = one_layer("RNN rnn 1 1 in out 0=2 1=6");
    let message = |rows: &str| convert(&rnn, &table(rows), ConvertOptions::default()).unwrap_err().to_string();
    assert_eq!(message("rnn_param_0 1 1\n"), "layer rnn: the table has other rows of it but no row rnn_param_1");
    assert_eq!(
        message("rnn_param_0 1 1\nrnn_param_1 1\n"),
        "layer rnn: row rnn_param_1 of the table has 1 values, expected 2"
    );
    assert!(message("rnn_param_0 1 -1\nrnn_param_1 1 1\n").contains("value 1 of row rnn_param_0 of the table is -1"));
}

#[test]
fn a_layer_without_rows_stays_float_and_is_noted() {
    let rnn = one_layer("RNN rnn 1 1 in out 0=2 1=6");
    let converted = convert(&rnn, &table("rnn_param_7 1\n"), ConvertOptions::default()).unwrap();
    let [remark] = converted.remarks.as_slice() else { panic!("{:?}", converted.remarks) };
    assert_eq!((&*remark.code, remark.place.layer.as_deref()), ("no-rows", Some("rnn")));
    assert_eq!(converted.model.layers[1].int8_term().unwrap(), Some(0));
}

#[test]
fn weights_that_are_not_finite_are_named() {
    let mut embed = one_layer("Embed words 1 1 in out 0=2 1=3 3=6");
    embed.layers[1].weights[0].data = WeightData::F32(vec![0.0, 1.0, f32::NAN, 0.0, 0.0, 0.0], F32Tag::Tagged);
    let message = sequence_rows(&embed).unwrap_err().to_string();
    assert_eq!(message, "layer words: weight 2 of channel 0 is NaN, expected finite numbers");
}
