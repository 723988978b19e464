//! Whole slices between floats and int8 values, and pooling, against value by value. Equal means equal bits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use int8_kernels::{
    Error, Image, Isa, Padding, Place, PoolWindow, dequantize_values, max_pool, quantize, quantize_planes,
    quantize_slice, quantize_values, requantize_values, stored, unstored,
};

/// Floats around every tie, and those that are none.
fn values() -> Vec<f32> {
    let ties = (-260..=260).map(|half| half as f32 / 2.0).flat_map(|tie| [tie.next_down(), tie, tie.next_up()]);
    ties.chain([f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, 1e-40, -0.0]).collect()
}

#[test]
fn slices_of_every_length_are_converted_to_their_ends() {
    let values = values();
    for &isa in Isa::available() {
        for length in (0..80).chain([values.len()]) {
            let (mut bytes, mut back, mut again) = (vec![0; length], vec![9.0; length], vec![0; length]);
            quantize_values(&values[..length], 0.5, &mut bytes, isa).unwrap();
            assert!(bytes.iter().zip(&values).all(|(&byte, &value)| unstored(byte) == quantize(value, 0.5)), "{isa}");
            dequantize_values(&bytes, 0.3, &mut back, isa).unwrap();
            assert!(back.iter().zip(&bytes).all(|(&value, &byte)| value == f32::from(unstored(byte)) * 0.3), "{isa}");
            requantize_values(&bytes, 0.3, 5.0, &mut again, isa).unwrap();
            assert!(again.iter().zip(&back).all(|(&byte, &value)| unstored(byte) == quantize(value, 5.0)), "{isa}");
        }
    }
}

#[test]
fn slices_may_start_at_any_byte() {
    let values = values();
    for &isa in Isa::available() {
        for start in 0..20 {
            let (from, mut bytes) = (&values[start..start + 100], vec![7; 140]);
            quantize_values(from, 1.0, &mut bytes[start..start + 100], isa).unwrap();
            assert!(bytes[..start].iter().chain(&bytes[start + 100..]).all(|&byte| byte == 7), "{isa}");
            assert!(
                bytes[start..].iter().zip(from).all(|(&byte, &value)| byte == stored(quantize(value, 1.0))),
                "{isa}"
            );
        }
    }
}

#[test]
fn an_int8_value_survives_its_own_scale() {
    for &isa in Isa::available() {
        let bytes: Vec<u8> = (-127..=127).map(stored).collect();
        let mut again = vec![0; bytes.len()];
        for scale in [1.0, 0.25, 8.0, 64.0] {
            requantize_values(&bytes, 1.0 / scale, scale, &mut again, isa).unwrap();
            assert_eq!(again, bytes, "{isa} {scale}");
        }
    }
}

#[test]
fn planes_of_any_number_become_pixels_with_gaps() {
    for (channels, pixels) in (1..=7).flat_map(|channels| [1, 5, 511, 512, 513].map(|pixels| (channels, pixels))) {
        let planes: Vec<f32> = (0..channels * pixels).map(|i| (i % 300) as f32 - 150.0).collect();
        for (isa, gap) in Isa::available().iter().flat_map(|&isa| [0, 1].map(|gap| (isa, gap))) {
            let stride = channels + gap;
            let mut out = vec![0xA5; pixels * stride];
            quantize_planes(&planes, channels, 0.9, &mut out, stride, isa).unwrap();
            for (pixel, bytes) in out.chunks(stride).enumerate() {
                let expected = |channel: usize| stored(quantize(planes[channel * pixels + pixel], 0.9));
                assert!((0..channels).all(|channel| bytes[channel] == expected(channel)), "{isa} {channels}");
                assert!(bytes[channels..].iter().all(|&byte| byte == 0xA5), "{isa} {channels}");
            }
        }
    }
}

