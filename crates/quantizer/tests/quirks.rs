//! Quirks of ncnn2table and ncnn2int8 and what this crate does instead. The
//! numbers are those of section 12 of the project's notes on ncnn's int8.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use fp32_ref::Tensor;
use histogram_kl::{Histogram, Range, Rule};
use ncnn_format::{
    Encoding, F32Tag, Model, Result, ScaleTable, Storage, Weight, WeightData, WeightRole, weight_layout,
};
use quantizer::calibrate::{Calibration, Method, calibrate};
use quantizer::{
    ConvertOptions, Dataset, FloatStorage, InputOptions, Preprocess, RgbImage8, Samples, WeightMethod, WinogradGuard,
    convert, decode_image, weight_scales,
};

/// A network whose weights count up from 0.01 in steps of 0.01.
fn network(param: &str) -> Model {
    let count = param.lines().count();
    let mut model = Model::from_param_text(&format!("7767517\n{count} 99\n{param}\n")).unwrap();
    for layer in &mut model.layers {
        for spec in weight_layout(layer).unwrap() {
            let values = (1..=spec.len).map(|i| i as f32 / 100.0).collect();
            let tag = if spec.encoding == Encoding::Tagged { F32Tag::Tagged } else { F32Tag::Raw };
            layer.weights.push(Weight { role: spec.role, data: WeightData::F32(values, tag) });
        }
    }
    model
}

fn convert_default(model: &Model, rows: &str) -> Result<quantizer::Converted> {
    convert(model, &ScaleTable::parse(rows).unwrap(), ConvertOptions::default())
}

fn term(model: &Model, layer: &str) -> i32 {
    model.layer(layer).unwrap().int8_term().unwrap().unwrap()
}

const CONV: &str = "Input data 0 1 data 0=4 1=4 2=1\nConvolution conv 1 1 data out 0=2 1=3 6=18";

fn samples() -> Vec<Tensor> {
    let ramp = |k: usize| (0..16).map(|i| ((i * 7 + k * 3) % 16) as f32 / 4.0 - 1.5).collect();
    (0..6).map(|k| Tensor::new([1, 4, 4], ramp(k)).unwrap()).collect()
}

fn calibrated(param: &str, samples: &dyn Dataset, method: impl Into<Method>) -> Calibration {
    calibrate(&network(param), samples, method.into(), &()).unwrap()
}

#[test]
fn quirk_08_ours_considers_the_whole_range_ncnns_search_stops_one_bin_before() {
    let flat = Histogram::from_counts(10.0, &[1000; Histogram::BINS]).unwrap();
    assert_eq!(Rule::AbsMax.threshold(&flat).unwrap().value(), 10.0);
    assert!(Rule::KlNcnn.threshold(&flat).unwrap().bin().is_some_and(|bin| bin < Histogram::BINS));
    let ours = calibrated(CONV, &samples(), Rule::Kl);
    assert_eq!(ours.layers[0].reported_threshold(), ours.layers[0].range.absmax(), "a network's input is not clipped");
}

#[test]
fn quirk_09_an_all_zero_input_gets_a_finite_scale_and_a_warning() {
    let zeros = vec![Tensor::new([1, 4, 4], vec![0.0; 16]).unwrap()];
    let ours = calibrated(CONV, &zeros, Rule::Kl);
    assert_eq!(ours.table().input_scale("conv"), Some(1.0));
    assert!(ours.remarks()[0].to_string().contains("was zero in all 1 samples"), "{:?}", ours.remarks());
    assert_eq!(calibrated(CONV, &zeros, Method::NcnnKl).table().input_scale("conv"), Some(f32::INFINITY));
}

#[test]
fn quirk_10_and_11_aciq_is_not_taken_for_a_fit_and_eq_does_not_crash() {
    let message = "aciq".parse::<Method>().unwrap_err().to_string();
    assert!(message.starts_with("no method is called aciq; there are auto, "), "{message}");
    assert!(message.contains("aciq-gauss") && message.contains("ncnn-aciq"), "{message}");
    // ncnn2table's `eq` ends in a segmentation fault; ours is another search and no `ncnn-eq`.
    assert_eq!("eq".parse::<Method>().unwrap(), Method::Eq);
    assert!("ncnn-eq".parse::<Method>().is_err());
}

