//! Runs an int8 network some times on a made-up image, for counting instructions under an emulator: the
//! difference of two counts is that of single inferences.
//! `RAYON_NUM_THREADS=1 repeat PARAM BIN WIDTH HEIGHT TIMES`

#![allow(clippy::unwrap_used, reason = "an example ends where something is wrong")]

use std::hint::black_box;
use std::path::Path;

use fp32_ref::Tensor;
use int8_exec::{Int8Net, Options};
use ncnn_format::Model;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [param, bin, width, height, times] = &args[..] else {
        println!("usage: repeat PARAM BIN WIDTH HEIGHT TIMES");
        return;
    };
    let [width, height, times] = [width, height, times].map(|number| number.parse::<usize>().unwrap());
    let model = Model::load(Path::new(param), Path::new(bin)).unwrap();
    let net = Int8Net::from_model(model, Options::default()).unwrap();
    let blob = net.graph().blob_name(net.graph().inputs()[0]).to_owned();
    let values = (0..3 * width * height).map(|index| (index * 7919 % 501) as f32 / 100.0 - 2.5).collect();
    let input = Tensor::new(&[3, height, width], values).unwrap();
    let mut session = net.session();
    for _ in 0..times {
        black_box(session.run(&[(&blob, input.clone())]).unwrap());
    }
}
