//! Matrix products, single pixels and matrices of windows against the definitions, on shapes and values drawn at random.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use int8_kernels::{
    Activation, Addend, Algorithm, Conv1x1, ConvShape, Epilogue, Error, Gemm, Image, Isa, MAX_DEPTH, Padding,
    PixelConv, PixelScratch, Place, Residual, Run, Sink, im2col, im2col_len, quantize, reference, stored, unstored,
};
use proptest::collection::vec;
use proptest::prelude::*;
use shapes::geometry;

mod shapes;

/// A matrix `[rows][columns]` the other way round.
fn transposed<T: Copy>(values: &[T], columns: usize) -> Vec<T> {
    let rows = values.len() / columns;
    (0..values.len()).map(|i| values[i % rows * columns + i / rows]).collect()
}

fn to_stored(values: &[i8]) -> Vec<u8> {
    values.iter().copied().map(stored).collect()
}

/// Outputs, depth, rows, weights `[outputs][depth]` and inputs `[rows][depth]`.
fn product() -> impl Strategy<Value = (usize, usize, usize, Vec<i8>, Vec<i8>)> {
    let sizes = prop_oneof![
        4 => (1..80usize, 1..90usize, 1..40usize),
        1 => (1..5usize, 200..700usize, 1..4usize),
        1 => (100..200usize, 1..9usize, 1..9usize),
    ];
    sizes.prop_flat_map(|(outputs, depth, rows)| {
        (vec(any::<i8>(), outputs * depth), vec(-127..=127i8, rows * depth))
            .prop_map(move |(weights, inputs)| (outputs, depth, rows, weights, inputs))
    })
}

/// Sums `[rows][outputs]` by the definition, whose activations are `[depth][rows]`.
fn sums_of(outputs: usize, depth: usize, rows: usize, weights: &[i8], inputs: &[i8]) -> Vec<i32> {
    let mut sums = vec![0; outputs * rows];
    reference::gemm(outputs, depth, rows, weights, &transposed(inputs, depth), &mut sums).unwrap();
    transposed(&sums, rows)
}

const ACTIVATIONS: [Activation; 7] = [
    Activation::None,
    Activation::Relu,
    Activation::LeakyRelu { slope: 0.1 },
    Activation::Clip { min: -0.5, max: 6.0 },
    Activation::Sigmoid,
    Activation::Mish,
    Activation::HardSwish { alpha: 1.0 / 6.0, beta: 0.5 },
];

