//! Int8 products and convolutions as throughput in multiply-accumulates, and what surrounds them.
//!
//! The example `layer_table` of int8-kernels prints whole networks as shares of what registers could do.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;

use benches::Lcg;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use int8_kernels::{
    Activation, ConvShape, Epilogue, Image, Isa, Padding, PixelConv, PixelScratch, Place, PoolWindow, Run, Sink,
    max_pool, quantize_planes, quantize_values, stored,
};

/// Output channels, depth, pixels: cubes, and as they occur in the networks named.
const GEMMS: &[(&str, usize, usize, usize)] = &[
    ("cube_256", 256, 256, 256),
    ("cube_512", 512, 512, 512),
    ("cube_1024", 1024, 1024, 1024),
    ("mobilenet_v2_first_1x1", 32, 32, 112 * 112),
    ("mobilenet_v2_last_1x1", 1280, 320, 7 * 7),
    ("resnet50_1x1", 512, 128, 28 * 28),
    ("classifier", 1000, 1280, 1),
];

/// Channels in and out, groups, kernel, stride, side of the input.
const CONVS: &[(&str, [usize; 6])] = &[
    ("resnet_stem_7x7s2", [3, 64, 1, 7, 2, 224]),
    ("mobilenet_stem_3x3s2", [3, 32, 1, 3, 2, 224]),
    ("resnet_3x3", [64, 64, 1, 3, 1, 56]),
    ("resnet_last_3x3", [512, 512, 1, 3, 1, 7]),
    ("pointwise", [96, 24, 1, 1, 1, 56]),
    ("depthwise_3x3", [128, 128, 128, 3, 1, 56]),
    ("depthwise_3x3s2", [192, 192, 192, 3, 2, 28]),
    ("depthwise_5x5", [240, 240, 240, 5, 1, 14]),
    ("grouped_3x3", [128, 128, 4, 3, 1, 28]),
];

fn gemms(c: &mut Criterion) {
    let mut group = c.benchmark_group("gemm");
    for &(name, rows, depth, columns) in GEMMS {
        let shape = ConvShape::pointwise(depth, rows);
        group.throughput(Throughput::Elements((rows * depth * columns) as u64));
        convolve(&mut group, BenchmarkId::new(name, format!("{rows}x{depth}x{columns}")), shape, (1, columns));
    }
    group.finish();
}

fn convs(c: &mut Criterion) {
    let mut group = c.benchmark_group("conv");
    for &(name, [in_channels, out_channels, groups, kernel, stride, side]) in CONVS {
        let shape = ConvShape {
            groups,
            kernel_h: kernel,
            kernel_w: kernel,
            stride_h: stride,
            stride_w: stride,
            ..ConvShape::pointwise(in_channels, out_channels)
        };
        let (rows, columns) = shape.output_size(side, side, &same(kernel)).unwrap();
        group.throughput(Throughput::Elements((out_channels * rows * columns * shape.depth().unwrap()) as u64));
        convolve(&mut group, BenchmarkId::from_parameter(name), shape, (side, side));
    }
    group.finish();
}

fn same(kernel: usize) -> Padding {
    let pad = kernel / 2;
    Padding { top: pad, bottom: pad, left: pad, right: pad, value: 0 }
}

/// A convolution with bias and ReLU to int8 values.
fn convolve(
    group: &mut criterion::BenchmarkGroup<'_, criterion::measurement::WallTime>,
    id: BenchmarkId,
    shape: ConvShape,
    (height, width): (usize, usize),
) {
    group.bench_function(id, |b| {
        let mut lcg = Lcg(2);
        let channels = shape.out_channels;
        let weights = lcg.bytes(channels * shape.depth().unwrap());
        let bytes: Vec<u8> = lcg.bytes(shape.in_channels * height * width).into_iter().map(stored).collect();
        let epilogue = Epilogue::new(vec![1e-4; channels], Some(vec![0.5; channels]), Activation::Relu).unwrap();
        let conv = PixelConv::new(shape, &weights, epilogue, Isa::detect()).unwrap();
        let padding = same(shape.kernel_h);
        let (rows, columns) = shape.output_size(height, width, &padding).unwrap();
        let input = Image::new(&bytes, height, width, shape.in_channels, shape.in_channels).unwrap();
        let run = Run { input, padding, rows: 0..rows, residual: None };
        let (mut scratch, mut out) = (PixelScratch::default(), vec![0; rows * columns * channels]);
        b.iter(|| {
            let mut sinks = [Sink::I8 { bytes: &mut out, place: Place::whole(channels), scale: 20.0 }];
            conv.run(black_box(&run), &mut sinks, &mut scratch).unwrap();
        });
    });
}

fn slices(c: &mut Criterion) {
    const PIXELS: usize = 224 * 224;
    let (input, isa) = (Lcg(3).floats(3 * PIXELS), Isa::detect());
    let mut out = vec![0; 3 * PIXELS];
    let mut group = c.benchmark_group("slices");
    group.throughput(Throughput::Elements(3 * PIXELS as u64));
    group.bench_function("quantize_values", |b| {
        b.iter(|| quantize_values(black_box(&input), 17.3, &mut out, isa).unwrap());
    });
    group.bench_function("quantize_planes", |b| {
        b.iter(|| quantize_planes(black_box(&input), 3, 17.3, &mut out, 3, isa).unwrap());
    });
    let bytes = vec![77; 112 * 112 * 64];
    let image = Image::new(&bytes, 112, 112, 64, 64).unwrap();
    let window = PoolWindow { kernel_h: 3, kernel_w: 3, stride_h: 2, stride_w: 2, padding: same(3) };
    let (rows, columns) = window.output_size(112, 112).unwrap();
    let mut pooled = vec![0; rows * columns * 64];
    group.throughput(Throughput::Elements(bytes.len() as u64));
    group.bench_function("max_pool_3x3s2", |b| {
        b.iter(|| max_pool(black_box(&image), &window, 0..rows, &mut pooled, Place::whole(64), isa).unwrap());
    });
    group.finish();
}

criterion_group!(benches, gemms, convs, slices);
criterion_main!(benches);
