//! What follows the sums: every activation, residual and kind of sink, against the steps one by one. Equal means equal bits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use int8_kernels::{
    Activation, Addend, ConvShape, Epilogue, Error, Image, Padding, PixelScratch, Place, Residual, Run, Sink, quantize,
    stored, unstored,
};
use layer::{Layer, bits, square, ways};

mod layer;

const ACTIVATIONS: [Activation; 9] = [
    Activation::None,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.1 },
    Activation::LeakyRelu { slope: 1e-30 },
    Activation::Clip { min: -0.5, max: 6.0 },
    Activation::Clip { min: 2.0, max: 3.0 },
    Activation::Sigmoid,
    Activation::Mish,
    Activation::HardSwish { alpha: 1.0 / 6.0, beta: 0.5 },
];

/// Channels that end within and at the ends of vectors.
const CHANNELS: [usize; 8] = [1, 4, 7, 16, 19, 32, 48, 67];

fn epilogues(channels: usize) -> impl Iterator<Item = Epilogue> {
    let scales: Vec<f32> = (0..channels).map(|i| (i as f32 + 1.0) * 3e-4 * [1.0, -1.0][i % 5 / 4]).collect();
    let bias: Vec<f32> = (0..channels).map(|i| i as f32 * 0.07 - 2.0).collect();
    let all = ACTIVATIONS.into_iter().flat_map(|a| [(a, false, false), (a, true, false), (a, true, true)]);
    all.map(move |(activation, has_bias, is_fused)| {
        let epilogue = Epilogue::new(scales.clone(), has_bias.then(|| bias.clone()), activation).unwrap();
        if is_fused { epilogue.with_fused_bias() } else { epilogue }
    })
}

fn layer_of(channels: usize) -> Layer {
    Layer::new(square(5, channels, 1, 2, 1), (3, 6), Padding { right: 1, ..Padding::default() })
}

/// Stored bytes as the int8 values of a scale.
fn quantized(values: &[f32], scale: f32) -> Vec<u8> {
    values.iter().map(|&value| stored(quantize(value, scale))).collect()
}

#[test]
fn floats_and_bytes_alone_and_together_have_the_bits_of_the_steps() {
    for channels in CHANNELS {
        let layer = layer_of(channels);
        let (rows, _) = layer.out_size();
        for epilogue in epilogues(channels) {
            let expected = layer.values(&epilogue, None, &[]);
            for (isa, algorithm) in ways().step_by(3) {
                let conv = layer.conv(epilogue.clone(), isa, algorithm);
                let place = Place::whole(channels);
                let run = Run { input: layer.input(), padding: layer.padding, rows: 0..rows, residual: None };
                let mut scratch = PixelScratch::default();
                for scale in [25.0, 0.0, -3.0] {
                    let (mut floats, mut bytes) = (vec![9.0; expected.len()], vec![9; expected.len()]);
                    conv.run(&run, &mut [Sink::F32 { values: &mut floats, place }], &mut scratch).unwrap();
                    conv.run(&run, &mut [Sink::I8 { bytes: &mut bytes, place, scale }], &mut scratch).unwrap();
                    assert_eq!(bits(&floats), bits(&expected), "{isa} {epilogue:?}");
                    assert_eq!(bytes, quantized(&expected, scale), "{isa} {scale} {epilogue:?}");
                    let (mut both, mut beside) = (vec![9.0; expected.len()], vec![9; expected.len()]);
                    let mut sinks =
                        [Sink::F32 { values: &mut both, place }, Sink::I8 { bytes: &mut beside, place, scale }];
                    conv.run(&run, &mut sinks, &mut scratch).unwrap();
                    assert_eq!((bits(&both), beside), (bits(&expected), bytes), "{isa} {epilogue:?}");
                }
            }
        }
    }
}

#[test]
fn every_kind_of_addend_is_added_before_the_last_activation() {
    for channels in CHANNELS {
        let layer = layer_of(channels);
        let (rows, columns) = layer.out_size();
        let floats: Vec<f32> = (0..rows * columns * channels).map(|i| i as f32 * 0.11 - 20.0).collect();
        let bytes: Vec<u8> = (0..floats.len()).map(|i| stored((i * 5 % 255) as u8 as i8)).collect();
        let dequantized: Vec<f32> = bytes.iter().map(|&byte| f32::from(unstored(byte)) * 0.03).collect();
        let image = Image::new(&bytes, rows, columns, channels, channels).unwrap();
        let addends = [
            (Addend::F32 { values: &floats, pixel_stride: channels }, &floats),
            (Addend::I8 { image, step: 0.03 }, &dequantized),
            (Addend::InSink, &floats),
        ];
        for (addend, values) in addends {
            for then in ACTIVATIONS {
                let epilogue = epilogues(channels).nth(4).unwrap();
                let residual = Residual { addend, then };
                let expected = layer.values(&epilogue, Some(&residual), values);
                for (isa, algorithm) in ways().step_by(3) {
                    let conv = layer.conv(epilogue.clone(), isa, algorithm);
                    let place = Place::whole(channels);
                    let run =
                        Run { input: layer.input(), padding: layer.padding, rows: 0..rows, residual: Some(residual) };
                    let (mut kept, mut bytes) = (floats.clone(), vec![9; floats.len()]);
                    let mut sinks =
                        [Sink::F32 { values: &mut kept, place }, Sink::I8 { bytes: &mut bytes, place, scale: 7.0 }];
                    conv.run(&run, &mut sinks, &mut PixelScratch::default()).unwrap();
                    assert_eq!(bits(&kept), bits(&expected), "{isa} {then:?} {channels}");
                    assert_eq!(bytes, quantized(&expected, 7.0), "{isa} {then:?} {channels}");
                }
            }
        }
    }
}

