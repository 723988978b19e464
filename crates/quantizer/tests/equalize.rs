//! Channels made equally large, biases corrected, accumulators watched, scales searched: on small networks of random weights.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fp32_ref::{Net, Tensor};
use histogram_kl::Rule;
use ncnn_format::{Encoding, F32Tag, LinearLayer, Model, Result, Weight, WeightData, WeightRole, weight_layout};
use quantizer::calibrate::{CalibrateOptions, Method, calibrate, correct_biases};
use quantizer::{Dataset, Feed, WinogradGuard, equalize};

/// Convolutions around a residual sum, a depthwise one, and a ReLU6.
const NETWORK: &str = "\
Input data 0 1 data 0=8 1=8 2=3
Convolution expand 1 1 data a 0=8 1=1 5=1 6=24 9=3 -23310=2,0.0,6.0
ConvolutionDepthWise depth 1 1 a b 0=8 1=3 4=1 5=1 6=72 7=8 9=3 -23310=2,0.0,6.0
Convolution project 1 1 b c 0=4 1=1 5=1 6=32
Split split 1 2 c c0 c1
Convolution wide 1 1 c0 d 0=4 1=3 4=1 5=1 6=144 9=1
Convolution narrow 1 1 d e 0=4 1=1 5=1 6=16
BinaryOp add 2 1 e c1 f 0=0
Convolution last 1 1 f out 0=2 1=3 4=1 5=1 6=72";

struct Random(u32);

impl Random {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0
    }
}

/// Every output channel two to four times smaller than the one before.
fn network(text: &str) -> Model {
    let count = text.lines().count();
    let mut model = Model::from_param_text(&format!("7767517\n{count} 99\n{text}\n")).unwrap();
    let mut random = Random(5);
    for layer in &mut model.layers {
        let outputs = LinearLayer::of(layer).unwrap().map_or(1, |linear| linear.outputs);
        for spec in weight_layout(layer).unwrap() {
            let row = (spec.len / outputs).max(1);
            let size = |i: usize| 0.4f32.powi((i / row) as i32);
            let values = (0..spec.len).map(|i| random.next() * size(i)).collect();
            let tag = if spec.encoding == Encoding::Tagged { F32Tag::Tagged } else { F32Tag::Raw };
            layer.weights.push(Weight { role: spec.role, data: WeightData::F32(values, tag) });
        }
    }
    model
}

struct Samples;

impl Dataset for Samples {
    fn len(&self) -> usize {
        6
    }

    fn name(&self, index: usize) -> String {
        format!("sample {index}")
    }

    fn feeds(&self, index: usize) -> Result<Vec<Feed>> {
        Ok(vec![Feed::for_input("data", self.tensor(index))])
    }
}

impl Samples {
    fn tensor(&self, index: usize) -> Tensor {
        let mut random = Random(index as u32 + 99);
        Tensor::new([3, 8, 8], (0..192).map(|_| random.next()).collect()).unwrap()
    }
}

fn outputs(model: &Model) -> Vec<Vec<f32>> {
    let net = Net::new(model).unwrap();
    let run = |index| net.run(&[("data", Samples.tensor(index))], &mut ()).unwrap();
    (0..Samples.len()).map(|index| run(index).get("out").unwrap().as_slice().to_vec()).collect()
}

#[test]
fn equalizing_keeps_every_bit_of_the_float_network() {
    let model = network(NETWORK);
    let equalized = equalize(&model, &Samples, &()).unwrap();
    let names: Vec<_> = equalized.scaled.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["expand", "depth", "project", "narrow", "wide"]);
    assert_ne!(equalized.model.layer("expand"), model.layer("expand"));
    assert_eq!(outputs(&equalized.model), outputs(&model));
}

#[test]
fn blobs_that_others_read_are_left_alone() {
    // The softmax would see other values, and nobody takes the factor from the last one.
    let text = format!("{NETWORK}\nSoftmax prob 1 1 out prob")
        .replace("BinaryOp add 2 1 e c1 f 0=0", "BinaryOp add 2 1 e c1 f 0=2");
    let equalized = equalize(&network(&text), &Samples, &()).unwrap();
    let names: Vec<_> = equalized.scaled.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["expand", "depth", "wide"], "the product of two blobs lets no factor through");
}

#[test]
fn equal_channels_lose_less() {
    let model = network(NETWORK);
    let error = |model: &Model| {
        let calibration = calibrate(model, &Samples, Method::Auto, &()).unwrap();
        let choice = |layer: &str| {
            let layer = calibration.layers.iter().find(|found| found.layer == layer).unwrap();
            layer.choice.as_ref().unwrap().winner.error
        };
        choice("project") + choice("depth")
    };
    let equalized = equalize(&model, &Samples, &()).unwrap().model;
    assert!(error(&equalized) < 0.95 * error(&model), "{} {}", error(&equalized), error(&model));
}

#[test]
fn corrected_biases_move_and_nothing_else_does() {
    let model = network(NETWORK);
    let calibration = calibrate(&model, &Samples, Rule::AbsMax, &()).unwrap();
    let corrected = correct_biases(&model, &Samples, &calibration, &()).unwrap();
    for (before, after) in model.layers.iter().zip(&corrected.layers) {
        assert_eq!(before.weight(WeightRole::Weight), after.weight(WeightRole::Weight));
        if before.weight(WeightRole::Bias).is_some() {
            let [a, b] = [before, after].map(|layer| layer.weight_f32(WeightRole::Bias).unwrap());
            assert!(a.iter().zip(b.iter()).all(|(a, b)| (a - b).abs() < 0.1));
            assert_ne!(a, b, "{}", before.name);
        }
    }
}

