//! A plan gives the bits of the layer-by-layer path, for every kind of network, number of threads,
//! instruction set and rounding.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{floats, network};
use fp32_ref::{Outputs, Tensor};
use int8_exec::{Int8Net, Options, Roundings};
use int8_kernels::{Algorithm, ConvShape, Epilogue, Isa, PixelConv};
use ncnn_format::Model;

const RESIDUAL: &str = "
    Input data 0 1 data
    Convolution c0 1 1 data c0 0=8 1=3 4=1 5=1 6=216 9=1
    Split s0 1 2 c0 c0a c0b
    Convolution c1 1 1 c0a c1 0=8 1=3 4=1 5=1 6=576 9=1
    Convolution c2 1 1 c1 c2 0=8 1=1 5=1 6=64
    Eltwise e1 2 1 c0b c2 e1 0=1
    ReLU r1 1 1 e1 r1
    Split s1 1 2 r1 r1a r1b
    ConvolutionDepthWise d1 1 1 r1a d1 0=8 1=3 4=1 5=1 6=72 7=8 9=2 -23310=1,0.1
    Convolution c3 1 1 r1b c3 0=8 1=1 5=1 6=64
    BinaryOp e2 2 1 d1 c3 e2 0=0
    Convolution c4 1 1 e2 out 0=4 1=1 3=2 5=1 6=32";

const IDENTITIES: &str = "
    Input data 0 1 data
    Convolution c0 1 1 data c0 0=20 1=3 4=1 5=1 6=540 9=1
    Split s0 1 2 c0 c0a c0b
    Convolution c1 1 1 c0a c1 0=20 1=1 5=1 6=400
    Eltwise e1 2 1 c0b c1 e1 0=1
    ReLU r1 1 1 e1 r1
    Split s1 1 2 r1 r1a r1b
    ConvolutionDepthWise d2 1 1 r1a d2 0=20 1=3 4=1 5=1 6=180 7=20 9=1
    BinaryOp e2 2 1 d2 r1b e2 0=0
    Split s2 1 2 e2 e2a e2b
    Convolution c3 1 1 e2a c3 0=20 1=3 4=1 5=1 6=3600
    Eltwise e3 2 1 e2b c3 e3 0=1
    ReLU r3 1 1 e3 r3
    Split s3 1 3 r3 r3a r3b r3c
    Convolution c4 1 1 r3a c4 0=20 1=1 5=1 6=400 9=5
    Eltwise e4 2 1 r3b c4 e4 0=1
    Convolution c5 1 1 e4 out 0=4 1=1 5=1 6=80
    Convolution c6 1 1 r3c out2 0=4 1=1 5=1 6=80";

const INCEPTION: &str = "
    Input data 0 1 data
    Convolution c0 1 1 data c0 0=6 1=3 3=2 5=1 6=162 9=1
    Pooling p0 1 1 c0 p0 1=3 2=2
    Split s0 1 4 p0 a b c d
    Convolution c1 1 1 a c1 0=5 1=1 5=1 6=30 9=1
    Convolution c2 1 1 b c2 0=7 1=3 4=1 5=1 6=378 9=3 -23310=2,0.0,2.5
    Convolution c3 1 1 c c3 0=4 1=5 4=2 5=1 6=600 9=1
    Pooling p1 1 1 d p1 1=3 2=1 3=1
    Convolution c4 1 1 p1 c4 0=3 1=1 5=1 6=18 9=1
    Concat cat 4 1 c1 c2 c3 c4 cat
    Split s1 1 3 cat e f g
    Convolution c5 1 1 e c5 0=6 1=1 5=1 6=114
    Pooling p2 1 1 f p2 1=2 2=2
    Convolution c6 1 1 p2 c6 0=6 1=1 5=1 6=114
    Pooling p3 1 1 g p3 0=1 4=1
    InnerProduct fc 1 1 p3 fc 0=10 1=1 2=190
    Softmax prob 1 1 fc prob";

