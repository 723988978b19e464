//! Strategies of one's own, what they are shown, and what becomes of their decisions.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod random_model;

use std::collections::BTreeMap;
use std::sync::Mutex;

use fp32_ref::{BlobId, Net, Tensor, Value};
use histogram_kl::{Histogram, Range, Rule};
use ncnn_format::{Model, Result};
use quantizer::calibrate::{
    CalibrateOptions, Calibration, Decision, Evidence, FoundWeights, Method, Need, Needs, Passes, Patches, Similarity,
    Strategy, calibrate, calibrate_with,
};
use quantizer::{WeightMethod, WeightRule, WinogradGuard};
use random_model::random_model;

/// A Split whose copies two layers read, a grouped convolution, a depthwise one, and a vector.
const NETWORK: &str = "\
Input data 0 1 data 0=6 1=6 2=2
Convolution stem 1 1 data a 0=4 1=1 5=1 6=8
Split split 1 2 a a0 a1
Convolution left 1 1 a0 l 0=4 1=3 4=1 5=1 6=144
ConvolutionDepthWise right 1 1 a1 r 0=4 1=3 4=1 5=1 6=36 7=4 9=1
BinaryOp add 2 1 l r s 0=0
InnerProduct fc 1 1 s out 0=3 1=1 2=432";

fn model() -> Model {
    random_model(NETWORK)
}

/// Each with a tail that rules cut off differently.
fn samples() -> Vec<Tensor> {
    let value = |sample: usize, i: usize| {
        let x = ((i * 37 + sample * 101) % 211) as f32 / 105.0 - 1.0;
        x.powi(3) * (1.0 + sample as f32)
    };
    (0..5).map(|sample| Tensor::new([2, 6, 6], (0..72).map(|i| value(sample, i)).collect()).unwrap()).collect()
}

/// Clips a tenth of the range off, inputs of the network too.
struct NineTenths;

impl Strategy for NineTenths {
    fn name(&self) -> String {
        "nine-tenths".into()
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn decide(&self, evidence: &Evidence<'_>) -> Result<Decision> {
        Ok(Decision::clip_at(self.name(), 0.9 * evidence.range.absmax()))
    }
}

fn calibrated(strategy: &dyn Strategy, options: CalibrateOptions) -> Result<Calibration> {
    calibrate_with(strategy, &model(), &samples(), options, &())
}

#[test]
fn a_strategy_of_ones_own_chooses_every_threshold() {
    let calibration = calibrated(&NineTenths, CalibrateOptions::default()).unwrap();
    assert_eq!(calibration.layers.len(), 4);
    for layer in &calibration.layers {
        assert_eq!(layer.rule, "nine-tenths");
        assert_eq!(layer.threshold.unwrap().value(), 0.9 * layer.range.absmax());
        assert_eq!(layer.input_scale, 127.0 / (0.9 * layer.range.absmax()));
        assert!(layer.clipped() > 0.0 && layer.choice.is_none() && layer.similarity.is_none());
    }
    let table = calibration.table();
    assert_eq!(table.input_scale("left"), table.input_scale("right"), "copies of one blob have one scale");
}

/// What a strategy is shown, kept.
#[derive(Default)]
struct Recorder {
    needs: Needs,
    seen: Mutex<BTreeMap<String, Seen>>,
}

#[derive(Clone)]
struct Seen {
    is_network_input: bool,
    samples: usize,
    range: Range,
    histogram: Histogram,
    maxima: Option<Vec<(u64, f32)>>,
    readers: Vec<(String, Option<Patches>)>,
    /// Of every reader: mean square of the float output, and squared error under the scale of the whole range.
    outputs: Vec<(f64, f64)>,
}

impl Strategy for Recorder {
    fn name(&self) -> String {
        "recorder".into()
    }

    fn needs(&self) -> Needs {
        self.needs
    }

