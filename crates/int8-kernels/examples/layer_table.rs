//! Prints what matrix products and the convolutions of some networks reach, as a share of the
//! measured peak: `cargo run --release -p int8-kernels --example layer_table [network] [isa] [residual] [direct|winograd]`.
//! With `residual`, floats are added and the sums kept as floats as well as int8 values. `direct` and `winograd`
//! choose the algorithm.
//!
//! Each line is the best of many short runs; the peak is measured between them, because shared
//! machines change speed.

#![allow(clippy::unwrap_used, reason = "an example ends where something is wrong")]

use std::time::{Duration, Instant};

use int8_kernels::{
    Activation, Addend, Algorithm, ConvShape, Epilogue, Image, Isa, Padding, PixelConv, PixelScratch, Place, Residual,
    Run, Sink, peak_macs_per_second,
};

/// Input channels, output channels, groups, kernel, stride, side of the input, times it occurs.
type Layer = [usize; 7];

const RESNET50: &[Layer] = &[
    [3, 64, 1, 7, 2, 224, 1],
    [64, 64, 1, 1, 1, 56, 1],
    [64, 64, 1, 3, 1, 56, 3],
    [64, 256, 1, 1, 1, 56, 4],
    [256, 64, 1, 1, 1, 56, 2],
    [256, 128, 1, 1, 2, 56, 1],
    [128, 128, 1, 3, 1, 28, 4],
    [128, 512, 1, 1, 1, 28, 4],
    [256, 512, 1, 1, 2, 56, 1],
    [512, 128, 1, 1, 1, 28, 3],
    [512, 256, 1, 1, 2, 28, 1],
    [256, 256, 1, 3, 1, 14, 6],
    [256, 1024, 1, 1, 1, 14, 6],
    [512, 1024, 1, 1, 2, 28, 1],
    [1024, 256, 1, 1, 1, 14, 5],
    [1024, 512, 1, 1, 2, 14, 1],
    [512, 512, 1, 3, 1, 7, 3],
    [512, 2048, 1, 1, 1, 7, 3],
    [1024, 2048, 1, 1, 2, 14, 1],
    [2048, 512, 1, 1, 1, 7, 2],
    [2048, 1000, 1, 1, 1, 1, 1],
];

const MOBILENET: &[Layer] = &[
    [3, 32, 1, 3, 2, 224, 1],
    [32, 32, 32, 3, 1, 112, 1],
    [32, 64, 1, 1, 1, 112, 1],
    [64, 64, 64, 3, 2, 112, 1],
    [64, 128, 1, 1, 1, 56, 1],
    [128, 128, 128, 3, 1, 56, 1],
    [128, 128, 1, 1, 1, 56, 1],
    [128, 128, 128, 3, 2, 56, 1],
    [128, 256, 1, 1, 1, 28, 1],
    [256, 256, 256, 3, 1, 28, 1],
    [256, 256, 1, 1, 1, 28, 1],
    [256, 256, 256, 3, 2, 28, 1],
    [256, 512, 1, 1, 1, 14, 1],
    [512, 512, 512, 3, 1, 14, 5],
    [512, 512, 1, 1, 1, 14, 5],
    [512, 512, 512, 3, 2, 14, 1],
    [512, 1024, 1, 1, 1, 7, 1],
    [1024, 1024, 1024, 3, 1, 7, 1],
    [1024, 1024, 1, 1, 1, 7, 1],
    [1024, 1000, 1, 1, 1, 1, 1],
];

const RESNET18: &[Layer] = &[
    [3, 64, 1, 7, 2, 224, 1],
    [64, 64, 1, 3, 1, 56, 4],
    [64, 128, 1, 3, 2, 56, 1],
    [64, 128, 1, 1, 2, 56, 1],
    [128, 128, 1, 3, 1, 28, 3],
    [128, 256, 1, 3, 2, 28, 1],
    [256, 256, 1, 3, 1, 14, 3],
    [256, 512, 1, 3, 2, 14, 1],
    [512, 512, 1, 3, 1, 7, 3],
];

