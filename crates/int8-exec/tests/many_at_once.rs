//! Many networks in one pool.

mod common;

use int8_exec::{Int8Net, Options};
use rayon::prelude::*;

/// A thread that waits for a part of one network takes up another; that must not go on without end.
#[test]
fn a_thousand_networks_in_one_pool_do_not_fill_the_stack() {
    let lines = "Input data 0 1 data\nConvolution c 1 1 data b 0=32 1=3 4=1 6=9216 9=1\n";
    let model = common::network(lines, 5);
    let input = common::floats(&[32, 24, 24], 6);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).stack_size(1 << 18).build().unwrap();
    pool.install(|| {
        for _ in 0..1000 {
            let net = Int8Net::with_options(&model, Options::default()).unwrap();
            net.run(&[("data", input.clone())], &mut ()).unwrap();
        }
    });
}

#[test]
fn a_thousand_images_in_one_pool_do_not_fill_the_stack() {
    let mut lines = "Input data 0 1 data\n".to_owned();
    let mut last = "data".to_owned();
    for index in 0..6 {
        lines += &format!("Convolution c{index} 1 1 {last} b{index} 0=32 1=3 4=1 6=9216 9=1\n");
        last = format!("b{index}");
    }
    let model = common::network(&lines, 5);
    let input = common::floats(&[32, 24, 24], 6);
    let net = Int8Net::with_options(&model, Options::default()).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(4).stack_size(1 << 19).build().unwrap();
    let outputs: Vec<_> = pool.install(|| {
        (0..1000)
            .into_par_iter()
            .with_max_len(1)
            .map(|_| net.run(&[("data", input.clone())], &mut ()).unwrap())
            .collect()
    });
    let first = outputs[0].iter().next().unwrap().1.clone();
    assert!(outputs.iter().all(|output| output.iter().next().unwrap().1 == &first));
}
