//! Folders to try flags in.

use std::fs;
use std::path::Path;

use crate::common::{Workspace, succeeds};

const IMAGE: [&str; 6] = ["--pixel", "GRAY", "--mean", "73", "--norm", "0.0111111"];
const LENET: [&str; 4] = ["--param", "lenet.param", "--bin", "lenet.bin"];
const SQUARE: [&str; 6] = ["--param", "square.param", "--bin", "square.bin", "--images", "in"];

fn do_all(at: &Workspace, lines: &[&[&str]]) {
    for parts in lines {
        succeeds(parts, at);
    }
}

/// LeNet with samples of many kinds.
pub(crate) fn lenet() -> Workspace {
    let at = Workspace::with_lenet();
    fs::create_dir(at.path("one")).unwrap();
    fs::copy(at.path("calib/00000_9_boot.png"), at.path("one/boot.png")).unwrap();
    at.write("list.txt", b"gone.png\none/boot.png\n");
    let pixels: Vec<u8> = (0..20).flat_map(|_| (0..40).map(|x| 6 * x)).collect();
    at.write("wide/a.pgm", &[b"P5 40 20 255\n".as_slice(), &pixels].concat());
    at.write("absmax.toml", b"method = 'absmax'\n");
    at.write("few.toml", b"limit = 2\n");
    let labels = fs::read_dir(at.path("calib")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let labels: String = labels.map(|name| format!("{name}\t{}\n", name.split('_').nth(1).unwrap())).collect();
    at.write("labels.tsv", labels.as_bytes());
    at
}

/// LeNet with statistics.
pub(crate) fn counted() -> Workspace {
    let at = lenet();
    let count = |more: &[&str]| {
        succeeds(&[&["calibrate", "--images", "calib", "--out", "t.table"], &LENET[..], &IMAGE, more].concat(), &at);
    };
    count(&["--stats", "lenet.stats"]);
    count(&["--stats", "few.stats", "--limit", "3"]);
    count(&["--stats", "small.stats", "--optimize"]);
    at
}

/// LeNet with tables of three kinds and as int8.
pub(crate) fn quantized() -> Workspace {
    let at = lenet();
    let table: &[&str] = &["calibrate", "--images", "calib", "--out", "absmax.table", "--method", "absmax"];
    let int8: &[&str] = &["quantize", "--images", "calib", "--out", "int8"];
    do_all(&at, &[&[table, &LENET, &IMAGE].concat(), &[int8, &LENET, &IMAGE].concat()]);
    // The dialect of 2018 names an input row after the blob, or who makes it.
    let text = fs::read_to_string(at.path("absmax.table")).unwrap();
    let blob = |row: &str| match row {
        "conv1" => "data".to_owned(),
        "conv2" => "pool1".to_owned(),
        "fc1" => "flat".to_owned(),
        "fc2" => "relu3".to_owned(),
        other => other.to_owned(),
    };
    let rows = text.lines().map(|line| line.split_once(' ').unwrap());
    let old: String = rows.map(|(row, rest)| format!("{} {rest}\n", blob(row))).collect();
    at.write("old.table", old.as_bytes());
    at.write("short.table", b"conv1 1.0 \n");
    let bin = fs::read(at.path("lenet.bin")).unwrap();
    at.write("short.bin", &bin[..bin.len() / 2]);
    fs::copy(at.path("lenet.param"), at.path("alone.param")).unwrap();
    at.write("names.txt", b"shirt\ntrouser\npullover\ndress\ncoat\nsandal\nblouse\nsneaker\nbag\nboot\n");
    at
}

/// Numbers between -1 and 1 that look random.
fn noise(seed: u32, count: usize) -> Vec<u8> {
    let mut state = seed;
    let next = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 23) as f32 - 1.0
    });
    next.take(count).flat_map(f32::to_le_bytes).collect()
}

