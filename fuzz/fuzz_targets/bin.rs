//! Any bytes are the weights of any model or an error, in bounded memory; weights
//! give their bytes back. Input: a `.param` text, a zero byte, a `.bin`.

#![no_main]

use fuzz::bounded;
use libfuzzer_sys::fuzz_target;
use ncnn_format::{Limits, Model};

fuzz_target!(|input: &[u8]| {
    let Some(end) = input.iter().position(|byte| *byte == 0) else { return };
    let (text, bytes) = (&input[..end], &input[end + 1..]);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(mut model) = Model::from_param_text(text) else { return };
    let Ok(odd) = bounded(input.len(), || model.read_bin_with(bytes, &Limits::default())) else {
        assert!(model.layers.iter().all(|layer| layer.weights.is_empty()), "a failed read left weights behind");
        return;
    };
    let written = model.bin_bytes().expect("what was read can be written");
    assert_eq!(written.len(), bytes.len());
    assert!(!odd.is_empty() || written == bytes, "weights are their bytes");
    model.read_bin(&written).expect("what was written can be read");
    assert_eq!(model.bin_bytes().expect("it was written before"), written, "writing is idempotent");
});
