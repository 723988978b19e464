//! The epilogue and the routines over slices of every instruction set against the portable ones, which
//! the unit tests and laws compare with the definitions. Equal means equal bits.

use super::report;
use crate::arch::kernels_of;
use crate::contract::MicroKernels;
use crate::finish::{Finish, Tile};
use crate::{Activation, Addend, Image, Isa, Place, Residual, Sink, quantize, stored, unstored};

/// Sums that become ties, limits, and numbers that floats cannot hold.
const SUMS: [i32; 20] = [
    0,
    1,
    -1,
    2,
    3,
    -3,
    5,
    253,
    -253,
    254,
    255,
    -255,
    16_777_217,
    -16_777_219,
    33_554_435,
    i32::MAX,
    i32::MIN,
    77,
    -78,
    9,
];

/// Scales with exact ties, tiny and huge ones, and such that no model should have.
const SCALES: [f32; 12] =
    [0.5, 0.25, 1.0, -0.5, 1e-30, 1e30, 0.0, -0.0, f32::MIN_POSITIVE, f32::INFINITY, f32::NAN, 0.007_812_5];

const BIAS: [f32; 7] = [-0.0, 0.0, 0.5, -0.25, 1e20, f32::NEG_INFINITY, f32::NAN];

/// Scales and biases of models; kernels that treat special ones apart compute whole vectors of these.
const USUAL_SCALES: [f32; 5] = [0.5, 0.25, 0.0, -0.012_3, 0.007_812_5];

const USUAL_BIAS: [f32; 4] = [-0.0, 0.5, -3.25, 0.1];

/// As many as have no divisor in common with the scales, so that each meets each.
const ACTIVATIONS: [Activation; 11] = [
    Activation::None,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.1 },
    Activation::LeakyRelu { slope: -2.0 },
    Activation::Clip { min: -0.0, max: 6.0 },
    Activation::Clip { min: 1.0, max: -1.0 },
    Activation::Clip { min: -3.0, max: 40.5 },
    Activation::Clip { min: f32::NEG_INFINITY, max: 0.0 },
    Activation::Clip { min: 0.5, max: 6.0 },
    Activation::HardSwish { alpha: 0.2, beta: 0.5 },
    Activation::Sigmoid,
];

/// Floats of which all NaNs are one.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { u32::MAX } else { value.to_bits() }).collect()
}

/// Reports an operation of `kernels` as the kernel check names kernels.
fn checked(operation: &str, kernels: &MicroKernels, cases: usize) {
    report::checked(&format!("{operation}__{}", kernels.level.name()), cases);
}

struct Case {
    channels: usize,
    pixels: usize,
    finish_index: usize,
    is_usual: bool,
}

/// What the kernels leave in a float and two int8 sinks, or in a single int8 sink.
fn finished(kernels: &MicroKernels, case: &Case, single: bool) -> (Vec<u32>, Vec<u8>, Vec<u8>) {
    let Case { channels, pixels, finish_index, is_usual } = *case;
    let stride = channels.next_multiple_of([64, 4, 8][finish_index / 9 % 3]);
    let pick = |index: usize, length: usize| index.wrapping_mul(2_654_435_761) / 64 % length;
    let sums: Vec<i32> = (0..pixels * stride).map(|i| SUMS[pick(i + finish_index, SUMS.len())]).collect();
    let (scales, bias) = if is_usual { (&USUAL_SCALES[..], &USUAL_BIAS[..]) } else { (&SCALES[..], &BIAS[..]) };
    let scales: Vec<f32> = (0..stride).map(|i| scales[(i + finish_index) % scales.len()]).collect();
    let bias: Vec<f32> = (0..stride).map(|i| bias[(i * 5 + finish_index / 3) % bias.len()]).collect();
    let addend_stride = channels + 3;
    let addend = |i: usize| if is_usual { i as f32 * 0.37 - 40.0 } else { SCALES[i % SCALES.len()] * 3.0 };
    let floats: Vec<f32> = (0..(pixels + 1) * addend_stride).map(addend).collect();
    let bytes: Vec<u8> = (0..(pixels + 1) * addend_stride).map(|i| (i % 255) as u8 + 1).collect();
    let then = [Activation::None, Activation::Relu, Activation::LeakyRelu { slope: 0.5 }][finish_index % 3];
    let image = Image::new(&bytes, 1, pixels + 1, channels, addend_stride).unwrap();
    let residual = match finish_index % 4 {
        0 | 1 => None,
        2 => Some(Residual { addend: Addend::F32 { values: &floats, pixel_stride: addend_stride }, then }),
        _ => Some(Residual { addend: Addend::I8 { image, step: 0.37 }, then }),
    };
    let finish = Finish {
        scales: &scales,
        bias: &bias,
        fused_bias: finish_index % 5 < 2,
        activation: ACTIVATIONS[finish_index % ACTIVATIONS.len()],
        residual: if single { None } else { residual },
    };
    let tile = Tile { sums: &sums, stride, pixels, lane: 0, channel: 0, channels, pixel: 1, whole_pixel: 1 };
    let place = Place { pixel_stride: channels + 5, first_channel: 2 };
    let length = (pixels + 1) * place.pixel_stride;
    let (mut kept, mut first, mut second) = (vec![7.5; length], vec![9; length], vec![9; length]);
    let scale = SCALES[finish_index % SCALES.len()];
    let mut sinks = [
        Sink::I8 { bytes: &mut first, place, scale },
        Sink::F32 { values: &mut kept, place },
        Sink::I8 { bytes: &mut second, place, scale: 1.0 },
    ];
    let sinks = if single { &mut sinks[..1] } else { &mut sinks[..] };
    // SAFETY: there are sums of every pixel of the tile, and addends and sinks have one pixel more.
    unsafe { kernels.finish(&finish, &tile, sinks) };
    (bits(&kept), first, second)
}

