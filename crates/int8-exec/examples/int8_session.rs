//! Runs an int8 network in a session and prints what its plan does.
//!
//! `int8_session [PARAM BIN]`; without files a small classifier of clothes that is in the repository. The network
//! must have one input, which says how large it is.

use std::env::args;
use std::time::Instant;

use fp32_ref::{Registry, Shapes, Tensor};
use int8_exec::Int8Net;
use ncnn_format::{Error, Model, Result};

const DEFAULT: [&str; 2] = [
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden/mbv2_bn.kl.int8.param"),
    concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden/mbv2_bn.kl.int8.bin"),
];

fn main() -> Result<()> {
    let files: Vec<String> = args().skip(1).collect();
    let [param, bin] = match &files[..] {
        [param, bin] => [param.as_str(), bin.as_str()],
        _ => DEFAULT,
    };
    let model = Model::load(param, bin)?;
    let net = Int8Net::new(&model)?;
    let &[input] = net.graph().inputs() else { return Err(Error::invalid("the network has several inputs")) };
    let shapes = Shapes::of_model(&model, net.graph(), &[], &Registry::default());
    let shape = shapes.get(input).ok_or_else(|| Error::invalid("the input does not say how large it is"))?;
    let name = net.graph().blob_name(input);

    match net.plan_report(&[(name, shape)]) {
        Ok(report) => {
            for step in &report.steps {
                println!("{:<20} {:<20} {:<24} {}", step.layer, step.kind, step.kernel, step.output);
            }
            println!("{} bytes of buffers, {} if none shared memory", report.buffer_bytes, report.unshared_bytes);
        }
        Err(why) => println!("it runs layer by layer: {why}"),
    }

    let values = (0..shape.volume()).map(|index| (index as f32 * 0.37).sin()).collect();
    let image = Tensor::new(shape.dims(), values)?;
    let mut session = net.session();
    // From the second run on nothing large is allocated.
    for _ in 0..3 {
        let start = Instant::now();
        let outputs = session.run(&[(name, image.clone())])?;
        println!("ran in {:.3} ms", start.elapsed().as_secs_f64() * 1e3);
        for (name, value) in outputs.iter() {
            let best = value.as_slice().iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            println!("{name}: the largest value is at {:?}", best.map(|(index, _)| index));
        }
    }
    Ok(())
}
