//! The program that `cargo xtask arm-cost` counts: a network with made-up weights, run some times on one thread.
//!
//! `inference NETWORK [ISA]`, where `NETWORK` is `squeezenet_int8`, `mobilenet_int8` or a `.param` file whose
//! int8 layers have parameter 8. Reads the clock before and after every step (the session does) and before
//! the first and after the last of each run; prints the steps, one a line: name, kernel, multiply-adds.

#![allow(clippy::unwrap_used, reason = "it is a chore of this repository")]

#[path = "../../tests/common/mod.rs"]
mod common;
mod networks;

use std::hint::black_box;
use std::time::Instant;

use common::{floats, network};
use int8_exec::{Int8Net, Options};
use int8_kernels::Isa;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap();
    let isa = arguments.next().map_or(Isa::detect(), |name| Isa::by_name(&name).unwrap());
    let lines = networks::by_name(&name).unwrap_or_else(|| networks::of_file(&name));
    let net = Int8Net::with_options(&network(&lines, 1), Options::default().with_isa(isa)).unwrap();
    let [width, height, channels] = networks::input(&lines);
    let input = floats(&[channels, height, width], 2);
    for step in net.plan_report(&[("data", input.shape())]).unwrap().steps {
        println!("{}\t{}\t{}", step.layer, step.kernel, step.macs);
    }
    let mut session = net.session();
    // This thread is the pool's only one: nobody waits for anybody, so the counts repeat.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build().unwrap();
    pool.install(|| {
        for _ in 0..2 {
            black_box(Instant::now());
            black_box(session.run(&[("data", input.clone())]).unwrap());
            black_box(Instant::now());
        }
    });
}
