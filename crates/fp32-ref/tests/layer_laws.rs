//! Laws that every layer type obeys, and what `ncnn_format::Effect` says of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::HashSet;

use fp32_ref::{BuildOptions, Layer, Order, Shape, Tensor, Value, Workspace, build, run_layer};
use ncnn_format::{Effect, LayerKind, Model, WeightRole};

/// A layer line and the dimensions of its inputs.
const CASES: &[(&str, &[&[usize]])] = &[
    ("AbsVal l 1 1 a y", &[&[3, 4, 5]]),
    ("BatchNorm l 1 1 a y 0=3", &[&[3, 4, 5]]),
    ("BatchNorm l 1 1 a y 0=3", &[&[3, 4]]),
    ("Bias l 1 1 a y 0=3", &[&[3, 4, 5]]),
    ("BinaryOp l 2 1 a b y 0=0", &[&[3, 4, 5], &[3, 4, 5]]),
    ("BinaryOp l 2 1 a b y 0=2", &[&[3, 4, 5], &[3, 1, 1]]),
    ("BinaryOp l 2 1 a b y 0=4", &[&[3, 4, 5], &[5]]),
    ("BinaryOp l 1 1 a y 0=1 1=1 2=0.5", &[&[3, 4, 5]]),
    ("Cast l 1 1 a y 0=1 1=2", &[&[3, 4]]),
    ("CELU l 1 1 a y 0=0.7", &[&[3, 4, 5]]),
    ("Clip l 1 1 a y 0=-0.5 1=1.5", &[&[3, 4, 5]]),
    ("Concat l 2 1 a b y 0=0", &[&[3, 4, 5], &[2, 4, 5]]),
    ("Concat l 2 1 a b y 0=2", &[&[3, 4, 5], &[3, 4, 2]]),
    ("Convolution l 1 1 a y 0=4 1=3 4=1 5=1 6=108 9=1", &[&[3, 4, 5]]),
    ("Convolution l 1 1 a y 0=30 1=3 4=1 6=6750", &[&[25, 13, 14]]),
    ("Convolution1D l 1 1 a y 0=4 1=3 5=1 6=36", &[&[3, 7]]),
    ("Convolution3D l 1 1 a y 0=2 1=2 6=48", &[&[3, 3, 4, 5]]),
    ("ConvolutionDepthWise l 1 1 a y 0=3 1=3 4=1 5=1 6=27 7=3", &[&[3, 4, 5]]),
    ("ConvolutionDepthWise l 1 1 a y 0=4 1=3 4=1 6=72 7=2", &[&[4, 4, 5]]),
    ("ConvolutionDepthWise1D l 1 1 a y 0=3 1=3 6=9 7=3", &[&[3, 7]]),
    ("ConvolutionDepthWise3D l 1 1 a y 0=3 1=2 6=24 7=3", &[&[3, 3, 4, 5]]),
    ("Crop l 1 1 a y 0=1 1=1 3=2 4=2 5=2", &[&[3, 4, 5]]),
    ("CumulativeSum l 1 1 a y 0=1", &[&[3, 4, 5]]),
    ("Deconvolution l 1 1 a y 0=2 1=3 3=2 5=1 6=54", &[&[3, 4, 5]]),
    ("DeconvolutionDepthWise l 1 1 a y 0=3 1=3 3=2 6=27 7=3", &[&[3, 4, 5]]),
    ("Dropout l 1 1 a y", &[&[3, 4, 5]]),
    ("Dropout l 1 1 a y 0=0.5", &[&[3, 4, 5]]),
    ("Eltwise l 2 1 a b y 0=1", &[&[3, 4, 5], &[3, 4, 5]]),
    ("Eltwise l 3 1 a b c y 0=2", &[&[3, 4, 5], &[3, 4, 5], &[3, 4, 5]]),
    ("ELU l 1 1 a y 0=0.3", &[&[3, 4, 5]]),
    ("Erf l 1 1 a y", &[&[3, 4, 5]]),
    ("Exp l 1 1 a y", &[&[3, 4, 5]]),
    ("ExpandDims l 1 1 a y -23303=1,0", &[&[4, 5]]),
    ("Flatten l 1 1 a y", &[&[3, 4, 5]]),
    ("GELU l 1 1 a y", &[&[3, 4, 5]]),
    ("Gemm l 2 1 a b y 3=1", &[&[4, 5], &[3, 5]]),
    ("GLU l 1 1 a y 0=0", &[&[4, 4, 5]]),
    ("GroupNorm l 1 1 a y 0=2 1=4 2=0.001 3=1", &[&[4, 4, 5]]),
    ("GRU l 1 1 a y 0=3 1=45", &[&[6, 5]]),
    ("HardSigmoid l 1 1 a y", &[&[3, 4, 5]]),
    ("HardSwish l 1 1 a y", &[&[3, 4, 5]]),
    ("InnerProduct l 1 1 a y 0=4 1=1 2=240", &[&[3, 4, 5]]),
    ("InstanceNorm l 1 1 a y 0=3", &[&[3, 4, 5]]),
    ("Interp l 1 1 a y 0=1 1=2.0 2=3.0", &[&[3, 4, 5]]),
    ("Interp l 1 1 a y 0=2 3=7 4=9", &[&[3, 4, 5]]),
    ("Interp l 1 1 a y 0=3 3=7 4=9", &[&[3, 4, 5]]),
    ("LayerNorm l 1 1 a y 0=5", &[&[3, 4, 5]]),
    ("LRN l 1 1 a y 1=3", &[&[5, 4, 5]]),
    ("LRN l 1 1 a y 0=1 1=3", &[&[5, 4, 5]]),
    ("LSTM l 1 1 a y 0=3 1=60", &[&[6, 5]]),
    ("MatMul l 2 1 a b y", &[&[3, 4, 5], &[3, 5, 2]]),
    ("Mish l 1 1 a y", &[&[3, 4, 5]]),
    ("MVN l 1 1 a y 0=1", &[&[3, 4, 5]]),
    ("Noop l 2 2 a b y z", &[&[3, 4, 5], &[2]]),
    ("Normalize l 1 1 a y 1=1 2=0.001 3=1", &[&[3, 4, 5]]),
    ("Packing l 1 1 a y 0=1", &[&[3, 4, 5]]),
    ("Padding l 1 1 a y 0=1 1=2 2=1 3=0 4=0 5=0.5", &[&[3, 4, 5]]),
    ("Padding l 1 1 a y 0=1 1=2 2=1 3=0 4=1", &[&[3, 4, 5]]),
    ("Padding l 1 1 a y 0=1 1=2 2=1 3=0 4=2", &[&[3, 4, 5]]),
    ("Permute l 1 1 a y 0=3", &[&[3, 4, 5]]),
    ("PixelShuffle l 1 1 a y 0=2", &[&[8, 4, 5]]),
    ("Pooling l 1 1 a y 0=0 1=3 2=2 3=1", &[&[3, 5, 6]]),
    ("Pooling l 1 1 a y 0=1 1=2 2=2 5=1", &[&[3, 5, 6]]),
    ("Pooling l 1 1 a y 0=1 4=1", &[&[3, 5, 6]]),
    ("Pooling l 1 1 a y 0=0 4=1", &[&[3, 5, 6]]),
    ("Pooling l 1 1 a y 0=1 7=1 8=2 18=3", &[&[3, 5, 6]]),
    ("Pooling1D l 1 1 a y 0=0 1=3 2=2", &[&[3, 9]]),
    ("Pooling3D l 1 1 a y 0=1 1=2 2=2", &[&[3, 4, 4, 4]]),
    ("Power l 1 1 a y 0=1.0 1=2.0 2=0.5", &[&[3, 4, 5]]),
    ("PReLU l 1 1 a y 0=3", &[&[3, 4, 5]]),
    ("PReLU l 1 1 a y 0=1", &[&[3, 4, 5]]),
    ("PriorBox l 2 1 a b y -23300=1,4.0 -23301=1,8.0 7=1 8=1 13=0.5", &[&[3, 2, 2], &[3, 16, 16]]),
    ("Reduction l 1 1 a y 0=0 1=0 -23303=1,0 4=1 5=1", &[&[3, 4, 5]]),
    ("Reduction l 1 1 a y 0=4 1=1", &[&[3, 4, 5]]),
    ("ReLU l 1 1 a y", &[&[3, 4, 5]]),
    ("ReLU l 1 1 a y 0=0.1", &[&[3, 4, 5]]),
    ("Reorg l 1 1 a y 0=2", &[&[3, 4, 6]]),
    ("Reshape l 1 1 a y 0=10 1=-1", &[&[3, 4, 5]]),
    ("RMSNorm l 1 1 a y 0=5", &[&[3, 4, 5]]),
    ("RNN l 1 1 a y 0=3 1=15", &[&[6, 5]]),
    ("Scale l 1 1 a y 0=3 1=1", &[&[3, 4, 5]]),
    ("SDPA l 3 1 a b c y", &[&[2, 4, 3], &[2, 5, 3], &[2, 5, 6]]),
    ("SELU l 1 1 a y", &[&[3, 4, 5]]),
    ("Shrink l 1 1 a y 0=0.1 1=0.5", &[&[3, 4, 5]]),
    ("ShuffleChannel l 1 1 a y 0=2", &[&[4, 4, 5]]),
    ("ShuffleChannel l 1 1 a y 0=2 1=1", &[&[6, 4, 5]]),
    ("Sigmoid l 1 1 a y", &[&[3, 4, 5]]),
    ("Slice l 1 2 a y z -23300=2,1,-233 1=0", &[&[3, 4, 5]]),
    ("Slice l 1 2 a y z -23300=2,3,-233 1=2", &[&[3, 4, 5]]),
    ("Softmax l 1 1 a y 0=0 1=1", &[&[3, 4, 5]]),
    ("Softmax l 1 1 a y 0=2 1=1", &[&[3, 4, 5]]),
    ("Softplus l 1 1 a y", &[&[3, 4, 5]]),
    ("Split l 1 2 a y z", &[&[3, 4, 5]]),
    ("Squeeze l 1 1 a y 0=1", &[&[3, 4, 1]]),
    ("Swish l 1 1 a y", &[&[3, 4, 5]]),
    ("TanH l 1 1 a y", &[&[3, 4, 5]]),
    ("Threshold l 1 1 a y 0=0.5", &[&[3, 4, 5]]),
    ("Tile l 1 1 a y 0=0 1=2", &[&[3, 4, 5]]),
    ("UnaryOp l 1 1 a y 0=0", &[&[3, 4, 5]]),
    ("UnaryOp l 1 1 a y 0=9", &[&[3, 4, 5]]),
];

