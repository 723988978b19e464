//! Three made-up images whose thresholds and scales ncnn2table itself printed.

#![cfg(feature = "images")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use histogram_kl::{Histogram, Range, Rule};
use quantizer::{InputOptions, Pixel, Preprocess};

/// Three PPM images from one random stream.
fn write_images(folder: &tempfile::TempDir) -> Vec<PathBuf> {
    let mut state = 5u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    [(37, 23), (20, 31), (16, 16)]
        .map(|(width, height)| {
            let path = folder.path().join(format!("{width}.ppm"));
            let mut file = format!("P6\n{width} {height}\n255\n").into_bytes();
            file.extend((0..3 * width * height).map(|_| byte()));
            fs::write(&path, file).unwrap();
            path
        })
        .to_vec()
}

fn inputs(pixel: Pixel, mean: &[f32], norm: &[f32]) -> Vec<Vec<f32>> {
    let folder = tempfile::tempdir().unwrap();
    let options = InputOptions::default()
        .with_mean(mean)
        .with_norm(norm)
        .with_pixel(pixel)
        .with_size(16, 16)
        .with_channels(pixel.channels());
    let preprocess = Preprocess::new(options).unwrap();
    write_images(&folder)
        .iter()
        .map(|path| {
            let tensor = preprocess.load(path).unwrap();
            assert_eq!(tensor.shape().dims(), [pixel.channels(), 16, 16]);
            tensor.as_slice().to_vec()
        })
        .collect()
}

const MEAN: [f32; 3] = [104.0, 117.0, 123.5];
const NORM: [f32; 3] = [0.017, 0.0171, 0.018];

/// The largest magnitude and ncnn2table's scale, as it prints them.
fn calibrated(images: &[Vec<f32>]) -> (String, String) {
    let mut range = Range::default();
    images.iter().for_each(|image| range.add(image));
    let mut histogram = Histogram::new(range.absmax()).unwrap();
    images.iter().for_each(|image| histogram.add(image));
    (format!("{:.6}", range.absmax()), format!("{:.6}", Rule::KlNcnn.threshold(&histogram).unwrap().scale()))
}

#[test]
fn largest_magnitudes_and_scales_are_ncnns() {
    let expected = |absmax: &str, scale: &str| (absmax.to_owned(), scale.to_owned());
    assert_eq!(calibrated(&inputs(Pixel::Bgr, &MEAN, &NORM)), expected("2.567000", "49.680283"));
    assert_eq!(calibrated(&inputs(Pixel::Rgb, &MEAN, &NORM)).1, "49.826870");
    assert_eq!(calibrated(&inputs(Pixel::Gray, &[104.0], &[0.017])), expected("2.057000", "106.211113"));
}

#[test]
fn rgb_and_bgr_hold_the_same_values_in_another_order() {
    let rgb = inputs(Pixel::Rgb, &[], &[]);
    let bgr = inputs(Pixel::Bgr, &[], &[]);
    for (rgb, bgr) in rgb.iter().zip(&bgr) {
        for channel in 0..3 {
            assert_eq!(rgb[256 * channel..][..256], bgr[256 * (2 - channel)..][..256]);
        }
    }
}
