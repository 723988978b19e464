//! Counting activations and searching for thresholds.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;

use benches::Lcg;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use histogram_kl::{GrowingHistogram, Histogram, Range, Rule, kl};

const LEN: usize = 1 << 18;

fn counting(c: &mut Criterion) {
    let values = Lcg(1).floats(LEN);
    let mut range = Range::default();
    range.add(&values);
    let mut group = c.benchmark_group("count");
    group.throughput(Throughput::Elements(LEN as u64));
    group.bench_function("range_add_256k", |b| b.iter(|| Range::default().add(black_box(&values))));
    group.bench_function("histogram_add_256k", |b| {
        let mut histogram = Histogram::new(range.absmax()).unwrap();
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
        let mut histogram = Histogram::new(range.absmax()).unwrap();
        let other = histogram.clone();
        b.iter(|| histogram.merge(black_box(&other)).unwrap());
    });
    group.finish();
}

fn searching(c: &mut Criterion) {
    let values = Lcg(2).floats(LEN);
    let mut range = Range::default();
    range.add(&values);
    let mut histogram = Histogram::new(range.absmax()).unwrap();
    histogram.add(&values);
    let mut group = c.benchmark_group("threshold");
    for &rule in Rule::ALL {
        group.bench_function(BenchmarkId::from_parameter(rule.to_string()), |b| {
            b.iter(|| rule.threshold(black_box(&histogram)));
        });
    }
    group.finish();
}

/// The 53 convolutions of a ResNet-50: activations behind a ReLU decay roughly exponentially, over a
/// tenth to a third of their range, and the tails of few samples are sparse.
fn like_resnet50() -> Vec<Histogram> {
    let mut lcg = Lcg(3);
    let mut uniform = || f64::from(lcg.bits()) / f64::from(1 << 24);
    let mut layer = |layer: u32| {
        let values = 3e6 / f64::from(1 + layer / 14);
        let width = 60.0 + 12.0 * f64::from(layer % 28);
        let mut count = |bin: usize| {
            let mean = values * (-(bin as f64) / width).exp() / width;
            let noise = mean.sqrt() * 2.0 * (uniform() + uniform() + uniform() - 1.5);
            (mean + noise + uniform()).max(0.0) as u64
        };
        let counts: Vec<u64> = (0..Histogram::BINS).map(&mut count).collect();
        Histogram::from_counts(1.0, &counts).unwrap()
    };
    (0..53).map(&mut layer).collect()
}

fn divergence_of_a_network(c: &mut Criterion) {
    let layers = like_resnet50();
    let mut group = c.benchmark_group("kl_of_53_layers");
    group.sample_size(10);
    group.bench_function("reference", |b| {
        b.iter(|| layers.iter().map(|layer| kl::reference(layer.counts())).collect::<Vec<_>>());
    });
    group.bench_function("search", |b| {
        b.iter(|| layers.iter().map(|layer| Rule::KlNcnn.threshold(layer)).collect::<Vec<_>>());
    });
    group.finish();
}

criterion_group!(benches, counting, searching, divergence_of_a_network);
criterion_main!(benches);
