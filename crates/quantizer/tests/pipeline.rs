//! The whole job: the same as its steps, on one input or several, and stopped at any time.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod random_model;

use std::fs;
use std::path::Path;
use std::sync::Mutex;

use fp32_ref::Tensor;
use quantizer::calibrate::statistics::Statistics;
use quantizer::calibrate::{calibrate, correct_biases};
use quantizer::{
    ConvertOptions, Dataset, ErrorKind, Joint, Model, Options, Pipeline, Progress, comment_out, convert, equalize,
};
use random_model::random_model;

/// Two convolutions with a ReLU between, whose first is for Winograd.
const CHAIN: &str = "Input data 0 1 data 0=8 1=8 2=3\nConvolution first 1 1 data a 0=8 1=3 4=1 5=1 6=216\n\
                     ReLU relu 1 1 a b\nConvolution second 1 1 b c 0=4 1=3 4=1 5=1 6=288\n\
                     InnerProduct fc 1 1 c out 0=5 1=1 2=1280\n";

/// Two inputs that are added.
const TWO: &str = "Input left 0 1 left 0=8 1=8 2=3\nInput right 0 1 right 0=8 1=8 2=3\n\
                   BinaryOp add 2 1 left right data\nConvolution first 1 1 data a 0=8 1=3 4=1 5=1 6=216\n\
                   ReLU relu 1 1 a b\nConvolution second 1 1 b out 0=4 1=3 4=1 5=1 6=288\n";

fn samples(count: usize) -> Vec<Tensor> {
    let values = |sample: usize| (0..192).map(|i| ((i * 37 + sample * 101) % 255) as f32 / 100.0 - 1.2).collect();
    (0..count).map(|sample| Tensor::new([3, 8, 8], values(sample)).unwrap()).collect()
}

fn options(words: &[(&str, &str)]) -> Options {
    words.iter().fold(Options::default(), |options, (name, text)| options.set(name, text).unwrap())
}

/// Everything that has stages of its own.
fn all_stages() -> Options {
    let on = ["optimize", "equalize", "correct-bias", "skip-bad"].map(|name| (name, "true"));
    options(&[&on[..], &[("passes", "2"), ("method", "moving-average"), ("exclude", "fc")]].concat())
}

fn bytes(model: &Model) -> (String, Vec<u8>) {
    (model.to_param_text(), model.bin_bytes().unwrap())
}

#[test]
fn the_job_is_the_same_as_its_steps() {
    let (model, samples) = (random_model(CHAIN), samples(6));
    let words = options(&[("equalize", "true"), ("correct-bias", "true"), ("float-last", "true"), ("method", "mse")]);
    let result = Pipeline::new(&model).options(words.clone()).run(&samples, &()).unwrap();

    let excluded = words.selection().excluded(&model).unwrap();
    let equalized = equalize(&model, &samples, &()).unwrap().model;
    let calibration = calibrate(&equalized, &samples, words.calibrate_options(), &()).unwrap();
    let corrected = correct_biases(&equalized, &samples, &calibration, &()).unwrap();
    let table = comment_out(&calibration.table(), &excluded);
    let converted = convert(&corrected, &table, ConvertOptions::default()).unwrap();
    assert_eq!(result.table.to_text(), table.to_text());
    assert_eq!(bytes(&result.model), bytes(&converted.model));
    assert_eq!(result.calibration.unwrap().layers.len(), 3);
    let texts: Vec<String> = result.remarks.iter().map(ToString::to_string).collect();
    assert!(texts.iter().any(|text| text.contains("fc stays float: one of the last layers")), "{texts:?}");
    assert!(!texts.iter().any(|text| text.contains("no row in the table")), "said once: {texts:?}");
}

#[test]
fn what_equalizing_scales_is_not_taken_for_an_error() {
    let (model, samples) = (random_model(CHAIN), samples(6));
    let plain = Pipeline::new(&model).run(&samples, &()).unwrap().comparison.unwrap();
    let equal = Pipeline::new(&model).options(options(&[("equalize", "true")])).run(&samples, &()).unwrap();
    for comparison in [&plain, &equal.comparison.unwrap()] {
        assert_eq!((comparison.samples, comparison.blobs.len()), (6, 3));
        assert!(comparison.blobs.iter().all(|blob| blob.cosine > 0.99), "{comparison:?}");
    }
}