/// A case ready to run.
struct Case {
    line: &'static str,
    layer: ncnn_format::Layer,
    built: Box<dyn Layer>,
    inputs: Vec<Tensor>,
}

fn cases() -> impl Iterator<Item = Case> {
    CASES.iter().map(|&(line, dims)| {
        let mut layer = Model::from_param_text(&format!("7767517\n1 9\n{line}\n")).unwrap().layers.remove(0);
        layer
            .fill_weights(|spec, index| match spec.role {
                // Variances and their like are positive.
                WeightRole::Variance => 0.5 + (index % 3) as f32,
                _ => ((index * 7 % 13) as f32 - 5.0) * 0.125,
            })
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        let built = build(&layer, BuildOptions::default()).unwrap_or_else(|error| panic!("{line}: {error}"));
        let inputs = dims.iter().enumerate().map(|(seed, dims)| made_up(dims, seed)).collect();
        Case { line, layer, built, inputs }
    })
}

/// Values of both signs within -3..3, no two alike.
fn made_up(dims: &[usize], seed: usize) -> Tensor {
    let values = (0..dims.iter().product::<usize>()).map(|index| ((index + 31 * seed) as f32 * 0.73).sin() * 3.0);
    Tensor::new(dims, values.collect()).unwrap()
}

fn bits(tensors: &[Tensor]) -> Vec<Vec<u32>> {
    tensors.iter().map(|tensor| tensor.as_slice().iter().map(|x| x.to_bits()).collect()).collect()
}

