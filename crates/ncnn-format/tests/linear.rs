//! Layers with weights, over all types.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ncnn_format::{
    Activation, Effect, F32Tag, Layer, LayerKind, LinearFamily, LinearLayer, Model, WeightData, WeightRole,
    weight_layout,
};

/// All types that are linear, with parameters by which each has 4 outputs, a bias and 2 groups where it can.
fn layers() -> Vec<Layer> {
    let lines = "\
        Convolution c 1 1 a b 0=4 1=3 5=1 6=216 9=1\n\
        Convolution1D c 1 1 a b 0=4 1=3 5=1 6=72 9=1\n\
        Convolution3D c 1 1 a b 0=4 1=3 5=1 6=648 9=1\n\
        ConvolutionDepthWise c 1 1 a b 0=4 1=3 5=1 6=108 7=2 9=1\n\
        ConvolutionDepthWise1D c 1 1 a b 0=4 1=3 5=1 6=36 7=2 9=1\n\
        ConvolutionDepthWise3D c 1 1 a b 0=4 1=3 5=1 6=324 7=2 9=1\n\
        Deconvolution c 1 1 a b 0=4 1=3 5=1 6=216 9=1\n\
        Deconvolution1D c 1 1 a b 0=4 1=3 5=1 6=72 9=1\n\
        Deconvolution3D c 1 1 a b 0=4 1=3 5=1 6=648 9=1\n\
        DeconvolutionDepthWise c 1 1 a b 0=4 1=3 5=1 6=108 7=2 9=1\n\
        DeconvolutionDepthWise1D c 1 1 a b 0=4 1=3 5=1 6=36 7=2 9=1\n\
        DeconvolutionDepthWise3D c 1 1 a b 0=4 1=3 5=1 6=324 7=2 9=1\n\
        DeformableConv2D c 1 1 a b 0=4 1=3 5=1 6=216 9=1\n\
        InnerProduct c 1 1 a b 0=4 1=1 2=24 9=1\n";
    Model::from_param_text(&format!("7767517\n{} 2\n{lines}", lines.lines().count())).unwrap().layers
}

fn linear(layer: &Layer) -> LinearLayer {
    LinearLayer::of(layer).unwrap().unwrap()
}

#[test]
fn the_linear_types_are_those_listed_here() {
    let is_linear = |kind: &&LayerKind| LinearLayer::of(&Layer::new((*kind).clone(), "x")).unwrap().is_some();
    let mut found: Vec<&str> = LayerKind::BUILTIN.iter().filter(is_linear).map(LayerKind::as_str).collect();
    found.sort_unstable();
    let listed = layers();
    assert_eq!(found, listed.iter().map(|layer| layer.kind.as_str()).collect::<Vec<_>>());
    for layer in listed {
        assert_eq!(layer.effect().unwrap(), Effect::Linear, "{}", layer.kind);
    }
}

#[test]
fn sizes_are_those_of_the_weight_layout() {
    for layer in layers() {
        let linear = linear(&layer);
        let specs = weight_layout(&layer).unwrap();
        let len = |role| specs.iter().find(|spec| spec.role == role).map(|spec| spec.len);
        assert_eq!(len(WeightRole::Weight), Some(linear.weight_len), "{}", layer.kind);
        assert_eq!(len(WeightRole::Bias), Some(linear.outputs), "{}", layer.kind);
        assert_eq!(linear.depth() * linear.outputs, linear.weight_len, "{}", layer.kind);
        assert!(linear.has_bias && !linear.is_dynamic && !linear.is_int8(), "{}", layer.kind);
        assert_eq!(linear.activation().unwrap(), Activation::Relu);
        assert_eq!(linear.groups, if layer.kind.as_str().contains("DepthWise") { 2 } else { 1 });
        let kernel: usize = linear.window.iter().map(|axis| axis.kernel as usize).product();
        let inputs = if linear.family == LinearFamily::InnerProduct { 6 } else { 6 / linear.groups };
        assert_eq!(linear.depth(), kernel * inputs, "{}", layer.kind);
    }
}