    fn decide(&self, evidence: &Evidence<'_>) -> Result<Decision> {
        let scale = 127.0 / evidence.range.absmax();
        let mut outputs = Vec::new();
        for (_, probe) in evidence.probes()? {
            outputs.push((probe.signal(), probe.errors(scale)?.iter().map(|error| error.squared).sum()));
        }
        let reader = |reader: &quantizer::calibrate::Reader<'_>| (reader.layer.name.clone(), reader.patches.cloned());
        let seen = Seen {
            is_network_input: evidence.is_network_input,
            samples: evidence.samples,
            range: evidence.range,
            histogram: evidence.histogram.clone(),
            maxima: evidence.maxima.map(|maxima| maxima.iter().collect()),
            readers: evidence.readers.iter().map(reader).collect(),
            outputs,
        };
        self.seen.lock().unwrap().insert(evidence.blob.to_owned(), seen);
        Ok(Decision::unclipped(evidence))
    }
}

fn recorded(needs: Needs, samples: &Vec<Tensor>, passes: Option<Passes>) -> BTreeMap<String, Seen> {
    let recorder = Recorder { needs, ..Recorder::default() };
    let options = CalibrateOptions::default().with_passes(passes).with_plain_sums(true);
    calibrate_with(&recorder, &model(), samples, options, &()).unwrap();
    recorder.seen.into_inner().unwrap()
}

const ALL: Needs = Needs { exact_counts: Need::Wanted, patches: Need::Wanted, maxima: Need::Wanted };

/// The values of a blob, sample by sample, from plain runs.
fn values_of(blob: &str, samples: &[Tensor]) -> Vec<Vec<f32>> {
    let net = Net::with_options(&model(), plain_sums()).unwrap();
    let id = net.graph().blob(blob).unwrap();
    let run = |sample: &Tensor| {
        let mut found = Vec::new();
        let mut keep = |blob: BlobId, value: &Value| {
            if blob == id {
                found = value.to_tensor().as_slice().to_vec();
            }
            Ok(())
        };
        net.run(&[("data", sample.clone())], &mut keep).unwrap();
        found
    };
    samples.iter().map(run).collect()
}

fn plain_sums() -> fp32_ref::NetOptions {
    fp32_ref::NetOptions::default().with_winograd(false)
}

#[test]
fn the_evidence_is_what_a_slow_loop_finds() {
    let samples = samples();
    let seen = recorded(ALL, &samples, None);
    // Blobs are known by what their first reader calls them.
    assert_eq!(seen.keys().collect::<Vec<_>>(), ["a0", "data", "s"]);
    for (blob, seen) in &seen {
        let values = values_of(blob, &samples);
        let mut range = Range::default();
        values.iter().for_each(|values| range.add(values));
        assert_eq!(seen.range, range, "{blob}");
        let mut histogram = Histogram::new(range.absmax()).unwrap();
        histogram.add(&values.concat());
        assert_eq!(seen.histogram, histogram, "{blob}");
        let largest = |values: &Vec<f32>| values.iter().fold(0f32, |largest, value| largest.max(value.abs()));
        let maxima: Vec<(u64, f32)> = (0..).zip(values.iter().map(largest)).collect();
        assert_eq!(seen.maxima.as_ref(), Some(&maxima), "{blob}");
        assert_eq!((seen.samples, seen.is_network_input), (5, blob == "data"));
    }
    let readers = |blob: &str| seen[blob].readers.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!([readers("data"), readers("a0"), readers("s")], [vec!["stem"], vec!["left", "right"], vec!["fc"]]);
}

#[test]
fn patches_are_cut_from_the_blob_and_show_what_outputs_lose() {
    let samples = samples();
    let seen = recorded(ALL, &samples, None);
    // A 1x1 convolution reads single pixels.
    let (_, patches) = &seen["data"].readers[0];
    let patches = patches.as_ref().unwrap();
    let pixels: Vec<[f32; 2]> =
        values_of("data", &samples).iter().flat_map(|values| (0..36).map(|i| [values[i], values[36 + i]])).collect();
    assert_eq!((patches.depth, patches.values.len()), (2, 2 * 1024));
    assert!(patches.values.chunks(2).all(|patch| pixels.iter().any(|pixel| pixel == patch)));
    // An inner product reads everything, once per sample.
    let (_, patches) = &seen["s"].readers[0];
    assert_eq!(patches.as_ref().unwrap().values, values_of("s", &samples).concat());
    // What its outputs are, by plain sums.
    let model = model();
    let fc = model.layer("fc").unwrap();
    let weights = fc.weight_f32(ncnn_format::WeightRole::Weight).unwrap();
    let bias = fc.weight_f32(ncnn_format::WeightRole::Bias).unwrap();
    let input_scale = 127.0 / seen["s"].range.absmax();
    let level = |value: f32, scale: f32| f64::from((value * scale).round().clamp(-127.0, 127.0));
    let [mut signal, mut squared] = [0.0, 0.0];
    for sample in values_of("s", &samples) {
        for (row, &bias) in weights.chunks(144).zip(&*bias) {
            let scale = 127.0 / row.iter().fold(0f32, |largest, weight| largest.max(weight.abs()));
            let products = |f: &dyn Fn(f32, f32) -> f64| sample.iter().zip(row).map(|(&x, &w)| f(x, w)).sum::<f64>();
            let expected = f64::from(bias) + products(&|x, w| f64::from(x) * f64::from(w));
            let sum = products(&|x, w| level(x, input_scale) * level(w, scale));
            let found = f64::from(bias) + sum / f64::from(input_scale) / f64::from(scale);
            signal += expected * expected / samples.len() as f64;
            squared += (expected - found).powi(2) / samples.len() as f64;
        }
    }
    let (found_signal, found_squared) = seen["s"].outputs[0];
    assert!((found_signal / signal - 1.0).abs() < 1e-5, "{found_signal} {signal}");
    assert!((found_squared / squared - 1.0).abs() < 1e-2, "{found_squared} {squared}");
}

#[test]
fn only_what_is_needed_is_gathered() {
    let samples = samples();
    let least = recorded(Needs::default(), &samples, None);
    for seen in least.values() {
        assert!(seen.maxima.is_none() && seen.outputs.is_empty());
        assert!(seen.readers.iter().all(|(_, patches)| patches.is_none()));
    }
    let with_patches = recorded(Needs { patches: Need::Wanted, ..Needs::default() }, &samples, None);
    assert!(with_patches.values().all(|seen| seen.outputs.len() == seen.readers.len() && seen.maxima.is_none()));
}

#[test]
fn one_pass_counts_the_same_values_in_nearly_the_same_bins() {
    let samples = samples();
    let (two, one) = (recorded(ALL, &samples, None), recorded(ALL, &samples, Some(Passes::One)));
    for (two, one) in two.values().zip(one.values()) {
        assert_eq!(
            (two.range, two.histogram.total(), two.histogram.zeros()),
            (one.range, one.histogram.total(), one.histogram.zeros())
        );
        assert_eq!(two.readers, one.readers, "patches do not depend on the number of passes");
        let below = |seen: &Seen, bin: usize| seen.histogram.counts()[..bin].iter().sum::<u64>();
        for bin in (0..Histogram::BINS).step_by(64) {
            let next = two.histogram.counts()[bin.saturating_sub(1)..bin + 1].iter().sum::<u64>();
            assert!(below(two, bin).abs_diff(below(one, bin)) <= next, "bin {bin}");
        }
    }
}

#[test]
fn the_number_of_threads_changes_no_evidence() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| recorded(ALL, &samples(), None))
    };
    let (one, four) = (on(1), on(4));
    for (one, four) in one.values().zip(four.values()) {
        assert_eq!((&one.range, &one.histogram, &one.maxima), (&four.range, &four.histogram, &four.maxima));
        assert_eq!((&one.readers, &one.outputs), (&four.readers, &four.outputs));
    }
}