impl Case {
    fn run(&self, inputs: Vec<Tensor>) -> Vec<Tensor> {
        self.built.run(inputs).unwrap_or_else(|error| panic!("{}: {error}", self.line))
    }

    fn shapes(&self) -> Vec<Shape> {
        self.inputs.iter().map(Tensor::shape).collect()
    }

    fn effect(&self) -> Effect {
        self.layer.effect().unwrap()
    }

    /// The outputs for inputs of the same shapes with `change`d values.
    fn run_changed(&self, change: impl Fn(f32) -> f32) -> Vec<Tensor> {
        self.run(self.inputs.iter().map(|input| input.clone().map(&change)).collect())
    }

    /// What the executor makes of the inputs when all images among them lie pixel by pixel.
    fn run_on_pixels(&self, workspace: &mut Workspace) -> Vec<Tensor> {
        let as_pixels = |tensor: &Tensor| match tensor.shape().rank() {
            3 => Value::Pixels(Value::Planar(tensor.clone()).into_pixels(&mut Workspace::default()).unwrap()),
            _ => Value::Planar(tensor.clone()),
        };
        let outputs = run_layer(&*self.built, self.inputs.iter().map(as_pixels).collect(), workspace);
        outputs.unwrap_or_else(|error| panic!("{}: {error}", self.line)).iter().map(Value::to_tensor).collect()
    }
}

