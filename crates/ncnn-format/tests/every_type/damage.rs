//! Files with a layer of every type, cut and changed at every byte: an error with its place, or a model.

use ncnn_format::{ErrorKind, Limits, Model, weight_layout};

use crate::support::{DocumentedType, Draw, documented, random_params};

/// A network with one layer of each of some types.
fn text(draw: &mut Draw, types: &[DocumentedType]) -> String {
    let mut lines = vec!["Input data 0 1 data 0=4 1=4 2=3".to_owned()];
    for (number, documented) in types.iter().enumerate() {
        let (params, _) = random_params(draw, documented);
        lines.push(format!("{} layer{number} 1 1 data out{number} {params}", documented.kind));
    }
    format!("7767517\n{} {}\n{}\n", lines.len(), lines.len(), lines.join("\n"))
}

/// Types in groups that are quick to cut at every byte.
fn groups() -> Vec<Vec<DocumentedType>> {
    documented().chunks(5).map(<[_]>::to_vec).collect()
}

/// What reading gives: an error must have a place.
fn examine(text: &str) {
    match Model::from_param_text_with(text, &Limits::default()) {
        Ok((model, _)) => {
            assert_eq!(model.to_param_text(), text);
            for layer in &model.layers {
                // A layout or an error with the layer's name; nothing else.
                if let Err(error) = weight_layout(layer) {
                    assert_eq!(error.place().layer.as_deref(), Some(layer.name.as_str()), "{error}");
                }
            }
            let _ = model.to_param_binary().map(|bytes| Model::from_param_binary(&bytes).unwrap());
        }
        Err(error) => {
            assert!(matches!(error.kind(), ErrorKind::Malformed | ErrorKind::TooLarge | ErrorKind::Unsupported));
            assert!(error.place().line.is_some_and(|line| line <= text.lines().count() + 1), "{error} of {text:?}");
        }
    }
}

#[test]
fn a_text_of_every_type_cut_at_any_byte_is_read_or_refused_with_its_line() {
    let mut draw = Draw::new(1);
    for group in groups() {
        let text = text(&mut draw, &group);
        assert!(text.is_ascii());
        for end in 1..text.len() {
            examine(&text[..end]);
        }
    }
}

#[test]
fn a_text_of_every_type_with_bytes_changed_is_read_or_refused_with_its_line() {
    let mut draw = Draw::new(2);
    for group in groups() {
        let text = text(&mut draw, &group);
        for place in 0..text.len() {
            let letter = b"0=-9,. \"\nx"[draw.size(0, 9)];
            let mut bytes = text.clone().into_bytes();
            bytes[place] = letter;
            examine(&String::from_utf8(bytes).unwrap());
            // Without the byte, and twice.
            examine(&format!("{}{}", &text[..place], &text[place + 1..]));
            examine(&format!("{}{}", &text[..=place], &text[place..]));
        }
    }
}

#[test]
fn a_binary_of_every_type_cut_at_any_byte_is_refused_with_the_byte() {
    let mut draw = Draw::new(3);
    for group in groups() {
        let model = Model::from_param_text(&text(&mut draw, &group)).unwrap();
        let bytes = model.to_param_binary().unwrap();
        assert!(Model::from_param_binary(&bytes).is_ok());
        for end in 0..bytes.len() {
            let error = Model::from_param_binary(&bytes[..end]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed);
            let byte = error.place().byte.unwrap_or_else(|| panic!("{error}"));
            assert!(byte <= end as u64, "{error} of {end} bytes");
        }
    }
}

#[test]
fn a_binary_of_every_type_with_words_changed_is_read_or_refused() {
    let mut draw = Draw::new(4);
    for group in groups() {
        let model = Model::from_param_text(&text(&mut draw, &group)).unwrap();
        let bytes = model.to_param_binary().unwrap();
        for place in (0..bytes.len()).step_by(4).filter(|place| place + 4 <= bytes.len()) {
            for word in [0, -1, 1, -233, -23300, -23332, i32::MAX, i32::MIN, draw.int()] {
                let mut changed = bytes.clone();
                changed[place..place + 4].copy_from_slice(&word.to_le_bytes());
                match Model::from_param_binary(&changed) {
                    Ok((model, _)) => {
                        // Texts with odd characters have no place in a text; the model says so.
                        let text = model.to_param_text();
                        let writable = model.check_param_text().is_ok();
                        assert_eq!(Model::from_param_text(&text).is_ok(), writable, "{text}");
                    }
                    Err(error) => assert!(error.place().byte.is_some(), "{error}"),
                }
            }
        }
    }
}

#[test]
fn a_limit_one_below_what_a_file_has_refuses_it() {
    let mut draw = Draw::new(5);
    for group in groups() {
        let text = text(&mut draw, &group);
        let exact = |change: &dyn Fn(&mut Limits)| {
            let mut limits = Limits::default();
            change(&mut limits);
            Model::from_param_text_with(&text, &limits).map(|_| ()).map_err(|error| error.kind())
        };
        let layers = group.len() + 1;
        assert_eq!(exact(&|limits| limits.layers = layers), Ok(()));
        assert_eq!(exact(&|limits| limits.layers = layers - 1), Err(ErrorKind::TooLarge));
        assert_eq!(exact(&|limits| limits.text_bytes = text.len() as u64), Ok(()));
        assert_eq!(exact(&|limits| limits.text_bytes = text.len() as u64 - 1), Err(ErrorKind::TooLarge));
        assert_eq!(exact(&|limits| limits.blobs_per_layer = 2), Ok(()));
        assert_eq!(exact(&|limits| limits.blobs_per_layer = 1), Err(ErrorKind::TooLarge));
        let model = Model::from_param_text(&text).unwrap();
        let longest = model
            .layers
            .iter()
            .flat_map(|layer| layer.params.iter())
            .filter_map(|(_, value)| match value {
                ncnn_format::ParamValue::Array(values) => Some(values.len()),
                _ => None,
            })
            .max();
        if let Some(longest) = longest {
            assert_eq!(exact(&|limits| limits.array_len = longest), Ok(()));
            assert_eq!(exact(&|limits| limits.array_len = longest - 1), Err(ErrorKind::TooLarge));
        }
    }
}
