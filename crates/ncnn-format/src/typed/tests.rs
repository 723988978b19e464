//! Tests over all types, and of single ones.

use proptest::prelude::*;

use super::*;
use crate::{Layer, LayerKind, Number, ParamValue};

#[test]
fn every_builtin_type_has_a_row_and_ids_are_unique_and_in_range() {
    for kind in LayerKind::BUILTIN {
        let rows = param_specs(kind).unwrap_or_else(|| panic!("{kind} is missing"));
        for (i, spec) in rows.iter().enumerate() {
            assert!(spec.id < crate::ParamDict::MAX_ID, "{kind} {spec:?}");
            assert!(rows[..i].iter().all(|other| other.id != spec.id), "{kind} {spec:?}");
        }
    }
    assert_eq!(param_specs(&LayerKind::from("Custom")), None);
}

#[test]
fn every_row_says_what_it_means_and_every_method_is_its_type_in_snake_case() {
    for kind in LayerKind::BUILTIN {
        let spec = layer_spec(kind).unwrap();
        assert_eq!(spec.name, kind.as_str());
        assert_eq!(spec.method.replace('_', ""), kind.as_str().to_lowercase());
        for text in spec.params.iter().map(|row| row.meaning).chain([spec.summary]) {
            assert!(!text.is_empty() && !text.contains('\n') && !text.contains("  "), "{kind}: {text:?}");
            assert!(!text.ends_with('.') && !text.contains('|'), "{kind}: {text:?}");
        }
    }
}

#[test]
fn an_accessor_of_another_type_names_both() {
    let layer = Layer::new(LayerKind::Pooling, "pool1");
    let error = layer.convolution().unwrap_err();
    assert_eq!(error.kind(), crate::ErrorKind::Invalid);
    assert_eq!(error.to_string(), "layer pool1: expected a layer of type Convolution, found Pooling");
}

#[test]
fn a_default_follows_the_parameter_it_refers_to() {
    let mut layer = Layer::new(LayerKind::Convolution, "conv");
    layer.params.set(Convolution::KERNEL_W, 5);
    layer.params.set(Convolution::PAD_LEFT, 2);
    layer.params.set(Convolution::PAD_TOP, 7);
    let conv = Convolution::read(&layer).unwrap();
    assert_eq!((conv.kernel_w, conv.kernel_h, conv.dilation_h, conv.stride_h), (5, 5, 1, 1));
    assert_eq!((conv.pad_left, conv.pad_right, conv.pad_top, conv.pad_bottom), (2, 2, 7, 7));
}

#[test]
fn attention_scales_by_the_root_of_a_heads_width() {
    let mut layer = Layer::new(LayerKind::MultiHeadAttention, "mha")
        .with(MultiHeadAttention::EMBED_DIM, 64)
        .with(MultiHeadAttention::NUM_HEADS, 4);
    assert_eq!(MultiHeadAttention::read(&layer).unwrap().scale, 0.25);
    // A division that must not panic.
    layer.params.set(MultiHeadAttention::EMBED_DIM, i32::MIN);
    layer.params.set(MultiHeadAttention::NUM_HEADS, -1);
    assert!(MultiHeadAttention::read(&layer).unwrap().scale.is_nan());
}

#[test]
fn a_parameter_of_another_form_names_the_layer() {
    let mut layer = Layer::new(LayerKind::Clip, "clip6");
    layer.params.set_raw(1, ParamValue::Array(vec![Number::Int(6)]));
    let message = Clip::read(&layer).unwrap_err().to_string();
    assert_eq!(message, "layer clip6: parameter 1 should be a number, found an array of 1");
}

type Rewrite = fn(&Layer, Layer) -> Option<crate::Result<(String, Layer)>>;

const FAMILIES: [Rewrite; 9] = [
    activation::rewritten,
    convolution::rewritten,
    deconvolution::rewritten,
    dense::rewritten,
    detection::rewritten,
    normalization::rewritten,
    pooling::rewritten,
    shape::rewritten,
    signal::rewritten,
];