#[test]
fn the_order_of_samples_changes_no_count_but_what_follows_their_order() {
    let (forward, mut backward) = (samples(), samples());
    backward.reverse();
    let (one, other) = (recorded(ALL, &forward, None), recorded(ALL, &backward, None));
    for (one, other) in one.values().zip(other.values()) {
        assert_eq!((one.range, &one.histogram), (other.range, &other.histogram));
        let reversed: Vec<f32> = other.maxima.iter().flatten().map(|&(_, maximum)| maximum).rev().collect();
        assert_eq!(one.maxima.iter().flatten().map(|&(_, maximum)| maximum).collect::<Vec<_>>(), reversed);
    }
    for &rule in Rule::ALL {
        let table = |samples: &Vec<Tensor>| calibrate(&model(), samples, rule, &()).unwrap().table().to_text();
        assert_eq!(table(&forward), table(&backward), "{rule}");
    }
}

#[test]
fn a_method_is_its_strategy() {
    for method in Method::all() {
        let by_name = calibrate(&model(), &samples(), method, &()).unwrap();
        // The method of the options is not asked.
        let options = CalibrateOptions::from(Rule::AbsMax);
        let by_strategy = calibrated(&*method.strategy(), options).unwrap();
        assert_eq!(by_name, by_strategy, "{method}");
    }
}

