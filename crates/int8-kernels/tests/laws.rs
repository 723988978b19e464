//! Laws of the arithmetic, on shapes and values drawn at random.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use int8_kernels::{Activation, ConvShape, Epilogue, Isa, PackedConv, Padding, Scratch, quantize, reference};
use proptest::collection::vec;
use proptest::prelude::*;
use shapes::geometry;

mod shapes;

#[derive(Debug, Clone)]
struct Case {
    shape: ConvShape,
    height: usize,
    width: usize,
    padding: Padding,
    weights: Vec<i8>,
    input: Vec<i8>,
}

impl Case {
    fn reference(&self) -> Option<Vec<i32>> {
        let mut out = self.output()?;
        let Self { shape, height, width, padding, weights, input } = self;
        reference::conv(shape, weights, input, *height, *width, padding, &mut out).unwrap();
        Some(out)
    }

    fn packed(&self, isa: Isa, scratch: &mut Scratch) -> Option<Vec<i32>> {
        let mut out = self.output()?;
        let conv = PackedConv::new(self.shape, &self.weights, isa).unwrap();
        conv.run(&self.input, self.height, self.width, &self.padding, scratch, &mut out).unwrap();
        Some(out)
    }

    /// Sums that hold garbage, so that one that is not overwritten is noticed.
    fn output(&self) -> Option<Vec<i32>> {
        let (height, width) = self.shape.output_size(self.height, self.width, &self.padding)?;
        Some(vec![0x0BAD_0BAD; self.shape.out_channels * height * width])
    }
}

fn case() -> impl Strategy<Value = Case> {
    geometry().prop_flat_map(|(shape, height, width, padding)| {
        let weights = shape.depth().unwrap() * shape.out_channels;
        let input = shape.in_channels * height * width;
        (vec(any::<i8>(), weights), vec(-127..=127i8, input)).prop_map(move |(weights, input)| Case {
            shape,
            height,
            width,
            padding,
            weights,
            input,
        })
    })
}

fn monotone() -> impl Strategy<Value = Activation> {
    prop_oneof![
        Just(Activation::None),
        Just(Activation::Relu),
        (0.0..2.0f32).prop_map(|slope| Activation::LeakyRelu { slope }),
        (-8.0..0.0f32, 0.0..8.0f32).prop_map(|(min, max)| Activation::Clip { min, max }),
        Just(Activation::Sigmoid),
    ]
}

