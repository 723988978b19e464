//! Channels-last layers against their definitions, on shapes and values drawn at random.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use int8_kernels::{
    Activation, Addend, Algorithm, ConvShape, Epilogue, Image, Isa, Padding, PixelConv, PixelScratch, Place,
    PoolWindow, Residual, Run, Sink, max_pool, quantize, reference, stored, unstored,
};
use proptest::collection::vec;
use proptest::prelude::*;
use shapes::{geometry, three_by_three};

mod shapes;

#[derive(Debug, Clone)]
struct Case {
    shape: ConvShape,
    height: usize,
    width: usize,
    padding: Padding,
    slack: usize,
    weights: Vec<i8>,
    /// Planar, as the reference reads it.
    input: Vec<i8>,
    seed: u32,
}

impl Case {
    fn out_size(&self) -> Option<(usize, usize)> {
        self.shape.output_size(self.height, self.width, &self.padding)
    }

    /// Channels-last sums of the reference.
    fn reference(&self) -> Vec<i32> {
        let (height, width) = self.out_size().unwrap();
        let channels = self.shape.out_channels;
        let mut planes = vec![0; channels * height * width];
        reference::conv(&self.shape, &self.weights, &self.input, self.height, self.width, &self.padding, &mut planes)
            .unwrap();
        let pixels = height * width;
        (0..pixels * channels).map(|i| planes[i % channels * pixels + i / channels]).collect()
    }

    fn pixel_stride(&self) -> usize {
        self.shape.in_channels + self.slack
    }

    /// The input as stored pixels, other bytes garbage, ending right after the last channel.
    fn pixels(&self) -> Vec<u8> {
        let (stride, channels) = (self.pixel_stride(), self.shape.in_channels);
        let pixels = self.height * self.width;
        let mut bytes = vec![0xEE; (pixels - 1) * stride + channels];
        for (i, &value) in self.input.iter().enumerate() {
            bytes[i % pixels * stride + i / pixels] = stored(value);
        }
        bytes
    }

    fn epilogue(&self, numbers: &mut Numbers, activation: Activation) -> Epilogue {
        let channels = self.shape.out_channels;
        let scales = (0..channels).map(|_| numbers.float() * 1e-3).collect();
        let bias = numbers.below(3) != 0;
        let bias = bias.then(|| (0..channels).map(|_| numbers.float()).collect());
        let epilogue = Epilogue::new(scales, bias, activation).unwrap();
        if numbers.below(2) == 0 { epilogue } else { epilogue.with_fused_bias() }
    }
}

struct Numbers(u32);

