//! Prints how fast slices are quantized and windows are pooled:
//! `cargo run --release -p int8-kernels --example row_table [isa]`.

#![allow(clippy::unwrap_used, reason = "an example ends where something is wrong")]

use std::time::Instant;

use int8_kernels::{Image, Isa, Padding, Place, PoolWindow, max_pool, quantize_planes, quantize_values};

fn main() {
    let isa = std::env::args().nth(1).and_then(|name| Isa::by_name(&name)).unwrap_or_else(Isa::detect);
    let pixels = 224 * 224;
    let values: Vec<f32> = (0..3 * pixels).map(|i| (i % 999) as f32 - 500.0).collect();
    let mut bytes = vec![0; 3 * pixels];
    time("quantize_planes 224x224x3", || quantize_planes(&values, 3, 0.25, &mut bytes, 3, isa).unwrap());
    time("quantize_values 150528", || quantize_values(&values, 0.25, &mut bytes, isa).unwrap());
    let input = vec![7; 112 * 112 * 64];
    let image = Image::new(&input, 112, 112, 64, 64).unwrap();
    let padding = Padding { top: 1, bottom: 1, left: 1, right: 1, value: 0 };
    let window = PoolWindow { kernel_h: 3, kernel_w: 3, stride_h: 2, stride_w: 2, padding };
    let (height, width) = window.output_size(112, 112).unwrap();
    let mut out = vec![0; height * width * 64];
    time("max_pool 3x3s2 112x112x64", || {
        max_pool(&image, &window, 0..height, &mut out, Place::whole(64), isa).unwrap()
    });
}

fn time(name: &str, mut run: impl FnMut()) {
    let mut best = f64::INFINITY;
    for _ in 0..200 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
    }
    println!("{name}: {:.1} us", best * 1e6);
}
