//! Work that is spread over threads: whatever their number, the same bits, and those of the definition.

use crate::support::{Array, Draw, Trial, with};

/// Blobs that are large enough to be shared out, and sizes at which shares do not come out even.
const LAYERS: &[(&str, &str, &[&[usize]])] = &[
    ("AbsVal", "", &[&[31, 61, 67]]),
    ("BatchNorm", "0=31 1=1e-5", &[&[31, 61, 67]]),
    ("BinaryOp", "0=0", &[&[31, 61, 67], &[31, 61, 67]]),
    ("BinaryOp", "0=2", &[&[31, 61, 67], &[31]]),
    ("BinaryOp", "0=1", &[&[31, 61, 67], &[31, 1, 67]]),
    ("BinaryOp", "0=6 1=1 2=2.0", &[&[61, 997]]),
    ("BinaryOp", "0=4", &[&[3, 31, 61, 67], &[3, 1, 61, 1]]),
    ("Concat", "0=0", &[&[31, 61, 67], &[17, 61, 67]]),
    ("Concat", "0=2", &[&[31, 61, 67], &[31, 61, 5]]),
    ("Convolution", "0=33 1=3 4=1 5=1 6=5049 9=1", &[&[17, 61, 67]]),
    ("Convolution", "0=40 1=1 5=1 6=2480", &[&[62, 41, 43]]),
    ("Convolution", "0=24 1=5 3=2 4=2 5=1 6=9600", &[&[16, 41, 43]]),
    ("Convolution1D", "0=33 1=3 4=1 5=1 6=6039", &[&[61, 997]]),
    ("Convolution3D", "0=9 1=3 4=1 5=1 6=729", &[&[3, 17, 31, 33]]),
    ("ConvolutionDepthWise", "0=31 1=3 4=1 5=1 6=279 7=31 9=1", &[&[31, 61, 67]]),
    ("ConvolutionDepthWise", "0=40 1=5 3=2 4=2 6=1000 7=40", &[&[40, 61, 67]]),
    ("ConvolutionDepthWise", "0=32 1=3 4=1 6=2304 7=4", &[&[32, 31, 33]]),
    ("Deconvolution", "0=17 1=4 3=2 4=1 5=1 6=4352", &[&[16, 31, 33]]),
    ("DeconvolutionDepthWise", "0=31 1=4 3=2 4=1 6=496 7=31", &[&[31, 31, 33]]),
    ("Eltwise", "0=1", &[&[31, 61, 67], &[31, 61, 67], &[31, 61, 67]]),
    ("Eltwise", "0=2", &[&[31, 61, 67], &[31, 61, 67]]),
    ("GELU", "", &[&[61, 997]]),
    ("Gemm", "", &[&[97, 131], &[131, 113]]),
    ("InnerProduct", "0=61 1=1 2=61000 9=1", &[&[10, 10, 10]]),
    ("InnerProduct", "0=97 1=1 2=12707", &[&[61, 131]]),
    ("Interp", "0=2 3=97 4=101", &[&[17, 31, 33]]),
    ("Interp", "0=1 1=3.0 2=3.0", &[&[17, 31, 33]]),
    ("LayerNorm", "0=131", &[&[311, 131]]),
    ("LRN", "0=0 1=5", &[&[31, 61, 67]]),
    ("MatMul", "0=0", &[&[7, 61, 67], &[7, 67, 59]]),
    ("Mish", "", &[&[31, 61, 67]]),
    ("MultiHeadAttention", "0=64 1=4 2=4096", &[&[97, 64]]),
    ("Padding", "0=3 1=2 2=1 3=5 4=2", &[&[31, 61, 67]]),
    ("Permute", "0=3", &[&[31, 61, 67]]),
    ("Pooling", "0=0 1=3 2=2 3=1", &[&[31, 61, 67]]),
    ("Pooling", "0=1 1=3 2=1 3=1 5=1", &[&[31, 61, 67]]),
    ("Pooling", "0=1 4=1", &[&[131, 61, 67]]),
    ("PReLU", "0=31", &[&[31, 61, 67]]),
    ("Reduction", "0=3 1=0 -23303=1,1 5=1", &[&[31, 61, 67]]),
    ("ReLU", "0=0.1", &[&[31, 61, 67]]),
    ("RMSNorm", "0=131", &[&[311, 131]]),
    ("Scale", "0=31 1=1", &[&[31, 61, 67]]),
    ("SDPA", "", &[&[4, 97, 32], &[2, 89, 32], &[2, 89, 24]]),
    ("ShuffleChannel", "0=4", &[&[32, 61, 67]]),
    ("Slice", "-23300=1,11 1=1", &[&[31, 61, 67]]),
    ("Softmax", "0=0 1=1", &[&[31, 61, 67]]),
    ("Softmax", "0=1 1=1", &[&[311, 131]]),
    ("Swish", "", &[&[31, 61, 67]]),
    ("TanH", "", &[&[31, 61, 67]]),
    ("UnaryOp", "0=7", &[&[3, 31, 61, 67]]),
    (
        "YoloDetectionOutput",
        "0=20 1=5 2=0.3 3=0.4 -23304=10,1.0,1.0,2.0,2.0,3.0,1.0,1.0,3.0,4.0,4.0",
        &[&[125, 13, 13]],
    ),
];

