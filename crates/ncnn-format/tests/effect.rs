//! What is known about layers by their type and parameters.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ncnn_format::{Activation, Effect, ErrorKind, Layer, LayerKind, Model};

fn layer(line: &str) -> Layer {
    Model::from_param_text(&format!("7767517\n1 9\n{line}\n")).unwrap().layers.remove(0)
}

/// The effect in one word, with what matters of it.
fn effect(line: &str) -> String {
    format!("{:?}", layer(line).effect().unwrap())
}

/// The effect of every type of layer with one input, one output and no parameters.
#[test]
fn every_type_has_an_effect() {
    let mut found = String::new();
    for kind in LayerKind::BUILTIN {
        let effect = Layer::new(kind.clone(), "x").reads("a").makes("b").effect().unwrap();
        let name = format!("{effect:?}");
        let name = name.split([' ', '(']).next().unwrap().to_owned();
        found += &format!("{kind}: {name}\n");
    }
    let mut lines: Vec<(&str, &str)> = found.lines().filter_map(|line| line.split_once(": ")).collect();
    lines.sort_by_key(|(_, effect)| *effect);
    let mut table = String::new();
    for group in lines.chunk_by(|a, b| a.1 == b.1) {
        let kinds: Vec<&str> = group.iter().map(|(kind, _)| *kind).collect();
        table += &format!("{}: {}\n", group[0].1, kinds.join(" "));
    }
    insta::assert_snapshot!(table, @r"
    Activation: ReLU Sigmoid Clip HardSwish Mish
    Alias: Dropout Split Noop DeepCopy
    Concat: Concat
    Constant: MemoryData
    Elementwise: AbsVal BNLL ELU Exp Log PReLU TanH Threshold UnaryOp HardSigmoid SELU Swish Softplus GELU Erf CELU Shrink
    Feed: Input
    Fill: Padding Packing
    Linear: Convolution Deconvolution InnerProduct ConvolutionDepthWise DeconvolutionDepthWise Convolution1D ConvolutionDepthWise1D Convolution3D ConvolutionDepthWise3D Deconvolution1D DeconvolutionDepthWise1D Deconvolution3D DeconvolutionDepthWise3D DeformableConv2D
    MaxPool: Pooling Pooling1D Pooling3D
    Move: Crop Flatten Reshape Slice Tile Squeeze ExpandDims Permute ShuffleChannel Reorg PixelShuffle Flip
    Other: ArgMax Eltwise Embed LRN MVN Proposal Reduction ROIPooling Softmax SPP RNN LSTM BinaryOp Normalize DetectionOutput Interp InstanceNorm YoloDetectionOutput Yolov3DetectionOutput PSROIPooling ROIAlign StatisticsPooling Gemm GroupNorm LayerNorm GRU MultiHeadAttention MatMul Einsum GLU Fold Unfold GridSample CumulativeSum CopyTo Diag RMSNorm Spectrogram InverseSpectrogram SDPA RotaryEmbed
    PerChannel: BatchNorm Bias Scale
    Retype: Quantize Dequantize Requantize Cast
    ShapeOnly: PriorBox
    Uniform: Power
    ");
}

#[test]
fn parameters_decide_where_the_type_does_not() {
    for (line, expected) in [
        ("Dropout x 1 1 a b 0=0.5", "Uniform"),
        ("Dropout x 1 1 a b 0=1.0", "Alias"),
        ("Interp x 1 1 a b 0=1", "Move"),
        ("Interp x 1 1 a b 0=2", "Other"),
        ("Power x 1 1 a b 0=2.0", "Elementwise"),
        ("ReLU x 1 1 a b 0=0.1", "Activation(LeakyRelu { slope: 0.1 })"),
        ("Clip x 1 1 a b 0=0.0 1=6.0", "Activation(Clip { min: 0.0, max: 6.0 })"),
        ("HardSwish x 1 1 a b", "Activation(HardSwish { alpha: 0.2, beta: 0.5 })"),
        ("Concat x 2 1 a b c 0=-1", "Concat { axis: -1 }"),
        ("BinaryOp x 1 1 a b 0=2 1=1 2=0.5", "Uniform"),
        ("BinaryOp x 1 1 a b 0=7 1=1 2=0.5", "Uniform"),
        ("BinaryOp x 1 1 a b 0=8 1=1 2=0.5", "Elementwise"),
        ("BinaryOp x 2 1 a b c 0=0", "Add"),
        ("BinaryOp x 2 1 a b c 0=2", "Other"),
        ("Eltwise x 3 1 a b c d 0=1", "Add"),
        ("Eltwise x 2 1 a b c 0=1 -23301=2,1.0,1.0", "Add"),
        ("Eltwise x 2 1 a b c 0=1 -23301=2,1.0,-1.0", "Other"),
        ("Eltwise x 2 1 a b c 0=0", "Other"),
        ("Pooling x 1 1 a b 0=0 4=1", "MaxPool(Everything)"),
        ("Pooling x 1 1 a b 0=1 7=1 8=3", "AveragePool(Adaptive)"),
        (
            "Pooling1D x 1 1 a b 1=3 2=2 3=1",
            "MaxPool(Windows([WindowAxis { kernel: 3, dilation: 1, stride: 2, pads: [1, 1] }]))",
        ),
        ("Pooling x 1 1 a b 0=7", "Other"),
    ] {
        assert_eq!(effect(line), expected, "{line}");
    }
}

#[test]
fn the_number_of_blobs_decides_where_further_inputs_mean_something() {
    for (line, expected) in [
        ("Noop x 2 2 a b c d", "Alias"),
        ("Noop x 2 0 a b", "Other"),
        ("Crop x 2 1 a b c", "Other"),
        ("Reshape x 2 1 a b c", "Other"),
        ("Interp x 2 1 a b c 0=1", "Other"),
        ("Scale x 2 1 a b c 0=-233", "Other"),
        ("Eltwise x 1 1 a b 0=1", "Other"),
        ("Split x 1 3 a b c d", "Alias"),
        ("Custom x 1 1 a b", "Other"),
    ] {
        assert_eq!(effect(line), expected, "{line}");
    }
}

#[test]
fn a_window_has_its_axes_from_the_outermost_in() {
    let Effect::AveragePool(area) = layer("Pooling3D x 1 1 a b 0=1 1=2 11=3 21=4 3=5 13=6 23=7").effect().unwrap()
    else {
        panic!("a mean")
    };
    insta::assert_snapshot!(format!("{area:?}"), @"Windows([WindowAxis { kernel: 4, dilation: 1, stride: 1, pads: [7, 7] }, WindowAxis { kernel: 3, dilation: 1, stride: 1, pads: [6, 6] }, WindowAxis { kernel: 2, dilation: 1, stride: 1, pads: [5, 5] }])");
}

#[test]
fn questions_follow_from_the_effect() {
    let questions = |line: &str| {
        let effect = layer(line).effect().unwrap();
        let answers = [
            ("alias", effect.is_alias()),
            ("identity", effect.is_identity()),
            ("moves", effect.moves_values()),
            ("reads", effect.reads_values()),
            ("scales", effect.scales_through()),
        ];
        answers.iter().filter(|(_, yes)| *yes).map(|(name, _)| *name).collect::<Vec<_>>().join(" ")
    };
    for (line, expected) in [
        ("Input x 0 1 a", ""),
        ("MemoryData x 0 1 a 0=1", ""),
        ("PriorBox x 2 1 a b c", ""),
        ("Split x 1 2 a b c", "alias identity moves reads scales"),
        ("Permute x 1 1 a b 0=1", "moves reads"),
        ("Concat x 2 1 a b c", "moves reads"),
        ("Padding x 1 1 a b", "reads"),
        ("Pooling x 1 1 a b 1=1", "identity reads scales"),
        ("Pooling x 1 1 a b 1=1 2=2", "reads scales"),
        ("Pooling x 1 1 a b 1=1 3=1", "reads scales"),
        ("Pooling x 1 1 a b 4=1", "reads scales"),
        ("ReLU x 1 1 a b 0=-0.5", "reads scales"),
        ("Clip x 1 1 a b", "reads"),
        ("Sigmoid x 1 1 a b", "reads"),
        ("BinaryOp x 2 1 a b c", "reads scales"),
        ("Convolution x 1 1 a b", "reads"),
        ("Softmax x 1 1 a b", "reads"),
    ] {
        assert_eq!(questions(line), expected, "{line}");
    }
}

#[test]
fn a_parameter_of_another_form_is_an_error_that_names_the_layer() {
    let error = layer("Clip relu6 1 1 a b -23301=1,6").effect().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Malformed);
    assert!(error.to_string().starts_with("layer relu6: "), "{error}");
}

#[test]
fn a_clip_is_the_activation_that_a_convolution_would_have_inside() {
    let clip = layer("Clip c 1 1 a b 0=0.0 1=6.0").effect().unwrap();
    assert_eq!(clip, Effect::Activation(Activation::new(3, &[0.0, 6.0]).unwrap()));
}
