//! Optimized networks give the same outputs, and what would change them is left alone.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod random_model;

use std::path::Path;

use fp32_ref::Shape;
use ncnn_format::typed::Convolution;
use ncnn_format::{F32Tag, LayerKind, Model, Severity, WeightData, WeightRole};
use quantizer::optimize::{OptimizeOptions, Optimized, differences, optimize};
use random_model::random_model;

/// Optimizes, expects the same outputs, and that a second time changes nothing.
fn optimized(model: &Model) -> Optimized {
    let optimized = optimize(model, &OptimizeOptions::default()).unwrap();
    let found = differences(model, &optimized.model, &[], 2, 7).unwrap();
    assert!(!found.is_empty());
    for difference in found {
        assert!(difference.relative < 1e-5, "{difference:?} after {:?}", optimized.changes);
    }
    let again = optimize(&optimized.model, &OptimizeOptions::default()).unwrap();
    assert_eq!((again.changes.len(), &again.model), (0, &optimized.model), "{:?}", again.changes);
    optimized
}

fn kinds(model: &Model) -> Vec<&str> {
    model.layers.iter().map(|layer| layer.kind.as_str()).collect()
}

/// The layers that are left of `lines`, after an image of 4 channels and 5x6 cells.
fn left_of(lines: &str) -> Vec<String> {
    left(&image_model(lines))
}

fn left(model: &Model) -> Vec<String> {
    kinds(&optimized(model).model).into_iter().skip(1).map(str::to_owned).collect()
}

fn image_model(lines: &str) -> Model {
    random_model(&format!("Input data 0 1 x 0=6 1=5 2=4\n{lines}"))
}

fn refusals(model: &Model) -> Vec<String> {
    optimized(model).refusals.iter().map(ToString::to_string).collect()
}

const CONV: &str = "Convolution conv 1 1 x a 0=3 1=3 4=1 6=108\n";

#[test]
fn the_fixture_networks_shrink_as_much_as_ncnnoptimize_makes_them() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/fmnist");
    for (name, layers) in [("lenet_fp16w", 9), ("resnet_fp16w", 28), ("mbv2_bn", 35)] {
        let file = |suffix| fixtures.join(format!("{name}.{suffix}"));
        let model = Model::load(file("param"), file("bin")).unwrap();
        let shapes = vec![(model.layers[0].outputs[0].clone(), Shape::new(&[1, 28, 28]).unwrap())];
        let options = OptimizeOptions::default().with_input_shapes(shapes.clone());
        let optimized = optimize(&model, &options).unwrap();
        assert!(optimized.model.layers.len() <= layers, "{name}: {}", optimized.model.layers.len());
        for difference in differences(&model, &optimized.model, &shapes, 2, 1).unwrap() {
            assert!(difference.relative < 1e-5, "{name}: {difference:?}");
        }
    }
}

#[test]
fn every_kind_of_factor_goes_into_the_convolution_before() {
    let lines = [
        "BatchNorm f 1 1 a b 0=3 1=0.001",
        "Scale f 1 1 a b 0=3 1=1",
        "Scale f 1 1 a b 0=3",
        "Bias f 1 1 a b 0=3",
        "Dropout f 1 1 a b 0=0.5",
        "Power f 1 1 a b 1=2.0 2=-0.5",
        "BinaryOp f 1 1 a b 0=2 1=1 2=0.25",
        "BinaryOp f 1 1 a b 0=7 1=1 2=0.25",
        "BinaryOp f 1 1 a b 0=3 1=1 2=-4.0",
    ];
    for line in lines {
        assert_eq!(left_of(&format!("{CONV}{line}\n")), ["Convolution"], "{line}");
    }
}

#[test]
fn constants_per_channel_are_folded_from_either_side() {
    for op in [0, 1, 2, 3, 7, 8] {
        for (inputs, foldable) in [("a m", true), ("m a", op != 3)] {
            for size in ["0=3", "0=1 1=1 2=3"] {
                let foldable = foldable && !(op == 8 && inputs == "a m");
                let lines = format!("MemoryData m 0 1 m {size}\n{CONV}BinaryOp f 2 1 {inputs} b 0={op}\n");
                let expected =
                    if foldable { vec!["Convolution"] } else { vec!["MemoryData", "Convolution", "BinaryOp"] };
                assert_eq!(left_of(&lines), expected, "{op} of {inputs}, {size}");
            }
        }
    }
}