impl Numbers {
    fn bits(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    fn below(&mut self, end: u32) -> u32 {
        self.bits() % end
    }

    /// Mostly of ordinary size, sometimes a zero, an infinity or a NaN.
    fn float(&mut self) -> f32 {
        self.bits() as f32 / (1 << 22) as f32 - 2.0
    }

    fn any_float(&mut self) -> f32 {
        match self.below(40) {
            0 => f32::NAN,
            1 => f32::INFINITY,
            2 => f32::NEG_INFINITY,
            3 => -0.0,
            4 => 0.0,
            _ => self.float(),
        }
    }
}

fn case() -> impl Strategy<Value = Case> {
    prop_oneof![3 => geometry(), 1 => three_by_three()]
        .prop_filter("the kernel fits", |(shape, height, width, padding)| {
            shape.output_size(*height, *width, padding).is_some()
        })
        .prop_flat_map(|(shape, height, width, padding)| {
            let weights = shape.depth().unwrap() * shape.out_channels;
            let input = shape.in_channels * height * width;
            let slack = prop_oneof![Just(0usize), 1..20usize];
            (vec(any::<i8>(), weights), vec(-127..=127i8, input), slack, any::<u32>()).prop_map(
                move |(weights, input, slack, seed)| Case {
                    shape,
                    height,
                    width,
                    padding,
                    slack,
                    weights,
                    input,
                    seed,
                },
            )
        })
}

/// Every instruction set with every algorithm.
fn ways() -> impl Iterator<Item = (Isa, Algorithm)> {
    let algorithms = [Algorithm::Fastest, Algorithm::Direct, Algorithm::Winograd];
    Isa::available().iter().flat_map(move |&isa| algorithms.map(|algorithm| (isa, algorithm)))
}

fn activations() -> [Activation; 7] {
    [
        Activation::None,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.1 },
        Activation::Clip { min: -0.5, max: 6.0 },
        Activation::Sigmoid,
        Activation::Mish,
        Activation::HardSwish { alpha: 1.0 / 6.0, beta: 0.5 },
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_convolution_of_pixels_equals_the_reference(case in case()) {
        let expected = case.reference();
        let bytes = case.pixels();
        let (rows, width) = case.out_size().unwrap();
        let channels = case.shape.out_channels;
        let input = Image::new(&bytes, case.height, case.width, case.shape.in_channels, case.pixel_stride()).unwrap();
        let mut scratch = PixelScratch::default();
        for (isa, algorithm) in ways() {
            let epilogue = Epilogue::new(vec![1.0; channels], None, Activation::None).unwrap();
            let conv = PixelConv::with_algorithm(case.shape, &case.weights, epilogue, isa, algorithm).unwrap();
            let split = case.seed as usize % (rows + 1);
            for range in [0..split, split..rows] {
                let mut found = vec![77; range.len() * width * channels];
                let run = Run { input, padding: case.padding, rows: range.clone(), residual: None };
                conv.accumulate(&run, &mut found, &mut scratch).unwrap();
                prop_assert_eq!(&found[..], &expected[range.start * width * channels..][..found.len()], "{} {:?} rows {:?}", isa, algorithm, range);
            }
        }
    }

    #[test]
    fn an_epilogue_has_the_bits_of_its_steps(case in case()) {
        let sums = case.reference();
        let bytes = case.pixels();
        let (rows, width) = case.out_size().unwrap();
        let channels = case.shape.out_channels;
        let input = Image::new(&bytes, case.height, case.width, case.shape.in_channels, case.pixel_stride()).unwrap();
        let mut numbers = Numbers(case.seed);
        let mut pick = || activations()[numbers.below(7) as usize];
        let (activation, then) = (pick(), pick());
        let epilogue = case.epilogue(&mut numbers, activation);
        let addend_stride = channels + numbers.below(3) as usize;
        let floats: Vec<f32> = (0..rows * width * addend_stride).map(|_| numbers.any_float()).collect();
        let addends: Vec<u8> = (0..rows * width * addend_stride).map(|_| numbers.below(255) as u8 + 1).collect();
        let residual = match numbers.below(4) {
            0 => None,
            3 => Some(Residual { addend: Addend::InSink, then }),
            1 => Some(Residual { addend: Addend::F32 { values: &floats, pixel_stride: addend_stride }, then }),
            _ => {
                let image = Image::new(&addends, rows, width, channels, addend_stride).unwrap();
                Some(Residual { addend: Addend::I8 { image, step: 0.013 }, then })
            }
        };
        let scales = [numbers.any_float() * 30.0, numbers.float() * 30.0];

        let mut values = vec![0.0; sums.len()];
        for (index, (sum, value)) in sums.iter().zip(&mut values).enumerate() {
            let (pixel, channel) = (index / channels, index % channels);
            epilogue.dequantize(channel, std::slice::from_ref(sum), std::slice::from_mut(value)).unwrap();
            let at = pixel * addend_stride + channel;
            *value = match residual.map(|residual| residual.addend) {
                None => *value,
                Some(Addend::I8 { image, step }) => then.apply(*value + f32::from(unstored(image.bytes()[at])) * step),
                Some(_) => then.apply(*value + floats[at]),
            };
        }

        let start = case.seed as usize % rows;
        let first = start * width * channels;
        let pixels = (rows - start) * width;
        let place = Place { pixel_stride: channels + 5, first_channel: 3 };
        let mut scratch = PixelScratch::default();
        for (isa, algorithm) in ways() {
            let conv =
                PixelConv::with_algorithm(case.shape, &case.weights, epilogue.clone(), isa, algorithm).unwrap();
            // What is there is overwritten, or added first.
            let held = |index: usize| floats[(start * width + index / channels) * addend_stride + index % channels];
            let mut kept: Vec<f32> = (0..pixels * channels).map(held).collect();
            let mut whole = vec![9; pixels * channels];
            let mut part = vec![9; pixels * place.pixel_stride];
            let mut sinks = [
                Sink::F32 { values: &mut kept, place: Place::whole(channels) },
                Sink::I8 { bytes: &mut whole, place: Place::whole(channels), scale: scales[0] },
                Sink::I8 { bytes: &mut part, place, scale: scales[1] },
            ];
            let run = Run { input, padding: case.padding, rows: start..rows, residual };
            conv.run(&run, &mut sinks, &mut scratch).unwrap();
            let bits = |values: &[f32]| -> Vec<u32> { values.iter().map(|v| if v.is_nan() { u32::MAX } else { v.to_bits() }).collect() };
            prop_assert_eq!(bits(&kept), bits(&values[first..]), "{}", isa);
            let quantized = |scale: f32| -> Vec<i8> { values[first..].iter().map(|&v| quantize(v, scale)).collect() };
            let found: Vec<i8> = whole.iter().map(|&byte| unstored(byte)).collect();
            prop_assert_eq!(found, quantized(scales[0]), "{}", isa);
            let mut expected = quantized(scales[1]).into_iter();
            for pixel in part.chunks_exact(place.pixel_stride) {
                prop_assert!(pixel[..3].iter().chain(&pixel[3 + channels..]).all(|&byte| byte == 9), "{}", isa);
                for &byte in &pixel[3..3 + channels] {
                    prop_assert_eq!(Some(unstored(byte)), expected.next(), "{}", isa);
                }
            }
        }
    }

    #[test]
    fn a_max_pool_takes_the_largest_of_each_window(
        (channels, height, width, slack) in (1..70usize, 1..12usize, 1..12usize, 0..9usize),
        (kernel, stride) in ((1..4usize, 1..4usize), (1..4usize, 1..4usize)),
        pads in (0..3usize, 0..3usize, 0..3usize, 0..3usize),
        seed in any::<u32>(),
    ) {
        let mut numbers = Numbers(seed);
        let stride_c = channels + slack;
        let bytes: Vec<u8> = (0..height * width * stride_c).map(|_| numbers.below(255) as u8 + 1).collect();
        let padding = Padding { top: pads.0, bottom: pads.1, left: pads.2, right: pads.3, value: 0 };
        let window = PoolWindow { kernel_h: kernel.0, kernel_w: kernel.1, stride_h: stride.0, stride_w: stride.1, padding };
        let Some((rows, columns)) = window.output_size(height, width) else { return Ok(()) };
        let image = Image::new(&bytes, height, width, channels, stride_c).unwrap();
        let start = seed as usize % rows;
        let place = Place { pixel_stride: channels + 2, first_channel: 1 };
        for &isa in Isa::available() {
            let mut out = vec![7; (rows - start) * columns * place.pixel_stride];
            max_pool(&image, &window, start..rows, &mut out, place, isa).unwrap();
            for (index, &found) in out.iter().enumerate() {
                let (pixel, at) = (index / place.pixel_stride, index % place.pixel_stride);
                let mut expected = 7;
                if (1..=channels).contains(&at) {
                    expected = stored(-127);
                    let (y, x) = (start + pixel / columns, pixel % columns);
                    for (ky, kx) in (0..kernel.0).flat_map(|ky| (0..kernel.1).map(move |kx| (ky, kx))) {
                        let inside = |p: usize, before: usize, size: usize| p.checked_sub(before).filter(|&p| p < size);
                        let (y, x) = (inside(y * stride.0 + ky, pads.0, height), inside(x * stride.1 + kx, pads.2, width));
                        if let (Some(y), Some(x)) = (y, x) {
                            let byte = bytes[(y * width + x) * stride_c + at - 1];
                            expected = stored(unstored(expected).max(unstored(byte)));
                        }
                    }
                }
                prop_assert_eq!(found, expected, "{} at {}", isa, index);
            }
        }
    }
}
