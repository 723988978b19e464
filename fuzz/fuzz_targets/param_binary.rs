//! Any bytes are a `.param.bin` or an error, in bounded memory; what was read is
//! written back with the same meaning, and its bytes are then stable.

#![no_main]

use fuzz::bounded;
use libfuzzer_sys::fuzz_target;
use ncnn_format::{Limits, Model};

fuzz_target!(|bytes: &[u8]| {
    let read = bounded(bytes.len(), || Model::from_param_binary_with(bytes, &Limits::default()));
    let Ok((model, warnings)) = read else { return };
    let Ok(written) = model.to_param_binary() else { return };
    if warnings.is_empty() {
        assert_eq!(written, bytes, "what had nothing odd about it is its bytes");
    }
    let (again, _) = Model::from_param_binary(&written).expect("what was written can be read");
    assert_eq!(again.layers, model.layers);
    assert_eq!(again.to_param_binary().expect("it was written before"), written, "writing is idempotent");
    if model.check_param_text().is_ok() {
        let text = model.to_param_text();
        let as_text = Model::from_param_text(&text).expect("what the check passed can be read");
        assert_eq!(as_text.layers, model.layers, "{text}");
    }
});