#[test]
fn a_constant_of_another_length_stays() {
    // Six values go with the columns, not with the three channels.
    let lines = format!("MemoryData m 0 1 m 0=6\n{CONV}BinaryOp f 2 1 a m b 0=0\n");
    assert_eq!(left_of(&lines), ["MemoryData", "Convolution", "BinaryOp"]);
}

#[test]
fn every_convolution_and_the_inner_product_take_factors_and_an_activation() {
    for line in [
        "ConvolutionDepthWise l 1 1 x a 0=8 1=3 6=72 7=4",
        "Deconvolution l 1 1 x a 0=3 1=3 3=2 6=108",
        "DeconvolutionDepthWise l 1 1 x a 0=4 1=3 3=2 6=36 7=4",
        "InnerProduct l 1 1 x a 0=8 1=1 2=960",
    ] {
        let kind = line.split(' ').next().unwrap();
        let outputs = line.split("0=").nth(1).unwrap().split(' ').next().unwrap();
        let lines = format!("{line}\nBatchNorm bn 1 1 a b 0={outputs} 1=0.001\nReLU relu 1 1 b c\n");
        assert_eq!(left_of(&lines), [kind], "{line}");
    }
}

#[test]
fn a_layer_with_an_activation_takes_no_factors_and_no_second_activation() {
    let conv = CONV.replace("6=108", "6=108 9=1");
    let model = image_model(&format!("{conv}BatchNorm bn 1 1 a b 0=3\nSigmoid s 1 1 b c\n"));
    assert_eq!(left(&model), ["Convolution", "BatchNorm", "Sigmoid"]);
    assert_eq!(refusals(&model), ["BatchNorm bn stays: conv has an activation already"]);
    let remark = optimized(&model).refusals[0].remark();
    assert_eq!((&*remark.code, remark.severity), ("not-optimized", Severity::Note));
    assert_eq!(remark.to_string(), "layer bn: BatchNorm stays: conv has an activation already");
    let model = image_model(&format!("{conv}Sigmoid s 1 1 a b\n"));
    assert_eq!(refusals(&model), ["Sigmoid s stays: conv has an activation already"]);
}

#[test]
fn a_blob_with_other_readers_is_left_as_it_is() {
    // Without a Split, as programs that write .param files by hand do.
    let model = image_model(&format!("{CONV}BatchNorm bn 1 1 a b 0=3\nReLU relu 1 1 a c\n"));
    assert_eq!(left(&model), ["Convolution", "BatchNorm", "ReLU"]);
    assert_eq!(refusals(&model)[0], "BatchNorm bn stays: others read the output of conv too");
}

#[test]
fn a_variance_of_zero_means_what_the_layer_makes_of_it() {
    let mut model = image_model(&format!("{CONV}BatchNorm bn 1 1 a b 0=3\n"));
    let bn = model.layers.last_mut().unwrap();
    for weight in bn.weights.iter_mut().filter(|weight| weight.role == WeightRole::Variance) {
        weight.data = WeightData::F32(vec![0.0, 1.0, 4.0], F32Tag::Raw);
    }
    assert_eq!(left(&model), ["Convolution"]);
    let bn = model.layers.last_mut().unwrap();
    for weight in bn.weights.iter_mut().filter(|weight| weight.role == WeightRole::Variance) {
        weight.data = WeightData::F32(vec![-1.0, 1.0, 4.0], F32Tag::Raw);
    }
    assert!(refusals(&model)[0].contains("do not fit the weights of conv"));
}

#[test]
fn a_batch_norm_by_rows_stays_behind_an_inner_product_of_a_matrix() {
    let model = random_model(
        "Input data 0 1 x 0=6 1=3\nInnerProduct fc 1 1 x a 0=3 1=1 2=18\nBatchNorm bn 1 1 a b 0=3\nReLU r 1 1 b c\n",
    );
    assert_eq!(left(&model), ["InnerProduct", "BatchNorm", "ReLU"]);
    assert_eq!(refusals(&model)[0], "BatchNorm bn stays: fc is not known to give a vector");
}

