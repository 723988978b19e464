//! The bound on memory: reading never holds more than [`PER_BYTE`] bytes for each
//! byte of input, and [`ON_TOP`] for warnings and messages, whatever the file says.
//!
//! The fuzz targets enforce the same bound on inputs that nobody thought of.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::hint::black_box;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ncnn_format::{Model, ScaleTable};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Held by a test from its first allocation to its last: those of tests in other
/// threads, their inputs included, would be counted too.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

const PER_BYTE: usize = 128;
const ON_TOP: usize = 512 * 1024;

/// Runs `read` on `input` and fails if it held more than its size justifies.
fn assert_bounded<I: AsRef<[u8]> + ?Sized, T>(what: &str, input: &I, read: impl FnOnce(&I) -> T) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    drop(black_box(read(input)));
    let held = ALLOCATOR.peak_usage().saturating_sub(before);
    let len = input.as_ref().len();
    println!("{what}: {held} bytes for {len}, {:.1} for one", held as f64 / len as f64);
    assert!(held <= PER_BYTE * len + ON_TOP, "{what}: {held} bytes were held while {len} were read");
}

fn param(what: &str, text: &str) {
    assert_bounded(what, text, Model::from_param_text);
}

/// So many repetitions that what is on top does not matter.
const MANY: usize = 200_000;

#[test]
fn the_shortest_lines_and_values_stay_within_the_bound() {
    let _alone = alone();
    param("layers", &format!("7767517\n{MANY} 1\nI a 0 1 a\n{}", "A b 0 0\n".repeat(MANY - 1)));
    param("custom layers", &format!("7767517\n{MANY} 1\n{}", "ABCDEFGHIJ b 0 1 c\n".repeat(MANY)));
    param("blob names", &format!("7767517\n1 1\nSplit a 0 65536{}\n", " a".repeat(65536)));
    param("array elements", &format!("7767517\n1 1\nI a 0 1 a -23300={MANY}{}\n", ",1".repeat(MANY)));
    param("new array elements", &format!("7767517\n1 1\nI a 0 1 a 0=1{}\n", ",1".repeat(MANY)));
    param("parameters", &format!("7767517\n1 1\nI a 0 1 a{}\n", " 0=1".repeat(MANY)));
    param("short arrays", &format!("7767517\n1 1\nI a 0 1 a{}\n", " 0=1,2".repeat(MANY)));
    param("texts", &format!("7767517\n1 1\nI a 0 1 a{}\n", " 0=a".repeat(MANY)));
    param("oddities", &format!("7767517\n{MANY} 1\n{}", "3 b 0 1 c\n".repeat(MANY)));
    param("blanks", &format!("7767517\n1 1\n{}", " ".repeat(MANY)));
    param("a text of 2017", &format!("{MANY} 1\n{}", "ReLU a 1 1 a a 0\n".repeat(MANY)));
}

#[test]
fn claims_alone_cost_nothing() {
    let _alone = alone();
    param("layer count", "7767517\n1048576 1048576\nI a 0 1 a\n");
    param("blob count", "7767517\n1 2147483647\nI a 0 65536 a\n");
    param("array length", "7767517\n1 1\nI a 0 1 a -23300=1048576,1\n");
    for line in [
        "InnerProduct a 0 1 a 0=1 2=2147483647",
        "MemoryData a 0 1 a 0=65536 1=16384",
        "BatchNorm a 0 1 a 0=2147483647",
    ] {
        let model = Model::from_param_text(&format!("7767517\n1 1\n{line}\n")).unwrap();
        assert_bounded(line, &[0; 64], |bytes| model.clone().read_bin(bytes));
    }
}

#[test]
fn tables_stay_within_the_bound() {
    let _alone = alone();
    assert_bounded("rows", &"a 1\n".repeat(MANY), |text| ScaleTable::parse(text));
    assert_bounded("values", &format!("a{}\n", " 1".repeat(MANY)), |text| ScaleTable::parse(text));
    assert_bounded("attributes", &format!("a{} 1\n", " a=b".repeat(MANY)), |text| ScaleTable::parse(text));
    assert_bounded("comments", &"#\n".repeat(MANY), |text| ScaleTable::parse(text));
    assert_bounded("an error at the end", &("a 1\n".repeat(MANY) + "b x"), |text| ScaleTable::parse(text));
}

#[test]
fn weights_stay_within_the_bound() {
    let _alone = alone();
    let lines = "MemoryData a 0 1 a 0=1\n".repeat(1000);
    let small = Model::from_param_text(&format!("7767517\n1000 1\n{lines}")).unwrap();
    let large = Model::from_param_text("7767517\n1 1\nMemoryData a 0 1 a 0=1048576\n").unwrap();
    // The text is input as well: without it nothing would be read.
    let text = [0; 4000 + 23_000];
    assert_bounded("small weights", &text, |bytes| {
        let mut model = small.clone();
        model.read_bin(bytes.get(..4000).unwrap_or_default()).map(|()| model)
    });
    assert_bounded("one large weight", &vec![0; 4 << 20], |bytes| {
        let mut model = large.clone();
        model.read_bin(bytes).map(|()| model)
    });
}

#[test]
fn binary_params_stay_within_the_bound() {
    let _alone = alone();
    let words = |words: &[i32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let count = i32::try_from(MANY).unwrap();
    let file = |layers: i32, blobs: i32, rest: Vec<u8>| [words(&[7_767_517, layers, blobs]), rest].concat();
    let layers = file(count, 1, words(&[16, 0, 0, -233]).repeat(MANY));
    assert_bounded("layers", &layers, |bytes| Model::from_param_binary(bytes));
    let custom = file(count, 1, words(&[256, 0, 0, -233]).repeat(MANY));
    assert_bounded("custom layers", &custom, |bytes| Model::from_param_binary(bytes));
    let tops = file(1, 9, [words(&[16, 0, 65536]), words(&[7]).repeat(65536), words(&[-233])].concat());
    assert_bounded("blobs", &tops, |bytes| Model::from_param_binary(bytes));
    let repeated = file(1, 1, [words(&[16, 0, 0]), words(&[0, 1]).repeat(MANY), words(&[-233])].concat());
    assert_bounded("parameters", &repeated, |bytes| Model::from_param_binary(bytes));
    let array = file(1, 1, [words(&[16, 0, 0, -23300, count]), words(&[1]).repeat(MANY), words(&[-233])].concat());
    assert_bounded("array elements", &array, |bytes| Model::from_param_binary(bytes));
}