#[test]
fn quirk_12_three_by_three_weights_keep_eight_bits_where_no_sum_can_wrap() {
    let model = network(CONV);
    let absmax = 9.0_f32 / 100.0;
    let ncnn = weight_scales(&model.layers[1], WeightMethod::Ncnn).unwrap();
    assert_eq!(ncnn.scales[0], 31.0 / absmax);
    let ours = weight_scales(&model.layers[1], WeightMethod::Guarded(WinogradGuard::Proven)).unwrap();
    assert_eq!((ours.scales[0], ours.reduced.len()), (127.0 / absmax, 0));
}

#[test]
fn quirk_13_a_grouped_convolution_has_one_scale_per_group() {
    let model = network("Input data 0 1 data 0=4 1=4 2=4\nConvolutionDepthWise c 1 1 data out 0=6 1=1 6=12 7=2");
    assert_eq!(weight_scales(&model.layers[1], WeightMethod::default()).unwrap().scales.len(), 2);
}

#[test]
fn quirk_14_bad_inputs_are_errors_that_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a b.png");
    assert!(decode_image(&path).unwrap_err().to_string().contains("a b.png"));
    std::fs::write(&path, b"no image").unwrap();
    assert!(decode_image(&path).unwrap_err().to_string().contains("a b.png"));
    assert_eq!(Samples::from_path(&path).unwrap().as_slice(), std::slice::from_ref(&path), "paths may have blanks");
    assert!(Preprocess::new(InputOptions::default().with_mean([1.0])).is_err());
    assert!(
        calibrate(&network(CONV), &Vec::<Tensor>::new(), Rule::Kl, &()).unwrap_err().to_string().contains("no samples")
    );
}

#[test]
fn quirk_15_every_value_of_a_blob_is_counted() {
    let mut range = Range::default();
    let volume: Vec<f32> = (0..2 * 3 * 4 * 5).map(|i| i as f32).collect();
    range.add(&volume);
    assert_eq!((range.values(), range.absmax()), (120, 119.0));
}

#[test]
fn quirk_16_the_number_of_threads_changes_no_bit() {
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| calibrated(CONV, &samples(), Rule::Kl).table().to_text())
    };
    assert_eq!(on(1), on(4));
}

#[test]
fn quirk_17_an_image_keeps_its_proportions_when_one_side_is_given() {
    let image = || RgbImage8::new(4, 2, vec![9; 24]).unwrap();
    let shape = |width, height| {
        let options = InputOptions::default().with_size(width, height);
        Preprocess::new(options).unwrap().from_rgb8(image()).unwrap().shape().dims().to_vec()
    };
    assert_eq!(shape(Some(3), Some(3)), [3, 3, 3], "both: exactly that, whatever the proportions");
    assert_eq!(shape(Some(2), None), [3, 1, 2]);
    assert_eq!(shape(None, None), [3, 2, 4]);
}

#[test]
fn quirk_18_a_network_with_several_inputs_is_refused_not_fed_by_position() {
    let two = "Input a 0 1 a 0=4\nInput b 0 1 b 0=4\nEltwise sum 2 1 a b c 0=1\nInnerProduct fc 1 1 c d 0=1 2=4";
    assert!(calibrate(&network(two), &samples(), Rule::Kl, &()).is_err());
}

#[test]
fn quirk_19_a_blob_and_its_split_copies_have_one_scale() {
    let split = "Input data 0 1 data 0=4 1=4 2=1\nSplit s 1 2 data a b\n\
        Convolution x 1 1 a xo 0=2 1=3 6=18\nConvolution y 1 1 b yo 0=1 1=1 6=1";
    let table = calibrated(split, &samples(), Rule::Kl).table();
    assert!(table.input_scale("x").is_some());
    assert_eq!(table.input_scale("x"), table.input_scale("y"));
}