#[test]
fn dynamic_and_int8_weights_are_not_touched() {
    let mut model = image_model(&format!("{CONV}BatchNorm bn 1 1 a b 0=3\n"));
    for (key, reason) in [
        (Convolution::DYNAMIC_WEIGHT, "takes its weights from blobs"),
        (Convolution::INT8_SCALE_TERM, "is int8 already"),
    ] {
        model.layers[1].params.set(key, 1);
        let optimized = optimize(&model, &OptimizeOptions::default()).unwrap();
        assert_eq!(optimized.refusals[0].to_string(), format!("BatchNorm bn stays: conv {reason}"));
        model.layers[1].params.remove(key);
    }
}

#[test]
fn chains_of_factors_become_one_where_no_convolution_takes_them() {
    let lines = "BatchNorm bn 1 1 x a 0=4 1=0.001\nScale s 1 1 a b 0=4 1=1\nBinaryOp m 1 1 b c 0=2 1=1 2=2.0\n";
    assert_eq!(left_of(lines), ["BatchNorm"]);
    assert_eq!(left_of("Scale s 1 1 x a 0=4\nBias t 1 1 a b 0=4\n"), ["Scale"]);
}

#[test]
fn activations_are_fused_with_their_parameters() {
    for (line, expected) in [
        ("ReLU f 1 1 a b", "9=1"),
        ("ReLU f 1 1 a b 0=0.1", "9=2 -23310=1,1.000000e-01"),
        ("Clip f 1 1 a b 0=0.0 1=6.0", "9=3 -23310=2,0.000000e+00,6.000000e+00"),
        ("Sigmoid f 1 1 a b", "9=4"),
        ("Mish f 1 1 a b", "9=5"),
        ("HardSwish f 1 1 a b 0=0.2 1=0.5", "9=6 -23310=2,2.000000e-01,5.000000e-01"),
    ] {
        let optimized = optimized(&image_model(&format!("{CONV}{line}\n")));
        assert_eq!(optimized.model.layers.len(), 2);
        let text = optimized.model.to_param_text();
        assert!(text.trim_end().ends_with(expected), "{text}");
    }
}

#[test]
fn a_prelu_of_one_slope_is_fused_and_one_of_several_is_not() {
    assert_eq!(left_of(&format!("{CONV}PReLU p 1 1 a b 0=1\n")), ["Convolution"]);
    assert_eq!(left_of(&format!("{CONV}PReLU p 1 1 a b 0=3\n")), ["Convolution", "PReLU"]);
}

#[test]
fn layers_without_effect_go_and_outputs_keep_their_names() {
    let lines = format!(
        "Dropout d 1 1 x a1\n{}Pooling p 1 1 a b 0=1 1=1\nNoop n 1 1 b c\nConcat k 1 1 c d\nDropout e 1 1 d prob\n",
        CONV.replace("x a", "a1 a")
    );
    let optimized = optimized(&image_model(&lines));
    assert_eq!(kinds(&optimized.model), ["Input", "Convolution"]);
    assert_eq!(optimized.model.layers[1].outputs, ["prob"]);
    assert_eq!(optimized.model.layers[1].inputs, ["x"]);
}

#[test]
fn what_stands_between_an_input_and_an_output_keeps_both_names() {
    let model = image_model("Dropout d 1 1 x y\n");
    assert_eq!(left(&model), ["Dropout"]);
    assert_eq!(refusals(&model), ["Dropout d stays: its output y must keep its name"]);
}

#[test]
fn an_output_does_not_become_a_spare_name_of_a_split() {
    let lines = "Split s 1 2 x a b\nReLU r 1 1 a c\nDropout d 1 1 b out\n";
    assert_eq!(left_of(lines), ["Split", "ReLU", "Dropout"]);
}

#[test]
fn splits_are_joined_trimmed_and_removed() {
    let lines = "Split s 1 3 x a b spare\nSplit t 1 2 a c d\nReLU r 1 1 b e\nSigmoid u 1 1 c f\nTanH v 1 1 d g\n";
    let optimized = optimized(&image_model(lines));
    assert_eq!(kinds(&optimized.model), ["Input", "Split", "ReLU", "Sigmoid", "TanH"]);
    assert_eq!(optimized.model.layers[1].outputs, ["c", "d", "b"]);
    assert_eq!(left_of("Split s 1 2 x a spare\nReLU r 1 1 a b\n"), ["ReLU"]);
}

