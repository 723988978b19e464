//! Reading and writing the files of a model.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::cell::LazyCell;
use std::fs;
use std::hint::black_box;
use std::path::PathBuf;

use benches::param_text;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ncnn_format::{BinFile, Model, ScaleTable};
use tempfile::TempDir;

/// Layers of the `.bin`; each has a megabyte.
const LAYERS: usize = 100;

fn texts(c: &mut Criterion) {
    let text = param_text(10_000);
    let model = LazyCell::new(|| Model::from_param_text(&text).unwrap());
    let mut group = c.benchmark_group("param_10k_layers");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("parse", |b| b.iter(|| Model::from_param_text(black_box(&text)).unwrap()));
    group.bench_function("write", |b| b.iter(|| black_box(&*model).to_param_text()));
    group.bench_function("write_binary", |b| b.iter(|| black_box(&*model).to_param_binary().unwrap()));
    group.bench_function("parse_binary", |b| {
        let bytes = model.to_param_binary().unwrap();
        b.iter(|| Model::from_param_binary(black_box(&bytes)).unwrap());
    });
    group.finish();
}

fn tables(c: &mut Criterion) {
    let mut table = ScaleTable::default();
    (0..200).for_each(|i| table.push(format!("conv_{i}_param_0"), vec![123.456 + i as f32; 512]));
    let text = table.to_text();
    let mut group = c.benchmark_group("table_100k_scales");
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("parse", |b| b.iter(|| ScaleTable::parse(black_box(&text)).unwrap()));
    group.bench_function("write", |b| b.iter(|| black_box(&table).to_text()));
    group.finish();
}

/// A model of 100 MB on disk.
struct Large {
    _folder: TempDir,
    param: PathBuf,
    bin: PathBuf,
}

impl Large {
    fn new() -> Self {
        let line = |i| format!("InnerProduct fc{i} 1 1 b{i} b{} 0=512 2=262144\n", i + 1);
        let layers: String = (0..LAYERS).map(line).collect();
        let text = format!("7767517\n{} {}\nInput in 0 1 b0 0=512\n{layers}", LAYERS + 1, LAYERS + 1);
        let mut bytes = Vec::new();
        for i in 0..LAYERS {
            bytes.extend([0; 4]);
            bytes.extend((0..262_144_u32).flat_map(|j| ((j + i as u32) as f32).to_le_bytes()));
        }
        let folder = tempfile::tempdir().unwrap();
        let (param, bin) = (folder.path().join("large.param"), folder.path().join("large.bin"));
        fs::write(&param, text).unwrap();
        fs::write(&bin, bytes).unwrap();
        Self { _folder: folder, param, bin }
    }
}

fn weights(c: &mut Criterion) {
    let large = LazyCell::new(Large::new);
    let mut group = c.benchmark_group("bin_100mb");
    group.sample_size(10);
    group.throughput(Throughput::Bytes((LAYERS * (4 + 4 * 262_144)) as u64));
    group.bench_function("fs_read", |b| b.iter(|| fs::read(black_box(&large.bin)).unwrap()));
    group.bench_function("load_eagerly", |b| b.iter(|| Model::load(&large.param, black_box(&large.bin)).unwrap()));
    group.bench_function("index", |b| {
        b.iter(|| {
            let model = Model::load_param(&large.param).unwrap();
            let file = BinFile::open(black_box(&large.bin)).unwrap();
            model.index_bin(&file).unwrap().weights().count()
        });
    });
    group.bench_function("index_and_read_one", |b| {
        b.iter(|| {
            let model = Model::load_param(&large.param).unwrap();
            let file = BinFile::open(black_box(&large.bin)).unwrap();
            let index = model.index_bin(&file).unwrap();
            index.weights().nth(LAYERS / 2).unwrap().read().unwrap()
        });
    });
    group.finish();
}

criterion_group!(benches, texts, tables, weights);
criterion_main!(benches);
