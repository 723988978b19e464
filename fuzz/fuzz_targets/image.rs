//! Any file is an image or an error, and memory goes to pixels that are there.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use quantizer::decode_image;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| tempfile::tempdir().expect("a folder for temporary files"));

fuzz_target!(|bytes: &[u8]| {
    let path = FOLDER.path().join("image");
    std::fs::write(&path, bytes).expect("the temporary folder can be written");
    drop(decode_image(&path));
});
