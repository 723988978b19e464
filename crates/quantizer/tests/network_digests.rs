//! The int8 networks of `fixtures/` have the same bytes on every CPU: digests of their inputs, of all their blobs
//! run layer by layer, and of their outputs, which the plans for all instruction sets of the CPU must give too.
//! `data/network_digests.tsv` has those of x86; `cargo xtask cross-test` runs this on ARM CPUs.
//!
//! When an intended change moves bits, the failing test prints the lines to store.

#![cfg(feature = "images")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fixture;

use std::path::PathBuf;

use fixture::{clothes, fixture, images};
use fp32_ref::{BlobId, Outputs, Tensor};
use int8_exec::{Int8Net, Options, Value};
use int8_kernels::Isa;
use ncnn_format::{Model, ScaleTable};
use quantizer::{ConvertOptions, Dataset, FileDataset, InputOptions, Pixel, convert};
use sha2::{Digest, Sha256};

const STORED: &str = include_str!("data/network_digests.tsv");

/// A network for 28×28 grey images as our converter makes it from ncnn2table's table.
fn clothing(files: &str, table: &str) -> (Model, FileDataset) {
    let fp32 = Model::load(fixture(&format!("fmnist/{files}.param")), fixture(&format!("fmnist/{files}.bin"))).unwrap();
    let table = ScaleTable::load(fixture(&format!("golden/{table}.kl.table"))).unwrap();
    (convert(&fp32, &table, ConvertOptions::default()).unwrap().model, clothes("fmnist/test"))
}

/// MobileNetV2 as our converter makes it from ncnn2table's table.
fn photos() -> (Model, FileDataset) {
    let fp32 = Model::load(fixture("imagenet/mobilenet_v2.param"), fixture("imagenet/mobilenet_v2.bin")).unwrap();
    let table = ScaleTable::load(fixture("golden/mobilenet_v2.kl.table")).unwrap();
    let options = InputOptions::default()
        .with_mean([123.675, 116.28, 103.53])
        .with_norm([0.017_124_75, 0.017_507, 0.017_429_19])
        .with_pixel(Pixel::Rgb)
        .with_size(224, 224)
        .with_channels(3);
    (convert(&fp32, &table, ConvertOptions::default()).unwrap().model, images("imagenet/photos", options))
}

/// Digest of what was added, short enough to read.
#[derive(Default)]
struct Bytes(Sha256);

impl Bytes {
    fn floats(&mut self, tensor: &Tensor) {
        for value in tensor.as_slice() {
            self.0.update(value.to_bits().to_le_bytes());
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::F32(tensor) => self.floats(tensor),
            Value::I8 { tensor, scale } => {
                self.0.update(scale.to_bits().to_le_bytes());
                self.0.update(tensor.as_slice().iter().map(|&q| q as u8).collect::<Vec<u8>>());
            }
        }
    }

    fn outputs(outputs: &Outputs) -> String {
        let mut bytes = Self::default();
        outputs.iter().for_each(|(_, tensor)| bytes.floats(tensor));
        bytes.end()
    }

    fn end(self) -> String {
        self.0.finalize()[..10].iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The lines of one network on its first images.
fn digests(name: &str, input: &str, (model, images): &(Model, FileDataset), count: usize) -> String {
    let net = Int8Net::new(model).unwrap();
    let nets = Isa::available().iter().map(|&isa| (isa, Options::default().with_isa(isa)));
    let nets: Vec<(Isa, Int8Net)> =
        nets.map(|(isa, options)| (isa, Int8Net::with_options(model, options).unwrap())).collect();
    let mut lines = String::new();
    for index in 0..count {
        let image = images.load(index).unwrap();
        let file = PathBuf::from(images.name(index)).file_name().unwrap().to_string_lossy().into_owned();
        let mut input_bytes = Bytes::default();
        input_bytes.floats(&image);
        let mut blobs = Bytes::default();
        let observed = &mut |_: BlobId, value: &Value| {
            blobs.value(value);
            Ok(())
        };
        let alone = net.run(&[(input, image.clone())], observed).unwrap();
        let outputs = Bytes::outputs(&alone);
        for (isa, net) in &nets {
            let planned = net.run(&[(input, image.clone())], &mut ()).unwrap();
            assert_eq!(Bytes::outputs(&planned), outputs, "{name} {file}: the plan on {isa}");
        }
        lines += &format!("{name}\t{file}\t{}\t{}\t{outputs}\n", input_bytes.end(), blobs.end());
    }
    lines
}

/// Compares with the stored lines of `name`.
fn expect_stored(name: &str, found: &str) {
    let stored = STORED.lines().filter(|line| line.starts_with(&format!("{name}\t")));
    let stored: String = stored.map(|line| format!("{line}\n")).collect();
    assert!(found == stored, "on {}:\n{found}instead of\n{stored}", Isa::detect());
}

#[test]
fn lenet_has_the_same_bytes_everywhere() {
    expect_stored("lenet", &digests("lenet", "data", &clothing("lenet_fp16w", "lenet"), 4));
}

#[test]
fn resnet_has_the_same_bytes_everywhere() {
    expect_stored("resnet", &digests("resnet", "data", &clothing("resnet_fp16w", "resnet"), 4));
}

#[test]
fn mbv2_bn_has_the_same_bytes_everywhere() {
    expect_stored("mbv2_bn", &digests("mbv2_bn", "data", &clothing("mbv2_bn", "mbv2_bn"), 4));
}

#[test]
fn mobilenet_v2_has_the_same_bytes_everywhere() {
    expect_stored("mobilenet_v2", &digests("mobilenet_v2", "in0", &photos(), 2));
}
