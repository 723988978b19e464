//! Any text is a model or an error, in bounded memory; a model gives its text back.

#![no_main]

use fuzz::{bounded, has_magic};
use libfuzzer_sys::fuzz_target;
use ncnn_format::{Limits, Model, weight_layout};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = bounded(text.len(), || Model::from_param_text_with(text, &Limits::default()));
    let Ok((model, warnings)) = read else { return };
    let lines = 1 + text.bytes().filter(|byte| *byte == b'\n').count();
    let inside = |line: Option<usize>| line.is_some_and(|line| (1..=lines).contains(&line));
    assert!(warnings.iter().all(|warning| inside(warning.place.line)), "a warning outside the text");
    model.layers.iter().for_each(|layer| drop(weight_layout(layer)));
    let written = model.to_param_text();
    if has_magic(text) {
        assert_eq!(written, text, "an untouched model is its text");
        assert!(model.check_param_text().is_ok(), "what was read can be written");
    } else if model.check_param_text().is_ok() {
        assert_eq!(Model::from_param_text(&written).expect("what the check passed can be read").layers, model.layers);
    }
});
