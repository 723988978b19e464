//! From the second run on, a session allocates for its outputs only.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::alloc::System;

use common::{floats, network};
use int8_exec::Int8Net;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Residual blocks one after the other, a pooling and a concat.
fn residual_blocks(count: usize) -> String {
    let mut lines = String::from("Input data 0 1 data\nConvolution c 1 1 data b0 0=16 1=3 4=1 5=1 6=432 9=1\n");
    for block in 0..count {
        lines += &format!(
            "Split s{block} 1 2 b{block} x{block} y{block}
             ConvolutionDepthWise d{block} 1 1 x{block} d{block} 0=16 1=3 4=1 5=1 6=144 7=16 9=1
             Convolution e{block} 1 1 d{block} e{block} 0=16 1=1 5=1 6=256
             Eltwise a{block} 2 1 y{block} e{block} a{block} 0=1
             ReLU r{block} 1 1 a{block} b{}\n",
            block + 1
        );
    }
    lines
        + &format!(
            "Pooling p 1 1 b{count} p 1=3 2=1 3=1
             Split s 1 2 p p1 p2
             Convolution e 1 1 p1 e 0=16 1=1 5=1 6=256
             Convolution f 1 1 p2 f 0=16 1=3 4=1 5=1 6=2304
             Concat g 2 1 e f g
             Convolution last 1 1 g out 0=4 1=1 2=1 3=4 5=1 6=128"
        )
}

#[test]
fn the_number_of_layers_does_not_matter() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let input = floats(&[3, 40, 40], 1);
    let [few, many] = [1, 9].map(|blocks| {
        let net = Int8Net::new(&network(&residual_blocks(blocks), 3)).unwrap();
        let mut session = net.session();
        pool.install(|| {
            for _ in 0..2 {
                session.run(&[("data", input.clone())]).unwrap();
            }
            // The least of several runs: threads of the test harness allocate too.
            let runs = (0..5).map(|_| {
                let region = Region::new(ALLOCATOR);
                let outputs = session.run(&[("data", input.clone())]).unwrap();
                let used = region.change();
                assert_eq!(outputs.iter().len(), 1);
                (used.bytes_allocated, used.allocations)
            });
            let (bytes, allocations) = runs.min().unwrap();
            assert!(bytes < 4 * 4 * 10 * 10 * 4 + 2048, "{bytes} bytes");
            allocations
        })
    });
    assert_eq!(few, many, "allocations of 1 block and of 9");
}
