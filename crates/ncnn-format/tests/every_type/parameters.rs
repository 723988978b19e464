//! What the typed readers give is what `docs/layer-parameters.md` says, in text and in binary.

use ncnn_format::{ErrorKind, Layer, LayerKind, Model};

use crate::support::{Documented, Draw, Fields, documented, layer, random_params, read, reader_names};

/// The fields that a layer has when `set` are written and the others follow the document.
fn expected(params: &[Documented], set: &Fields) -> Fields {
    let mut all = Fields::new();
    for param in params {
        let value = set.get(&param.name).cloned().unwrap_or_else(|| default(param, &all));
        all.insert(param.name.clone(), value);
    }
    all
}

/// A default as `Debug` shows it; it may name parameters above.
fn default(param: &Documented, above: &Fields) -> String {
    let number = |name: &str| above[name].parse::<i32>().unwrap();
    match param.default.as_str() {
        "none" => "[]".to_owned(),
        "empty" => "\"\"".to_owned(),
        "1 / sqrt(embed_dim / num_heads)" => {
            let width = number("embed_dim").checked_div(number("num_heads").max(1)).unwrap();
            format!("{:?}", 1.0 / (width as f32).sqrt())
        }
        "n_fft / 4" => (number("n_fft") / 4).to_string(),
        text if text.parse::<f32>().is_ok() => match param.kind.as_str() {
            "int" => text.to_owned(),
            _ => format!("{:?}", text.parse::<f32>().unwrap()),
        },
        name => above.get(name).unwrap_or_else(|| panic!("{param:?} refers to nothing above")).clone(),
    }
}

#[test]
fn the_document_has_every_type_with_its_number_and_reader() {
    let types = documented();
    assert_eq!(types.len(), LayerKind::BUILTIN.len());
    let mut methods: Vec<&str> = types.iter().map(|documented| documented.method.as_str()).collect();
    for documented in &types {
        assert_eq!(LayerKind::BUILTIN[documented.number], documented.kind);
    }
    methods.sort_unstable();
    let mut readers = reader_names();
    readers.sort_unstable();
    assert_eq!(methods, readers);
}

#[test]
fn a_layer_without_parameters_has_the_documented_defaults() {
    for documented in documented() {
        let found = read(&documented.method, &layer(&documented.kind, "")).unwrap();
        assert_eq!(found, expected(&documented.params, &Fields::new()), "{}", documented.kind);
    }
}

#[test]
fn each_parameter_sets_its_field_and_those_that_follow_it() {
    let mut draw = Draw::new(1);
    let mut cases = 0;
    for documented in documented() {
        for param in &documented.params {
            let (word, value) = draw.param(param.id, &param.kind);
            let set = Fields::from([(param.name.clone(), value)]);
            let found = read(&documented.method, &layer(&documented.kind, &word)).unwrap();
            assert_eq!(found, expected(&documented.params, &set), "{} {word}", documented.kind);
            cases += 1;
        }
    }
    assert!(cases > 400, "only {cases} parameters");
}

#[test]
fn random_parameters_are_read_as_written_in_any_order() {
    let mut draw = Draw::new(2);
    for documented in documented() {
        for _ in 0..20 {
            let (line, set) = random_params(&mut draw, &documented);
            let backwards: Vec<&str> = line.split_whitespace().rev().collect();
            for line in [line.clone(), backwards.join(" ")] {
                let found = read(&documented.method, &layer(&documented.kind, &line)).unwrap();
                assert_eq!(found, expected(&documented.params, &set), "{} {line}", documented.kind);
            }
        }
    }
}

#[test]
fn random_parameters_survive_text_and_binary() {
    let mut draw = Draw::new(3);
    for documented in documented() {
        for _ in 0..10 {
            let (line, set) = random_params(&mut draw, &documented);
            let text = format!("7767517\n1 1\n{} layer 0 1 out {line}\n", documented.kind);
            let model = Model::from_param_text(&text).unwrap();
            assert_eq!(model.to_param_text(), text);
            // Written anew the line says the same.
            let mut anew = model.clone();
            anew.layers[0].source = Default::default();
            let again = Model::from_param_text(&anew.to_param_text()).unwrap();
            assert_eq!(again.layers[0].params, model.layers[0].params, "{text}");

            let bytes = model.to_param_binary().unwrap();
            let (binary, warnings) = Model::from_param_binary(&bytes).unwrap();
            assert!(warnings.is_empty(), "{text}: {warnings:?}");
            let layer = &binary.layers[0];
            assert_eq!(layer.kind, documented.kind);
            assert_eq!(read(&documented.method, layer).unwrap(), expected(&documented.params, &set), "{text}");
            assert_eq!(binary.to_param_binary().unwrap(), bytes, "{text}");
            // And from there as text.
            let shown = Model::from_param_text(&binary.to_param_text()).unwrap();
            let found = read(&documented.method, &shown.layers[0]).unwrap();
            assert_eq!(found, expected(&documented.params, &set), "{}", binary.to_param_text());
        }
    }
}

#[test]
fn a_parameter_of_another_form_is_an_error_that_names_the_layer_and_the_id() {
    for documented in documented() {
        for param in &documented.params {
            let wrong = match param.kind.as_str() {
                "int" | "float" => format!("{}=2,1,2", -23300 - i32::from(param.id)),
                "ints" | "floats" => format!("{}=\"some text\"", param.id),
                _ => format!("{}=2,1,2", -23300 - i32::from(param.id)),
            };
            let error = read(&documented.method, &layer(&documented.kind, &wrong)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{} {wrong}", documented.kind);
            assert_eq!(error.place().layer.as_deref(), Some("layer"), "{error}");
            assert!(error.message().contains(&format!("parameter {}", param.id)), "{error}");
        }
    }
}

#[test]
fn a_reader_refuses_every_other_type() {
    let types = documented();
    for documented in &types {
        for kind in LayerKind::BUILTIN.iter().filter(|&kind| *kind != documented.kind) {
            let error = read(&documented.method, &Layer::new(kind.clone(), "layer")).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
        }
        let custom = Layer::new(LayerKind::from("Custom"), "layer");
        assert!(read(&documented.method, &custom).is_err());
    }
}

#[test]
fn parameters_that_a_type_does_not_have_are_kept() {
    for documented in documented() {
        let ids: Vec<u8> = (0..32).filter(|id| documented.params.iter().all(|param| param.id != *id)).collect();
        let line: String = ids.iter().map(|id| format!(" {id}={}", u32::from(*id) + 100)).collect();
        let text = format!("7767517\n1 1\n{} layer 0 1 out{line}\n", documented.kind);
        let mut model = Model::from_param_text(&text).unwrap();
        model.layers[0].source = Default::default();
        let again = Model::from_param_text(&model.to_param_text()).unwrap();
        assert_eq!(again.layers[0].params.iter().count(), ids.len(), "{}", documented.kind);
        let (binary, _) = Model::from_param_binary(&model.to_param_binary().unwrap()).unwrap();
        assert_eq!(binary.layers[0].params.iter().count(), ids.len(), "{}", documented.kind);
        let found = read(&documented.method, &again.layers[0]).unwrap();
        assert_eq!(found, expected(&documented.params, &Fields::new()), "{}", documented.kind);
    }
}
