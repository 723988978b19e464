//! Comparisons against plain loops over both networks, and their laws.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod random_model;

use std::collections::BTreeMap;

use fp32_ref::{BlobId, Net, Tensor};
use int8_exec::Int8Net;
use ncnn_format::Model;
use quantizer::calibrate::{Method, calibrate};
use quantizer::compare::{CompareOptions, Comparison, compare};
use quantizer::{ConvertOptions, convert};
use random_model::random_model;

const NETWORK: &str = "\
Input data 0 1 data 0=6 1=6 2=2
Convolution stem 1 1 data a 0=4 1=3 4=1 5=1 6=72 9=1
ConvolutionDepthWise depth 1 1 a b 0=4 1=3 4=1 5=1 6=36 7=4
Pooling pool 1 1 b p 0=1 4=1
InnerProduct fc 1 1 p out 0=3 1=1 2=12";

fn fp32() -> Model {
    random_model(NETWORK)
}

fn samples() -> Vec<Tensor> {
    let value = |sample: usize, i: usize| (((i * 37 + sample * 101) % 211) as f32 / 105.0 - 1.0).powi(3);
    (0..6).map(|sample| Tensor::new([2, 6, 6], (0..72).map(|i| value(sample, i)).collect()).unwrap()).collect()
}

fn int8() -> Model {
    let calibration = calibrate(&fp32(), &samples(), Method::Auto, &()).unwrap();
    convert(&fp32(), &calibration.table(), ConvertOptions::default()).unwrap().model
}

fn compared(samples: &Vec<Tensor>) -> Comparison {
    compare(&fp32(), &int8(), samples, &CompareOptions::default(), &()).unwrap()
}

/// All blobs of a run of the float network, by name.
fn float_blobs(net: &Net, sample: &Tensor) -> BTreeMap<String, Vec<f32>> {
    let mut blobs = BTreeMap::new();
    let mut keep = |blob: BlobId, value: &fp32_ref::Value| {
        blobs.insert(net.graph().blob_name(blob).to_owned(), value.to_tensor().as_slice().to_vec());
        Ok(())
    };
    net.run(&[("data", sample.clone())], &mut keep).unwrap();
    blobs
}

/// All blobs of a run of the int8 network as floats, by name.
fn int8_blobs(net: &Int8Net, sample: &Tensor) -> BTreeMap<String, Vec<f32>> {
    let mut blobs = BTreeMap::new();
    let mut keep = |blob: BlobId, value: &int8_exec::Value| {
        blobs.insert(net.graph().blob_name(blob).to_owned(), value.to_f32()?.as_slice().to_vec());
        Ok(())
    };
    net.run(&[("data", sample.clone())], &mut keep).unwrap();
    blobs
}

#[test]
fn errors_are_those_of_plain_loops_over_both_networks() {
    let (fp32, int8) = (Net::new(&fp32()).unwrap(), Int8Net::new(&int8()).unwrap());
    let comparison = compared(&samples());
    let names: Vec<&str> = comparison.blobs.iter().map(|blob| &*blob.blob).collect();
    assert_eq!(names, ["a", "b", "out"], "int8 layers and outputs, in file order");
    assert_eq!((comparison.samples, comparison.blobs.iter().all(|blob| blob.int8)), (6, true));
    for blob in &comparison.blobs {
        let [mut signal, mut noise, mut product, mut square] = [0.0; 4];
        for sample in samples() {
            let (expected, found) = (&float_blobs(&fp32, &sample)[&blob.blob], &int8_blobs(&int8, &sample)[&blob.blob]);
            for (&a, &b) in expected.iter().zip(found) {
                let (a, b) = (f64::from(a), f64::from(b));
                signal += a * a;
                noise += (a - b) * (a - b);
                product += a * b;
                square += b * b;
            }
        }
        let db = 10.0 * (signal / noise).log10();
        assert!((blob.sqnr_db - db).abs() < 1e-9, "{}: {} {db}", blob.blob, blob.sqnr_db);
        let cosine = product / (signal * square).sqrt();
        assert!((blob.cosine - cosine).abs() < 1e-12, "{}: {} {cosine}", blob.blob, blob.cosine);
        assert!(blob.sqnr_db > 20.0 && blob.cosine > 0.99, "{blob:?}");
    }
}

#[test]
fn agreement_is_how_often_the_same_class_is_first() {
    let (fp32, int8) = (Net::new(&fp32()).unwrap(), Int8Net::new(&int8()).unwrap());
    let first = |scores: &[f32]| (0..3).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
    let agree = |sample: &Tensor| first(&float_blobs(&fp32, sample)["out"]) == first(&int8_blobs(&int8, sample)["out"]);
    let scores = compared(&samples()).scores.unwrap();
    assert_eq!(scores.agreement.same, samples().iter().filter(|sample| agree(sample)).count());
    assert_eq!((scores.agreement.total, scores.fp32.total), (6, 0), "nothing is right or wrong without labels");
}

#[test]
fn a_network_and_itself_are_equal() {
    let comparison = compare(&fp32(), &fp32(), &samples(), &CompareOptions::default(), &()).unwrap();
    let [output] = &comparison.blobs[..] else { panic!("{:?}", comparison.blobs) };
    assert_eq!((&*output.blob, output.int8), ("out", false));
    assert_eq!((output.sqnr_db, output.cosine), (f64::INFINITY, 1.0));
    assert_eq!(comparison.scores.unwrap().agreement.rate(), Some(1.0));
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| compared(&samples()))
    };
    let one = on(1);
    assert_eq!((on(2), on(5)), (one.clone(), one));
}

#[test]
fn samples_in_another_order_or_twice_have_the_same_errors() {
    let once = compared(&samples());
    let mut backward = samples();
    backward.reverse();
    let twice = [samples(), samples()].concat();
    for (other, times) in [(compared(&backward), 1), (compared(&twice), 2)] {
        assert_eq!(other.samples, times * once.samples);
        for (a, b) in once.blobs.iter().zip(&other.blobs) {
            // Sums in another order differ in their last bits.
            assert!((a.sqnr_db - b.sqnr_db).abs() < 1e-9 && (a.cosine - b.cosine).abs() < 1e-12, "{a:?} {b:?}");
        }
        let (once, other) = (once.scores.unwrap().agreement, other.scores.unwrap().agreement);
        assert_eq!((other.same, other.total), (times * once.same, times * once.total));
    }
}
