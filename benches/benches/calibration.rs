//! Counting activations and searching for thresholds.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;

use benches::Lcg;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use histogram_kl::{GrowingHistogram, Histogram, Range, Rule};

const LEN: usize = 1 << 18;

fn counting(c: &mut Criterion) {
    let values = Lcg(1).floats(LEN);
    let mut range = Range::default();
    range.add(&values);
    let mut group = c.benchmark_group("count");
    group.throughput(Throughput::Elements(LEN as u64));
    group.bench_function("range_add_256k", |b| b.iter(|| Range::default().add(black_box(&values))));
    group.bench_function("histogram_add_256k", |b| {
        let mut histogram = Histogram::new(range.absmax).unwrap();
        b.iter(|| histogram.add(black_box(&values)));
    });
    group.bench_function("growing_histogram_add_256k", |b| {
        let mut histogram = GrowingHistogram::default();
        b.iter(|| histogram.add(black_box(&values)));
    });
    let rectified: Vec<f32> = values.iter().map(|x| x.max(0.0)).collect();
    group.bench_function("growing_histogram_add_256k_half_zeros", |b| {
        let mut histogram = GrowingHistogram::default();
        b.iter(|| histogram.add(black_box(&rectified)));
    });
    group.bench_function("histogram_merge", |b| {
        let mut histogram = Histogram::new(range.absmax).unwrap();
        let other = histogram.clone();
        b.iter(|| histogram.merge(black_box(&other)).unwrap());
    });
    group.finish();
}

fn searching(c: &mut Criterion) {
    let values = Lcg(2).floats(LEN);
    let mut range = Range::default();
    range.add(&values);
    let mut histogram = Histogram::new(range.absmax).unwrap();
    histogram.add(&values);
    let mut group = c.benchmark_group("threshold");
    for &rule in Rule::ALL {
        group.bench_function(BenchmarkId::from_parameter(rule.name()), |b| {
            b.iter(|| rule.threshold(black_box(&histogram)));
        });
    }
    group.finish();
}

criterion_group!(benches, counting, searching);
criterion_main!(benches);