/// Runs `work` where there are that many threads.
fn with_threads<T: Send>(threads: usize, work: impl FnOnce() -> T + Send) -> T {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let mut draw = Draw::new(1);
    for &(kind, params, shapes) in LAYERS {
        let inputs: Vec<Array> = shapes.iter().map(|dims| draw.array(dims, -1.0, 1.0)).collect();
        let trial = Trial::new(kind, params, &inputs.iter().collect::<Vec<_>>()).with_any_weights(&mut draw);
        for as_pixels in [false, true] {
            let run = || trial.run_as(as_pixels).unwrap_or_else(|error| panic!("{trial}: {error}"));
            let alone = with_threads(1, run);
            for threads in [2, 3, 5] {
                assert_eq!(with_threads(threads, run), alone, "{trial}, {threads} threads, pixels {as_pixels}");
            }
        }
    }
}

#[test]
fn a_large_blob_gives_what_its_channels_give_alone() {
    let mut draw = Draw::new(2);
    let by_channel = ["AbsVal", "GELU", "Mish", "ReLU", "Swish", "TanH", "UnaryOp", "Pooling", "Interp", "Padding"];
    for &(kind, params, shapes) in LAYERS.iter().filter(|layer| by_channel.contains(&layer.0)) {
        let input = draw.array(shapes[0], -1.0, 1.0);
        let trial = Trial::new(kind, params, &[&input]);
        for as_pixels in [false, true] {
            let whole = with_threads(4, || trial.run_as(as_pixels)).unwrap().remove(0);
            for channel in [0, 1, input.dims[0] / 2, input.dims[0] - 1] {
                let own = Array::build(&with(&input.dims, 0, 1), |index| input.at(&with(index, 0, channel)));
                let alone = with_threads(1, || trial.fed(vec![own]).run_as(as_pixels)).unwrap().remove(0);
                let found = Array::build(&alone.dims, |index| whole.at(&with(index, 0, channel)));
                assert_eq!(found, alone, "{trial}, channel {channel}, pixels {as_pixels}");
            }
        }
    }
}

#[test]
fn two_networks_at_once_do_not_disturb_each_other() {
    let mut draw = Draw::new(3);
    let input = draw.array(&[17, 41, 43], -1.0, 1.0);
    let trial = Trial::new("Convolution", "0=33 1=3 4=1 5=1 6=5049 9=1", &[&input]).with_any_weights(&mut draw);
    let expected = trial.run().unwrap();
    with_threads(4, || {
        rayon::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|_| assert_eq!(trial.run().unwrap(), expected));
            }
        });
    });
}
