//! What no layer may do, whatever the file or the inputs say: panic, hang, or run where its
//! shapes were not foretold.

use ncnn_format::{Layer, LayerKind};

use crate::support::{Array, Draw, Trial, survives};

/// A line of each type that can be run, with the shapes of inputs that it takes.
const LAYERS: &[(&str, &str, &[&[usize]])] = &[
    ("AbsVal", "", &[&[3, 4, 5]]),
    ("BatchNorm", "0=3 1=1e-5", &[&[3, 4, 5]]),
    ("Bias", "0=3", &[&[3, 4, 5]]),
    ("BinaryOp", "0=0 1=0 2=1.0", &[&[3, 4, 5], &[3, 1, 5]]),
    ("Cast", "0=1 1=2", &[&[3, 4, 5]]),
    ("CELU", "0=1.0", &[&[3, 4, 5]]),
    ("Clip", "0=-1.0 1=1.0", &[&[3, 4, 5]]),
    ("Concat", "0=0", &[&[3, 4, 5], &[2, 4, 5]]),
    (
        "Convolution",
        "0=2 1=3 2=1 3=1 4=1 5=1 6=54 8=0 9=2 -23310=1,0.1 11=3 12=1 13=1 14=1 15=1 16=1 18=0.0 19=0",
        &[&[3, 4, 5]],
    ),
    ("Convolution1D", "0=2 1=3 2=1 3=1 4=1 5=1 6=18 9=0 15=1 18=0.0 19=0", &[&[3, 5]]),
    (
        "Convolution3D",
        "0=2 1=2 2=1 3=1 4=0 5=1 6=48 9=0 11=2 12=1 13=1 14=0 15=0 16=0 17=0 18=0.0 21=2 22=1 23=1 24=0",
        &[&[3, 4, 4, 5]],
    ),
    (
        "ConvolutionDepthWise",
        "0=3 1=3 2=1 3=1 4=1 5=1 6=27 7=3 8=0 9=0 11=3 12=1 13=1 14=1 15=1 16=1 18=0.0 19=0",
        &[&[3, 4, 5]],
    ),
    ("ConvolutionDepthWise1D", "0=3 1=3 2=1 3=1 4=1 5=1 6=9 7=3 9=0 15=1 18=0.0 19=0", &[&[3, 5]]),
    (
        "ConvolutionDepthWise3D",
        "0=3 1=2 2=1 3=1 4=0 5=1 6=24 7=3 9=0 11=2 12=1 13=1 14=0 15=0 16=0 17=0 18=0.0 21=2 22=1 23=1 24=0",
        &[&[3, 4, 4, 5]],
    ),
    ("Crop", "0=1 1=1 2=1 3=2 4=2 5=1 6=0 7=0 8=0 13=0 14=1 15=0", &[&[3, 4, 5]]),
    ("Crop", "-23309=2,1,1 -23310=2,3,4 -23311=2,1,2", &[&[3, 4, 5]]),
    ("CumulativeSum", "0=1", &[&[3, 4, 5]]),
    (
        "Deconvolution",
        "0=2 1=3 2=1 3=2 4=1 5=1 6=54 9=0 11=3 12=1 13=2 14=1 15=1 16=1 18=1 19=1 20=0 21=0 28=0",
        &[&[3, 4, 5]],
    ),
    (
        "DeconvolutionDepthWise",
        "0=3 1=3 2=1 3=2 4=1 5=1 6=27 7=3 9=0 11=3 12=1 13=2 14=1 15=1 16=1 18=1 19=1 20=0 21=0 28=0",
        &[&[3, 4, 5]],
    ),
    ("DetectionOutput", "0=3 1=0.4 2=10 3=5 4=0.1", &[&[8], &[6], &[2, 8]]),
    ("Dropout", "0=0.5", &[&[3, 4, 5]]),
    ("Eltwise", "0=1 -23301=2,1.0,0.5", &[&[3, 4, 5], &[3, 4, 5]]),
    ("ELU", "0=0.1", &[&[3, 4, 5]]),
    ("Embed", "0=3 1=4 2=1 3=12 18=0", &[&[5]]),
    ("Erf", "", &[&[3, 4, 5]]),
    ("Exp", "0=-1.0 1=1.0 2=0.0", &[&[3, 4, 5]]),
    ("ExpandDims", "-23303=1,1", &[&[4, 5]]),
    ("Flatten", "", &[&[3, 4, 5]]),
    ("GELU", "0=1", &[&[3, 4, 5]]),
    ("Gemm", "0=1.0 1=1.0 2=0 3=1 4=0 5=1 6=1 7=0 8=4 9=5 10=4 11=0 12=0 13=0 14=0 18=0 20=0 21=0 22=0", &[&[3, 5]]),
    ("GLU", "0=1", &[&[3, 4, 5]]),
    ("GroupNorm", "0=2 1=4 2=1e-3 3=1", &[&[4, 3, 5]]),
    ("GRU", "0=2 1=30 2=0 8=0", &[&[4, 5]]),
    ("HardSigmoid", "0=0.2 1=0.5", &[&[3, 4, 5]]),
    ("HardSwish", "0=0.2 1=0.5", &[&[3, 4, 5]]),
    ("InnerProduct", "0=4 1=1 2=240 8=0 9=1", &[&[3, 4, 5]]),
    ("InstanceNorm", "0=3 1=1e-3 2=1", &[&[3, 4, 5]]),
    ("Interp", "0=2 1=1.0 2=1.0 3=7 4=3 5=0 6=1", &[&[3, 4, 5]]),
    ("LayerNorm", "0=5 1=1e-3 2=1", &[&[3, 4, 5]]),
    ("Log", "0=-1.0 1=1.0 2=2.0", &[&[3, 4, 5]]),
    ("LRN", "0=0 1=5 2=1.0 3=0.75 4=1.0", &[&[3, 4, 5]]),
    ("LSTM", "0=2 1=40 2=0 3=2 8=0", &[&[4, 5]]),
    ("MatMul", "0=1", &[&[3, 4, 5], &[3, 2, 5]]),
    ("MemoryData", "0=5 1=4 2=3 11=0 21=1", &[]),
    ("Mish", "", &[&[3, 4, 5]]),
    ("MultiHeadAttention", "0=4 1=2 2=20 3=5 4=5 5=0 6=0.5 7=0 18=0", &[&[3, 5]]),
    ("MVN", "0=1 1=1 2=1e-4", &[&[3, 4, 5]]),
    ("Noop", "", &[&[3, 4, 5]]),
    ("Normalize", "0=1 1=0 2=1e-4 3=3 4=1 9=0", &[&[3, 4, 5]]),
    ("Packing", "0=1 1=0 2=0 3=0", &[&[3, 4, 5]]),
    ("Padding", "0=1 1=1 2=1 3=1 4=0 5=0.0 6=0 7=1 8=1", &[&[3, 4, 5]]),
    ("Permute", "0=3", &[&[3, 4, 5]]),
    ("PixelShuffle", "0=2 1=0", &[&[8, 4, 5]]),
    ("Pooling", "0=1 1=3 2=2 3=1 4=0 5=0 6=0 7=0 8=2 11=3 12=2 13=1 14=1 15=1 18=2", &[&[3, 4, 5]]),
    ("Pooling1D", "0=1 1=3 2=2 3=1 4=0 5=0 6=0 7=0 8=2 14=1", &[&[3, 5]]),
    (
        "Pooling3D",
        "0=1 1=3 2=2 3=1 4=0 5=0 6=0 7=0 8=2 11=3 12=2 13=1 14=1 15=1 16=1 18=2 21=3 22=2 23=1 28=2",
        &[&[3, 4, 4, 5]],
    ),
    ("Power", "0=2.0 1=1.0 2=0.5", &[&[3, 4, 5]]),
    ("PReLU", "0=3", &[&[3, 4, 5]]),
    (
        "PriorBox",
        "-23300=1,4.0 -23301=1,8.0 -23302=1,2.0 3=0.1 7=1 8=0 9=32 10=32 11=8.0 12=8.0 13=0.5 14=0 15=0",
        &[&[3, 4, 5]],
    ),
    ("Proposal", "0=16 1=16 2=100 3=10 4=0.7 5=0", &[&[18, 2, 2], &[36, 2, 2], &[3]]),
    ("PSROIPooling", "0=2 1=2 2=1.0 3=1", &[&[4, 5, 5], &[4]]),
    ("Reduction", "0=0 1=0 2=1.0 -23303=1,1 4=1 5=1", &[&[3, 4, 5]]),
    ("ReLU", "0=0.1", &[&[3, 4, 5]]),
    ("Reorg", "0=2 1=0", &[&[3, 4, 6]]),
    ("Reshape", "0=5 1=-1 12=233 13=233", &[&[3, 4, 5]]),
    ("Reshape", "0=5 1=4 2=3 11=1", &[&[3, 4, 5]]),
    ("RMSNorm", "0=5 1=1e-3 2=1", &[&[3, 4, 5]]),
    ("RNN", "0=2 1=10 2=0 8=0", &[&[4, 5]]),
    ("ROIAlign", "0=2 1=2 2=1.0 3=2 4=0 5=0", &[&[3, 4, 5], &[4]]),
    ("ROIPooling", "0=2 1=2 2=1.0", &[&[3, 4, 5], &[4]]),
    ("RotaryEmbed", "0=1", &[&[3, 4, 6], &[4, 3], &[4, 3]]),
    ("Scale", "0=3 1=1", &[&[3, 4, 5]]),
    ("SDPA", "5=0 6=0.0 7=0 18=0", &[&[2, 3, 4], &[2, 5, 4], &[2, 5, 4]]),
    ("SELU", "0=1.5 1=1.25", &[&[3, 4, 5]]),
    ("Shrink", "0=0.5 1=0.5", &[&[3, 4, 5]]),
    ("ShuffleChannel", "0=2 1=0", &[&[4, 3, 5]]),
    ("Sigmoid", "", &[&[3, 4, 5]]),
    ("Slice", "-23300=1,-233 1=0", &[&[3, 4, 5]]),
    ("Softmax", "0=1 1=1", &[&[3, 4, 5]]),
    ("Softplus", "", &[&[3, 4, 5]]),
    ("Split", "", &[&[3, 4, 5]]),
    ("Squeeze", "0=1 1=1 2=1 11=1", &[&[3, 1, 5]]),
    ("Swish", "", &[&[3, 4, 5]]),
    ("TanH", "", &[&[3, 4, 5]]),
    ("Threshold", "0=0.5", &[&[3, 4, 5]]),
    ("Tile", "0=1 1=2", &[&[3, 4, 5]]),
    ("UnaryOp", "0=7", &[&[3, 4, 5]]),
    ("YoloDetectionOutput", "0=2 1=1 2=0.1 3=0.4 -23304=2,1.0,1.0", &[&[7, 4, 5]]),
    ("Yolov3DetectionOutput", "0=2 1=1 2=0.1 3=0.4 -23304=2,1.0,1.0 -23305=1,0.0 -23306=1,8.0", &[&[7, 4, 5]]),
];