#[test]
fn every_step_works_for_networks_with_several_inputs() {
    let model = random_model(TWO);
    let joint = Joint::new(vec![("left".into(), samples(5)), ("right".into(), samples(5))]).unwrap();
    for method in ["auto", "eq", "kl", "moving-average"] {
        let words = options(&[("equalize", "true"), ("correct-bias", "true"), ("method", method)]);
        let result = Pipeline::new(&model).options(words).run(&joint, &()).unwrap();
        assert_eq!(result.calibration.unwrap().samples, 5, "{method}");
        assert!(result.comparison.unwrap().blobs.iter().all(|blob| blob.cosine > 0.98), "{method}");
    }
}

#[test]
fn the_options_choose_among_the_samples() {
    let (model, samples) = (random_model(CHAIN), samples(6));
    let run = |words: &[(&str, &str)]| Pipeline::new(&model).options(options(words)).run(&samples, &()).unwrap();
    let few = run(&[("limit", "2"), ("method", "absmax")]);
    assert_eq!((few.calibration.unwrap().samples, few.comparison.unwrap().samples), (2, 2));
    let direct =
        Pipeline::new(&model).options(options(&[("method", "absmax")])).run(&samples[..2].to_vec(), &()).unwrap();
    assert_eq!(few.table.to_text(), direct.table.to_text());
    let seeded = run(&[("limit", "2"), ("method", "absmax"), ("shuffle-seed", "3")]);
    assert_ne!(seeded.table.to_text(), direct.table.to_text());
    assert_eq!(
        seeded.table.to_text(),
        run(&[("limit", "2"), ("method", "absmax"), ("shuffle-seed", "3")]).table.to_text()
    );
}

#[test]
fn a_table_takes_the_place_of_calibrating() {
    let (model, samples) = (random_model(CHAIN), samples(3));
    let prepared = Pipeline::new(&model).options(options(&[("exclude", "second")])).prepare().unwrap();
    let calibrated = prepared.calibrate(&samples, &()).unwrap();
    let by_table = prepared.with_table(calibrated.calibration.as_ref().unwrap().table()).unwrap();
    assert_eq!(by_table.table.to_text(), calibrated.table.to_text());
    let (one, two) = (calibrated.convert().unwrap(), by_table.convert().unwrap());
    assert_eq!(bytes(&one.model), bytes(&two.model));
    assert!(two.calibration.is_none() && two.comparison.is_none());
    let folder = tempfile::tempdir().unwrap();
    assert!(one.save(folder.path().join("one")).unwrap().table.is_some_and(|table| table.is_file()));
    let saved = two.save(folder.path().join("two")).unwrap();
    assert_eq!((saved.table, saved.bin_bytes), (None, fs::metadata(saved.bin).unwrap().len()));
    assert!(!folder.path().join("two.table").exists());
}

/// Notes the stages, and ends the job in one of them.
#[derive(Default)]
struct Stopping {
    /// The stage to end in, and after how many of its steps.
    at: Option<(String, usize)>,
    /// The stages so far, how many of them are over, and the steps of the last.
    seen: Mutex<(Vec<String>, usize, usize)>,
}

impl Progress for Stopping {
    fn start(&self, stage: &str, _: usize) {
        let mut seen = self.seen.lock().unwrap();
        seen.0.push(stage.to_owned());
        seen.2 = 0;
    }

    fn step(&self) {
        self.seen.lock().unwrap().2 += 1;
    }

    fn finish(&self) {
        self.seen.lock().unwrap().1 += 1;
    }

    fn is_cancelled(&self) -> bool {
        let seen = self.seen.lock().unwrap();
        self.at.as_ref().is_some_and(|(stage, steps)| seen.0.last() == Some(stage) && seen.2 >= *steps)
    }
}

/// The stages of a whole job.
fn stages(model: &Model, options: &Options) -> Vec<String> {
    let progress = Stopping::default();
    Pipeline::new(model).options(options.clone()).run(&samples(6), &progress).unwrap();
    let (stages, finished, _) = progress.seen.into_inner().unwrap();
    assert_eq!(finished, stages.len(), "every stage that begins ends");
    stages
}

