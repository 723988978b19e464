//! Laws: what is written is read back, whatever the names and values.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ncnn_format::typed::{Gemm, InnerProduct};
use ncnn_format::{
    Encoding, F32Tag, Layer, LayerKind, Model, Number, ParamValue, ScaleTable, SourceText, TableRow, Weight,
    WeightData, weight_layout,
};
use proptest::prelude::*;

/// Names that try to be something else: a parameter, a count, a quote, a letter of many bytes.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9_/]{0,12}",
        "[!-~]{1,8}",
        Just("0=1".to_owned()),
        Just("-23300=1".to_owned()),
        Just("7767517".to_owned()),
        Just("\"".to_owned()),
        Just("n".repeat(255)),
        "[äß層\u{1F600}\u{a0}\u{2028}]{1,4}",
    ]
}

/// A type: anything but what ncnn takes for a parameter.
fn kind() -> impl Strategy<Value = LayerKind> {
    let builtin = (0..LayerKind::BUILTIN.len()).prop_map(|i| LayerKind::BUILTIN[i].clone());
    let custom = name().prop_filter("a type that is a parameter", |name| !name.contains('='));
    prop_oneof![builtin, custom.prop_map(|name| LayerKind::from(name.as_str()))]
}

fn number() -> impl Strategy<Value = Number> {
    let float = any::<u32>().prop_map(f32::from_bits).prop_filter("payloads are lost", |value| !value.is_nan());
    prop_oneof![any::<i32>().prop_map(Number::Int), float.prop_map(Number::Float)]
}

fn value() -> impl Strategy<Value = ParamValue> {
    prop_oneof![
        4 => number().prop_map(ParamValue::Number),
        2 => proptest::collection::vec(number(), 0..6).prop_map(ParamValue::Array),
        1 => "[a-zA-Z0-9()*/+,. -]{0,40}".prop_map(ParamValue::Text),
    ]
}

prop_compose! {
    fn layer()(
        kind in kind(),
        name in name(),
        inputs in proptest::collection::vec(name(), 0..4),
        outputs in proptest::collection::vec(name(), 0..4),
        params in proptest::collection::vec((0..32_u8, value()), 0..8),
    ) -> Layer {
        let mut layer = Layer::new(kind, name);
        layer.inputs = inputs;
        layer.outputs = outputs;
        layer.params.extend(params);
        layer
    }
}

fn model() -> impl Strategy<Value = Model> {
    proptest::collection::vec(layer(), 1..6)
        .prop_map(|layers| Model { layers, ..Model::default() })
        .prop_filter("a text that ncnn cannot read, or no blob at all", |model| {
            model.check_param_text().is_ok() && model.blob_count() > 0
        })
}

fn floats(len: usize) -> impl Strategy<Value = Vec<f32>> {
    // Every bit pattern but the signalling NaNs, whose bits a CPU may change.
    let quiet = |bits: u32| f32::from_bits(if f32::from_bits(bits).is_nan() { bits | 0x0040_0000 } else { bits });
    proptest::collection::vec(any::<u32>().prop_map(quiet), len)
}

fn tagged(len: usize) -> impl Strategy<Value = WeightData> {
    let half = |bits: u16| half::f16::from_bits(bits);
    let table_tag =
        any::<u32>().prop_filter("a tag of its own", |tag| ![0, 0x0130_6B47, 0x000D_4B38, 0x0002_C056].contains(tag));
    let table = (table_tag, floats(256), proptest::collection::vec(any::<u8>(), len));
    prop_oneof![
        floats(len).prop_map(|values| WeightData::F32(values, F32Tag::Tagged)),
        floats(len).prop_map(|values| WeightData::F32(values, F32Tag::Legacy)),
        proptest::collection::vec(any::<u16>().prop_map(half), len).prop_map(WeightData::F16),
        proptest::collection::vec(any::<i8>(), len).prop_map(WeightData::I8),
        table.prop_map(|(tag, table, indices)| {
            let table = Box::new(<[f32; 256]>::try_from(table).unwrap());
            WeightData::Table { tag, table, indices }
        }),
    ]
}

fn packed(len: usize) -> impl Strategy<Value = WeightData> {
    let bytes = proptest::collection::vec(any::<u8>(), len);
    (any::<bool>(), bytes).prop_map(|(tagged, bytes)| WeightData::Packed { tagged, bytes })
}

