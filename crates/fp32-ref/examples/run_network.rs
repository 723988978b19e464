//! Runs a network on made-up values and prints the shape and the range of every output.
//!
//! `run_network [PARAM BIN]`; without files a small classifier of clothes that is in the repository. Every input
//! must say how large it is.

use std::env::args;
use std::time::Instant;

use fp32_ref::{Net, NetOptions, Registry, Shapes, Tensor, Workspace, validate};
use ncnn_format::{Error, Model, Result};

const DEFAULT: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/fmnist/mbv2_bn.param"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/fmnist/mbv2_bn.bin"),
];

fn main() -> Result<()> {
    let files: Vec<String> = args().skip(1).collect();
    let [param, bin] = match &files[..] {
        [param, bin] => [param.as_str(), bin.as_str()],
        _ => DEFAULT,
    };
    let model = Model::load(param, bin)?;
    for remark in validate(&model, &[], &NetOptions::default()) {
        println!("{}: {remark}", remark.severity);
    }
    let net = Net::new(&model)?;
    let shapes = Shapes::of_model(&model, net.graph(), &[], &Registry::default());
    let mut inputs = Vec::new();
    for &blob in net.graph().inputs() {
        let shape = shapes.get(blob).ok_or_else(|| Error::invalid("an input does not say how large it is"))?;
        let values = (0..shape.volume()).map(|index| (index as f32 * 0.37).sin()).collect();
        inputs.push((net.graph().blob_name(blob), Tensor::new(shape.dims(), values)?));
    }
    // The second run allocates nothing large.
    let mut workspace = Workspace::default();
    for _ in 0..2 {
        let start = Instant::now();
        let outputs = net.run_in(&mut workspace, &inputs, &mut ())?;
        println!("ran in {:.2} ms", start.elapsed().as_secs_f64() * 1e3);
        for (name, value) in outputs.iter() {
            let range = value.as_slice().iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(x), high.max(x)));
            println!("{name}: {}, {} to {}", value.shape(), range.0, range.1);
        }
    }
    Ok(())
}