#[test]
fn numbers_that_came_as_blobs_become_parameters() {
    for (op, inputs, expected) in [(1, "a m", 1), (1, "m a", 7), (3, "m a", 8), (4, "m a", 4), (6, "m a", 9)] {
        let lines = format!(
            "MemoryData m0 0 1 m0 0=1\nSplit s 1 2 m0 m n\nSigmoid q 1 1 x a\nBinaryOp f 2 1 {inputs} b 0={op}\nBinaryOp g 2 1 b n c 0=5\n"
        );
        let mut model = image_model(&lines);
        model.layers[1].weights[0].data = WeightData::F32(vec![0.75], F32Tag::Raw);
        let optimized = optimized(&model);
        assert_eq!(kinds(&optimized.model), ["Input", "Sigmoid", "BinaryOp", "BinaryOp"]);
        assert_eq!(optimized.model.layers[2].binary_op().unwrap().op_type, expected);
    }
}

#[test]
fn a_sum_of_multiples_becomes_an_eltwise_unless_it_broadcasts() {
    let multiples = "Split s 1 2 x a b\nSigmoid q 1 1 a c\nReLU r 1 1 b d\nBinaryOp m 1 1 c e 0=2 1=1 2=0.5\n";
    let optimized = optimized(&image_model(&format!("{multiples}BinaryOp f 2 1 e d g\n")));
    assert_eq!(kinds(&optimized.model), ["Input", "Split", "Sigmoid", "ReLU", "Eltwise"]);
    assert_eq!(optimized.model.layers[4].eltwise().unwrap().coeffs, [0.5, 1.0]);
    let model = image_model(&format!("{multiples}Pooling p 1 1 d h 0=1 4=1\nBinaryOp f 2 1 e h g\n"));
    assert_eq!(left(&model).last().unwrap(), "BinaryOp");
}

#[test]
fn a_mean_over_rows_and_columns_is_a_global_pooling() {
    for lines in [
        "Reduction m 1 1 x a 0=3 1=0 -23303=2,1,2 4=0 5=1\n",
        "Reduction m 1 1 x a 0=3 1=0 -23303=2,-1,-2 4=0 5=1\n",
        "Reduction l 1 1 x w 0=3 1=0 -23303=1,2 4=0 5=1\nReduction m 1 1 w a 0=3 1=0 -23303=1,-1 4=0 5=1\n",
    ] {
        assert_eq!(left_of(lines), ["Pooling"], "{lines}");
    }
    assert_eq!(left_of("Reduction m 1 1 x a 0=3 1=0 -23303=2,1,2 4=1 5=1\n"), ["Reduction"]);
    assert_eq!(left_of("Reduction m 1 1 x a 0=3 1=0 -23303=2,0,1 4=0 5=1\n"), ["Reduction"]);
}

#[test]
fn behind_a_global_pooling_flattening_goes_and_a_convolution_is_an_inner_product() {
    let pool = "Pooling p 1 1 x a 0=1 4=1\n";
    assert_eq!(left_of(&format!("{pool}Flatten f 1 1 a b\nSoftmax s 1 1 b c\n")), ["Pooling", "Softmax"]);
    assert_eq!(left_of(&format!("{pool}Reshape f 1 1 a b 0=-1\nSoftmax s 1 1 b c\n")), ["Pooling", "Softmax"]);
    let conv = "Convolution c 1 1 a b 0=5 1=1 5=1 6=20 9=2 -23310=1,0.1\n";
    let next = "Convolution d 1 1 b c 0=2 1=1 6=10\n";
    let optimized = optimized(&image_model(&format!("{pool}{conv}{next}")));
    assert_eq!(kinds(&optimized.model), ["Input", "Pooling", "InnerProduct", "InnerProduct"]);
    assert_eq!(optimized.model.layers[2].inner_product().unwrap().weight_data_size, 20);
    // Four values as an image of one row: the kernel is 3x3.
    assert_eq!(left_of(&format!("{pool}Convolution c 1 1 a b 0=1 1=3 4=1 6=9\n")), ["Pooling", "Convolution"]);
    // Not behind a pooling that leaves an image.
    assert_eq!(left_of("Pooling p 1 1 x a 0=1 1=2\nFlatten f 1 1 a b\n"), ["Pooling", "Flatten"]);
}