/// Every activation with and without bias, rounded once or twice.
fn epilogues(outputs: usize) -> impl Iterator<Item = Epilogue> {
    let scales: Vec<f32> = (0..outputs).map(|i| 1e-3 + i as f32 * 1e-5).collect();
    let bias: Vec<f32> = (0..outputs).map(|i| i as f32 * 0.03 - 1.0).collect();
    let all = ACTIVATIONS.into_iter().flat_map(|a| [(a, false, false), (a, true, false), (a, true, true)]);
    all.map(move |(activation, has_bias, is_fused)| {
        let epilogue = Epilogue::new(scales.clone(), has_bias.then(|| bias.clone()), activation).unwrap();
        if is_fused { epilogue.with_fused_bias() } else { epilogue }
    })
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_gemm_equals_the_reference((outputs, depth, rows, weights, inputs) in product()) {
        let expected = sums_of(outputs, depth, rows, &weights, &inputs);
        let mut scratch = PixelScratch::default();
        for &isa in Isa::available() {
            let gemm = Gemm::new(outputs, depth, &weights, isa).unwrap();
            let mut found = vec![77; rows * outputs];
            gemm.accumulate(&to_stored(&inputs), &mut found, &mut scratch).unwrap();
            prop_assert_eq!(&found, &expected, "{}", isa);
        }
    }

    #[test]
    fn a_batch_is_its_rows_one_by_one((outputs, depth, rows, weights, inputs) in product()) {
        let gemm = Gemm::new(outputs, depth, &weights, Isa::detect()).unwrap();
        let (mut scratch, inputs) = (PixelScratch::default(), to_stored(&inputs));
        let mut whole = vec![0; rows * outputs];
        gemm.accumulate(&inputs, &mut whole, &mut scratch).unwrap();
        for (row, expected) in inputs.chunks(depth).zip(whole.chunks(outputs)) {
            let mut sums = vec![0; outputs];
            gemm.accumulate(row, &mut sums, &mut scratch).unwrap();
            prop_assert_eq!(&sums, expected);
        }
    }

    #[test]
    fn a_gemm_is_a_pointwise_convolution((outputs, depth, rows, weights, inputs) in product()) {
        let (mut scratch, bytes) = (PixelScratch::default(), to_stored(&inputs));
        let (mut a, mut b) = (vec![0; rows * outputs], vec![1; rows * outputs]);
        Gemm::new(outputs, depth, &weights, Isa::detect()).unwrap().accumulate(&bytes, &mut a, &mut scratch).unwrap();
        let image = Image::new(&bytes, 1, rows, depth, depth).unwrap();
        let conv = Conv1x1::new(depth, outputs, &weights, Isa::detect()).unwrap();
        conv.accumulate(&image, &mut b, &mut scratch).unwrap();
        prop_assert_eq!(a, b);
    }

    #[test]
    fn a_product_with_the_matrix_of_windows_is_the_convolution(
        (shape, height, width, padding) in geometry(),
        seed in any::<u32>(),
    ) {
        let Some((rows, columns)) = shape.output_size(height, width, &padding) else { return Ok(()) };
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8 as i8
        };
        let depth = shape.depth().unwrap();
        let weights: Vec<i8> = (0..shape.out_channels * depth).map(|_| next()).collect();
        let bytes: Vec<u8> = (0..height * width * shape.in_channels).map(|_| stored(next().max(-127))).collect();
        let image = Image::new(&bytes, height, width, shape.in_channels, shape.in_channels).unwrap();
        let epilogue = Epilogue::new(vec![1.0; shape.out_channels], None, Activation::None).unwrap();
        let conv = PixelConv::new(shape, &weights, epilogue, Isa::detect()).unwrap();
        let mut expected = vec![0; rows * columns * shape.out_channels];
        let mut scratch = PixelScratch::default();
        conv.accumulate(&Run { input: image, padding, rows: 0..rows, residual: None }, &mut expected, &mut scratch).unwrap();

        let mut matrix = vec![0xEE; im2col_len(&shape, height, width, &padding).unwrap()];
        im2col(&shape, &image, &padding, &mut matrix).unwrap();
        let out_group = shape.out_channels / shape.groups;
        let of_group = weights.chunks(out_group * depth).zip(matrix.chunks(matrix.len() / shape.groups));
        for (group, (weights, matrix)) in of_group.enumerate() {
            let gemm = Gemm::new(out_group, depth, weights, Isa::detect()).unwrap();
            let mut sums = vec![0; rows * columns * out_group];
            gemm.accumulate(matrix, &mut sums, &mut scratch).unwrap();
            for (sums, expected) in sums.chunks(out_group).zip(expected.chunks(shape.out_channels)) {
                prop_assert_eq!(sums, &expected[group * out_group..][..out_group]);
            }
        }
    }

    #[test]
    fn the_matrix_of_single_pixels_is_the_image(height in 1..9usize, width in 1..9usize, channels in 1..20usize) {
        let bytes: Vec<u8> = (0..height * width * channels).map(|i| i as u8).collect();
        let image = Image::new(&bytes, height, width, channels, channels).unwrap();
        let mut matrix = vec![0; bytes.len()];
        im2col(&ConvShape::pointwise(channels, 1), &image, &Padding::default(), &mut matrix).unwrap();
        prop_assert_eq!(matrix, bytes);
    }
}

