//! What is tried with every flag, and what must come of it.

use std::fs;
use std::path::Path;

use crate::common::{Workspace, succeeds};

/// What a flag does.
pub(crate) enum Effect {
    /// A file has other bytes.
    Differs(&'static str),
    /// A file is written that would not be.
    Writes(&'static str),
    /// Standard output is another.
    Prints,
    /// Standard output has this text.
    Says(&'static str),
    /// Standard error has this text.
    Tells(&'static str),
    /// The command fails and says this.
    Fails(&'static str),
    /// Standard output has this text no more.
    LeavesOut(&'static str),
    /// Standard error has this text no more.
    Hushes(&'static str),
}

use Effect::{Differs, Fails, Hushes, LeavesOut, Prints, Says, Tells, Writes};

/// Flags of one command in one folder.
pub(crate) struct Suite {
    /// Makes the folder.
    pub(crate) setup: fn() -> Workspace,
    /// The command line to which words are added.
    pub(crate) base: &'static str,
    /// A flag, the words with it, what comes of it.
    pub(crate) cases: &'static [(&'static str, &'static str, Effect)],
}

/// All of them.
pub(crate) const SUITES: &[Suite] = &[
    CALIBRATE,
    CALIBRATE_3X3,
    THRESHOLDS,
    THRESHOLDS_3X3,
    QUANTIZE,
    QUANTIZE_3X3,
    QUANTIZE_UNEVEN,
    QUANTIZE_SEQUENCE,
    COMPARE,
    COMPARE_OUTPUTS,
    OPTIMIZE,
    RUN,
    INSPECT,
    CONVERT,
    MERGE,
    CHECK,
    CHECK_TABLE,
    BENCH,
    BENCH_3X3,
    PLAN,
    PLAN_3X3,
];

const IMAGE: [&str; 6] = ["--pixel", "GRAY", "--mean", "73", "--norm", "0.0111111"];
const LENET: [&str; 4] = ["--param", "lenet.param", "--bin", "lenet.bin"];
const SQUARE: [&str; 6] = ["--param", "square.param", "--bin", "square.bin", "--images", "in"];

fn do_all(at: &Workspace, lines: &[&[&str]]) {
    for parts in lines {
        succeeds(parts, at);
    }
}

/// LeNet with samples of many kinds.
fn lenet() -> Workspace {
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
fn counted() -> Workspace {
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
fn quantized() -> Workspace {
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

/// Two convolutions of 3x3, wide enough for Winograd on every CPU, with weights at random; and as int8.
fn square() -> Workspace {
    let at = Workspace::new();
    let param = b"7767517\n4 4\nInput data 0 1 data 0=28 1=28 2=64\n\
                  Convolution first 1 1 data a 0=64 1=3 4=1 6=36864\nReLU relu 1 1 a b\n\
                  Convolution second 1 1 b out 0=64 1=3 4=1 6=36864\n";
    at.write("square.param", param);
    at.write("square.bin", &[&[0; 4][..], &noise(1, 36864), &[0; 4], &noise(2, 36864)].concat());
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
fn uneven() -> Workspace {
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

fn sequence() -> Workspace {
    let at = Workspace::new();
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../quantizer/tests/data");
    for suffix in ["param", "bin", "table"] {
        fs::copy(data.join(format!("sequence.{suffix}")), at.path(&format!("net.{suffix}"))).unwrap();
    }
    at
}

/// A convolution whose output is two outputs of the network.
fn two_outputs() -> Workspace {
    let at = Workspace::with_tiny_net(&[1.0, -0.5]);
    let param = b"7767517\n5 6\nInput data 0 1 data 0=4 1=2 2=1\nConvolution conv 1 1 data a 0=2 1=1 6=2\n\
                  Split split 1 2 a b c\nReLU relu 1 1 b r\nSigmoid sigmoid 1 1 c s\n";
    at.write("tiny.param", param);
    let quantize = ["quantize", "--param", "tiny.param", "--bin", "tiny.bin", "--images", "in", "--out", "int8"];
    succeeds(&quantize, &at);
    at
}

pub(crate) const CALIBRATE: Suite = Suite {
    setup: lenet,
    base: "calibrate --param lenet.param --bin lenet.bin --images calib --pixel GRAY --mean 73 --norm 0.0111111 \
           --out t.table",
    cases: &[
        ("param", "--param none.param", Fails("none.param: cannot read")),
        ("bin", "--bin none.bin", Fails("none.bin: cannot ")),
        ("out", "--out other.table", Writes("other.table")),
        ("plots", "--plots plots", Writes("plots/000_conv1.svg")),
        ("optimize", "--optimize", Says("9 layers, 12 before")),
        ("method", "--method absmax", Differs("t.table")),
        ("passes", "--passes 2", Tells("counting histograms")),
        ("weights", "--weights mse", Differs("t.table")),
        ("images", "--images one", Says("layers from 1 samples")),
        ("limit", "--limit 3", Says("layers from 3 samples")),
        ("shuffle-seed", "--limit 2 --shuffle-seed 7", Differs("t.table")),
        ("skip-bad", "--images list.txt --skip-bad", Says("1 of 2 samples cannot be read and were skipped")),
        ("job", "--job absmax.toml", Differs("t.table")),
        ("mean", "--mean 0", Differs("t.table")),
        ("norm", "--norm 1", Differs("t.table")),
        ("pixel", "--pixel RGB -mean -norm", Fails("pixel type RGB has 3 channels")),
        ("shape", "--shape 32,32,1", Fails("layer fc1: ")),
        ("resize", "--images wide --resize letterbox", Differs("t.table")),
        ("exclude", "--exclude fc2", Says("layer fc2 stays float: excluded by fc2")),
        ("only", "--only conv*", Says("layer fc2 stays float: not among the layers wanted")),
        ("float-first", "--float-first", Says("layer conv1 stays float: one of the first layers")),
        ("float-last", "--float-last", Says("layer fc2 stays float: one of the last layers")),
        ("stats", "--stats s.stats", Writes("s.stats")),
        ("shard", "-out --stats half.stats --shard 1/2", Says("wrote half.stats: 4 of 8 samples")),
        ("checkpoint-every", "--stats c.stats --checkpoint-every 0", Fails("number would be zero")),
        ("json", "--json", Says("\"samples\": 8")),
        ("threads", "--threads 600", Fails("600 is not in 1..=512")),
    ],
};

pub(crate) const CALIBRATE_3X3: Suite = Suite {
    setup: square,
    base: "calibrate --param square.param --bin square.bin --images in --out t.table",
    cases: &[
        ("winograd", "--winograd ncnn", Differs("t.table")),
        ("plain-sums", "--method absmax --plain-sums", Differs("t.table")),
    ],
};

pub(crate) const THRESHOLDS: Suite = Suite {
    setup: counted,
    base: "thresholds --stats lenet.stats --param lenet.param --bin lenet.bin --out t.table",
    cases: &[
        ("stats", "--stats few.stats", Says("layers from 3 samples")),
        ("param", "--param none.param", Fails("none.param: cannot read")),
        ("bin", "--bin none.bin", Fails("none.bin: cannot ")),
        ("out", "--out other.table", Writes("other.table")),
        ("method", "--method absmax", Differs("t.table")),
        ("passes", "--passes 2", Fails("--passes 2 finds the ranges of all samples first")),
        ("weights", "--weights mse", Differs("t.table")),
        ("plain-sums", "--plain-sums", Fails("lenet.stats: the statistics were counted without --plain-sums")),
        ("exclude", "--exclude fc2", Says("layer fc2 stays float: excluded by fc2")),
        ("only", "--only conv*", Says("layer fc2 stays float: not among the layers wanted")),
        ("float-first", "--float-first", Says("layer conv1 stays float: one of the first layers")),
        ("float-last", "--float-last", Says("layer fc2 stays float: one of the last layers")),
        ("optimize", "--stats small.stats --optimize", Says("9 layers, 12 before")),
        ("shape", "--stats small.stats --optimize --shape nowhere=1,1,1", Fails("no input is called nowhere")),
        ("job", "--job absmax.toml", Differs("t.table")),
    ],
};

pub(crate) const THRESHOLDS_3X3: Suite = Suite {
    setup: square,
    base: "thresholds --stats square.stats --param square.param --bin square.bin --out t.table",
    cases: &[("winograd", "--winograd ncnn", Differs("t.table"))],
};

pub(crate) const QUANTIZE: Suite = Suite {
    setup: quantized,
    base: "quantize --param lenet.param --bin lenet.bin --images calib --pixel GRAY --mean 73 --norm 0.0111111 --out q",
    cases: &[
        ("param", "--param none.param", Fails("none.param: cannot read")),
        ("bin", "--bin none.bin", Fails("none.bin: cannot ")),
        ("table", "-images -pixel -mean -norm --table absmax.table", Differs("q.bin")),
        ("remap-table", "-images -pixel -mean -norm --table old.table --remap-table", Says("wrote q.param and q.bin")),
        ("method", "--method absmax", Differs("q.table")),
        ("passes", "--passes 2", Tells("counting histograms")),
        ("weights", "--weights mse", Differs("q.table")),
        ("correct-bias", "--correct-bias", Differs("q.bin")),
        ("out", "--out other", Writes("other.bin")),
        ("optimize", "--optimize", Says("9 layers, 12 before")),
        ("images", "--images one", Differs("q.table")),
        ("limit", "--limit 3", Differs("q.table")),
        ("shuffle-seed", "--limit 2 --shuffle-seed 7", Differs("q.table")),
        ("skip-bad", "--images list.txt --skip-bad", Says("1 of 2 samples cannot be read and were skipped")),
        ("job", "--job absmax.toml", Differs("q.table")),
        ("mean", "--mean 0", Differs("q.table")),
        ("norm", "--norm 1", Differs("q.table")),
        ("pixel", "--pixel RGB -mean -norm", Fails("pixel type RGB has 3 channels")),
        ("shape", "--shape 32,32,1", Fails("layer fc1: ")),
        ("resize", "--images wide --resize letterbox", Differs("q.table")),
        ("exclude", "--exclude fc2", Says("layer fc2 stays float: excluded by fc2")),
        ("only", "--only conv*", Says("layer fc2 stays float: not among the layers wanted")),
        ("float-first", "--float-first", Says("layer conv1 stays float: one of the first layers")),
        ("float-last", "--float-last", Says("layer fc2 stays float: one of the last layers")),
    ],
};

pub(crate) const QUANTIZE_3X3: Suite = Suite {
    setup: square,
    base: "quantize --param square.param --bin square.bin --images in --out q",
    cases: &[
        ("winograd", "--winograd ncnn", Differs("q.table")),
        ("plain-sums", "--method absmax --plain-sums", Differs("q.table")),
    ],
};

pub(crate) const QUANTIZE_UNEVEN: Suite = Suite {
    setup: uneven,
    base: "quantize --param uneven.param --bin uneven.bin --images in --out q",
    cases: &[("equalize", "--equalize", Differs("q.table"))],
};

pub(crate) const QUANTIZE_SEQUENCE: Suite = Suite {
    setup: sequence,
    base: "quantize --param net.param --bin net.bin --table net.table --out q",
    cases: &[("float-sequence", "--float-sequence", Differs("q.bin"))],
};

pub(crate) const COMPARE: Suite = Suite {
    setup: quantized,
    base: "compare --param lenet.param --bin lenet.bin --int8-param int8.param --int8-bin int8.bin --images calib \
           --pixel GRAY --mean 73 --norm 0.0111111",
    cases: &[
        ("param", "--param none.param", Fails("none.param: cannot read")),
        ("bin", "--bin none.bin", Fails("none.bin: cannot ")),
        ("int8-param", "--int8-param none.param", Fails("none.param: cannot read")),
        ("int8-bin", "--int8-bin none.bin", Fails("none.bin: cannot ")),
        ("labels", "--labels labels.tsv", Says("top-1  ")),
        ("images", "--images one", Says("\n1 samples\n")),
        ("limit", "--limit 3", Says("\n3 samples\n")),
        ("shuffle-seed", "--limit 2 --shuffle-seed 7", Prints),
        ("skip-bad", "--images list.txt --skip-bad", Says("1 of 2 samples cannot be read and were skipped")),
        ("job", "--job few.toml", Says("\n2 samples\n")),
        ("mean", "--mean 0", Prints),
        ("norm", "--norm 1", Prints),
        ("pixel", "--pixel RGB -mean -norm", Fails("pixel type RGB has 3 channels")),
        ("shape", "--shape 32,32,1", Fails("layer fc1: ")),
        ("resize", "--images wide --resize letterbox", Prints),
        ("quiet", "--quiet", Hushes("comparing")),
    ],
};

pub(crate) const COMPARE_OUTPUTS: Suite = Suite {
    setup: two_outputs,
    base: "compare --param tiny.param --bin tiny.bin --int8-param int8.param --int8-bin int8.bin --images in",
    cases: &[("output", "--output s", Says("same top-1 class: 1/1"))],
};

pub(crate) const OPTIMIZE: Suite = Suite {
    setup: lenet,
    base: "optimize --param lenet.param --bin lenet.bin --out small",
    cases: &[
        ("param", "--param none.param", Fails("none.param: cannot read")),
        ("bin", "--bin none.bin", Fails("none.bin: cannot ")),
        ("out", "--out other", Writes("other.param")),
        ("shape", "--shape nowhere=1,1,1", Fails("no input is called nowhere")),
        ("output", "--runs 0 --output pool2", Differs("small.param")),
        ("keep", "--keep conv1", Differs("small.param")),
        ("tolerance", "--tolerance=-1", Fails("more than -1e0")),
        ("runs", "--runs 0", Says("outputs were not compared")),
    ],
};

pub(crate) const RUN: Suite = Suite {
    setup: quantized,
    base: "run --param lenet.param --bin lenet.bin --image one/boot.png --mean 73 --norm 0.0111111",
    cases: &[
        ("param", "--param none.param", Fails("none.param: cannot read")),
        ("bin", "--bin int8.bin", Fails("int8.bin: ")),
        ("image", "--image wide/a.pgm", Prints),
        ("npy", "-image -mean -norm --npy none.npy", Fails("none.npy: ")),
        ("top", "--top 1", Prints),
        ("classes", "--classes names.txt", Says("boot")),
        ("save-npy", "--save-npy out", Writes("out/prob.npy")),
        ("mean", "--mean 0", Prints),
        ("norm", "--norm 1", Prints),
        ("pixel", "--pixel RGB -mean -norm", Fails("pixel type RGB has 3 channels")),
        ("shape", "--shape 32,32,1", Fails("layer fc1: ")),
        ("resize", "--image wide/a.pgm --resize letterbox", Prints),
    ],
};

pub(crate) const INSPECT: Suite = Suite {
    setup: quantized,
    base: "inspect alone.param",
    cases: &[
        ("table", "--table absmax.table", Says("absmax.table: 8 rows")),
        ("bin", "--bin lenet.bin", Says("lenet.bin: ")),
        ("shape", "--shape 32,32,1", Prints),
        ("params", "--params", Says("num_output=16")),
        ("weights", "--bin lenet.bin --weights", Says("not finite")),
    ],
};

pub(crate) const CONVERT: Suite = Suite {
    setup: lenet,
    base: "convert lenet.param copy.param",
    cases: &[
        ("bin", "--bin lenet.bin --out-bin copy.bin", Writes("copy.bin")),
        ("out-bin", "--bin lenet.bin --out-bin other.bin", Writes("other.bin")),
        ("storage", "--bin lenet.bin --out-bin copy.bin --storage fp32", Differs("copy.bin")),
    ],
};

fn halves() -> Workspace {
    let at = lenet();
    for shard in ["1/2", "2/2"] {
        let stats = format!("{}.stats", &shard[..1]);
        let count = ["calibrate", "--images", "calib", "--stats", &stats, "--shard", shard];
        succeeds(&[&count[..], &LENET, &IMAGE].concat(), &at);
    }
    at
}

pub(crate) const MERGE: Suite = Suite {
    setup: halves,
    base: "merge 1.stats 2.stats --out all.stats",
    cases: &[("out", "--out other.stats", Writes("other.stats"))],
};

pub(crate) const CHECK: Suite = Suite {
    setup: quantized,
    base: "check lenet.param",
    cases: &[("bin", "--bin short.bin", Says("short.bin: byte "))],
};

pub(crate) const CHECK_TABLE: Suite = Suite {
    setup: quantized,
    base: "check short.table",
    cases: &[("model", "--model lenet.param", Says("layer conv2: no row conv2_param_0 for its weights"))],
};

pub(crate) const BENCH: Suite = Suite {
    setup: quantized,
    base: "bench --param int8.param --bin int8.bin --loops 1 --threads 1 --json",
    cases: &[
        ("param", "--param none.param", Fails("none.param: cannot read")),
        ("bin", "--bin none.bin", Fails("none.bin: cannot ")),
        ("shape", "--shape 32,32,1", Fails("layer fc1: ")),
        ("loops", "--loops 2", Says("\"loops\": 2")),
        ("compare", "--compare fp32", Says("\"fp32\": {")),
        ("isa", "--isa scalar", Says("\"isa\": \"scalar\"")),
    ],
};

pub(crate) const BENCH_3X3: Suite = Suite {
    setup: square,
    base: "bench --param int8.param --bin int8.bin --loops 1 --threads 1 --json",
    cases: &[("no-winograd", "--no-winograd", LeavesOut("\"kernel\": \"winograd"))],
};

pub(crate) const PLAN: Suite = Suite {
    setup: quantized,
    base: "plan --param int8.param --bin int8.bin",
    cases: &[
        ("param", "--param none.param", Fails("none.param: cannot read")),
        ("bin", "--bin none.bin", Fails("none.bin: cannot ")),
        ("shape", "--shape 32,32,1", Fails("layer fc1: ")),
        ("explain", "--explain", Says("GB/s")),
        ("isa", "--isa scalar --json", Says("\"isa\": \"scalar\"")),
    ],
};

pub(crate) const PLAN_3X3: Suite = Suite {
    setup: square,
    base: "plan --param int8.param --bin int8.bin --json",
    cases: &[("no-winograd", "--no-winograd", LeavesOut("\"kernel\": \"winograd"))],
};