fn blobs(shapes: &[&[usize]], draw: &mut Draw) -> Vec<Array> {
    shapes.iter().map(|dims| draw.array(dims, 0.125, 1.0)).collect()
}

#[test]
fn every_type_runs_on_what_it_is_for() {
    let mut draw = Draw::new(1);
    for &(kind, params, shapes) in LAYERS {
        let inputs = blobs(shapes, &mut draw);
        let trial = Trial::new(kind, params, &inputs.iter().collect::<Vec<_>>()).with_any_weights(&mut draw);
        trial.run().unwrap_or_else(|error| panic!("{trial}: {error}"));
    }
}

#[test]
fn every_type_that_can_be_run_has_a_line_here() {
    for kind in LayerKind::BUILTIN.iter().filter(|&kind| *kind != LayerKind::Input) {
        let known = match fp32_ref::build(&Layer::new(kind.clone(), "layer")) {
            Err(error) => !error.to_string().contains(&format!("layers of type {kind} cannot be run")),
            Ok(_) => true,
        };
        let listed = LAYERS.iter().any(|layer| layer.0 == kind.as_str());
        assert_eq!(known, listed, "{kind} can be run or not, the table says otherwise");
    }
}

#[test]
fn another_number_of_inputs_is_an_error_that_names_the_layer() {
    let mut draw = Draw::new(2);
    for &(kind, params, shapes) in LAYERS {
        let inputs = blobs(shapes, &mut draw);
        let all: Vec<&Array> = inputs.iter().collect();
        for count in 0..=shapes.len() + 2 {
            let mut given: Vec<&Array> = all.iter().copied().cycle().take(count).collect();
            if all.is_empty() {
                given = vec![];
            }
            let trial = Trial::new(kind, params, &given).with_any_weights(&mut draw);
            if let Err(error) = trial.run() {
                assert!(error.to_string().contains("layer"), "{trial}: {error}");
                assert!(count != shapes.len(), "{trial}: {error}");
            }
        }
    }
}

