//! A kernel whose taps look like those of another.

use int8_kernels::{ConvShape, Isa, PackedConv, Padding, Scratch, reference};

/// Twelve taps of a padded image three pixels wide are as far apart as the columns of a 3 x 3 kernel when four
/// neighbouring pixels share a vector.
#[test]
fn four_rows_of_three_are_not_taken_for_three_columns() {
    let padding = Padding { top: 3, bottom: 1, left: 1, right: 0, value: -41 };
    for channels in [4, 8, 16, 32, 64] {
        let shape = ConvShape {
            kernel_h: 4,
            kernel_w: 3,
            stride_h: 2,
            groups: channels,
            ..ConvShape::pointwise(channels, channels)
        };
        let value = |i: usize| (i * 37 % 253) as i8;
        let weights: Vec<i8> = (0..12 * channels).map(value).collect();
        let input: Vec<i8> = (0..2 * channels).map(|i| value(i + 5).max(-127)).collect();
        let mut expected = vec![0; channels];
        reference::conv(&shape, &weights, &input, 1, 2, &padding, &mut expected).unwrap();
        for &isa in Isa::available() {
            let mut sums = vec![0; channels];
            let conv = PackedConv::new(shape, &weights, isa).unwrap();
            conv.run(&input, 1, 2, &padding, &mut Scratch::default(), &mut sums).unwrap();
            assert_eq!(sums, expected, "{isa}, {channels} channels");
        }
    }
}