const VGG16: &[Layer] = &[
    [3, 64, 1, 3, 1, 224, 1],
    [64, 64, 1, 3, 1, 224, 1],
    [64, 128, 1, 3, 1, 112, 1],
    [128, 128, 1, 3, 1, 112, 1],
    [128, 256, 1, 3, 1, 56, 1],
    [256, 256, 1, 3, 1, 56, 2],
    [256, 512, 1, 3, 1, 28, 1],
    [512, 512, 1, 3, 1, 28, 2],
    [512, 512, 1, 3, 1, 14, 3],
    [25088, 4096, 1, 1, 1, 1, 1],
    [4096, 4096, 1, 1, 1, 1, 1],
    [4096, 1000, 1, 1, 1, 1, 1],
];

/// The 3x3 convolutions of GoogLeNet.
const GOOGLENET: &[Layer] = &[
    [64, 192, 1, 3, 1, 56, 1],
    [96, 128, 1, 3, 1, 28, 1],
    [128, 192, 1, 3, 1, 28, 1],
    [96, 208, 1, 3, 1, 14, 1],
    [112, 224, 1, 3, 1, 14, 1],
    [128, 256, 1, 3, 1, 14, 1],
    [144, 288, 1, 3, 1, 14, 1],
    [160, 320, 1, 3, 1, 14, 1],
    [160, 320, 1, 3, 1, 7, 1],
    [192, 384, 1, 3, 1, 7, 1],
];

const SQUEEZENET: &[Layer] = &[
    [3, 64, 1, 3, 2, 227, 1],
    [64, 16, 1, 1, 1, 56, 1],
    [16, 64, 1, 1, 1, 56, 2],
    [16, 64, 1, 3, 1, 56, 2],
    [128, 16, 1, 1, 1, 56, 1],
    [128, 32, 1, 1, 1, 28, 1],
    [32, 128, 1, 1, 1, 28, 2],
    [32, 128, 1, 3, 1, 28, 2],
    [256, 48, 1, 1, 1, 14, 1],
    [48, 192, 1, 3, 1, 14, 2],
    [64, 256, 1, 3, 1, 14, 2],
    [512, 1000, 1, 1, 1, 14, 1],
];

/// Shapes of other networks: detection heads, dilation-free 5x5, groups, odd numbers of channels.
const OTHERS: &[Layer] = &[
    [512, 126, 1, 1, 1, 19, 1],
    [512, 12, 1, 3, 1, 19, 1],
    [256, 63, 1, 1, 1, 10, 1],
    [96, 96, 96, 3, 2, 112, 1],
    [144, 144, 144, 3, 1, 56, 1],
    [240, 240, 240, 5, 1, 14, 1],
    [16, 96, 1, 1, 1, 112, 1],
    [24, 144, 1, 1, 1, 56, 1],
    [144, 24, 1, 1, 1, 56, 1],
    [58, 58, 1, 1, 1, 28, 1],
    [128, 128, 8, 3, 1, 28, 1],
    [25088, 4096, 1, 1, 1, 1, 1],
];

/// Products of cubes as 1x1 convolutions of a row of pixels (side 0 means that many pixels as
/// channels).
const CUBES: &[usize] = &[256, 512, 1024];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_option = |argument: &String| ["residual", "direct", "winograd"].contains(&argument.as_str());
    let (options, arguments): (Vec<String>, Vec<String>) = arguments.into_iter().partition(is_option);
    let asks = |name: &str| options.iter().any(|option| option == name);
    let algorithm = match (asks("direct"), asks("winograd")) {
        (true, _) => Algorithm::Direct,
        (false, true) => Algorithm::Winograd,
        (false, false) => Algorithm::Fastest,
    };
    let how = How { residual: asks("residual"), algorithm };
    let has = |name: &str| arguments.is_empty() || arguments.iter().any(|argument| argument == name);
    let isa = arguments.iter().find_map(|name| Isa::by_name(name)).unwrap_or_else(Isa::detect);
    let no_network = arguments.iter().all(|argument| Isa::by_name(argument).is_some());
    println!("{isa}, peak {:.1} GMAC/s", peak_macs_per_second(isa) / 1e9);
    if has("gemm") || no_network {
        for &size in CUBES {
            report([size, size, 1, 1, 1, size, 1], (1, size), isa, how);
        }
    }
    let networks = [
        ("resnet50", RESNET50),
        ("mobilenet", MOBILENET),
        ("resnet18", RESNET18),
        ("squeezenet", SQUEEZENET),
        ("vgg16", VGG16),
        ("googlenet", GOOGLENET),
        ("others", OTHERS),
    ];
    for (name, layers) in networks {
        if !has(name) && !no_network {
            continue;
        }
        println!("{name}");
        let (mut time, mut ideal) = (0.0, 0.0);
        for &layer in layers {
            let (seconds, peak_seconds) = report(layer, (layer[5], layer[5]), isa, how);
            time += seconds * layer[6] as f64;
            ideal += peak_seconds * layer[6] as f64;
        }
        println!("{name}: {:.3} ms, {:.1} % of peak", time * 1e3, 100.0 * ideal / time);
    }
}