const SHUFFLE: &str = "
    Input data 0 1 data
    Convolution c0 1 1 data c0 0=8 1=1 5=1 6=24 9=1
    Slice cut 1 2 c0 left right -23300=2,-233,-233
    Convolution c1 1 1 right c1 0=4 1=1 5=1 6=16 9=1
    ConvolutionDepthWise d1 1 1 c1 d1 0=4 1=3 4=1 5=1 6=36 7=4
    Convolution c2 1 1 d1 c2 0=4 1=1 5=1 6=16 9=1
    Concat cat 2 1 left c2 cat
    ShuffleChannel mix 1 1 cat mix 0=2
    Split s 1 2 mix mixa mixb
    Convolution c3 1 1 mixa c3 0=8 1=3 5=1 6=576
    Slice cut2 1 2 mixb l2 r2 -23300=2,-233,-233
    Concat swap 2 1 r2 l2 swapped
    Convolution c4 1 1 swapped out 0=3 1=1 5=1 6=24";

const DENSE: &str = "
    Input data 0 1 data
    Convolution c0 1 1 data c0 0=4 1=3 4=1 5=1 6=108 9=1
    Split s0 1 2 c0 c0a c0b
    Convolution c1 1 1 c0a c1 0=4 1=3 4=1 5=1 6=144 9=1
    Concat k1 2 1 c0b c1 k1
    Split s1 1 3 k1 k1a k1b k1c
    Convolution c2 1 1 k1a c2 0=4 1=3 4=1 5=1 6=288 9=1
    Concat k2 3 1 k1b c2 k1c k2
    Convolution c3 1 1 k2 c3 0=6 1=1 5=1 6=120
    Convolution c4 1 1 c3 out 0=2 1=1 5=1 6=12";

const HEADS: &str = "
    Input data 0 1 data
    Convolution c0 1 1 data c0 0=8 1=3 3=2 5=1 6=216 9=1
    Split s0 1 3 c0 a b c
    Convolution l0 1 1 a l0 0=6 1=3 4=1 5=1 6=432
    Permute t0 1 1 l0 t0 0=3
    Flatten f0 1 1 t0 f0
    Convolution k0 1 1 b k0 0=4 1=3 4=1 5=1 6=288
    Permute t1 1 1 k0 t1 0=3
    Flatten f1 1 1 t1 f1
    Convolution c1 1 1 c c1 0=8 1=3 3=2 5=1 6=576 9=1
    Permute t2 1 1 c1 t2 0=3
    Flatten f2 1 1 t2 f2
    Concat cat 3 1 f0 f1 f2 out";

const MOVES: &str = "
    Input data 0 1 data
    Convolution c0 1 1 data c0 0=8 1=3 4=1 5=1 6=216
    ReLU r0 1 1 c0 r0
    Clip k0 1 1 r0 k0 0=0.1 1=1.5
    Interp up 1 1 k0 up 0=1 1=2.0 2=2.0
    Crop cr 1 1 up cr 0=1 1=2 2=1 3=-233 4=-233 5=6
    Convolution c1 1 1 cr c1 0=9 1=3 2=2 3=2 4=2 14=1 15=0 16=3 5=1 6=486 18=3.0
    Reorg ro 1 1 c1 ro 0=2
    PixelShuffle ps 1 1 ro ps 0=2
    Padding pad 1 1 ps pad 0=1 1=1 2=1 3=1 5=0.3
    Pooling mp 1 1 pad mp 1=3 11=2 2=2 12=1 3=1 13=0 5=1
    Reshape rs 1 1 mp rs 0=-1 1=3
    InnerProduct fc 1 1 rs fc 0=7 1=1 2=1134 9=1
    InnerProduct fd 1 1 fc out 0=5 1=1 2=35";