#[test]
fn a_job_can_be_stopped_in_every_stage() {
    let model = random_model(CHAIN);
    let eq = all_stages().set("method", "eq").unwrap();
    let one_pass = Options::default();
    let mut all = Vec::new();
    for options in [all_stages(), eq, one_pass] {
        let found = stages(&model, &options);
        for (stage, steps) in found.iter().flat_map(|stage| [(stage, 0), (stage, 1)]) {
            let progress = Stopping { at: Some((stage.clone(), steps)), ..Stopping::default() };
            let error = Pipeline::new(&model).options(options.clone()).run(&samples(6), &progress).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Cancelled, "{stage}: {error}");
            let (begun, finished, _) = progress.seen.into_inner().unwrap();
            assert_eq!(begun.len(), finished, "{stage} after {steps} steps");
        }
        all.extend(found);
    }
    for stage in [
        "checking samples",
        "finding channel maxima",
        "finding ranges",
        "counting histograms",
        "watching activations",
        "finding maxima",
        "choosing thresholds",
        "comparing",
    ] {
        assert!(all.iter().any(|found| found == stage), "{stage} is none of {all:?}");
    }
}

/// Three samples of the network `CHAIN` as raw files.
fn in_files(folder: &Path) -> Options {
    for (index, sample) in samples(6).iter().enumerate() {
        let bytes: Vec<u8> = sample.as_slice().iter().flat_map(|value| value.to_le_bytes()).collect();
        fs::write(folder.join(format!("{index}.raw")), bytes).unwrap();
    }
    Options::default().set("images", folder.to_str().unwrap()).unwrap().set("checkpoint-every", "2").unwrap()
}

#[test]
fn counting_that_was_stopped_goes_on_where_it_was() {
    let (model, folder) = (random_model(CHAIN), tempfile::tempdir().unwrap());
    let options = in_files(folder.path());
    let inputs = options.dataset(&model).unwrap();
    let prepared = Pipeline::new(&model).options(options).prepare().unwrap();
    let [whole, parts] = ["whole.stats", "parts.stats"].map(|name| folder.path().join(name));
    prepared.count(&whole, &inputs, &()).unwrap();
    let progress = Stopping { at: Some(("watching activations".to_owned(), 3)), ..Stopping::default() };
    let error = prepared.count(&parts, &inputs, &progress).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let kept = Statistics::load(&parts).unwrap().samples().len();
    assert!((2..6).contains(&kept), "{kept} samples up to the last checkpoint");
    let counted = prepared.count(&parts, &inputs, &()).unwrap();
    assert_eq!(fs::read(&parts).unwrap(), fs::read(&whole).unwrap());
    assert_eq!(counted.remarks[0].code, "taken-up");
}

#[test]
fn samples_in_files_are_those_in_memory() {
    let (model, folder) = (random_model(CHAIN), tempfile::tempdir().unwrap());
    let options = in_files(folder.path());
    let inputs = options.dataset(&model).unwrap();
    assert_eq!((inputs.len(), inputs.feeds(0).unwrap()[0].blob.as_deref()), (6, Some("data")));
    let by_files = Pipeline::new(&model).options(options.clone()).run(&inputs, &()).unwrap();
    let by_memory = Pipeline::new(&model).run(&samples(6), &()).unwrap();
    assert_eq!(bytes(&by_files.model), bytes(&by_memory.model));
    fs::write(folder.path().join("3.raw"), b"short").unwrap();
    let error = Pipeline::new(&model).options(options.clone()).run(&inputs, &()).unwrap_err().to_string();
    assert!(error.contains("1 of 6 samples cannot be read (option skip-bad goes on without them):\n  "), "{error}");
    let skipping = options.set("skip-bad", "true").unwrap();
    let result = Pipeline::new(&model).options(skipping).run(&inputs, &()).unwrap();
    assert_eq!(result.calibration.unwrap().samples, 5);
    let codes: Vec<&str> = result.remarks.iter().map(|remark| &*remark.code).collect();
    assert!(codes.contains(&"skipped"), "{codes:?}");
}

#[test]
fn a_program_of_a_stranger_is_short() {
    let program = include_str!("../examples/quantize.rs");
    let lines = program.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("//"));
    assert!(lines.count() <= 25);
    let readme = include_str!("../README.md");
    let example = readme.split("```").nth(1).unwrap();
    assert!(example.lines().filter(|line| !line.trim().is_empty()).count() <= 25);
}