proptest! {
    // Cheap cases over many dimensions: more than usual.
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_packed_convolution_equals_the_reference(case in case()) {
        let mut scratch = Scratch::default();
        for &isa in Isa::available() {
            prop_assert_eq!(case.packed(isa, &mut scratch), case.reference(), "{}", isa);
        }
    }

    #[test]
    fn a_pointwise_convolution_is_a_matrix_product(
        (rows, depth, columns) in (1..10usize, 1..40usize, 1..40usize),
        seed in any::<u64>(),
    ) {
        let value = |i: usize| (seed.wrapping_mul(2 * i as u64 + 1) >> 32) as u32;
        let weights: Vec<i8> = (0..rows * depth).map(|i| value(i) as i8).collect();
        let input: Vec<i8> = (0..depth * columns).map(|i| (value(i + 7919) % 255) as i8).collect();
        let input: Vec<i8> = input.into_iter().map(|x| x.max(-127)).collect();
        let mut scratch = Scratch::default();
        let (mut product, mut sums) = (vec![0; rows * columns], vec![0; rows * columns]);
        reference::gemm(rows, depth, columns, &weights, &input, &mut product).unwrap();
        let conv = PackedConv::new(ConvShape::pointwise(depth, rows), &weights, Isa::detect()).unwrap();
        conv.run(&input, 1, columns, &Padding::default(), &mut scratch, &mut sums).unwrap();
        prop_assert_eq!(product, sums);
    }

    #[test]
    fn dilation_is_a_kernel_with_zeros_inserted(case in case()) {
        let ConvShape { kernel_h, kernel_w, dilation_h, dilation_w, .. } = case.shape;
        let (tall, wide) = ((kernel_h - 1) * dilation_h + 1, (kernel_w - 1) * dilation_w + 1);
        let kernels = case.weights.len() / (kernel_h * kernel_w);
        let mut spread = vec![0; kernels * tall * wide];
        for (index, &weight) in case.weights.iter().enumerate() {
            let (kernel, y, x) = (index / (kernel_h * kernel_w), index / kernel_w % kernel_h, index % kernel_w);
            spread[(kernel * tall + y * dilation_h) * wide + x * dilation_w] = weight;
        }
        let shape = ConvShape { kernel_h: tall, kernel_w: wide, dilation_h: 1, dilation_w: 1, ..case.shape };
        let undilated = Case { shape, weights: spread, ..case.clone() };
        let mut scratch = Scratch::default();
        prop_assert_eq!(
            case.packed(Isa::detect(), &mut scratch),
            undilated.packed(Isa::detect(), &mut scratch)
        );
    }

    #[test]
    fn requantizing_with_a_monotone_activation_is_monotone(
        activation in monotone(),
        mut accumulators in vec(any::<i32>(), 1..50),
        (scale, bias, output_scale) in (1e-9..1e-2f32, -10.0..10.0f32, 0.1..100.0f32),
    ) {
        accumulators.sort_unstable();
        let epilogue = Epilogue::new(vec![scale], Some(vec![bias]), activation).unwrap();
        let mut bytes = vec![0; accumulators.len()];
        epilogue.requantize(0, &accumulators, output_scale, &mut bytes).unwrap();
        prop_assert!(bytes.is_sorted(), "{:?}", bytes);
    }

    #[test]
    fn quantizing_never_gives_the_lowest_byte(x in any::<f32>(), scale in any::<f32>()) {
        prop_assert_ne!(quantize(x, scale), i8::MIN);
        prop_assert_ne!(quantize(f32::from_bits(x.to_bits() | 0x7F80_0000), scale), i8::MIN);
    }

    #[test]
    fn halves_round_away_from_zero(whole in 0..127i8) {
        let half = f32::from(whole) + 0.5;
        prop_assert_eq!(quantize(half, 1.0), whole + 1);
        prop_assert_eq!(quantize(-half, 1.0), -whole - 1);
        prop_assert_eq!(quantize(half.next_down(), 1.0), whole);
        prop_assert_eq!(quantize(half * 4.0, 0.25), whole + 1);
    }
}

#[test]
fn a_run_with_buffers_that_do_not_fit_says_which() {
    let shape = ConvShape { kernel_h: 3, kernel_w: 3, ..ConvShape::pointwise(2, 3) };
    let conv = PackedConv::new(shape, &[1; 54], Isa::detect()).unwrap();
    assert_eq!((conv.shape(), conv.isa()), (&shape, Isa::detect()));
    let run = |input: usize, (height, width), padding: Padding, out: usize| {
        let (input, mut out) = (vec![0; input], vec![0; out]);
        conv.run(&input, height, width, &padding, &mut Scratch::default(), &mut out).unwrap_err().to_string()
    };
    let none = Padding::default();
    assert_eq!(run(31, (4, 4), none, 12), "input must have 32 elements, found 31");
    assert_eq!(run(32, (4, 4), none, 11), "accumulators must have 12 elements, found 11");
    assert_eq!(run(8, (2, 2), none, 1), "kernel of 3x3 does not fit an input of 2x2 with its padding");
    assert_eq!(run(32, (4, 4), Padding { value: -128, ..none }, 12), "padding value -128 is outside -127..=127");
    assert_eq!(run(0, (0, 4), Padding { top: 3, ..none }, 6), "input height is zero");
    assert_eq!(run(0, (usize::MAX, 4), none, 6), "input is too large to address");
    let large = 1 << (usize::BITS - 3);
    let wide = Padding { left: large, ..none };
    let strided = PackedConv::new(ConvShape { stride_w: large, ..shape }, &[1; 54], Isa::detect()).unwrap();
    let run = strided.run(&[0; 32], 4, 4, &wide, &mut Scratch::default(), &mut [0; 12]);
    assert_eq!(run.unwrap_err().to_string(), "padded input is too large to address");
    let error = PackedConv::new(shape, &[1; 53], Isa::detect()).unwrap_err();
    assert_eq!(error.to_string(), "weights must have 54 elements, found 53");
}