/// Decides for the first reader, with these scales.
struct Weights {
    reader: usize,
    scales: Vec<f32>,
}

impl Strategy for Weights {
    fn name(&self) -> String {
        "weights".into()
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn decide(&self, evidence: &Evidence<'_>) -> Result<Decision> {
        let mut decision = Decision::unclipped(evidence);
        if evidence.blob == "s" {
            let similarity = Similarity { start: 0.5, reached: 0.75 };
            decision.weights.push(FoundWeights { reader: self.reader, scales: self.scales.clone(), similarity });
        }
        Ok(decision)
    }

    fn weight_method(&self, _: WeightRule, guard: WinogradGuard) -> WeightMethod {
        WeightMethod::Guarded(guard)
    }
}

#[test]
fn scales_that_a_strategy_finds_replace_those_of_the_layer() {
    let strategy = Weights { reader: 0, scales: vec![11.0, 22.0, 33.0] };
    let calibration = calibrated(&strategy, CalibrateOptions::default()).unwrap();
    let [.., right, fc] = &calibration.layers[..] else { panic!("{}", calibration.layers.len()) };
    assert_eq!(fc.weights.scales, [11.0, 22.0, 33.0]);
    assert_eq!(fc.similarity, Some(Similarity { start: 0.5, reached: 0.75 }));
    assert!(right.similarity.is_none() && right.weights.scales.len() == 4);
    assert_eq!(calibration.table().weight_scales("fc"), Some(&[11.0, 22.0, 33.0][..]));
}

#[test]
fn a_decision_that_does_not_fit_is_refused_and_named() {
    let message = |reader, scales: &[f32]| {
        let strategy = Weights { reader, scales: scales.to_vec() };
        calibrated(&strategy, CalibrateOptions::default()).unwrap_err().to_string()
    };
    assert_eq!(message(0, &[1.0]), "layer fc: absmax gives 1 scales for 3 channels");
    assert_eq!(message(1, &[1.0; 3]), "absmax decides for reader 1 of 1");
    for unusable in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let expected = format!("layer fc: absmax gives its weights the scale {unusable}");
        assert_eq!(message(0, &[1.0, unusable, 1.0]), expected);
    }
}

/// Fails for one blob.
struct Failing;

impl Strategy for Failing {
    fn name(&self) -> String {
        "failing".into()
    }

    fn needs(&self) -> Needs {
        Needs::default()
    }

    fn decide(&self, evidence: &Evidence<'_>) -> Result<Decision> {
        Err(ncnn_format::Error::invalid(format!("no idea about {}", evidence.blob)))
    }
}

#[test]
fn an_error_of_the_strategy_is_that_of_the_calibration() {
    let message = calibrated(&Failing, CalibrateOptions::default()).unwrap_err().to_string();
    assert!(message.starts_with("no idea about "), "{message}");
}

#[test]
fn a_threshold_without_a_finite_scale_is_that_of_a_dead_blob() {
    for value in [0.0, -1.0, f32::NAN, f32::INFINITY, 1e-45] {
        assert_eq!(Decision::clip_at("mine", value).threshold, None, "{value}");
    }
    assert_eq!(Decision::clip_at("mine", 2.0).threshold.unwrap().scale(), 63.5);
}