type Keys = fn(&LayerKind) -> Option<(Vec<(&'static str, String)>, String)>;

const KEYS: [Keys; 9] = [
    activation::keys,
    convolution::keys,
    deconvolution::keys,
    dense::keys,
    detection::keys,
    normalization::keys,
    pooling::keys,
    shape::keys,
    signal::keys,
];

/// What `layer` reads as, and `into` with that written to it.
fn rewritten(layer: &Layer, into: Layer) -> (String, Layer) {
    FAMILIES.iter().find_map(|family| family(layer, into.clone())).unwrap().unwrap()
}

fn empty(layer: &Layer) -> Layer {
    Layer::new(layer.kind.clone(), layer.name.as_str())
}

#[test]
fn every_parameter_has_a_key_with_its_name_and_id() {
    for kind in LayerKind::BUILTIN {
        let (constants, _) = KEYS.iter().find_map(|family| family(kind)).unwrap();
        let rows = param_specs(kind).unwrap();
        assert_eq!(constants.len(), rows.len(), "{kind}");
        for ((constant, key), row) in constants.iter().zip(rows) {
            assert_eq!(*constant, row.name.to_uppercase(), "{kind}");
            assert_eq!(*key, format!("{} (parameter {})", row.name, row.id), "{kind}");
        }
    }
}

#[test]
fn the_defaults_are_what_an_empty_line_means_and_writing_them_leaves_it_empty() {
    for kind in LayerKind::BUILTIN {
        let layer = Layer::new(kind.clone(), "x");
        let (_, defaults) = KEYS.iter().find_map(|family| family(kind)).unwrap();
        let (read, written) = rewritten(&layer, layer.clone());
        assert_eq!(read, defaults);
        assert!(written.params.is_empty(), "{kind}: {:?}", written.params);
    }
}

#[test]
fn a_writer_refuses_a_layer_of_another_type() {
    let mut layer = Layer::new(LayerKind::Pooling, "pool1");
    let error = Convolution::default().write(&mut layer).unwrap_err();
    assert_eq!(error.to_string(), "layer pool1: expected a layer of type Convolution, found Pooling");
    assert!(layer.params.is_empty());
}

#[test]
fn a_writer_sets_what_changed_in_ncnns_order_and_what_followed_it() {
    let text = "7767517\n1 1\nConvolution conv 0 1 out 0=8 11=3 1=3 18=0\n";
    let mut model = crate::Model::from_param_text(text).unwrap();
    let mut conv = model.layers[0].convolution().unwrap();
    // pad_right and pad_top follow pad_left unless they are written.
    (conv.pad_left, conv.bias_term) = (1, 1);
    conv.write(&mut model.layers[0]).unwrap();
    assert_eq!(model.to_param_text(), text.replace("18=0", "18=0 4=1 5=1 14=0 15=0"));
    assert_eq!(model.layers[0].convolution().unwrap(), conv);
}

#[test]
fn a_value_of_another_form_is_replaced() {
    let mut layer = Layer::new(LayerKind::Clip, "clip6");
    layer.params.set_raw(1, ParamValue::Array(vec![]));
    Clip { min: 0.0, max: 6.0 }.write(&mut layer).unwrap();
    assert_eq!(layer.params.get(Clip::MAX).unwrap(), Some(6.0));
}

#[test]
fn keys_are_told_apart_by_id_and_name_and_can_be_printed() {
    assert_eq!(Convolution::NUM_OUTPUT, Deconvolution::NUM_OUTPUT);
    assert_ne!(Convolution::NUM_OUTPUT, Convolution::KERNEL_W);
    assert_eq!((Convolution::PAD_VALUE.id(), Convolution::PAD_VALUE.name()), (18, "pad_value"));
    assert_eq!(format!("{:?}", Interp::SIZE_EXPR), "size_expr (parameter 9)");
}

fn number() -> impl Strategy<Value = Number> {
    let float = any::<f32>().prop_filter("NaN has no text", |value| !value.is_nan());
    prop_oneof![any::<i32>().prop_map(Number::Int), (-3..9).prop_map(Number::Int), float.prop_map(Number::Float)]
}

/// A value of the form that `kind` asks for.
fn value(kind: ParamKind) -> BoxedStrategy<ParamValue> {
    match kind {
        ParamKind::Int | ParamKind::Float => number().prop_map(ParamValue::Number).boxed(),
        ParamKind::Ints | ParamKind::Floats => {
            proptest::collection::vec(number(), 0..4).prop_map(ParamValue::Array).boxed()
        }
        ParamKind::Text => "[0-9a-z(),]{0,9}".prop_map(ParamValue::Text).boxed(),
    }
}

/// A layer of any type with any of its parameters, in any order.
fn layer() -> impl Strategy<Value = Layer> {
    (0..LayerKind::BUILTIN.len()).prop_flat_map(|index| {
        let kind = &LayerKind::BUILTIN[index];
        let rows = param_specs(kind).unwrap();
        let values: Vec<_> =
            rows.iter().map(|row| proptest::option::of(value(row.kind).prop_map(|value| (row.id, value)))).collect();
        values.prop_shuffle().prop_map(move |values| {
            let mut layer = Layer::new(kind.clone(), "any");
            layer.params.extend(values.into_iter().flatten());
            layer
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_back_the_same(layer in layer()) {
        let (read, written) = rewritten(&layer, empty(&layer));
        let (again, _) = rewritten(&written, empty(&layer));
        prop_assert_eq!(read, again);
    }

    #[test]
    fn writing_what_was_read_touches_nothing(layer in layer()) {
        let (_, written) = rewritten(&layer, layer.clone());
        prop_assert_eq!(written.params, layer.params);
    }

    #[test]
    fn one_layers_parameters_can_be_written_over_anothers(from in layer(), over in layer()) {
        let mut into = empty(&from);
        into.params = over.params;
        let (read, _) = rewritten(&from, empty(&from));
        // What has another form is replaced, so that it can be read at all.
        let (_, into) = rewritten(&from, into);
        prop_assert_eq!(rewritten(&into, empty(&from)).0, read);
    }
}
