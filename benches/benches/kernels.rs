//! Int8 products and convolutions; throughput in multiply-accumulates.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;

use benches::Lcg;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use int8_kernels::{
    ActivationOrder, ConvShape, Isa, PackedConv, PackedWeights, Padding, Scratch, gemm, quantize_slice,
};

/// Output channels, depth, pixels: as they occur in the networks named.
const GEMMS: &[(&str, usize, usize, usize)] = &[
    ("mobilenet_v2_first_1x1", 32, 32, 112 * 112),
    ("mobilenet_v2_last_1x1", 1280, 320, 7 * 7),
    ("resnet50_1x1", 512, 128, 28 * 28),
    ("resnet18_3x3", 128, 1152, 28 * 28),
    ("classifier", 1000, 1280, 1),
];

/// Channels in and out, groups, kernel, stride, side of the input.
const CONVS: &[(&str, [usize; 6])] = &[
    ("resnet_stem_7x7s2", [3, 64, 1, 7, 2, 224]),
    ("resnet_3x3", [64, 64, 1, 3, 1, 56]),
    ("pointwise", [96, 24, 1, 1, 1, 56]),
    ("depthwise_3x3", [144, 144, 144, 3, 1, 56]),
    ("depthwise_3x3s2", [192, 192, 192, 3, 2, 28]),
    ("grouped_3x3", [128, 128, 4, 3, 1, 28]),
];

fn gemms(c: &mut Criterion) {
    let mut group = c.benchmark_group("gemm");
    for &(name, rows, depth, columns) in GEMMS {
        group.throughput(Throughput::Elements((rows * depth * columns) as u64));
        group.bench_function(BenchmarkId::new(name, format!("{rows}x{depth}x{columns}")), |b| {
            let mut lcg = Lcg(1);
            let weights = PackedWeights::new(rows, depth, &lcg.bytes(rows * depth), Isa::detect()).unwrap();
            let activations = lcg.bytes(depth * columns);
            let (mut scratch, mut out) = (Scratch::default(), vec![0; rows * columns]);
            let order = ActivationOrder::DepthMajor;
            b.iter(|| gemm(&weights, black_box(&activations), columns, order, &mut scratch, &mut out).unwrap());
        });
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
        let pad = kernel / 2;
        let padding = Padding { top: pad, bottom: pad, left: pad, right: pad, value: 0 };
        let (out_h, out_w) = shape.output_size(side, side, &padding).unwrap();
        let outputs = out_channels * out_h * out_w;
        group.throughput(Throughput::Elements((outputs * shape.depth().unwrap()) as u64));
        group.bench_function(name, |b| {
            let mut lcg = Lcg(2);
            let weights = lcg.bytes(out_channels * shape.depth().unwrap());
            let conv = PackedConv::new(shape, &weights, Isa::detect()).unwrap();
            let input = lcg.bytes(in_channels * side * side);
            let (mut scratch, mut out) = (Scratch::default(), vec![0; outputs]);
            b.iter(|| conv.run(black_box(&input), side, side, &padding, &mut scratch, &mut out).unwrap());
        });
    }
    group.finish();
}

fn quantizing(c: &mut Criterion) {
    const LEN: usize = 1 << 16;
    let input = Lcg(3).floats(LEN);
    let mut out = vec![0; LEN];
    let mut group = c.benchmark_group("quantize");
    group.throughput(Throughput::Elements(LEN as u64));
    group.bench_function("slice_64k", |b| b.iter(|| quantize_slice(black_box(&input), 17.3, &mut out)));
    group.finish();
}

criterion_group!(benches, gemms, convs, quantizing);
criterion_main!(benches);