/// Two layers write the halves of one image, and a third reads a part of it.
#[test]
fn a_concatenation_needs_no_copy() {
    let (first, second) = (layer_of(7), layer_of(16));
    let (rows, columns) = first.out_size();
    let epilogue = |channels| Epilogue::new(vec![0.01; channels], None, Activation::Relu).unwrap();
    for (isa, algorithm) in ways() {
        let mut wide = vec![0xA5; rows * columns * 25];
        for (layer, first_channel) in [(&first, 1), (&second, 8)] {
            let conv = layer.conv(epilogue(layer.shape.out_channels), isa, algorithm);
            let place = Place { pixel_stride: 25, first_channel };
            let run = Run { input: layer.input(), padding: layer.padding, rows: 0..rows, residual: None };
            conv.run(&run, &mut [Sink::I8 { bytes: &mut wide, place, scale: 9.0 }], &mut PixelScratch::default())
                .unwrap();
        }
        let expected = [&first, &second]
            .map(|layer| quantized(&layer.values(&epilogue(layer.shape.out_channels), None, &[]), 9.0));
        for (pixel, bytes) in wide.chunks(25).enumerate() {
            assert_eq!((bytes[0], bytes[24]), (0xA5, 0xA5), "{isa}: bytes between were written");
            assert_eq!(bytes[1..8], expected[0][pixel * 7..][..7], "{isa}");
            assert_eq!(bytes[8..24], expected[1][pixel * 16..][..16], "{isa}");
        }
        // The second half as an image of its own.
        let part = Image::new(&wide[8..], rows, columns, 16, 25).unwrap();
        let reader = Layer {
            bytes: expected[1].clone(),
            ..Layer::new(ConvShape::pointwise(16, 3), (rows, columns), Padding::default())
        };
        let conv = reader.conv(epilogue(3), isa, algorithm);
        let mut sums = vec![0; rows * columns * 3];
        let run = Run { input: part, padding: Padding::default(), rows: 0..rows, residual: None };
        conv.accumulate(&run, &mut sums, &mut PixelScratch::default()).unwrap();
        assert_eq!(sums, reader.sums(), "{isa}");
    }
}

#[test]
fn sinks_and_residuals_that_do_not_fit_are_refused_before_anything_is_written() {
    let layer = layer_of(4);
    let (rows, columns) = layer.out_size();
    let conv = layer.conv(epilogues(4).next().unwrap(), int8_kernels::Isa::detect(), int8_kernels::Algorithm::Fastest);
    let length = rows * columns * 4;
    let place = Place::whole(4);
    let error_of = |residual: Option<Residual<'_>>, place: Place, length: usize, padding: Padding| {
        let mut values = vec![5.0; length];
        let run = Run { input: layer.input(), padding, rows: 0..rows, residual };
        let error = conv.run(&run, &mut [Sink::F32 { values: &mut values, place }], &mut PixelScratch::default());
        assert!(values.iter().all(|&value| value == 5.0));
        error.unwrap_err()
    };
    let none = layer.padding;
    let short = Error::TooShort { what: "sink", least: length, found: length - 1 };
    assert_eq!(error_of(None, place, length - 1, none), short);
    let narrow = Place { pixel_stride: 4, first_channel: 1 };
    assert_eq!(error_of(None, narrow, length, none), Error::PixelStride { what: "sink", channels: 5, pixel_stride: 4 });
    let endless = Place { pixel_stride: 4, first_channel: usize::MAX };
    assert_eq!(error_of(None, endless, length, none), Error::TooLarge { what: "sink" });
    assert_eq!(error_of(None, place, length, Padding { value: i8::MIN, ..none }), Error::PaddingValue);
    let then = Activation::None;
    let few = vec![0.0; length - 1];
    let addend = Addend::F32 { values: &few, pixel_stride: 4 };
    let short = Error::TooShort { what: "residual", least: length, found: length - 1 };
    assert_eq!(error_of(Some(Residual { addend, then }), place, length, none), short);
    let bytes = vec![0; length];
    let image = Image::new(&bytes, columns, rows, 4, 4).unwrap();
    let addend = Addend::I8 { image, step: 1.0 };
    let expected = Error::ImageSize { what: "residual", expected: [rows, columns, 4], found: [columns, rows, 4] };
    assert_eq!(error_of(Some(Residual { addend, then }), place, length, none), expected);
    let mut bytes = vec![7; length];
    let residual = Some(Residual { addend: Addend::InSink, then });
    let run = Run { input: layer.input(), padding: none, rows: 0..rows, residual };
    let mut sinks = [Sink::I8 { bytes: &mut bytes, place, scale: 1.0 }];
    assert_eq!(conv.run(&run, &mut sinks, &mut PixelScratch::default()), Err(Error::NoAddend));
    assert_eq!(bytes, vec![7; length]);
}
