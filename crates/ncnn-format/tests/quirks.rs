//! What ncnn's formats do to the unwary, and what this crate does instead. The
//! numbers are those of section 12 of the project's notes on ncnn's int8.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ncnn_format::{
    ErrorKind, Layer, LayerKind, Limits, Model, ScaleTable, SourceText, WeightRole, typed, weight_layout,
};

/// A model of one layer line.
fn layer(line: &str) -> Layer {
    Model::from_param_text(&format!("7767517\n1 1\n{line}\n")).unwrap().layers.remove(0)
}

fn error(text: &str) -> String {
    Model::from_param_text(text).unwrap_err().to_string()
}

fn warnings(text: &str) -> Vec<String> {
    let (_, warnings) = Model::from_param_text_with(text, &Limits::default()).unwrap();
    warnings.into_iter().map(|warning| warning.message).collect()
}

/// The model's text when nothing of what was read is remembered.
fn written_anew(text: &str) -> String {
    let mut model = Model::from_param_text(text).unwrap();
    model.layers.iter_mut().for_each(|layer| layer.source = SourceText::default());
    model.to_param_text()
}

#[test]
fn quirk_01_a_one_element_array_without_comma_is_refused_where_ncnn_crashes() {
    let scalar = layer("Convolution c 0 1 c 0=1 1=1 6=1 9=2 10=0.1");
    let message = typed::Convolution::read(&scalar).unwrap_err().to_string();
    assert!(message.contains("should be an array") && message.contains("-23310=1,x"), "{message}");
    for line in ["10=0.1,", "-23310=1,0.1"] {
        let array = layer(&format!("Convolution c 0 1 c 0=1 1=1 6=1 9=2 {line}"));
        assert_eq!(typed::Convolution::read(&array).unwrap().activation_params, [0.1]);
    }
}

#[test]
fn quirk_02_a_number_means_the_bits_that_ncnn_sees() {
    // Old ncnn sees 8e-45 here, new ncnn 6.
    let clip = typed::Clip::read(&layer("Clip c 0 1 c 0=0 1=6")).unwrap();
    assert_eq!(clip.max, 6.0, "an integer where a float belongs, no bits of one");
    let clip = typed::Clip::read(&layer("Clip c 0 1 c 0=0 1=1086324736")).unwrap();
    assert_eq!(clip.max, 6.0, "the bits of a float where a float belongs");
    let pool = typed::Pooling::read(&layer("Pooling p 0 1 p 4=1.0")).unwrap();
    assert_eq!(pool.global_pooling, 1_065_353_216, "a float where an integer belongs");
}

#[test]
fn quirk_03_more_than_nine_decimals_wrap_and_more_than_15_characters_are_an_error() {
    let wrapped = layer("ReLU r 0 1 r 0=0.0000000001").relu().unwrap().slope;
    assert!((wrapped - 7.091_87e-10).abs() < 1e-15, "{wrapped}");
    let message = error("7767517\n1 1\nReLU r 0 1 r 0=0.10000000000000\n");
    assert!(message.contains("longer than the 15 characters that ncnn reads"), "{message}");
}

#[test]
fn quirk_04_wrong_counts_in_the_header_are_warnings_and_nothing_is_lost() {
    let text = "7767517\n1 1\nSplit a 0 2 a b\nNoop x 0 0\n";
    let model = Model::from_param_text(text).unwrap();
    assert_eq!((model.layers.len(), model.to_param_text().as_str()), (1, text));
    let warnings = warnings(text).join("; ");
    assert!(warnings.contains("is ignored") && warnings.contains("writes past its array of blobs"), "{warnings}");
}

#[test]
fn quirk_05_floats_are_written_with_as_many_digits_as_they_need() {
    let mut relu = Layer::new(LayerKind::ReLU, "r");
    relu.outputs.push("r".into());
    for bits in [0x3dcc_cccd, 0x3eaa_aaab, 0x0000_0001, 0x7f7f_ffff, 0x8000_0000_u32] {
        relu.params.set(typed::ReLU::SLOPE, f32::from_bits(bits));
        let model = Model { layers: vec![relu.clone()], ..Model::default() };
        let again = Model::from_param_text(&model.to_param_text()).unwrap();
        assert_eq!(again.layers[0].relu().unwrap().slope.to_bits(), bits);
    }
}

