//! Convolutions of pixels and of planes.

use int8_kernels::{
    Activation, Addend, ConvShape, Epilogue, Image, Isa, PackedConv, Padding, PixelConv, PixelScratch, Residual, Run,
    Scratch, Sink,
};

use super::numbers::{Calls, SIZES, times};

/// An epilogue of so many channels, with any activation.
pub(crate) fn epilogue_of(calls: &mut Calls, channels: usize) -> Epilogue {
    let bias = (calls.below(2) == 0).then(|| vec![calls.float(); channels]);
    let activation = calls.activation();
    let epilogue = Epilogue::new(vec![calls.pick(&[0.5, -1e-3, 0.0, 1e-40]); channels], bias, activation).unwrap();
    if calls.below(4) == 0 { epilogue.with_fused_bias() } else { epilogue }
}

/// Weights of a valid shape.
fn weights_of(calls: &mut Calls, shape: &ConvShape) -> Vec<i8> {
    (0..shape.out_channels * shape.depth().unwrap()).map(|_| calls.below(256) as u8 as i8).collect()
}

/// A convolution that is as it should be.
fn conv_of(calls: &mut Calls) -> PixelConv {
    let shape = calls.shape();
    // Strides may be any: then there is one row or column.
    let shape = ConvShape {
        stride_h: calls.size(shape.stride_h, 10).max(1),
        stride_w: calls.size(shape.stride_w, 10).max(1),
        ..shape
    };
    let weights = weights_of(calls, &shape);
    let epilogue = epilogue_of(calls, shape.out_channels);
    let (isa, algorithm) = (calls.isa(), calls.algorithm());
    calls.made(PixelConv::with_algorithm(shape, &weights, epilogue, isa, algorithm)).unwrap()
}

pub(crate) fn new(calls: &mut Calls) {
    for _ in 0..times(3000) {
        let shape = calls.shape();
        let weights = weights_of(calls, &shape);
        let weights = vec![-128; calls.length(weights.len())];
        let shape = calls.spoilt(shape);
        let channels = calls.length(shape.out_channels.min(100));
        let epilogue = epilogue_of(calls, channels);
        let isa = calls.isa();
        let _ = calls.made(PixelConv::new(shape, &weights, epilogue.clone(), isa));
        let algorithm = calls.algorithm();
        let _ = calls.made(PixelConv::with_algorithm(shape, &weights, epilogue, isa, algorithm));
    }
}

pub(crate) fn questions(calls: &mut Calls) {
    for _ in 0..times(60) {
        let conv = conv_of(calls);
        let channels = calls.made(conv.shape()).out_channels;
        calls.made(conv.isa());
        for (height, width) in SIZES.into_iter().flat_map(|height| SIZES.map(|width| (height, width))) {
            assert!(!calls.made(conv.kernel(height, width)).is_empty());
            calls.made(conv.algorithm(height, width));
            assert!(calls.made(conv.rows_together(height, width)) > 0);
            conv.prepare(height, width);
            calls.made(());
        }
        let channels = calls.length(channels);
        let epilogue = epilogue_of(calls, channels);
        let _ = calls.made(conv.with_epilogue(epilogue));
    }
}

/// An input for a convolution, which may have other channels; one pixel may have any stride.
struct Input {
    bytes: Vec<u8>,
    size: [usize; 3],
    stride: usize,
}

impl Input {
    fn of(calls: &mut Calls, channels: usize) -> Self {
        let channels = if calls.below(20) == 0 { channels + 1 } else { channels };
        let size = [1 + calls.below(9), 1 + calls.below(9), channels];
        let pixels = size[0] * size[1];
        let stride = channels + calls.below(3);
        let mut bytes = vec![calls.below(256) as u8; (pixels - 1) * stride + channels];
        bytes.shrink_to_fit();
        let stride = if pixels == 1 { calls.size(stride, 2).max(channels) } else { stride };
        Self { bytes, size, stride }
    }

    fn image(&self) -> Image<'_> {
        let [height, width, channels] = self.size;
        Image::new(&self.bytes, height, width, channels, self.stride).unwrap()
    }
}

/// Rows that lie in the output, or do not.
fn rows(calls: &mut Calls, height: usize) -> std::ops::Range<usize> {
    let first = calls.below(height.clamp(1, 8));
    let end = first.saturating_add(calls.below(4)).min(height);
    calls.size(first, 20)..calls.size(end, 20)
}