#[test]
fn a_channel_without_a_proof_keeps_its_bits_if_no_sum_came_near_the_bound() {
    // 64 channels of 3x3: all weights at 127 could wrap.
    let text = "Input data 0 1 data 0=8 1=8 2=3\nConvolution first 1 1 data a 0=64 1=1 5=1 6=192\n\
                Convolution conv 1 1 a out 0=2 1=3 4=1 6=1152";
    let mut model = network(text);
    for layer in &mut model.layers {
        for weight in layer.weights.iter_mut().filter(|weight| weight.role == WeightRole::Weight) {
            let len = weight.data.to_f32().unwrap().len();
            let mut random = Random(3);
            // Of both signs, and nearly all as large as the largest.
            let mut value = |_| (1.0 + random.next() / 50.0) * random.next().signum();
            weight.data = WeightData::F32((0..len).map(&mut value).collect(), F32Tag::Tagged);
        }
    }
    let weights = |winograd| {
        let options = CalibrateOptions::from(Rule::AbsMax).with_winograd(winograd);
        calibrate(&model, &Samples, options, &()).unwrap().layers.remove(1).weights
    };
    let (proven, observed) = (weights(WinogradGuard::Proven), weights(WinogradGuard::Observed));
    assert_eq!((proven.reduced, observed.observed, observed.reduced), (vec![0, 1], vec![0, 1], vec![]));
    assert!(proven.scales[0] < 60.0 && observed.scales[0] > 120.0, "{:?} {:?}", proven.scales, observed.scales);
}

/// A network for `eq`: grouped and depthwise, a blob with two readers, and a vector at the end.
fn searched_network() -> Model {
    let more = "ConvolutionDepthWise grouped 1 1 f g 0=4 1=3 4=1 6=72 7=2\nInnerProduct fc 1 1 g out 0=5 1=1 2=1280";
    let two_readers = "Split twice 1 2 f0 f f1\nConvolution other 1 1 f1 unused 0=2 1=3 4=1 6=72";
    let text = NETWORK
        .replace("add 2 1 e c1 f 0=0", "add 2 1 e c1 f0 0=0")
        .replace("Convolution last 1 1 f out 0=2 1=3 4=1 5=1 6=72", &format!("{two_readers}\n{more}"));
    network(&text)
}

#[test]
fn searched_scales_are_no_worse_and_do_not_depend_on_threads() {
    let model = searched_network();
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| calibrate(&model, &Samples, Method::Eq, &()).unwrap())
    };
    let calibration = run(1);
    assert_eq!(calibration.table().to_text(), run(2).table().to_text());
    let start = calibrate(&model, &Samples, Rule::Mse, &()).unwrap();
    let mut gains = 0;
    for (layer, start) in calibration.layers.iter().zip(&start.layers) {
        let similarity = layer.similarity.unwrap();
        // Two layers that read a blob may give way to each other.
        if layer.layer != "other" && layer.layer != "grouped" {
            assert!(similarity.reached >= similarity.start, "{}: {similarity:?}", layer.layer);
        }
        assert!(similarity.reached > 0.99, "{}: {similarity:?}", layer.layer);
        gains += usize::from(similarity.reached > similarity.start);
        assert_eq!((&*layer.rule, layer.weights.scales.len()), ("eq", start.weights.scales.len()));
        if layer.layer == "expand" {
            assert_eq!(layer.reported_threshold(), layer.range.absmax(), "inputs of the network are not clipped");
        }
    }
    assert!(gains >= 5, "{gains}");
}

#[test]
fn searched_weights_keep_to_the_guard() {
    let model = searched_network();
    for winograd in [WinogradGuard::Proven, WinogradGuard::Exact, WinogradGuard::Ncnn, WinogradGuard::Off] {
        let options = CalibrateOptions::from(Method::Eq).with_winograd(winograd);
        let calibration = calibrate(&model, &Samples, options, &()).unwrap();
        let wide = calibration.layers.iter().find(|layer| layer.layer == "wide").unwrap();
        let weights = model.layer("wide").unwrap().weight_f32(WeightRole::Weight).unwrap();
        for (row, &scale) in weights.chunks_exact(36).zip(&wide.weights.scales) {
            let levels = row.iter().map(|weight| (weight * scale).abs().round().min(127.0));
            // 36 weights cannot wrap: only ncnn's six bits bind.
            let most = if winograd == WinogradGuard::Ncnn { 31.0 } else { 127.0 };
            assert!(levels.fold(0.0, f32::max) == most, "{winograd:?} {scale}");
        }
    }
}

#[test]
fn searching_passes_dead_channels_by() {
    // A vector of three values, six of them in all, and a channel whose weights are zero.
    let text =
        "Input data 0 1 data 0=8 1=8 2=3\nPooling pool 1 1 data a 0=1 4=1\nInnerProduct fc 1 1 a out 0=2 1=1 2=6";
    let mut model = network(text);
    for weight in model.layers[2].weights.iter_mut().filter(|weight| weight.role == WeightRole::Weight) {
        weight.data = WeightData::F32(vec![0.0, 0.0, 0.0, 1.5, 0.5, -1.0], F32Tag::Tagged);
    }
    let calibration = calibrate(&model, &Samples, Method::Eq, &()).unwrap();
    let weights = &calibration.layers[0].weights;
    assert_eq!((&weights.dead[..], weights.scales[0]), (&[0][..], 1.0));
    assert!(calibration.table().rows.iter().flat_map(|row| &row.values).all(|scale| scale.is_finite()));
}
