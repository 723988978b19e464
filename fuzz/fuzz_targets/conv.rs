//! Every instruction set computes the accumulators of the reference, on any shape.

#![no_main]

use int8_kernels::{ConvShape, Isa, PackedConv, Padding, Scratch, reference};
use libfuzzer_sys::arbitrary::{self, Arbitrary, Unstructured};
use libfuzzer_sys::fuzz_target;

/// Sizes as small numbers, then the bytes that fill weights and input.
#[derive(Debug, Arbitrary)]
struct Case {
    groups: u8,
    in_group: u8,
    out_group: u8,
    depthwise: bool,
    kernel: (u8, u8),
    stride: (u8, u8),
    dilation: (u8, u8),
    size: (u8, u8),
    pads: [u8; 4],
    pad_value: i8,
    seed: u32,
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(case) = Case::arbitrary(&mut Unstructured::new(bytes)) else { return };
    let small = |value: u8, most: u8| usize::from(value % most) + 1;
    let groups = small(case.groups, 5) * if case.depthwise { 7 } else { 1 };
    let (in_group, out_group) =
        if case.depthwise { (1, 1) } else { (small(case.in_group, 40), small(case.out_group, 40)) };
    let shape = ConvShape {
        in_channels: groups * in_group,
        out_channels: groups * out_group,
        groups,
        kernel_h: small(case.kernel.0, 5),
        kernel_w: small(case.kernel.1, 5),
        stride_h: small(case.stride.0, 4),
        stride_w: small(case.stride.1, 4),
        dilation_h: small(case.dilation.0, 3),
        dilation_w: small(case.dilation.1, 3),
    };
    let (height, width) = (small(case.size.0, 12), small(case.size.1, 12));
    let [top, bottom, left, right] = case.pads.map(|pad| usize::from(pad % 4));
    let padding = Padding { top, bottom, left, right, value: case.pad_value };
    check(&shape, height, width, &padding, case.seed);
});

fn check(shape: &ConvShape, height: usize, width: usize, padding: &Padding, seed: u32) {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8 as i8
    };
    let depth = shape.in_channels / shape.groups * shape.kernel_h * shape.kernel_w;
    let weights: Vec<i8> = (0..shape.out_channels * depth).map(|_| next()).collect();
    let input: Vec<i8> = (0..shape.in_channels * height * width).map(|_| next().max(-127)).collect();
    let Some((out_h, out_w)) = shape.output_size(height, width, padding) else { return };
    let mut expected = vec![0; shape.out_channels * out_h * out_w];
    let defined = reference::conv(shape, &weights, &input, height, width, padding, &mut expected);
    for &isa in Isa::available() {
        let mut found = vec![0; expected.len()];
        let conv = PackedConv::new(*shape, &weights, isa).expect("a valid shape");
        let ran = conv.run(&input, height, width, padding, &mut Scratch::default(), &mut found);
        assert_eq!(ran.is_ok(), defined.is_ok(), "{isa:?}");
        assert!(ran.is_err() || found == expected, "{isa:?} {shape:?} {height}x{width} {padding:?}");
    }
}