#[test]
fn slices_that_differ_in_length_are_refused_and_left_alone() {
    let length = |what, expected, found| Err(Error::Length { what, expected, found });
    for &isa in Isa::available() {
        let (mut bytes, mut floats) = ([7; 4], [7.0; 4]);
        assert_eq!(quantize_values(&[1.0; 3], 1.0, &mut bytes, isa), length("quantized values", 3, 4));
        assert_eq!(dequantize_values(&[1; 5], 1.0, &mut floats, isa), length("dequantized values", 5, 4));
        assert_eq!(requantize_values(&[1; 5], 1.0, 1.0, &mut bytes, isa), length("requantized values", 5, 4));
        assert_eq!(quantize_planes(&[1.0; 5], 2, 1.0, &mut bytes, 2, isa), length("planes", 4, 5));
        let zero = Err(Error::Zero { what: "channels" });
        assert_eq!(quantize_planes(&[1.0; 5], 0, 1.0, &mut bytes, 2, isa), zero);
        assert_eq!((bytes, floats), ([7; 4], [7.0; 4]));
    }
    assert_eq!(quantize_slice(&[1.0], 1.0, &mut []), length("quantized values", 1, 0));
}

/// The largest value of a window, one by one.
fn largest(image: &Image<'_>, window: &PoolWindow, y: usize, x: usize, channel: usize) -> i8 {
    let mut best = -127;
    for (ky, kx) in (0..window.kernel_h).flat_map(|ky| (0..window.kernel_w).map(move |kx| (ky, kx))) {
        let y = (y * window.stride_h + ky).checked_sub(window.padding.top).filter(|&y| y < image.height());
        let x = (x * window.stride_w + kx).checked_sub(window.padding.left).filter(|&x| x < image.width());
        if let (Some(y), Some(x)) = (y, x) {
            best = best.max(unstored(image.bytes()[(y * image.width() + x) * image.pixel_stride() + channel]));
        }
    }
    best
}

#[test]
fn pools_of_every_number_of_channels_are_right() {
    let padding = Padding { top: 1, left: 1, bottom: 2, right: 0, value: 0 };
    for (kernel, stride) in [(1, 1), (2, 2), (3, 1), (3, 2), (5, 3)] {
        let window = PoolWindow { kernel_h: kernel, kernel_w: kernel, stride_h: stride, stride_w: stride, padding };
        for channels in [1, 2, 15, 16, 17, 31, 33, 64, 80, 129] {
            let bytes: Vec<u8> = (0..7 * 6 * channels).map(|i| stored((i * 83 % 255) as u8 as i8).max(1)).collect();
            let image = Image::new(&bytes, 7, 6, channels, channels).unwrap();
            let (rows, columns) = window.output_size(7, 6).unwrap();
            for &isa in Isa::available() {
                let mut out = vec![0; rows * columns * channels];
                max_pool(&image, &window, 0..rows, &mut out, Place::whole(channels), isa).unwrap();
                for (index, &byte) in out.iter().enumerate() {
                    let (pixel, channel) = (index / channels, index % channels);
                    let expected = largest(&image, &window, pixel / columns, pixel % columns, channel);
                    assert_eq!(unstored(byte), expected, "{isa} {window:?} {channels} at {index}");
                }
            }
        }
    }
}

#[test]
fn windows_that_make_no_sense_are_refused() {
    let image = Image::new(&[0; 4], 2, 2, 1, 1).unwrap();
    let good = PoolWindow { kernel_h: 2, kernel_w: 2, stride_h: 1, stride_w: 1, padding: Padding::default() };
    let pool = |window: PoolWindow, rows, length: usize, place| {
        max_pool(&image, &window, rows, &mut vec![0; length], place, Isa::detect())
    };
    let place = Place::whole(1);
    assert_eq!(pool(good, 0..1, 1, place), Ok(()));
    assert_eq!(pool(PoolWindow { kernel_h: 0, ..good }, 0..1, 1, place), Err(Error::Zero { what: "pooling window" }));
    assert_eq!(pool(PoolWindow { stride_w: 0, ..good }, 0..1, 1, place), Err(Error::Zero { what: "pooling stride" }));
    let large = Err(Error::KernelTooLarge { kernel: (3, 2), input: (2, 2) });
    assert_eq!(pool(PoolWindow { kernel_h: 3, ..good }, 0..1, 1, place), large);
    assert_eq!(pool(good, 0..2, 2, place), Err(Error::Rows { first: 0, end: 2, height: 1 }));
    assert_eq!(pool(good, 0..1, 0, place), Err(Error::TooShort { what: "sink", least: 1, found: 0 }));
}