#[test]
fn every_epilogue_equals_the_portable_one() {
    let portable = kernels_of(Isa::scalar());
    for kernels in Isa::available().iter().map(|&isa| kernels_of(isa)) {
        let mut cases = 0;
        for channels in [1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 64] {
            for pixels in [1, 2, 7, 8] {
                for (finish_index, is_usual) in (0..240).map(|i| (i, false)).chain((0..120).map(|i| (i, true))) {
                    let case = Case { channels, pixels, finish_index, is_usual };
                    for single in [false, true] {
                        let (found, expected) = (finished(kernels, &case, single), finished(portable, &case, single));
                        let place =
                            || format!("{:?} {channels}x{pixels} {finish_index} {is_usual} {single}", kernels.level);
                        assert_eq!(found.0, expected.0, "floats of {}", place());
                        assert_eq!(found.1, expected.1, "bytes of {}", place());
                        assert_eq!(found.2, expected.2, "second bytes of {}", place());
                        cases += 1;
                    }
                }
            }
        }
        checked("finish", kernels, cases);
    }
}

#[test]
fn every_slice_is_quantized_as_value_by_value() {
    let ties = (-300..=300).map(|half| half as f32 / 2.0).flat_map(|tie| [tie.next_down(), tie, tie.next_up()]);
    let patterns = (0..200_000u32).map(|step| f32::from_bits(step.wrapping_mul(0x9E37_79B1)));
    let values: Vec<f32> = ties.chain(patterns).collect();
    for kernels in Isa::available().iter().map(|&isa| kernels_of(isa)) {
        for scale in SCALES {
            let mut found = vec![7; values.len()];
            kernels.rows.quantize(&values, scale, &mut found);
            let expected: Vec<u8> = values.iter().map(|&value| stored(quantize(value, scale))).collect();
            assert_eq!(found, expected, "{:?} scale {scale}", kernels.level);
        }
        for length in 0..70 {
            let mut found = vec![7; length];
            kernels.rows.quantize(&values[..length], 1.0, &mut found);
            assert!(found.iter().zip(&values).all(|(&byte, &value)| byte == stored(quantize(value, 1.0))));
        }
        checked("quantize", kernels, SCALES.len() * values.len());
    }
}

#[test]
fn every_slice_of_bytes_is_converted_as_byte_by_byte() {
    let bytes: Vec<u8> = (0..=255).chain(0..=66).collect();
    for kernels in Isa::available().iter().map(|&isa| kernels_of(isa)) {
        for step in SCALES {
            let mut floats = vec![7.0; bytes.len()];
            kernels.rows.dequantize(&bytes, step, &mut floats);
            let expected: Vec<f32> = bytes.iter().map(|&byte| f32::from(unstored(byte)) * step).collect();
            assert_eq!(bits(&floats), bits(&expected), "{:?} step {step}", kernels.level);
            let mut again = vec![7; bytes.len()];
            kernels.rows.requantize(&bytes, step, 3.0, &mut again);
            let expected: Vec<u8> = expected.iter().map(|&value| stored(quantize(value, 3.0))).collect();
            assert_eq!(again, expected, "{:?} step {step}", kernels.level);
        }
        checked("dequantize", kernels, SCALES.len() * bytes.len());
        checked("requantize", kernels, SCALES.len() * bytes.len());
    }
}

#[test]
fn three_planes_become_pixels_of_three_bytes() {
    for kernels in Isa::available().iter().map(|&isa| kernels_of(isa)) {
        for length in (0..70).chain([512]) {
            let plane = |first: usize| (0..length).map(|i| (first + i) as u8).collect::<Vec<u8>>();
            let planes = [plane(0), plane(85), plane(170)];
            let mut out = vec![0; 3 * length];
            kernels.rows.interleave([&planes[0], &planes[1], &planes[2]], &mut out);
            assert!(out.iter().enumerate().all(|(i, &byte)| byte == planes[i % 3][i / 3]), "{:?}", kernels.level);
        }
        checked("interleave", kernels, 71);
    }
}