#[test]
fn inputs_of_every_rank_and_size_run_or_are_refused_beforehand() {
    let mut draw = Draw::new(3);
    for &(kind, params, shapes) in LAYERS {
        for case in 0..32 {
            let inputs: Vec<Array> = shapes
                .iter()
                .map(|dims| {
                    // One in three keeps what the layer is for, so that only one input is odd.
                    let dims = match case % 3 {
                        0 if draw.flag() => dims.to_vec(),
                        _ => {
                            let rank = draw.size(1, 4);
                            draw.dims(rank, 5)
                        }
                    };
                    draw.array(&dims, 0.125, 1.0)
                })
                .collect();
            let trial = Trial::new(kind, params, &inputs.iter().collect::<Vec<_>>()).with_any_weights(&mut draw);
            // What can be foretold and cannot run fails in there; errors are fine.
            let _ = trial.run();
        }
    }
}

#[test]
fn hostile_parameters_are_errors_or_harmless() {
    const INTS: [&str; 9] = ["0", "-1", "1", "2", "7", "-233", "1000000", "2147483647", "-2147483648"];
    const FLOATS: [&str; 7] = ["0.0", "-1.0", "1e30", "-1e30", "1e-30", "nan", "inf"];
    let mut draw = Draw::new(4);
    for &(kind, params, shapes) in LAYERS {
        let words: Vec<&str> = params.split_whitespace().collect();
        let inputs = blobs(shapes, &mut draw);
        let inputs: Vec<&Array> = inputs.iter().collect();
        for (place, word) in words.iter().enumerate() {
            let (id, value) = word.split_once('=').unwrap();
            let array = id.starts_with("-23");
            let values: &[&str] = if value.contains(['.', 'e']) { &FLOATS } else { &INTS };
            for hostile in values {
                let mut changed: Vec<String> = words.iter().map(ToString::to_string).collect();
                changed[place] = if array { format!("{id}=1,{hostile}") } else { format!("{id}={hostile}") };
                survives(&Trial::new(kind, changed.join(" "), &inputs), &mut draw);
            }
            // Without it, and an array without elements.
            let mut changed = words.clone();
            changed.remove(place);
            survives(&Trial::new(kind, changed.join(" "), &inputs), &mut draw);
            if array {
                let mut changed: Vec<String> = words.iter().map(ToString::to_string).collect();
                changed[place] = format!("{id}=0");
                survives(&Trial::new(kind, changed.join(" "), &inputs), &mut draw);
            }
        }
    }
}