#[test]
fn quirk_06_no_parameter_is_dropped_on_writing() {
    let text = "7767517\n4 4\n\
        Input                    in                       0 1 in 0=4 11=3 31=8\n\
        Slice                    slice                    1 2 in a b -23300=2,1,-233 -23302=1,2\n\
        PriorBox                 prior                    1 1 a p 14=1 15=1\n\
        MyLayer                  mine                     1 1 b m 0=7 5=\"text\"\n";
    assert_eq!(written_anew(&text.replace("4 4\n", "4 5\n")), text.replace("4 4\n", "4 5\n"));
}

#[test]
fn quirk_07_scales_have_six_decimals_so_tiny_ones_vanish() {
    let mut table = ScaleTable::default();
    table.push("conv", vec![156.25, 0.123_456_7, 4e-7]);
    assert_eq!(table.to_text(), "conv 156.250000 0.123457 0.000000 \n");
}

#[test]
fn quirk_22_a_commented_line_is_no_row() {
    let table = ScaleTable::parse("conv_param_0 1 \n#conv 2 \n").unwrap();
    assert_eq!((table.weight_scales("conv"), table.input_scale("conv")), (Some(&[1.0][..]), None));
}

#[test]
fn quirk_23_a_blank_line_does_not_end_a_table_and_a_name_may_contain_param() {
    let table = ScaleTable::parse("a_param_0 1 \n\nb_param_x 2 \nb_param_x_param_0 3 \n").unwrap();
    assert_eq!(table.rows.len(), 3);
    assert_eq!(table.input_scale("b_param_x"), Some(2.0));
    assert_eq!(table.weight_scales("b_param_x"), Some(&[3.0][..]));
}

#[test]
fn quirk_24_a_model_that_does_not_load_is_an_error_and_an_empty_one_is_not_written() {
    assert!(Model::load("no/such.param", "no/such.bin").is_err());
    assert!(error("7767517\n0 0\n").contains("0 layers and 0 blobs"));
    let folder = tempfile::tempdir().unwrap();
    let (param, bin) = (folder.path().join("a.param"), folder.path().join("a.bin"));
    assert_eq!(Model::default().save(&param, &bin).unwrap_err().kind(), ErrorKind::Invalid);
    assert!(!param.exists() && !bin.exists());
}

#[test]
fn quirk_26_terms_1_and_2_mean_the_same_but_for_depthwise() {
    let scales = |line: &str| {
        let layout = weight_layout(&layer(line)).unwrap();
        layout.into_iter().find(|spec| spec.role == WeightRole::WeightScales).map(|spec| spec.len)
    };
    for term in [1, 2, 101, 102] {
        assert_eq!(scales(&format!("Convolution c 0 1 c 0=4 1=1 6=8 8={term}")), Some(4));
    }
    for (term, len) in [(1, 4), (2, 1), (101, 4), (102, 1)] {
        assert_eq!(scales(&format!("ConvolutionDepthWise c 0 1 c 0=4 1=1 6=4 7=4 8={term}")), Some(len));
    }
    assert_eq!(scales("InnerProduct c 0 1 c 0=4 2=8 8=1"), Some(4));
    assert_eq!(scales("InnerProduct c 0 1 c 0=4 2=8 8=2"), Some(4));
}

#[test]
fn quirk_37_defaults_are_those_of_the_source_not_of_ncnns_documentation() {
    assert_eq!(typed::Normalize::read(&layer("Normalize n 0 1 n 3=4")).unwrap().across_channel, 1);
    let specs = weight_layout(&layer("Requantize r 0 1 r 0=2 1=3 2=4")).unwrap();
    let lens: Vec<_> = specs.iter().map(|spec| spec.len).collect();
    assert_eq!(lens, [2, 3, 4], "scale in, scale out, bias");
}