#[test]
fn the_cases_are_of_nearly_every_type() {
    let kinds: HashSet<LayerKind> = cases().map(|case| case.layer.kind).collect();
    assert!(kinds.len() >= 75, "only {}", kinds.len());
}

#[test]
fn shapes_are_foretold() {
    for case in cases() {
        let found: Vec<Shape> = case.run(case.inputs.clone()).iter().map(Tensor::shape).collect();
        assert_eq!(found, case.built.output_shapes(&case.shapes()).unwrap(), "{}", case.line);
        assert_eq!(found.len(), case.layer.outputs.len(), "{}", case.line);
    }
}

#[test]
fn inputs_that_somebody_else_holds_are_left_alone() {
    for case in cases() {
        let before = bits(&case.inputs);
        case.run(case.inputs.clone());
        case.run_on_pixels(&mut Workspace::default());
        assert_eq!(bits(&case.inputs), before, "{}", case.line);
    }
}

#[test]
fn inputs_that_nobody_holds_give_the_same() {
    for case in cases() {
        let shared = case.run(case.inputs.clone());
        let owned =
            case.inputs.iter().map(|input| Tensor::new(input.shape().dims(), input.as_slice().to_vec()).unwrap());
        assert_eq!(bits(&case.run(owned.collect())), bits(&shared), "{}", case.line);
    }
}

#[test]
fn pixels_and_planes_give_the_same_bits() {
    let mut with_pixels = 0;
    for case in cases() {
        let planar = case.run(case.inputs.clone());
        let mut workspace = Workspace::default();
        for turn in 0..3 {
            let found = case.run_on_pixels(&mut workspace);
            assert_eq!(bits(&found), bits(&planar), "{}, run {turn}", case.line);
        }
        with_pixels += usize::from(case.built.order(&case.shapes()) != Order::Planar);
    }
    assert!(with_pixels > 30, "only {with_pixels}");
}

#[test]
fn another_number_of_inputs_is_an_error() {
    for case in
        cases().filter(|case| !matches!(case.layer.kind, LayerKind::Noop | LayerKind::Concat | LayerKind::Eltwise))
    {
        assert!(case.built.output_shapes(&[]).is_err(), "{}", case.line);
        assert!(case.built.run(Vec::new()).is_err(), "{}", case.line);
    }
}

#[test]
fn integers_move_as_floats_do() {
    let mut moving = 0;
    for case in cases() {
        let integers = |tensor: &Tensor| {
            let values = tensor.as_slice().iter().map(|x| (x * 40.0) as i8).collect();
            Tensor::new(tensor.shape().dims(), values).unwrap()
        };
        let inputs: Vec<Tensor<i8>> = case.inputs.iter().map(integers).collect();
        let floats = inputs.iter().map(|input| {
            Tensor::new(input.shape().dims(), input.as_slice().iter().map(|&q| f32::from(q)).collect()).unwrap()
        });
        let floats: Vec<Tensor> = floats.collect();
        let Some(found) = case.built.run_i8(inputs) else {
            assert!(
                !case.effect().moves_values() || matches!(case.layer.kind, LayerKind::Interp | LayerKind::Dropout),
                "{}",
                case.line
            );
            continue;
        };
        // A padding value is truncated to an integer.
        if case.layer.kind == LayerKind::Padding {
            continue;
        }
        moving += 1;
        for (found, expected) in found.unwrap().iter().zip(case.run(floats)) {
            assert_eq!(found.shape(), expected.shape(), "{}", case.line);
            let same = found.as_slice().iter().zip(expected.as_slice()).all(|(&q, &x)| f32::from(q) == x);
            assert!(same, "{}", case.line);
        }
    }
    assert!(moving >= 15, "only {moving}");
}

#[test]
fn what_hands_values_on_changes_none() {
    for case in cases().filter(|case| case.effect().is_alias()) {
        let outputs = case.run(case.inputs.clone());
        for (output, input) in outputs.iter().zip(case.inputs.iter().cycle()) {
            assert_eq!(output, input, "{}", case.line);
        }
    }
}