#[test]
fn quirk_20_the_rest_is_stored_as_fp16_or_kept() {
    let model = network(
        "Input data 0 1 data 0=4 1=4 2=1\nConvolution c 1 1 data a 0=1 1=1 6=1\nInnerProduct fc 1 1 a b 0=1 2=16",
    );
    let table = ScaleTable::parse("fc_param_0 1\nfc 1\n").unwrap();
    let storage = |float_storage| {
        let options = ConvertOptions::default().with_float_storage(float_storage);
        let converted = convert(&model, &table, options).unwrap().model;
        converted.layers[1].weight(WeightRole::Weight).unwrap().data.storage()
    };
    assert_eq!(storage(FloatStorage::Half), Storage::F16);
    assert_eq!(storage(FloatStorage::Keep), Storage::F32);
}

#[test]
fn quirk_21_gemm_becomes_int8_unless_that_is_switched_off_and_noted() {
    let model =
        network("Input data 0 1 data 0=4\nInnerProduct fc 1 1 data a 0=4 2=16\nGemm g 1 1 a out 5=1 8=4 9=4 3=1");
    let rows = ScaleTable::parse("fc_param_0 1 1 1 1\nfc 1\n").unwrap();
    let with = |sequence_layers| {
        let options = ConvertOptions::default().with_sequence_layers(sequence_layers);
        let converted = convert(&model, &rows, options).unwrap();
        let is_noted = |remark: &quantizer::Remark| remark.to_string() == "layer g: Gemm is not quantized, stays float";
        (converted.model.layers[2].int8_term().unwrap().unwrap(), converted.remarks.iter().any(is_noted))
    };
    assert_eq!((with(true), with(false)), ((2, false), (0, true)));
}

const CHAIN: &str = "Input data 0 1 data 0=4 1=4 2=1\nConvolution a 1 1 data x 0=2 1=3 6=18\n\
    Convolution b 1 1 x y 0=1 1=1 6=2\nInnerProduct fc 1 1 y out 0=2 2=8";
const ROWS: &str = "a_param_0 1 1\nb_param_0 1\nfc_param_0 1 1\na 1\nb 1\nfc 1\n";

#[test]
fn quirk_22_a_layer_without_one_of_its_rows_stays_float_and_the_others_do_not() {
    let converted = convert_default(&network(CHAIN), &ROWS.replace("\nb 1", "\n#b 1")).unwrap();
    assert_eq!(["a", "b", "fc"].map(|layer| term(&converted.model, layer)), [2, 0, 2]);
    let converted = convert_default(&network(CHAIN), &ROWS.replace("a_param_0", "#a_param_0")).unwrap();
    assert_eq!(["a", "b", "fc"].map(|layer| term(&converted.model, layer)), [0, 2, 2]);
    assert_eq!(converted.remarks[0].to_string(), "layer a: no row a_param_0 in the table, stays float");
    let both = ROWS.replace("a_param_0", "#a_param_0").replace("\na 1", "\n#a 1");
    let converted = convert_default(&network(CHAIN), &both).unwrap();
    assert_eq!(["a", "b", "fc"].map(|layer| term(&converted.model, layer)), [0, 2, 2]);
}

#[test]
fn quirk_25_convolutions_are_chained_and_an_inner_product_is_not() {
    let converted = convert_default(&network(CHAIN), ROWS).unwrap();
    assert_eq!(["a", "b", "fc"].map(|layer| term(&converted.model, layer)), [102, 2, 2]);
}

#[test]
fn quirk_27_an_int8_model_is_not_quantized_again() {
    let converted = convert_default(&network(CHAIN), ROWS).unwrap();
    assert!(convert_default(&converted.model, ROWS).unwrap_err().to_string().contains("is int8 already"));
}

#[test]
fn quirk_28_a_row_of_the_wrong_length_is_an_error() {
    let message = convert_default(&network(CHAIN), &ROWS.replace("fc_param_0 1 1", "fc_param_0 1 1 1")).unwrap_err();
    assert!(message.to_string().contains("has 3 values, expected 2"), "{message}");
}
