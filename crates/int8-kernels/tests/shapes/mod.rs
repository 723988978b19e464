//! Shapes of convolutions drawn at random.

use int8_kernels::{ConvShape, Padding};
use proptest::prelude::*;

/// A convolution, height and width of its input, and padding: dense, grouped or depthwise, with any stride
/// and dilation. The kernel may not fit.
pub(crate) fn geometry() -> impl Strategy<Value = (ConvShape, usize, usize, Padding)> {
    let channels = prop_oneof![
        (1..4usize, 1..9usize, 1..20usize).prop_map(|(groups, i, o)| (groups, groups * i, groups * o)),
        (1..80usize).prop_map(|channels| (channels, channels, channels)),
        (1..70usize, 1..70usize).prop_map(|(i, o)| (1, i, o)),
    ];
    let kernel = prop_oneof![
        2 => (1..5usize, 1..5usize, 1..4usize, 1..4usize, 1..4usize, 1..4usize),
        1 => (1..6usize, 1..3usize).prop_map(|(k, s)| (k, k, s, s, 1, 1)),
    ];
    (channels, kernel, 1..12usize, 1..24usize, padding()).prop_map(|(channels, kernel, height, width, padding)| {
        let (groups, in_channels, out_channels) = channels;
        let (kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w) = kernel;
        let shape = ConvShape {
            in_channels,
            out_channels,
            groups,
            kernel_h,
            kernel_w,
            stride_h,
            stride_w,
            dilation_h,
            dilation_w,
        };
        (shape, height, width, padding)
    })
}

/// What Winograd's algorithm is for. The kernel may not fit.
pub(crate) fn three_by_three() -> impl Strategy<Value = (ConvShape, usize, usize, Padding)> {
    (1..90usize, 1..70usize, 1..20usize, 1..30usize, padding()).prop_map(|(i, o, height, width, padding)| {
        (ConvShape { kernel_h: 3, kernel_w: 3, ..ConvShape::pointwise(i, o) }, height, width, padding)
    })
}

fn padding() -> impl Strategy<Value = Padding> {
    (0..4usize, 0..4usize, 0..4usize, 0..4usize, -127..=127i8, any::<bool>()).prop_map(
        |(top, bottom, left, right, value, any)| {
            if any { Padding { top, bottom, left, right, value } } else { Padding::default() }
        },
    )
}
