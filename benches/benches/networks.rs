//! One image through whole networks, fp32 and int8.

#![allow(missing_docs, clippy::unwrap_used, reason = "a bench fails by panicking")]

use std::hint::black_box;

use benches::{Lcg, fixture};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use fp32_ref::{Net, Tensor};
use int8_exec::Int8Net;
use ncnn_format::{Model, ScaleTable};
use quantizer::{ConvertOptions, convert};

/// Name, files without their ending, scale table, shape of the input.
const NETWORKS: &[(&str, &str, &str, [usize; 3])] = &[
    ("lenet", "fmnist/lenet_fp16w", "golden/lenet.kl.table", [1, 28, 28]),
    ("resnet", "fmnist/resnet_fp16w", "golden/resnet.kl.table", [1, 28, 28]),
    ("mbv2_bn", "fmnist/mbv2_bn", "golden/mbv2_bn.kl.table", [1, 28, 28]),
    ("mobilenet_v2", "imagenet/mobilenet_v2", "golden/mobilenet_v2.kl.table", [3, 224, 224]),
];

fn load(files: &str) -> Model {
    Model::load(fixture(&format!("{files}.param")), fixture(&format!("{files}.bin"))).unwrap()
}

fn inference(c: &mut Criterion) {
    let mut group = c.benchmark_group("inference");
    group.sample_size(10);
    for &(name, files, table, shape) in NETWORKS {
        let input = Tensor::new(shape, Lcg(1).floats(shape.iter().product())).unwrap();
        group.bench_function(BenchmarkId::new("fp32", name), |b| {
            let net = Net::new(&load(files)).unwrap();
            let blob = net.graph().blob_name(net.graph().inputs()[0]).to_owned();
            b.iter(|| net.run(&[(&blob, black_box(&input).clone())], &mut ()).unwrap());
        });
        group.bench_function(BenchmarkId::new("int8", name), |b| {
            let table = ScaleTable::load(fixture(table)).unwrap();
            let int8 = convert(&load(files), &table, ConvertOptions::default()).unwrap();
            let net = Int8Net::new(&int8.model).unwrap();
            let blob = net.graph().blob_name(net.graph().inputs()[0]).to_owned();
            b.iter(|| net.run(&[(&blob, black_box(&input).clone())], &mut ()).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, inference);
criterion_main!(benches);