/// Four convolutions of 3x3, wide enough for Winograd on every CPU, with weights at random; and as int8. The largest value
/// of one blob can have the same bits by plain sums; those of three blobs do not.
pub(crate) fn square() -> Workspace {
    let at = Workspace::new();
    let param = b"7767517\n6 6\nInput data 0 1 data 0=28 1=28 2=64\n\
                  Convolution first 1 1 data a 0=64 1=3 4=1 6=36864\nReLU relu 1 1 a b\n\
                  Convolution second 1 1 b c 0=64 1=3 4=1 6=36864\n\
                  Convolution third 1 1 c d 0=64 1=3 4=1 6=36864\n\
                  Convolution fourth 1 1 d out 0=64 1=3 4=1 6=36864\n";
    at.write("square.param", param);
    let weights: Vec<u8> =
        [1, 2, 5, 6].into_iter().flat_map(|seed| [vec![0; 4], noise(seed, 36864)].concat()).collect();
    at.write("square.bin", &weights);
    for seed in 3..5 {
        // Small values have large scales, of which a table shows every bit.
        let small = noise(seed, 28 * 28 * 64)
            .chunks_exact(4)
            .flat_map(|bytes| (f32::from_le_bytes(bytes.try_into().unwrap()) / 1024.0).to_le_bytes())
            .collect::<Vec<u8>>();
        at.write(&format!("in/{seed}.raw"), &small);
    }
    succeeds(&[&["calibrate", "--out", "t.table", "--stats", "square.stats"], &SQUARE[..]].concat(), &at);
    succeeds(&[&["quantize", "--out", "int8"], &SQUARE[..]].concat(), &at);
    at
}

/// Two convolutions, the first with output channels of very different sizes.
pub(crate) fn uneven() -> Workspace {
    let at = Workspace::new();
    let param = b"7767517\n3 3\nInput data 0 1 data 0=4 1=4 2=3\nConvolution first 1 1 data a 0=8 1=1 6=24 9=1\n\
                  Convolution second 1 1 a out 0=4 1=1 6=32\n";
    at.write("uneven.param", param);
    let weight = |(index, bytes): (usize, &[u8])| {
        let weight = f32::from_le_bytes(bytes.try_into().unwrap());
        (weight * 0.3f32.powi(index as i32 / 3)).to_le_bytes()
    };
    let rows: Vec<u8> = noise(1, 24).chunks_exact(4).enumerate().flat_map(weight).collect();
    at.write("uneven.bin", &[&[0; 4][..], &rows, &[0; 4], &noise(2, 32)].concat());
    for seed in 3..6 {
        at.write(&format!("in/{seed}.raw"), &noise(seed, 48));
    }
    at
}

/// Layers for sequences, with a table.
pub(crate) fn sequence() -> Workspace {
    let at = Workspace::new();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../quantizer/tests/data");
    for suffix in ["param", "bin", "table"] {
        fs::copy(data.join(format!("sequence.{suffix}")), at.path(&format!("net.{suffix}"))).unwrap();
    }
    at
}

/// A convolution whose output is two outputs of the network.
pub(crate) fn two_outputs() -> Workspace {
    let at = Workspace::with_tiny_net(&[1.0, -0.5]);
    let param = b"7767517\n5 6\nInput data 0 1 data 0=4 1=2 2=1\nConvolution conv 1 1 data a 0=2 1=1 6=2\n\
                  Split split 1 2 a b c\nReLU relu 1 1 b r\nSigmoid sigmoid 1 1 c s\n";
    at.write("tiny.param", param);
    let quantize = ["quantize", "--param", "tiny.param", "--bin", "tiny.bin", "--images", "in", "--out", "int8"];
    succeeds(&quantize, &at);
    at
}

/// LeNet with statistics of two halves of the samples.
pub(crate) fn halves() -> Workspace {
    let at = lenet();
    for shard in ["1/2", "2/2"] {
        let stats = format!("{}.stats", &shard[..1]);
        let count = ["calibrate", "--images", "calib", "--stats", &stats, "--shard", shard];
        succeeds(&[&count[..], &LENET, &IMAGE].concat(), &at);
    }
    at
}