/// A matrix product of a few weights, stored in any way, behind an unknown layer.
fn weighted_model() -> impl Strategy<Value = Model> {
    (1..5_i32, 1..5_i32, any::<bool>(), any::<bool>(), any::<bool>()).prop_flat_map(
        |(outputs, inputs, bias, int8, blocks)| {
            let mut layer = Layer::new(if blocks { LayerKind::Gemm } else { LayerKind::InnerProduct }, "fc");
            let params = match blocks {
                false => vec![
                    (InnerProduct::NUM_OUTPUT, outputs),
                    (InnerProduct::BIAS_TERM, bias.into()),
                    (InnerProduct::WEIGHT_DATA_SIZE, outputs * inputs),
                    (InnerProduct::INT8_SCALE_TERM, int8.into()),
                ],
                true => vec![
                    (Gemm::TRANS_B, 1),
                    (Gemm::CONSTANT_B, 1),
                    (Gemm::CONSTANT_N, outputs),
                    (Gemm::CONSTANT_K, inputs),
                    (Gemm::QUANTIZE_TERM, if bias { 611 } else { 400 }),
                ],
            };
            for (key, value) in params {
                layer.params.set(key, value);
            }
            let data: Vec<BoxedStrategy<Weight>> = weight_layout(&layer)
                .unwrap()
                .into_iter()
                .map(|spec| {
                    let data = match spec.encoding {
                        Encoding::Tagged => tagged(spec.len).boxed(),
                        Encoding::Packed => packed(spec.len).boxed(),
                        Encoding::Raw => floats(spec.len).prop_map(|v| WeightData::F32(v, F32Tag::Raw)).boxed(),
                    };
                    data.prop_map(move |data| Weight { role: spec.role, data }).boxed()
                })
                .collect();
            (data, proptest::collection::vec(any::<u8>(), 0..9)).prop_map(move |(weights, trailing_bytes)| {
                let mut layer = layer.clone();
                layer.weights = weights;
                let custom = Layer::new(LayerKind::from("Custom"), "custom");
                Model { layers: vec![custom, layer], trailing_bytes, ..Model::default() }
            })
        },
    )
}

proptest! {
    #[test]
    fn a_model_is_read_back_from_its_text(model in model()) {
        let text = model.to_param_text();
        let read = Model::from_param_text(&text).unwrap();
        prop_assert_eq!(&read.layers, &model.layers);
        prop_assert_eq!(read.to_param_text(), text);
    }

    #[test]
    fn an_edit_touches_one_line(model in model(), which: prop::sample::Index, edit in layer()) {
        let text = model.to_param_text();
        let mut read = Model::from_param_text(&text).unwrap();
        let which = which.index(read.layers.len());
        read.layers[which].params = edit.params;
        prop_assume!(read.check_param_text().is_ok());
        let edited = read.to_param_text();
        prop_assert_eq!(&Model::from_param_text(&edited).unwrap().layers, &read.layers);
        for (line, (old, new)) in text.split('\n').zip(edited.split('\n')).enumerate() {
            prop_assert!(old == new || line == which + 2, "line {}: {} became {}", line, old, new);
        }
    }

    #[test]
    fn forgetting_the_text_does_not_change_the_meaning(model in model()) {
        let mut read = Model::from_param_text(&model.to_param_text()).unwrap();
        read.layers.iter_mut().for_each(|layer| layer.source = SourceText(None));
        prop_assert_eq!(Model::from_param_text(&read.to_param_text()).unwrap().layers, model.layers);
    }

    #[test]
    fn weights_are_read_back_from_their_bytes(model in weighted_model()) {
        let bytes = model.bin_bytes().unwrap();
        let mut read = model.clone();
        read.layers.iter_mut().for_each(|layer| layer.weights.clear());
        read.trailing_bytes.clear();
        read.read_bin(&bytes).unwrap();
        prop_assert_eq!(read.bin_bytes().unwrap(), bytes);
        prop_assert_eq!(&read.trailing_bytes, &model.trailing_bytes);
        for (read, made) in read.layers.iter().zip(&model.layers) {
            let shape = |layer: &Layer| layer.weights.iter().map(|w| (w.role, w.data.storage(), w.data.len())).collect::<Vec<_>>();
            prop_assert_eq!(shape(read), shape(made));
        }
    }

    #[test]
    fn a_table_keeps_six_decimals(
        rows in proptest::collection::vec(("[!\"$-~é][!-~]{0,20}", proptest::collection::vec(-1e6..1e6_f32, 1..6)), 0..6)
    ) {
        let rows = rows.into_iter().map(|(key, values)| TableRow::new(key, values)).collect();
        let table = ScaleTable { rows, ..ScaleTable::default() };
        let text = table.to_text();
        let read = ScaleTable::parse(&text).unwrap();
        prop_assert_eq!(read.to_text(), text);
        prop_assert_eq!(read.rows.len(), table.rows.len());
        for (read, made) in read.rows.iter().zip(&table.rows) {
            prop_assert_eq!(&read.key, &made.key);
            for (read, made) in read.values.iter().zip(&made.values) {
                prop_assert!((read - made).abs() <= 5.1e-7_f32.max(made.abs() * f32::EPSILON));
            }
        }
    }
}
