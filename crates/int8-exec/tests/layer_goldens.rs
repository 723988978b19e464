//! Replays int8 layers whose outputs the stock ncnn runtime made.
//!
//! `xtask/python/int8_goldens.py` makes the files; `cargo xtask ncnn-parity` replays all of its cases.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod golden;

use golden::Tally;
use int8_exec::Roundings;

/// The committed cases and their values.
fn files() -> (String, Vec<u8>) {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/layers.txt");
    (std::fs::read_to_string(&file).unwrap(), std::fs::read(file.with_extension("bin")).unwrap())
}

#[test]
fn int8_layers_give_what_ncnn_gives() {
    let (text, values) = files();
    let cases = golden::parse(&text, &values).unwrap();
    assert!(cases.len() > 300, "only {} cases", cases.len());
    for roundings in [Roundings::Reference, Roundings::NcnnX86] {
        let tally = Tally::new(&cases, roundings);
        for label in tally.labels() {
            for row in tally.rows(label) {
                println!("{roundings:?}, {label}, {}: {}", row.options(), row.found());
                assert!(!row.is_wrong(), "{roundings:?}, {label}:\n{}", tally.wrong.join("\n"));
            }
        }
        println!("{roundings:?}, all: {}", tally.total());
        assert!(tally.wrong.is_empty(), "{}", tally.wrong.join("\n"));
    }
}

#[test]
fn a_single_wrong_value_of_a_case_is_noticed() {
    let (text, mut values) = files();
    values[2] ^= 0x40;
    let mut spoilt = golden::parse(&text, &values).unwrap();
    spoilt.truncate(1);
    assert!(!Tally::new(&spoilt, Roundings::Reference).wrong.is_empty());
}