const REQUANTIZED: &str = "
    Input data 0 1 data
    Convolution c0 1 1 data c0 0=8 1=3 4=1 5=1 6=216 8=102 9=1
    Split s0 1 2 c0 a b
    ConvolutionDepthWise d 1 1 a d 0=8 1=3 4=1 5=1 6=72 7=8 8=101 9=1
    Convolution c1 1 1 b c1 0=8 1=1 5=1 6=64
    Convolution c2 1 1 d c2 0=8 1=1 5=1 6=64 8=102
    Flatten f 1 1 c2 f
    InnerProduct fc 1 1 f out 0=5 1=1 2=19800";

const GROUPED: &str = "
    Input data 0 1 data
    ConvolutionDepthWise g 1 1 data g 0=6 1=3 4=-233 3=2 5=1 6=54 7=3 9=1
    ConvolutionDepthWise h 1 1 g h 0=12 1=1 5=1 6=24 7=3 9=6 -23310=2,0.2,0.5
    Split s 1 2 h a b
    Concat twice 2 1 a b twice
    Pooling gm 1 1 twice gm 4=1
    InnerProduct fc 1 1 gm out 0=4 1=1 2=96";

/// Inner products large enough to be computed in parts.
const CLASSIFIER: &str = "
    Input data 0 1 data
    Convolution c 1 1 data c 0=8 1=3 4=1 5=1 6=216 9=1
    Flatten f 1 1 c f
    InnerProduct fc 1 1 f fc 0=150 1=1 2=480000 9=1
    Split s 1 2 fc a out2
    InnerProduct fd 1 1 a out 0=70 1=1 2=10500";

/// Float layers large enough to be spread over threads.
const NORMALIZED: &str = "
    Input data 0 1 data
    Convolution c 1 1 data c 0=24 1=3 4=1 5=1 6=648 9=1
    LRN n 1 1 c n 1=5 2=0.0001 3=0.75
    Pooling p 1 1 n p 0=1 1=3 2=1 3=1
    Softmax m 1 1 p m 0=2 1=1
    Sigmoid g 1 1 m g
    Split s 1 2 g g1 g2
    BinaryOp b 2 1 g1 g2 b 0=2
    Convolution d 1 1 b out 0=4 1=1 5=1 6=96";

fn run(model: &Model, options: Options, input: &Tensor) -> Outputs {
    let inputs = [("data", input.clone())];
    Int8Net::with_options(model, options).unwrap().run(&inputs, &mut ()).unwrap()
}

#[track_caller]
fn assert_same(found: &Outputs, expected: &Outputs, what: &str) {
    assert_eq!(found.iter().len(), expected.iter().len());
    for ((name, found), (_, expected)) in found.iter().zip(expected.iter()) {
        assert_eq!(found.shape(), expected.shape(), "{what}: {name}");
        let differs = found.as_slice().iter().zip(expected.as_slice()).position(|(a, b)| a.to_bits() != b.to_bits());
        let at = |index: usize| (index, found.as_slice()[index], expected.as_slice()[index]);
        assert_eq!(differs.map(at), None, "{what}: {name} {}", found.shape());
    }
}

/// Checks `lines` for every instruction set, rounding and several numbers of threads, and that the
/// network does have a plan.
#[track_caller]
fn check(lines: &str, dims: [usize; 3], seed: u32) {
    let (model, input) = (network(lines, seed), floats(&dims, seed + 1));
    for roundings in [Roundings::Reference, Roundings::NcnnX86] {
        let alone = Options::default().with_roundings(roundings).with_fuse(false).with_isa(Isa::scalar());
        let alone = alone.with_algorithm(Algorithm::Direct);
        let expected = run(&model, alone, &input);
        let spread = expected.iter().map(|(_, value)| value.as_slice().iter().filter(|x| **x != 0.0).count()).min();
        assert!(spread > Some(2), "the case must have values");
        let algorithms = [Algorithm::Fastest, Algorithm::Winograd];
        for (&isa, algorithm) in Isa::available().iter().flat_map(|isa| algorithms.map(|algorithm| (isa, algorithm))) {
            for threads in [1, 2, 4] {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let options = Options::default().with_roundings(roundings).with_isa(isa).with_algorithm(algorithm);
                let net = Int8Net::with_options(&model, options).unwrap();
                net.plan_report(&[("data", input.shape())]).unwrap();
                let mut session = net.session();
                for turn in 0..2 {
                    let found = pool.install(|| session.run(&[("data", input.clone())])).unwrap();
                    assert_same(
                        &found,
                        &expected,
                        &format!("{roundings:?} {isa} {algorithm:?} {threads} threads, run {turn}"),
                    );
                }
            }
        }
    }
}