#[test]
fn a_reshape_before_broadcasting_goes_only_where_the_vector_meets_the_channels() {
    let gate = "Split s 1 2 x a b\nPooling p 1 1 a v 0=1 4=1\nReshape r 1 1 v w 0=1 1=1 2=-1\n";
    assert_eq!(left_of(&format!("{gate}BinaryOp m 2 1 b w c 0=2\n")), ["Split", "Pooling", "BinaryOp"]);
    // One channel: a bare vector would go with the columns.
    let one = "Convolution k 1 1 b d 0=1 1=1 6=4\n";
    assert_eq!(left_of(&format!("{gate}{one}BinaryOp m 2 1 d w c 0=2\n"))[2], "Reshape");
}

#[test]
fn constants_and_layers_that_lead_nowhere_are_dead() {
    assert_eq!(left_of("MemoryData m 0 1 m 0=3\nReLU r 1 1 x a\n"), ["ReLU"]);
    let model = image_model("Split s 1 2 x a b\nReLU r 1 1 a c\nSigmoid t 1 1 b d\n");
    let options = OptimizeOptions::default().with_outputs(["c"]);
    assert_eq!(kinds(&optimize(&model, &options).unwrap().model), ["Input", "ReLU"]);
    let unknown = OptimizeOptions::default().with_outputs(["z"]);
    assert_eq!(optimize(&model, &unknown).unwrap_err().to_string(), "no blob is called z");
}

#[test]
fn what_a_noop_at_the_end_swallows_is_an_output() {
    let lines = "Split s 1 2 x a b\nReLU r 1 1 a c\nSigmoid t 1 1 b d\nNoop n 2 1 c d all\n";
    let optimized = optimized(&image_model(lines));
    assert_eq!(kinds(&optimized.model), ["Input", "Split", "ReLU", "Sigmoid"]);
    assert_eq!([&optimized.model.layers[2].outputs[0], &optimized.model.layers[3].outputs[0]], ["all", "d"]);
}

#[test]
fn a_blob_that_is_to_be_kept_is_kept() {
    let model = image_model(&format!("{CONV}BatchNorm bn 1 1 a b 0=3\n"));
    let options = OptimizeOptions::default().with_keep(["a"]);
    assert_eq!(kinds(&optimize(&model, &options).unwrap().model), ["Input", "Convolution", "BatchNorm"]);
}

#[test]
fn without_input_sizes_only_what_needs_none_is_done() {
    let model = random_model(&format!("Input data 0 1 x\n{CONV}BatchNorm bn 1 1 a b 0=3\nFlatten f 1 1 b c\n"));
    let optimized = optimize(&model, &OptimizeOptions::default()).unwrap();
    assert_eq!(kinds(&optimized.model), ["Input", "Convolution", "Flatten"]);
    let error = differences(&model, &optimized.model, &[], 1, 0).unwrap_err();
    assert!(error.to_string().contains("does not say how large it is"), "{error}");
    let shapes = [("y".to_owned(), Shape::new(&[4, 5, 6]).unwrap())];
    let options = OptimizeOptions::default().with_input_shapes(shapes);
    assert!(optimize(&model, &options).unwrap_err().to_string().contains("no input is called y"));
}

#[test]
fn untouched_lines_and_weights_stay_byte_for_byte() {
    let text =
        "7767517\n3 3\nInput   data 0 1   x 0=6 1=5 2=4\nConvolution  conv 1 1 x a   0=3 1=1 6=12\nReLU relu 1 1 a b\n";
    let mut model = Model::from_param_text(text).unwrap();
    random_model::fill(&mut model);
    model.layers[1].weights[0].data = WeightData::F32(vec![0.3; 12], F32Tag::Legacy);
    let optimized = optimized(&model);
    assert!(optimized.model.to_param_text().contains("Input   data 0 1   x 0=6 1=5 2=4\n"));
    assert_eq!(optimized.model.layers[1].weights, model.layers[1].weights);
    assert_eq!(optimized.model.layers[1].kind, LayerKind::Convolution);
}
