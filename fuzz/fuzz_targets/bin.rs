//! Any bytes are the weights of any model or an error, in bounded memory; weights
//! give their bytes back; and read one by one from a file they are what they are
//! when read at once. Input: a `.param` text, a zero byte, a `.bin`.

#![no_main]

use std::io::Write as _;

use fuzz::bounded;
use libfuzzer_sys::fuzz_target;
use ncnn_format::{BinFile, BinIndex, ForeignFile, Limits, Model, Result};
use tempfile::NamedTempFile;

fuzz_target!(|input: &[u8]| {
    let Some(end) = input.iter().position(|byte| *byte == 0) else { return };
    let (text, bytes) = (&input[..end], &input[end + 1..]);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let Ok(mut model) = Model::from_param_text(text) else { return };
    let odd = bounded(input.len(), || model.read_bin_with(bytes, &Limits::default()));
    one_by_one(input.len(), &model, odd.as_ref().map(|_| ()), bytes);
    let Ok(odd) = odd else {
        assert!(model.layers.iter().all(|layer| layer.weights.is_empty()), "a failed read left weights behind");
        return;
    };
    let written = model.bin_bytes().expect("what was read can be written");
    assert_eq!(written.len(), bytes.len());
    assert!(!odd.is_empty() || written == bytes, "weights are their bytes");
    model.read_bin(&written).expect("what was written can be read");
    assert_eq!(model.bin_bytes().expect("it was written before"), written, "writing is idempotent");
});

/// Reads `bytes` from a file, weight by weight, and expects what reading them `at_once`
/// gave: the same error, or the weights that `model` has now.
fn one_by_one(len: usize, model: &Model, at_once: std::result::Result<(), &ncnn_format::Error>, bytes: &[u8]) {
    let mut file = NamedTempFile::new().expect("the folder for temporary files can be written");
    file.write_all(bytes).expect("the folder for temporary files can be written");
    let file = BinFile::open(file.path()).expect("it was just made");
    let found: Result<BinIndex<'_>> = bounded(len, || model.index_bin(&file));
    let index = match (found, at_once) {
        (Ok(index), Ok(())) => index,
        (Err(found), Err(at_once)) => {
            assert_eq!(found.kind(), at_once.kind());
            // Of a file that is known to be something else, that is all there is to say.
            assert!(found.place().byte == at_once.place().byte || ForeignFile::sniff(bytes).is_some());
            return;
        }
        (found, at_once) => panic!("{found:?} one by one, {at_once:?} at once"),
    };
    assert_eq!(index.end + model.trailing_bytes.len() as u64, bytes.len() as u64);
    let mut again = model.clone();
    for (layer, weights) in again.layers.iter_mut().zip(&index.layers) {
        let read = weights.iter().map(|weight| weight.read().expect("the index says that it is there"));
        layer.weights = read.collect();
        for (weight, place) in layer.weights.iter().zip(weights) {
            assert_eq!((weight.role, weight.data.len()), (place.role(), place.len()));
            assert_eq!(
                (weight.data.storage(), weight.data.stored_bytes() as u64),
                (place.storage(), place.stored_bytes())
            );
        }
    }
    // By bytes, for NaN is not equal to itself.
    assert_eq!(again.bin_bytes().expect("they are what the layers want"), model.bin_bytes().expect("as above"));
}
