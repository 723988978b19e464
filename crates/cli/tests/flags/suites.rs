//! What is tried with every flag, and what must come of it.

use crate::common::Workspace;
use crate::folders::{counted, halves, lenet, quantized, sequence, square, two_outputs, uneven};

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