pub(crate) fn accumulate(calls: &mut Calls) {
    let mut scratch = PixelScratch::default();
    for _ in 0..times(30_000) {
        let conv = conv_of(calls);
        let (input, padding) = (Input::of(calls, conv.shape().in_channels), calls.padding(5));
        let (height, width) = conv.shape().output_size(input.size[0], input.size[1], &padding).unwrap_or((1, 1));
        let rows = rows(calls, height);
        let fitting = rows.end.saturating_sub(rows.start).min(8) * width.min(100) * conv.shape().out_channels;
        let mut out = vec![0; calls.length(fitting)];
        let run = Run { input: input.image(), padding, rows, residual: None };
        let _ = calls.made(conv.accumulate(&run, &mut out, &mut scratch));
    }
}

pub(crate) fn run(calls: &mut Calls) {
    let mut scratch = PixelScratch::default();
    let mut ran = 0;
    for _ in 0..times(40_000) {
        let conv = conv_of(calls);
        let channels = conv.shape().out_channels;
        let (input, padding) = (Input::of(calls, conv.shape().in_channels), calls.padding(20));
        let size = conv.shape().output_size(input.size[0], input.size[1], &padding).unwrap_or((1, 1));
        let rows = rows(calls, size.0);
        let (height, width) = (size.0.min(16), size.1.min(16));
        let addend_stride = channels + calls.below(2);
        let addend_stride = calls.size(addend_stride, 20);
        let length = calls.length(height * width * addend_stride.min(100));
        let (floats, bytes) = (vec![0.5; length], vec![77; height * width * (channels + 1)]);
        let image = Image::new(&bytes, height, width, channels, channels + calls.below(2)).unwrap();
        let addend = match calls.below(5) {
            0 => Some(Addend::F32 { values: &floats, pixel_stride: addend_stride }),
            1 => Some(Addend::I8 { image, step: calls.float() }),
            2 => Some(Addend::InSink),
            _ => None,
        };
        let then = calls.activation();
        let residual = addend.map(|addend| Residual { addend, then });
        let pixels = rows.end.saturating_sub(rows.start).min(8) * width;
        let places = [calls.place(channels), calls.place(channels)];
        let lengths = places.map(|place| calls.length(pixels * place.pixel_stride.min(100)));
        let (mut values, mut stored) = (vec![0.0; lengths[0]], vec![0; lengths[1]]);
        values.shrink_to_fit();
        stored.shrink_to_fit();
        let float = Sink::F32 { values: &mut values, place: places[0] };
        let byte = Sink::I8 { bytes: &mut stored, place: places[1], scale: calls.float() };
        let mut sinks = match calls.below(6) {
            0 => vec![],
            1 => vec![float],
            2 => vec![byte],
            3 => vec![byte, float],
            _ => vec![float, byte],
        };
        let run = Run { input: input.image(), padding, rows, residual };
        ran += usize::from(calls.made(conv.run(&run, &mut sinks, &mut scratch)).is_ok());
    }
    assert!(ran > times(5000), "only {ran} runs had operands that fit");
}

pub(crate) fn packed_new(calls: &mut Calls) {
    for _ in 0..times(3000) {
        let shape = calls.shape();
        let weights = vec![1; calls.length(shape.out_channels * shape.depth().unwrap())];
        let (shape, isa) = (calls.spoilt(shape), calls.isa());
        let _ = calls.made(PackedConv::new(shape, &weights, isa));
    }
}

pub(crate) fn packed(calls: &mut Calls) {
    let mut scratch = Scratch::default();
    for _ in 0..times(5000) {
        let shape = calls.shape();
        let weights = weights_of(calls, &shape);
        let isa = calls.isa();
        let conv = calls.made(PackedConv::new(shape, &weights, isa)).unwrap();
        assert_eq!((calls.made(conv.isa()), calls.made(conv.shape())), (isa, &shape));
        let (height, width, padding) = (1 + calls.below(6), 1 + calls.below(6), calls.padding(5));
        let (rows, columns) = calls.made(conv.output_size(height, width, &padding)).unwrap_or((1, 1));
        let input = vec![1; calls.length(height * width * shape.in_channels)];
        let mut out = vec![0; calls.length(rows.min(9) * columns.min(9) * shape.out_channels)];
        let (height, width) = (calls.size(height, 10), calls.size(width, 10));
        let _ = calls.made(conv.run(&input, height, width, &padding, &mut scratch, &mut out));
    }
}

#[test]
fn a_run_without_a_sink_computes_nothing_however_many_rows_it_has() {
    let epilogue = Epilogue::new(vec![1.0], None, Activation::None).unwrap();
    let conv = PixelConv::new(ConvShape::pointwise(1, 1), &[1], epilogue, Isa::detect()).unwrap();
    let input = Image::new(&[0], 1, 1, 1, 1).unwrap();
    let padding = Padding { top: usize::MAX - 8, ..Padding::default() };
    let run = Run { input, padding, rows: 0..usize::MAX - 8, residual: None };
    assert_eq!(conv.run(&run, &mut [], &mut PixelScratch::default()), Ok(()));
}
