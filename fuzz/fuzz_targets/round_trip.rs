//! What a text means survives when the text is forgotten, and an edit leaves the
//! other lines alone.

#![no_main]

use fuzz::has_magic;
use libfuzzer_sys::fuzz_target;
use ncnn_format::typed::ParamKey;
use ncnn_format::{Model, SourceText};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(model) = Model::from_param_text(text) else { return };
    forget(&model);
    if !has_magic(text) {
        return;
    }
    assert_eq!(model.to_param_text(), text, "an untouched model is its text");
    if let Some(at) = bytes.len().checked_rem(model.layers.len()) {
        edit(&model, at);
    }
});

/// Writes the model anew and reads it back.
fn forget(model: &Model) {
    let mut fresh = model.clone();
    fresh.header = SourceText::default();
    fresh.trailer = SourceText::default();
    fresh.layers.iter_mut().for_each(|layer| layer.source = SourceText::default());
    if fresh.blob_count() == 0 || fresh.check_param_text().is_err() {
        return;
    }
    let text = fresh.to_param_text();
    let again = Model::from_param_text(&text).expect("what the check passed can be read");
    assert_eq!(again.layers, model.layers, "{text}");
    assert_eq!(again.to_param_text(), text, "writing is idempotent");
}

/// Changes the layer `at` and expects every other one to keep its text.
fn edit(model: &Model, at: usize) {
    let mut edited = model.clone();
    edited.layers[at].params.set(ParamKey::custom(31, "featmask"), 77);
    if edited.check_param_text().is_err() {
        return;
    }
    let text = edited.to_param_text();
    let again = Model::from_param_text(&text).expect("what the check passed can be read");
    assert_eq!(again.layers, edited.layers, "{text}");
    for (index, (old, new)) in model.layers.iter().zip(&again.layers).enumerate() {
        let (old, new) = (old.source.0.as_deref().unwrap_or(""), new.source.0.as_deref().unwrap_or(""));
        assert!(index == at || old.trim_end() == new.trim_end(), "layer {index}: {old:?} became {new:?}");
    }
}