#[test]
fn inner_products_in_parts() {
    check(CLASSIFIER, [3, 20, 20], 71);
}

#[test]
fn float_layers_that_are_spread_over_threads() {
    check(NORMALIZED, [3, 70, 70], 73);
}

#[test]
fn residual_additions_run_in_the_epilogue() {
    check(RESIDUAL, [3, 13, 11], 1);
}

#[test]
fn sums_take_the_place_of_their_addends() {
    // Widths that divide into tiles and such that do not.
    check(IDENTITIES, [3, 7, 14], 11);
    check(IDENTITIES, [3, 9, 23], 12);
}

#[test]
fn branches_with_other_scales_get_integers_of_their_own() {
    check(INCEPTION, [3, 33, 29], 2);
}

#[test]
fn channels_are_cut_shuffled_and_joined_as_integers() {
    check(SHUFFLE, [3, 9, 10], 3);
}

#[test]
fn a_concat_of_what_is_still_read_is_not_overwritten() {
    check(DENSE, [3, 8, 9], 4);
}

#[test]
fn heads_are_turned_and_joined() {
    check(HEADS, [3, 15, 17], 5);
}

#[test]
fn layers_that_keep_order_or_move_values_work_on_integers() {
    check(MOVES, [3, 10, 12], 6);
}

#[test]
fn the_files_own_requantization_is_kept() {
    check(REQUANTIZED, [3, 9, 55], 7);
}

#[test]
fn groups_and_blobs_joined_with_themselves() {
    check(GROUPED, [3, 10, 9], 8);
}

#[test]
fn networks_of_the_fixtures_have_the_bits_of_their_layers() {
    let golden = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/golden");
    for name in ["lenet.kl", "lenet.aciq", "mbv2_bn.kl"] {
        let files = |suffix| golden.join(format!("{name}.int8.{suffix}"));
        let model = Model::load(files("param"), files("bin")).unwrap();
        let input = floats(&[1, 28, 28], 9);
        let options = |fuse| Options::default().with_fuse(fuse);
        let run = |fuse| {
            let net = Int8Net::with_options(&model, options(fuse)).unwrap();
            let blob = net.graph().blob_name(net.graph().inputs()[0]).to_owned();
            assert!(!fuse || net.plan_report(&[(&blob, input.shape())]).is_ok(), "{name} has no plan");
            net.run(&[(&blob, input.clone())], &mut ()).unwrap()
        };
        assert_same(&run(true), &run(false), name);
    }
}

#[test]
fn a_plan_says_what_it_fuses() {
    let net = Int8Net::new(&network(RESIDUAL, 1)).unwrap();
    let report = net.plan_report(&[("data", floats(&[3, 13, 11], 2).shape())]).unwrap();
    let find = |layer: &str| report.steps.iter().find(|step| step.layer == layer).unwrap();
    assert_eq!(find("c2").fused, ["e1", "r1"]);
    assert_eq!(find("c3").fused, ["e2"]);
    assert_eq!(find("c2").macs, 8 * 8 * 13 * 11);
    assert!(find("c0").output.starts_with("f32 + i8"), "{}", find("c0").output);
    assert!(report.buffer_bytes < report.unshared_bytes);
    assert!(report.steps.iter().all(|step| step.kind != "Eltwise" && step.kernel != "fp32-ref"));
}