#[test]
fn missing_weights_are_an_error_that_names_layer_and_role() {
    let mut draw = Draw::new(5);
    let mut types = 0;
    for &(kind, params, shapes) in LAYERS {
        let inputs = blobs(shapes, &mut draw);
        let trial = Trial::new(kind, params, &inputs.iter().collect::<Vec<_>>()).with_any_weights(&mut draw);
        for missing in 0..trial.weight_count() {
            let error = trial.clone().without_weight(missing).build_error();
            assert!(error.starts_with("layer layer: ") && error.contains("no "), "{trial}: {error}");
            types += usize::from(missing == 0);
        }
    }
    assert!(types > 20, "only {types} types with weights");
}

#[test]
fn numbers_that_are_none_pass_through_without_harm() {
    let mut draw = Draw::new(6);
    for &(kind, params, shapes) in LAYERS {
        for strange in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::from(f32::MAX), f64::from(f32::MIN_POSITIVE)] {
            let mut inputs = blobs(shapes, &mut draw);
            for input in &mut inputs {
                for value in input.values.iter_mut().step_by(3) {
                    *value = strange;
                }
            }
            let trial = Trial::new(kind, params, &inputs.iter().collect::<Vec<_>>()).with_any_weights(&mut draw);
            // ROIs of infinite size and the like may be refused, and that is all.
            let _ = trial.run_values();
        }
    }
}