#[test]
fn scales_of_an_int8_layer_are_as_many_as_the_weight_layout_wants() {
    let mut seen = 0;
    for mut layer in layers() {
        let before = linear(&layer);
        layer.fill_weights(|_, index| index as f32).unwrap();
        let (weights, scales) = (vec![7_i8; before.weight_len], vec![2.0; before.scale_count()]);
        let result = before.set_int8(&mut layer, weights, scales, 3.0);
        if !before.has_int8_form() {
            assert_eq!(result.unwrap_err().to_string(), "layer c: has no int8 form");
            continue;
        }
        seen += 1;
        result.unwrap();
        assert!(linear(&layer).is_int8() && layer.is_int8().unwrap(), "{}", layer.kind);
        let specs = weight_layout(&layer).unwrap();
        let wanted: Vec<_> = specs.iter().map(|spec| (spec.role, spec.len)).collect();
        let found: Vec<_> = layer.weights.iter().map(|weight| (weight.role, weight.data.len())).collect();
        assert_eq!(found, wanted, "{}", layer.kind);
        assert_eq!(*layer.weight_f32(WeightRole::Bias).unwrap(), [0.0, 1.0, 2.0, 3.0], "the bias stays");
    }
    assert_eq!(seen, 3);
}

#[test]
fn a_bias_is_replaced_or_put_behind_the_kernel() {
    for mut layer in layers() {
        let linear = linear(&layer);
        layer.fill_weights(|_, _| 1.0).unwrap();
        linear.set_bias(&mut layer, vec![5.0; 4]);
        assert_eq!(*layer.weight_f32(WeightRole::Bias).unwrap(), [5.0; 4], "{}", layer.kind);
        assert_eq!(layer.weights.len(), 2);
    }
    let text = "7767517\n1 1\nInnerProduct ip 0 1 out 0=2 2=6 8=2\n";
    let mut model = Model::from_param_text(text).unwrap();
    let layer = &mut model.layers[0];
    layer.fill_weights(|_, _| 1.0).unwrap();
    let ip = linear(layer);
    assert_eq!(ip.bias(layer).unwrap(), [0.0, 0.0], "none is zeros");
    ip.set_bias(layer, vec![1.0, 2.0]);
    let roles: Vec<WeightRole> = layer.weights.iter().map(|weight| weight.role).collect();
    assert_eq!(roles, [WeightRole::Weight, WeightRole::Bias, WeightRole::WeightScales, WeightRole::InputScale]);
    assert_eq!(linear(layer).bias(layer).unwrap(), [1.0, 2.0]);
    assert_eq!(model.to_param_text(), text.replace("8=2", "8=2 1=1"));
}

#[test]
fn an_activation_is_set_with_its_parameters_and_taken_back_without() {
    for mut layer in layers() {
        let before = linear(&layer);
        let clip = Activation::Clip { min: 0.0, max: 6.0 };
        before.set_activation(&mut layer, clip);
        assert_eq!(linear(&layer).activation().unwrap(), clip, "{}", layer.kind);
        before.set_activation(&mut layer, Activation::None);
        let after = linear(&layer);
        assert_eq!((after.activation_type, after.activation_params), (0, vec![]), "{}", layer.kind);
    }
}

#[test]
fn weights_of_another_storage_become_fp32_with_a_tag() {
    let mut layer = layers().remove(0);
    layer.fill_weights(|_, _| 1.0).unwrap();
    let half = layer.weights[0].data.to_f16_as_ncnn2int8().unwrap();
    layer.weights[0].data = half;
    layer.set_weight_f32(WeightRole::Weight, vec![2.0; 216]);
    assert_eq!(layer.weights[0].data, WeightData::F32(vec![2.0; 216], F32Tag::Tagged));
    layer.set_weight_f32(WeightRole::Bias, vec![3.0; 4]);
    assert_eq!(layer.weights[1].data, WeightData::F32(vec![3.0; 4], F32Tag::Raw));
    layer.set_weight_f32(WeightRole::Mean, vec![3.0; 4]);
    assert_eq!(layer.weights.len(), 2, "there is no such weight");
}

#[test]
fn weights_from_blobs_make_a_layer_dynamic_and_float() {
    for (line, dynamic) in
        [("Convolution c 2 1 a w b 0=4 1=3 6=216 19=1", true), ("Deconvolution c 2 1 a w b 28=1", true)]
    {
        let model = Model::from_param_text(&format!("7767517\n1 3\n{line}\n")).unwrap();
        let linear = linear(&model.layers[0]);
        assert_eq!((linear.is_dynamic, linear.has_int8_form()), (dynamic, false), "{line}");
    }
}

#[test]
fn senseless_sizes_count_as_none_and_unreadable_ones_are_errors() {
    let model = Model::from_param_text("7767517\n1 1\nConvolution c 0 1 b 0=-4 6=-9\n").unwrap();
    let conv = linear(&model.layers[0]);
    assert_eq!((conv.outputs, conv.weight_len, conv.depth()), (0, 0, 0));
    assert!(conv.is_image_convolution());
    let model = Model::from_param_text("7767517\n1 1\nConvolution c 0 1 b -23300=1,4\n").unwrap();
    assert!(LinearLayer::of(&model.layers[0]).unwrap_err().to_string().starts_with("layer c: "));
}