#[test]
fn a_plan_names_the_algorithm_of_each_layer() {
    let model = network(RESIDUAL, 1);
    for &isa in Isa::available() {
        let step = |algorithm, layer: &str| {
            let options = Options::default().with_isa(isa).with_algorithm(algorithm);
            let net = Int8Net::with_options(&model, options).unwrap();
            let report = net.plan_report(&[("data", floats(&[3, 13, 11], 2).shape())]).unwrap();
            let step = report.steps.iter().find(|step| step.layer == layer).unwrap();
            (step.kernel.to_string(), step.macs / step.products)
        };
        // What a convolution of the size of `c1` says itself.
        let shape = ConvShape { kernel_h: 3, kernel_w: 3, ..ConvShape::pointwise(8, 8) };
        let expected = |algorithm| {
            let epilogue = Epilogue::new(vec![1.0; 8], None, int8_kernels::Activation::None).unwrap();
            let conv = PixelConv::with_algorithm(shape, &[1; 576], epilogue, isa, algorithm).unwrap();
            (conv.kernel(13, 11).to_owned(), if conv.algorithm(13, 11) == Algorithm::Winograd { 4 } else { 1 })
        };
        let dense = expected(Algorithm::Direct);
        assert!(dense.0.starts_with("dense_") && dense.1 == 1, "{dense:?}");
        assert_eq!(step(Algorithm::Winograd, "c1"), expected(Algorithm::Winograd));
        assert_eq!(step(Algorithm::Winograd, "c2"), dense, "1x1");
        assert_eq!(step(Algorithm::Direct, "c1"), dense);
        assert_eq!(step(Algorithm::Fastest, "c1"), expected(Algorithm::Fastest));
    }
}

#[cfg(feature = "serde")]
#[test]
fn a_report_is_data_whose_keys_the_document_names() {
    let net = Int8Net::new(&network(RESIDUAL, 1)).unwrap();
    let report = net.plan_report(&[("data", floats(&[3, 13, 11], 2).shape())]).unwrap();
    let mut json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["schema"], "ncnn-quant/plan/1");
    assert_eq!(serde_json::from_value::<int8_exec::PlanReport>(json.clone()).unwrap(), report);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/results.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (_, section) = document.split_once("\n## Plan\n").unwrap();
    let documented: Vec<&str> =
        section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    let keys = |json: &serde_json::Value| json.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let mut found = [keys(&json), keys(&json["steps"][0])].concat();
    found.sort();
    let mut expected = documented;
    expected.sort_unstable();
    assert_eq!(found, expected);
    json["schema"] = "ncnn-quant/plan/2".into();
    assert!(serde_json::from_value::<int8_exec::PlanReport>(json).is_err());
}

#[test]
fn an_error_in_a_plan_names_the_layer() {
    let net = Int8Net::new(&network(RESIDUAL, 1)).unwrap();
    let error = net.session().run(&[("data", floats(&[4, 13, 11], 2))]).unwrap_err();
    assert_eq!(error.to_string(), "layer c0: expects 3 channels of h x w, the input is 4x13x11");
}

#[test]
fn sessions_and_shapes_do_not_disturb_each_other() {
    let (model, net) = (network(INCEPTION, 2), Int8Net::new(&network(INCEPTION, 2)).unwrap());
    let alone = Options::default().with_fuse(false);
    let mut sessions = [net.session(), net.session()];
    for (turn, size) in [31, 45, 31, 27, 45].into_iter().enumerate() {
        let input = floats(&[3, size, size + turn], turn as u32);
        for session in &mut sessions {
            let found = session.run(&[("data", input.clone())]).unwrap();
            assert_same(&found, &run(&model, alone.clone(), &input), &format!("run {turn}"));
        }
    }
}

#[test]
fn sessions_in_one_pool_do_not_wait_for_each_other() {
    let (model, input) = (network(INCEPTION, 2), floats(&[3, 301, 297], 5));
    let net = Int8Net::new(&model).unwrap();
    let expected = run(&model, Options::default().with_fuse(false), &input);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    pool.scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|_| {
                let mut session = net.session();
                for turn in 0..4 {
                    let found = session.run(&[("data", input.clone())]).unwrap();
                    assert_same(&found, &expected, &format!("run {turn}"));
                }
            });
        }
    });
}
