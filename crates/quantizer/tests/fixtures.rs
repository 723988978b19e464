//! The whole road on the real networks of `fixtures/`, against ncnn's own tools.

#![cfg(feature = "images")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixture;

use fixture::{clothes, fixture};
use ncnn_format::{Model, ScaleTable};
use quantizer::calibrate::{Calibration, Method, calibrate};
use quantizer::compare::{CompareOptions, compare};
use quantizer::{ConvertOptions, Labels, convert};

fn model(name: &str) -> Model {
    Model::load(fixture(&format!("fmnist/{name}.param")), fixture(&format!("fmnist/{name}.bin"))).unwrap()
}

fn calibrated(name: &str, method: Method) -> Calibration {
    calibrate(&model(name), &clothes("fmnist/calib"), method, &()).unwrap()
}

/// The histogram bin of a threshold that is (bin + 0.5) · absmax / 2048.
fn bin(scale: f32, absmax: f32) -> i64 {
    (127.0 / scale / absmax * 2048.0 - 0.5).round() as i64
}

fn assert_table_is_ncnns(name: &str, golden: &str) {
    let calibration = calibrated(name, Method::NcnnKl);
    let ours = ScaleTable::parse(&calibration.table().to_text()).unwrap();
    let theirs = ScaleTable::load(fixture(&format!("golden/{golden}.kl.table"))).unwrap();
    assert_eq!(ours.rows.len(), theirs.rows.len());
    for (index, layer) in calibration.layers.iter().enumerate() {
        let name = &layer.layer;
        assert_eq!(ours.weight_scales(name), theirs.weight_scales(name), "weights of {name}");
        let (our_scale, their_scale) = (ours.input_scale(name).unwrap(), theirs.input_scale(name).unwrap());
        if index == 0 {
            assert_eq!(our_scale, their_scale, "the first layer sees exact inputs");
        }
        // ncnn sums in another order, which may move a count across the edge of a bin.
        let bins = [our_scale, their_scale].map(|scale| bin(scale, layer.range.absmax()));
        assert!((bins[0] - bins[1]).abs() <= 2, "{name}: bins {bins:?}");
    }
}

#[test]
fn lenets_table_is_ncnn2tables() {
    assert_table_is_ncnns("lenet_fp16w", "lenet");
}

#[test]
fn resnets_table_is_ncnn2tables() {
    assert_table_is_ncnns("resnet_fp16w", "resnet");
}

#[test]
fn mbv2s_table_is_ncnn2tables() {
    assert_table_is_ncnns("mbv2_bn", "mbv2_bn");
}

/// Weights and the first activation as printed; other activations to the last digits of their maximum, as ncnn sums
/// in another order.
fn assert_aciq_table_is_ncnns(name: &str, golden: &str) {
    let calibration = calibrated(name, Method::NcnnAciq);
    let ours = ScaleTable::parse(&calibration.table().to_text()).unwrap();
    let theirs = ScaleTable::load(fixture(&format!("golden/{golden}.aciq.table"))).unwrap();
    assert_eq!(ours.rows.len(), theirs.rows.len());
    for (index, layer) in calibration.layers.iter().enumerate() {
        let name = &layer.layer;
        assert_eq!(ours.weight_scales(name), theirs.weight_scales(name), "weights of {name}");
        let (our_scale, their_scale) = (ours.input_scale(name).unwrap(), theirs.input_scale(name).unwrap());
        let tolerance = if index == 0 { 0.0 } else { 2e-5 * their_scale };
        assert!((our_scale - their_scale).abs() <= tolerance, "{name}: {our_scale} instead of {their_scale}");
    }
}

#[test]
fn the_aciq_tables_are_ncnn2tables() {
    for (name, golden) in [("lenet_fp16w", "lenet"), ("resnet_fp16w", "resnet"), ("mbv2_bn", "mbv2_bn")] {
        assert_aciq_table_is_ncnns(name, golden);
    }
}

#[test]
fn equalizing_keeps_every_bit_of_the_float_network() {
    let fp32 = model("mbv2_bn");
    let folded = fp32.clone();
    let equalized = quantizer::equalize(&folded, &clothes("fmnist/calib"), &()).unwrap();
    let nets = [&fp32, &equalized.model].map(|model| fp32_ref::Net::new(model).unwrap());
    let dataset = clothes("fmnist/test");
    for index in 0..10 {
        let [a, b] = nets.each_ref().map(|net| {
            let outputs = net.run(&[("data", dataset.load(index).unwrap())], &mut ()).unwrap();
            outputs.iter().map(|(_, tensor)| tensor.as_slice().to_vec()).collect::<Vec<_>>()
        });
        assert_eq!(a, b);
    }
}

#[test]
fn the_default_method_loses_at_most_one_point_of_top1() {
    let labels = Labels::load(fixture("fmnist/test/labels.tsv")).unwrap();
    let networks = [("lenet_fp16w", 184), ("resnet_fp16w", 185), ("mbv2_bn", 184)];
    // One is enough for an emulator: what differs by CPU is in the digests of all of them.
    let networks = if cfg!(target_arch = "x86_64") { &networks[..] } else { &networks[..1] };
    for &(name, fp32_top1) in networks {
        let fp32 = model(name);
        let calibration = calibrated(name, Method::default());
        let int8 = convert(&fp32, &calibration.table(), ConvertOptions::default()).unwrap().model;
        let options = CompareOptions::default().with_labels(&labels);
        let scores = compare(&fp32, &int8, &clothes("fmnist/test"), &options, &()).unwrap().scores.unwrap();
        assert_eq!((scores.agreement.total, scores.fp32.total), (200, 200));
        assert_eq!(scores.fp32.top1, fp32_top1, "{name}");
        assert!(scores.int8.top1 + 2 >= fp32_top1, "{name}: {} of 200", scores.int8.top1);
    }
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| calibrated("lenet_fp16w", Method::default()).table().to_text())
    };
    let one = on(1);
    assert_eq!(on(2), one);
    assert_eq!(on(5), one);
}