/// What to time.
#[derive(Clone, Copy)]
struct How {
    residual: bool,
    algorithm: Algorithm,
}

/// Prints a line; returns the seconds of a run and those at peak speed.
fn report(layer: Layer, (height, width): (usize, usize), isa: Isa, How { residual, algorithm }: How) -> (f64, f64) {
    let [in_channels, out_channels, groups, kernel, stride, ..] = layer;
    let shape = ConvShape {
        groups,
        kernel_h: kernel,
        kernel_w: kernel,
        stride_h: stride,
        stride_w: stride,
        ..ConvShape::pointwise(in_channels, out_channels)
    };
    let pad = kernel / 2;
    let padding = Padding { top: pad, bottom: pad, left: pad, right: pad, value: 0 };
    let (rows, columns) = shape.output_size(height, width, &padding).unwrap();
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let depth = shape.depth().unwrap();
    // Small ones are more frequent, as in networks.
    let mut weight = || ((0..4).map(|_| i32::from(next())).sum::<i32>() / 4 - 127) as i8;
    let weights: Vec<i8> = (0..out_channels * depth).map(|_| weight()).collect();
    let bytes: Vec<u8> = (0..height * width * in_channels).map(|_| next().max(1)).collect();
    let epilogue = Epilogue::new(vec![1e-4; out_channels], Some(vec![0.5; out_channels]), Activation::Relu).unwrap();
    let packing = Instant::now();
    let conv = PixelConv::with_algorithm(shape, &weights, epilogue, isa, algorithm).unwrap();
    let packed = packing.elapsed().as_secs_f64();
    let input = Image::new(&bytes, height, width, in_channels, in_channels).unwrap();
    let outputs = rows * columns * out_channels;
    let addends = vec![0.25; outputs];
    let mut floats = vec![0.0; if residual { outputs } else { 0 }];
    let added =
        Residual { addend: Addend::F32 { values: &addends, pixel_stride: out_channels }, then: Activation::Relu };
    let run = Run { input, padding, rows: 0..rows, residual: residual.then_some(added) };
    let mut out = vec![0; outputs];
    let mut scratch = PixelScratch::default();
    let (mut best, mut peak) = (f64::INFINITY, 0f64);
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(200) {
        let now = peak_macs_per_second(isa);
        peak = peak.max(now);
        let slice = Instant::now();
        while slice.elapsed() < Duration::from_millis(5) {
            let place = Place::whole(out_channels);
            let mut sinks =
                [Sink::I8 { bytes: &mut out, place, scale: 20.0 }, Sink::F32 { values: &mut floats, place }];
            let sinks = if residual { &mut sinks[..] } else { &mut sinks[..1] };
            let started = Instant::now();
            conv.run(&run, sinks, &mut scratch).unwrap();
            best = best.min(started.elapsed().as_secs_f64());
        }
    }
    let macs = (rows * columns * out_channels * depth) as f64;
    println!(
        "{in_channels:5} -> {out_channels:4} /{groups:<4} {kernel}x{kernel} s{stride} {height:4}x{width:<4} {:9.1} us {:7.1} GMAC/s {:5.1} %  packed in {:.2} ms  {}",
        best * 1e6,
        macs / best / 1e9,
        100.0 * macs / best / peak,
        packed * 1e3,
        conv.kernel(rows, columns),
    );
    (best, macs / peak)
}
