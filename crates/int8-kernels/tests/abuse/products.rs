//! Matrix products, single pixels, matrices of windows, and the definitions.

use int8_kernels::{Addend, Conv1x1, Gemm, Image, PixelScratch, Residual, Sink, im2col, im2col_len, reference};

use super::convolutions::epilogue_of;
use super::numbers::{Calls, SIZES, times};

pub(crate) fn gemm_new(calls: &mut Calls) {
    for (outputs, depth) in SIZES.into_iter().flat_map(|outputs| SIZES.map(|depth| (outputs, depth))) {
        for length in [0, 1, 6, outputs.saturating_mul(depth).min(5000)] {
            let isa = calls.isa();
            let made = calls.made(Gemm::new(outputs, depth, &vec![3; length], isa));
            assert_eq!(made.is_ok(), outputs > 0 && depth > 0 && outputs.checked_mul(depth) == Some(length));
        }
    }
}

pub(crate) fn gemm(calls: &mut Calls) {
    let mut scratch = PixelScratch::default();
    for _ in 0..times(6000) {
        let (outputs, depth, rows) = (1 + calls.below(70), 1 + calls.below(70), calls.below(40));
        let isa = calls.isa();
        let gemm = calls.made(Gemm::new(outputs, depth, &vec![-128; outputs * depth], isa)).unwrap();
        assert_eq!((calls.made(gemm.outputs()), calls.made(gemm.depth())), (outputs, depth));
        let inputs = vec![calls.below(256) as u8; calls.length(rows * depth)];
        let mut sums = vec![0; calls.length(rows * outputs)];
        let result = calls.made(gemm.accumulate(&inputs, &mut sums, &mut scratch));
        let fits = inputs.len().is_multiple_of(depth) && sums.len() == inputs.len() / depth * outputs;
        assert_eq!(result.is_ok(), fits);
        let channels = calls.length(outputs);
        let epilogue = epilogue_of(calls, channels);
        let Ok(gemm) = calls.made(gemm.with_epilogue(epilogue)) else { continue };
        let place = calls.place(outputs);
        let stride = calls.size(outputs, 5);
        let values = vec![0.25; calls.length(rows * outputs)];
        let then = calls.activation();
        let addend = Addend::F32 { values: &values, pixel_stride: stride };
        let residual = (calls.below(2) == 0).then_some(Residual { addend, then });
        let mut out = vec![0; calls.length(rows * place.pixel_stride.min(200))];
        let mut sinks = [Sink::I8 { bytes: &mut out, place, scale: calls.float() }];
        let _ = calls.made(gemm.run(&inputs, residual, &mut sinks, &mut scratch));
    }
}

pub(crate) fn conv1x1_new(calls: &mut Calls) {
    for (inputs, outputs) in SIZES.into_iter().flat_map(|inputs| SIZES.map(|outputs| (inputs, outputs))) {
        for length in [0, 1, 6, outputs.saturating_mul(inputs).min(5000)] {
            let isa = calls.isa();
            let made = calls.made(Conv1x1::new(inputs, outputs, &vec![3; length], isa));
            assert_eq!(made.is_ok(), outputs > 0 && inputs > 0 && outputs.checked_mul(inputs) == Some(length));
        }
    }
}

pub(crate) fn conv1x1(calls: &mut Calls) {
    let mut scratch = PixelScratch::default();
    for _ in 0..times(4000) {
        let (inputs, outputs) = (1 + calls.below(40), 1 + calls.below(40));
        let isa = calls.isa();
        let conv = calls.made(Conv1x1::new(inputs, outputs, &vec![1; outputs * inputs], isa)).unwrap();
        let (height, width) = (1 + calls.below(4), 1 + calls.below(9));
        let channels = if calls.below(9) == 0 { inputs + 1 } else { inputs };
        let bytes = vec![1; height * width * channels];
        let image = Image::new(&bytes, height, width, channels, channels).unwrap();
        let mut sums = vec![0; calls.length(height * width * outputs)];
        let result = calls.made(conv.accumulate(&image, &mut sums, &mut scratch));
        assert_eq!(result.is_ok(), channels == inputs && sums.len() == height * width * outputs);
        let other = calls.length(outputs);
        let epilogue = epilogue_of(calls, other);
        let Ok(conv) = calls.made(conv.with_epilogue(epilogue)) else { continue };
        let place = calls.place(outputs);
        let mut out = vec![0.0; calls.length(height * width * place.pixel_stride.min(200))];
        let then = calls.activation();
        let residual = (calls.below(2) == 0).then_some(Residual { addend: Addend::InSink, then });
        let mut sinks = [Sink::F32 { values: &mut out, place }];
        let _ = calls.made(conv.run(&image, residual, &mut sinks, &mut scratch));
        assert_eq!(calls.made(conv.into_inner()).shape().out_channels, outputs);
    }
}

pub(crate) fn im2col_of(calls: &mut Calls) {
    for _ in 0..times(6000) {
        let shape = calls.shape();
        let (height, width, channels) = (1 + calls.below(6), 1 + calls.below(6), shape.in_channels);
        let bytes = vec![1; height * width * channels];
        let image = Image::new(&bytes, height, width, channels, channels).unwrap();
        let shape = if calls.below(3) == 0 { calls.spoilt(shape) } else { shape };
        let padding = calls.padding(5);
        let length = calls.made(im2col_len(&shape, height, width, &padding));
        let mut out = vec![0; calls.length(length.as_ref().map_or(0, |&length| length.min(100_000)))];
        let result = calls.made(im2col(&shape, &image, &padding, &mut out));
        assert!(result.is_err() || length == Ok(out.len()));
        let (height, width) = (calls.pick(&SIZES), calls.pick(&SIZES));
        let _ = calls.made(im2col_len(&shape, height, width, &padding));
    }
}

pub(crate) fn reference_gemm(calls: &mut Calls) {
    let slice = [-128; 8];
    for sizes in SIZES.into_iter().flat_map(|a| SIZES.into_iter().flat_map(move |b| SIZES.map(|c| [a, b, c]))) {
        let [rows, depth, columns] = sizes;
        let [a, b, c] = [(rows, depth), (depth, columns), (rows, columns)].map(|(x, y)| x.saturating_mul(y).min(8));
        let _ = calls.made(reference::gemm(rows, depth, columns, &slice[..a], &slice[..b], &mut [0; 8][..c]));
        let _ = calls.made(reference::gemm(rows, depth, columns, &[], &[], &mut []));
    }
    // Sums of more products than an `i32` holds are refused.
    let many = vec![-128; 131_072];
    assert!(calls.made(reference::gemm(1, many.len(), 1, &many, &many, &mut [0])).is_err());
}

pub(crate) fn reference_conv(calls: &mut Calls) {
    for _ in 0..times(5000) {
        let shape = calls.shape();
        let (height, width, padding) = (1 + calls.below(5), 1 + calls.below(5), calls.padding(5));
        let size = shape.output_size(height, width, &padding).unwrap_or((1, 1));
        let weights = vec![-128; calls.length(shape.out_channels * shape.depth().unwrap())];
        let input = vec![127; calls.length(height * width * shape.in_channels)];
        let mut out = vec![0; calls.length(size.0.min(8) * size.1.min(8) * shape.out_channels)];
        let shape = if calls.below(3) == 0 { calls.spoilt(shape) } else { shape };
        let (height, width) = (calls.size(height, 10), calls.size(width, 10));
        let _ = calls.made(reference::conv(&shape, &weights, &input, height, width, &padding, &mut out));
    }
}