#[test]
fn every_epilogue_of_a_gemm_has_the_bits_of_its_steps() {
    let (outputs, depth, rows) = (37, 50, 9);
    let weights: Vec<i8> = (0..outputs * depth).map(|i| (i * 91 % 256) as u8 as i8).collect();
    let inputs: Vec<i8> = (0..rows * depth).map(|i| (i * 37 % 255) as u8 as i8).map(|value| value.max(-127)).collect();
    let sums = sums_of(outputs, depth, rows, &weights, &inputs);
    let addends: Vec<f32> = (0..rows * outputs).map(|i| i as f32 * 0.1 - 15.0).collect();
    let (bytes, mut scratch) = (to_stored(&inputs), PixelScratch::default());
    for (index, epilogue) in epilogues(outputs).enumerate() {
        for then in [None, Some(Activation::None), Some(Activation::Relu), Some(Activation::Sigmoid)] {
            let mut expected = vec![0.0; sums.len()];
            for (at, (sum, value)) in sums.iter().zip(&mut expected).enumerate() {
                let one = (std::slice::from_ref(sum), std::slice::from_mut(value));
                epilogue.dequantize(at % outputs, one.0, one.1).unwrap();
                *value = then.map_or(*value, |then| then.apply(*value + addends[at]));
            }
            for &isa in Isa::available() {
                let gemm = Gemm::new(outputs, depth, &weights, isa).unwrap().with_epilogue(epilogue.clone()).unwrap();
                let addend = Addend::F32 { values: &addends, pixel_stride: outputs };
                let residual = then.map(|then| Residual { addend, then });
                let (mut floats, mut quantized) = (vec![9.0; sums.len()], vec![9; sums.len()]);
                let place = Place::whole(outputs);
                let mut sinks =
                    [Sink::I8 { bytes: &mut quantized, place, scale: 11.0 }, Sink::F32 { values: &mut floats, place }];
                gemm.run(&bytes, residual, &mut sinks, &mut scratch).unwrap();
                assert_eq!(bits(&floats), bits(&expected), "{isa}, epilogue {index}, then {then:?}");
                let found: Vec<i8> = quantized.iter().copied().map(unstored).collect();
                let expected: Vec<i8> = expected.iter().map(|&value| quantize(value, 11.0)).collect();
                assert_eq!(found, expected, "{isa}, epilogue {index}, then {then:?}");
            }
        }
    }
}

#[test]
fn an_epilogue_can_be_changed_without_packing_again() {
    let shape = ConvShape { kernel_h: 3, kernel_w: 3, ..ConvShape::pointwise(16, 16) };
    let weights = vec![1; 16 * 144];
    let bytes = vec![stored(2); 64 * 64 * 16];
    let input = Image::new(&bytes, 64, 64, 16, 16).unwrap();
    let run = Run { input, padding: Padding::uniform(1), rows: 0..64, residual: None };
    for (isa, algorithm) in Isa::available()
        .iter()
        .flat_map(|&isa| [Algorithm::Direct, Algorithm::Winograd].map(|algorithm| (isa, algorithm)))
    {
        let values_of = |conv: &PixelConv| {
            let mut values = vec![0.0; 64 * 64 * 16];
            let mut sinks = [Sink::F32 { values: &mut values, place: Place::whole(16) }];
            conv.run(&run, &mut sinks, &mut PixelScratch::default()).unwrap();
            values
        };
        let epilogue = |scale, bias: Option<f32>| {
            Epilogue::new(vec![scale; 16], bias.map(|bias| vec![bias; 16]), Activation::Relu).unwrap()
        };
        let conv = PixelConv::with_algorithm(shape, &weights, epilogue(0.5, Some(3.0)), isa, algorithm).unwrap();
        let fresh = PixelConv::with_algorithm(shape, &weights, epilogue(0.25, None), isa, algorithm).unwrap();
        let before = values_of(&conv);
        let changed = conv.with_epilogue(epilogue(0.25, None)).unwrap();
        assert_eq!(bits(&values_of(&changed)), bits(&values_of(&fresh)), "{isa} {algorithm:?}");
        assert_ne!(bits(&before), bits(&values_of(&changed)), "{isa} {algorithm:?}");
        let short = Epilogue::new(vec![1.0; 15], None, Activation::None).unwrap();
        let error = changed.with_epilogue(short).unwrap_err();
        assert_eq!(error, Error::Length { what: "epilogue", expected: 16, found: 15 });
    }
}

#[test]
fn windows_lie_in_the_order_of_the_weights_with_padding_around() {
    // Two channels of 2x2 pixels; a kernel of 2x1 that hangs over the upper edge.
    let bytes = [1, 10, 2, 20, 3, 30, 4, 40].map(stored);
    let image = Image::new(&bytes, 2, 2, 2, 2).unwrap();
    let shape = ConvShape { kernel_h: 2, ..ConvShape::pointwise(2, 1) };
    let padding = Padding { top: 1, value: -7, ..Padding::default() };
    let mut matrix = vec![0; im2col_len(&shape, 2, 2, &padding).unwrap()];
    im2col(&shape, &image, &padding, &mut matrix).unwrap();
    let values: Vec<i8> = matrix.into_iter().map(unstored).collect();
    assert_eq!(values, [-7, 1, -7, 10, -7, 2, -7, 20, 1, 3, 10, 30, 2, 4, 20, 40]);
    let mut grouped = [0; 16];
    im2col(&ConvShape { groups: 2, out_channels: 2, ..shape }, &image, &padding, &mut grouped).unwrap();
    assert_eq!(grouped.map(unstored), [-7, 1, -7, 2, 1, 3, 2, 4, -7, 10, -7, 20, 10, 30, 20, 40]);
}