#[test]
fn what_moves_values_makes_no_new_ones() {
    let mut moving = 0;
    for case in cases().filter(|case| case.effect().moves_values()) {
        let known: HashSet<u32> = bits(&case.inputs).concat().into_iter().collect();
        let made = bits(&case.run(case.inputs.clone())).concat();
        assert!(made.iter().all(|bits| known.contains(bits)), "{}", case.line);
        moving += 1;
    }
    assert!(moving >= 15, "only {moving}");
}

#[test]
fn positive_factors_go_through_where_the_effect_says_so() {
    for case in cases().filter(|case| case.effect().scales_through()) {
        // Exact: it only changes exponents.
        let scaled = case.run_changed(|x| 4.0 * x);
        let expected: Vec<Tensor> = case.run(case.inputs.clone()).into_iter().map(|y| y.map(|y| 4.0 * y)).collect();
        assert_eq!(bits(&scaled), bits(&expected), "{}", case.line);
    }
}

#[test]
fn pooling_stays_within_the_values_of_its_input() {
    let mut pooling = 0;
    for case in cases() {
        let is_max = matches!(case.effect(), Effect::MaxPool(_));
        if !is_max && !matches!(case.effect(), Effect::AveragePool(_)) {
            continue;
        }
        let range = |values: &[f32]| values.iter().fold((f32::MAX, f32::MIN), |(a, b), &x| (a.min(x), b.max(x)));
        let output = case.run(case.inputs.clone()).remove(0);
        let ((low, high), found) = (range(case.inputs[0].as_slice()), range(output.as_slice()));
        assert!(low <= found.0 && found.1 <= high, "{}", case.line);
        // A larger input cannot make a maximum smaller.
        if is_max {
            let raised = case.run_changed(|x| x + 1.0).remove(0);
            assert!(raised.as_slice().iter().zip(output.as_slice()).all(|(a, b)| a >= b), "{}", case.line);
        }
        pooling += 1;
    }
    assert!(pooling >= 7, "only {pooling}");
}

#[test]
fn what_works_on_each_value_by_itself_does_not_mind_the_place() {
    let mut by_value = 0;
    for case in cases() {
        let by_itself = matches!(case.effect(), Effect::Activation(_) | Effect::Elementwise | Effect::Uniform);
        if !by_itself || case.layer.kind == LayerKind::PReLU {
            continue;
        }
        let reversed = |tensor: &Tensor| {
            Tensor::new(tensor.shape().dims(), tensor.as_slice().iter().rev().copied().collect()).unwrap()
        };
        let forth = case.run(case.inputs.clone());
        let back: Vec<Tensor> = case.run(case.inputs.iter().map(reversed).collect()).iter().map(reversed).collect();
        assert_eq!(bits(&back), bits(&forth), "{}", case.line);
        by_value += 1;
    }
    assert!(by_value >= 22, "only {by_value}");
}

#[test]
fn what_reads_shapes_alone_does_not_mind_values() {
    for case in cases().filter(|case| !case.effect().reads_values()) {
        assert_eq!(bits(&case.run_changed(|_| 0.0)), bits(&case.run(case.inputs.clone())), "{}", case.line);
    }
}

#[test]
fn an_addition_adds() {
    for case in cases().filter(|case| case.effect() == Effect::Add) {
        let [a, b] = &case.inputs[..] else { panic!("{}", case.line) };
        let sums: Vec<f32> = a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| a + b).collect();
        assert_eq!(case.run(case.inputs.clone())[0].as_slice(), sums, "{}", case.line);
    }
}

#[test]
fn linear_layers_are_linear_up_to_their_bias() {
    for case in cases().filter(|case| case.effect() == Effect::Linear) {
        let linear = ncnn_format::LinearLayer::of(&case.layer).unwrap().unwrap();
        if linear.activation_type != 0 {
            continue;
        }
        let [zero, once, twice] = [0.0, 1.0, 2.0].map(|factor| case.run_changed(|x| factor * x).remove(0));
        for ((zero, once), twice) in zero.as_slice().iter().zip(once.as_slice()).zip(twice.as_slice()) {
            let (expected, largest) = (zero + 2.0 * (once - zero), once.abs().max(twice.abs()).max(1.0));
            assert!((twice - expected).abs() < 1e-4 * largest, "{}: {twice} is not {expected}", case.line);
        }
        assert_eq!(once_outputs(&case), linear.outputs, "{}", case.line);
    }
}

/// Output channels of a case.
fn once_outputs(case: &Case) -> usize {
    let shape = case.built.output_shapes(&case.shapes()).unwrap()[0];
    shape.outer()
}
