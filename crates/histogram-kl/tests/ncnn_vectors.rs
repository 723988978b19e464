//! What the binaries of ncnn2table printed for the first layer of a network whose input values are made here.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use histogram_kl::{Histogram, Range, Rule, Threshold};

/// The generator of the vectors: sums of four uniform numbers, around zero.
fn samples(set: char, file: u32, transform: fn(f64) -> f64) -> Vec<f32> {
    let mut s = 1000 * (file + 1) + u32::from(set);
    let mut uniform = || {
        s = s.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(s >> 8) / f64::from(1 << 24)
    };
    (0..4 * 16 * 16).map(|_| transform(uniform() + uniform() + uniform() + uniform() - 2.0) as f32).collect()
}

/// Both passes over the three files of a set, each file as a shard of its own.
fn calibrate(set: char, transform: fn(f64) -> f64) -> (Histogram, Threshold) {
    let files: Vec<Vec<f32>> = (0..3).map(|file| samples(set, file, transform)).collect();
    let mut range = Range::default();
    files.iter().for_each(|file| range.add(file));
    let mut histogram = Histogram::new(range.absmax()).unwrap();
    for file in &files {
        let mut shard = Histogram::new(range.absmax()).unwrap();
        shard.add(file);
        histogram.merge(&shard).unwrap();
    }
    let threshold = Rule::KlNcnn.threshold(&histogram).unwrap();
    (histogram, threshold)
}

/// What was printed for a set, number by number.
struct Row {
    absmax: &'static str,
    bin: usize,
    divergence: &'static str,
    threshold: &'static str,
    scale: &'static str,
}

fn expect(set: char, transform: fn(f64) -> f64, row: &Row) {
    let (histogram, threshold) = calibrate(set, transform);
    assert_eq!(Ok(histogram.absmax()), row.absmax.parse());
    assert_eq!(threshold.bin(), Some(row.bin));
    assert_eq!(threshold.divergence(), row.divergence.parse().ok());
    assert_eq!(Ok(threshold.value()), row.threshold.parse());
    assert_eq!(format!("{:.6}", threshold.scale()), row.scale);
}

#[test]
fn the_generator_is_that_of_the_vectors() {
    let first = &samples('A', 0, |x| 1.5 * x)[..4];
    assert_eq!(first, [-0.523_457_4, -0.231_558_14, -1.303_641_6, 0.934_137_94]);
}

#[test]
fn a_bell_curve_gets_ncnns_threshold() {
    let row =
        Row { absmax: "2.63967133", bin: 1990, divergence: "0.202586547", threshold: "2.56555939", scale: "49.501877" };
    expect('A', |x| 1.5 * x, &row);
}

#[test]
fn a_rectified_bell_curve_gets_ncnns_threshold() {
    let row =
        Row { absmax: "1.74376559", bin: 2024, divergence: "0.400945663", threshold: "1.72375655", scale: "73.676300" };
    expect('B', |x| x.max(0.0), &row);
}

#[test]
fn a_long_tail_gets_ncnns_threshold() {
    let row =
        Row { absmax: "57.395359", bin: 903, divergence: "0.278647602", threshold: "25.3206577", scale: "5.015667" };
    expect('C', |x| 10.0 * x.powi(3), &row);
}

#[test]
fn zeros_of_a_rectified_tensor_are_in_no_bin() {
    let (histogram, _) = calibrate('B', |x| x.max(0.0));
    assert!(histogram.zeros() > 1400, "{}", histogram.zeros());
    assert_eq!(histogram.zeros() + histogram.total(), 3 * 1024);
}