#[test]
fn what_does_not_fit_is_named() {
    let isa = Isa::detect();
    let text = |error: Error| error.to_string();
    assert_eq!(text(Gemm::new(0, 3, &[], isa).unwrap_err()), "out_channels is zero");
    assert_eq!(text(Gemm::new(2, 3, &[0; 5], isa).unwrap_err()), "weights must have 6 elements, found 5");
    let deep = Gemm::new(1, MAX_DEPTH + 1, &[], isa).unwrap_err();
    assert_eq!(text(deep), "depth 131072 exceeds 131071, sums could overflow");
    assert_eq!(text(Gemm::new(usize::MAX, 2, &[], isa).unwrap_err()), "weights is too large to address");
    let gemm = Gemm::new(2, 3, &[0; 6], isa).unwrap();
    let mut scratch = PixelScratch::default();
    let error = gemm.accumulate(&[0; 7], &mut [0; 4], &mut scratch).unwrap_err();
    assert_eq!(text(error), "inputs must have 6 elements, found 7");
    let error = gemm.accumulate(&[0; 6], &mut [0; 3], &mut scratch).unwrap_err();
    assert_eq!(text(error), "sums must have 4 elements, found 3");
    assert_eq!(text(gemm.accumulate(&[], &mut [0], &mut scratch).unwrap_err()), "sums must have 0 elements, found 1");
    let conv = Conv1x1::new(2, 1, &[0; 2], isa).unwrap();
    let image = Image::new(&[0; 3], 1, 1, 3, 3).unwrap();
    let error = conv.accumulate(&image, &mut [0], &mut scratch).unwrap_err();
    assert_eq!(text(error), "input must be 1x1 of 2 channels, found 1x1 of 3");
    let error = im2col(&ConvShape::pointwise(3, 1), &image, &Padding::default(), &mut [0; 2]).unwrap_err();
    assert_eq!(text(error), "im2col matrix must have 3 elements, found 2");
    let error = reference::gemm(1, MAX_DEPTH + 1, 0, &vec![0; MAX_DEPTH + 1], &[], &mut []).unwrap_err();
    assert_eq!(text(error), "depth 131072 exceeds 131071, sums could overflow");
}

#[test]
fn a_gemm_of_no_rows_does_nothing() {
    let gemm = Gemm::new(2, 3, &[1; 6], Isa::detect()).unwrap();
    let mut scratch = PixelScratch::default();
    assert_eq!(gemm.accumulate(&[], &mut [], &mut scratch), Ok(()));
    let mut values = [5.0; 2];
    let mut sinks = [Sink::F32 { values: &mut values, place: Place::whole(2) }];
    assert_eq!(gemm.run(&[], None, &mut sinks, &mut scratch), Ok(()));
    assert_eq!(values, [5.0; 2]);
}

/// A max pool of a single pixel far beyond the image, whose stride may be anything.
#[test]
fn strides_of_single_pixels_may_be_any_number() {
    use int8_kernels::{PoolWindow, max_pool};
    let bytes = [stored(9); 40];
    let image = Image::new(&bytes, 1, 1, 40, usize::MAX).unwrap();
    let padding = Padding { bottom: 5, ..Padding::default() };
    let window = PoolWindow { kernel_h: 1, kernel_w: 1, stride_h: 5, stride_w: usize::MAX, padding };
    for &isa in Isa::available() {
        let mut out = [0; 80];
        max_pool(&image, &window, 0..2, &mut out, Place::whole(40), isa).unwrap();
        assert_eq!((out[0], out[40]), (stored(9), stored(-127)), "{isa}");
        let shape = ConvShape { stride_h: usize::MAX, stride_w: 7, ..ConvShape::pointwise(40, 3) };
        let epilogue = Epilogue::new(vec![1.0; 3], None, Activation::None).unwrap();
        let conv = PixelConv::new(shape, &[1; 120], epilogue, isa).unwrap();
        let run = Run { input: image, padding: Padding::default(), rows: 0..1, residual: None };
        let mut values = [0.0; 3];
        let place = Place { pixel_stride: usize::MAX, first_channel: 0 };
        conv.run(&run, &mut [Sink::F32 { values: &mut values, place }], &mut PixelScratch::default()).unwrap();
        assert_eq!(values, [360.0; 3], "{isa}");
    }
}
