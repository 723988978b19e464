//! Reading and writing `.bin` bytes through the public interface.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ncnn_format::typed::Convolution;
use ncnn_format::{
    ErrorKind, F32Tag, Layer, LayerKind, Limits, Model, Storage, Weight, WeightData, WeightRole, weight_layout,
};

/// A network with a tagged weight of three elements and a raw one of three.
fn inner_product() -> Model {
    let text = "7767517\n2 2\nInput data 0 1 data\nInnerProduct fc 1 1 data out 0=3 1=1 2=3\n";
    Model::from_param_text(text).unwrap()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn read(bytes: &[u8]) -> WeightData {
    let mut model = inner_product();
    model.read_bin(bytes).unwrap();
    assert_eq!(model.bin_bytes().unwrap(), bytes);
    model.layers[1].weight(WeightRole::Weight).unwrap().data.clone()
}

const ONE: u32 = 0x3F80_0000;

#[test]
fn every_tag_is_read_and_written_back() {
    let data = read(&words(&[0, ONE, 0, 0x8000_0000, 1, 2, 3]));
    assert_eq!(data.storage(), Storage::F32);
    assert_eq!(data.to_f32().unwrap()[0], 1.0);

    let legacy = read(&words(&[0x0002_C056, ONE, ONE, ONE, 1, 2, 3]));
    assert!(matches!(legacy, WeightData::F32(_, F32Tag::Legacy)));

    let half = read(&words(&[0x0130_6B47, 0x3C00_C000, 0x0000_3800, 1, 2, 3]));
    assert_eq!(half.to_f32().unwrap().as_ref(), [-2.0, 1.0, 0.5]);

    let int8 = read(&words(&[0x000D_4B38, 0x0080_7F01, 1, 2, 3]));
    assert_eq!(int8.as_i8(), Some(&[1, 127, -128][..]));
    assert_eq!(int8.to_f32(), None);

    let mut table = words(&[0xDEAD_BEEF]);
    table.extend((0..256_u16).flat_map(|i| f32::from(i).to_le_bytes()));
    table.extend(words(&[0x00_02_FF_07, 1, 2, 3]));
    let data = read(&table);
    assert_eq!((data.storage(), data.to_f32().unwrap().as_ref()), (Storage::Table, &[7.0, 255.0, 2.0][..]));
}

#[test]
fn tiny_values_are_not_flushed() {
    let data = read(&words(&[0, 1, 0x7FC0_1234, 0xFF80_0000, 1, 2, 3]));
    assert_eq!(data.to_f32().unwrap()[0].to_bits(), 1);
}

#[test]
fn bytes_behind_the_last_weight_are_kept() {
    let mut model = inner_product();
    let mut bytes = words(&[0, ONE, ONE, ONE, ONE, ONE, ONE]);
    bytes.extend(b"odd");
    model.read_bin(&bytes).unwrap();
    assert_eq!(model.trailing_bytes, b"odd");
    assert_eq!(model.bin_bytes().unwrap(), bytes);
}

#[test]
fn padding_that_is_not_zero_is_noted_and_written_as_zero() {
    let mut model = inner_product();
    let bytes = words(&[0x000D_4B38, 0x5501_0101, 1, 2, 3]);
    let odd = model.read_bin_with(&bytes, &Limits::default()).unwrap();
    assert_eq!(odd.len(), 1);
    assert_eq!((odd[0].byte, odd[0].layer.as_str(), odd[0].role), (7, "fc", WeightRole::Weight));
    assert_eq!(model.bin_bytes().unwrap(), words(&[0x000D_4B38, 0x0001_0101, 1, 2, 3]));
}

#[test]
fn a_truncated_bin_names_byte_layer_role_and_sizes() {
    let error = |bytes: &[u8]| {
        let mut model = inner_product();
        let error = model.read_bin(bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Malformed);
        assert!(model.layers[1].weights.is_empty(), "the model is unchanged");
        error.to_string()
    };
    insta::assert_snapshot!(error(&[]), @"byte 0: layer fc: weight of 3 elements needs 4 bytes, the file has 0 left");
    insta::assert_snapshot!(error(&words(&[0, ONE])), @"byte 4: layer fc: weight of 3 elements needs 12 bytes, the file has 4 left");
    insta::assert_snapshot!(error(&words(&[0, ONE, ONE, ONE, 1])), @"byte 16: layer fc: bias of 3 elements needs 12 bytes, the file has 4 left");
    insta::assert_snapshot!(error(&words(&[0x0130_6B47, 0])), @"byte 4: layer fc: weight of 3 elements needs 8 bytes, the file has 4 left");
    insta::assert_snapshot!(error(&words(&[0x000D_4B38])), @"byte 4: layer fc: weight of 3 elements needs 4 bytes, the file has 0 left");
    insta::assert_snapshot!(error(&words(&[ONE, ONE])), @"byte 0: layer fc: weight of 3 elements needs 1024 bytes, the file has 4 left behind tag 0x3F800000 (a table of 256 values)");
    insta::assert_snapshot!(error(&words(&[ONE; 257])), @"byte 0: layer fc: weight of 3 elements needs 4 bytes, the file has 0 left behind tag 0x3F800000 (a table of 256 values)");
}

#[test]
fn an_error_behind_a_custom_layer_says_that_its_weights_are_not_known() {
    let text = "7767517\n3 3\nInput data 0 1 data\nMyNorm norm 1 1 data mid\nInnerProduct fc 1 1 mid out 0=3 2=3\n";
    let mut model = Model::from_param_text(text).unwrap();
    let error = model.read_bin(&words(&[0, ONE])).unwrap_err();
    insta::assert_snapshot!(error, @"byte 4: layer fc: weight of 3 elements needs 12 bytes, the file has 4 left; the weights of custom layer norm (MyNorm), if it has any, are not known and were not skipped");
}

#[test]
fn sizes_are_checked_before_anything_is_read() {
    let text = "7767517\n1 1\nInnerProduct fc 0 0 0=1 2=2147483647\n";
    let mut model = Model::from_param_text(text).unwrap();
    let expected = if cfg!(target_pointer_width = "64") {
        "byte 4: layer fc: weight of 2147483647 elements needs 8589934588 bytes, the file has 0 left"
    } else {
        "layer fc: a weight has more bytes than this machine can address"
    };
    assert_eq!(model.read_bin(&words(&[0])).unwrap_err().to_string(), expected);
    let mut tight = Limits::default();
    tight.weight_elements = 1000;
    let error = model.read_bin_with(&words(&[0]), &tight).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    insta::assert_snapshot!(error, @"layer fc: weight has 2147483647 elements, the limit is 1000");
    tight.bin_bytes = 3;
    insta::assert_snapshot!(model.read_bin_with(&words(&[0]), &tight).unwrap_err(), @"4 bytes of weights, the limit is 3");
}

#[test]
fn weights_that_the_parameters_do_not_call_for_are_refused() {
    let error = |weights: Vec<(WeightRole, WeightData)>| {
        let mut model = inner_product();
        model.layers[1].weights = weights.into_iter().map(|(role, data)| Weight { role, data }).collect();
        let error = model.bin_bytes().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    };
    let floats = |len, tag| WeightData::F32(vec![0.0; len], tag);
    let int8 = || (WeightRole::Weight, WeightData::I8(vec![0; 3]));
    insta::assert_snapshot!(error(vec![]), @"layer fc: has 0 weights, its parameters call for 2");
    insta::assert_snapshot!(error(vec![int8(), (WeightRole::Bias, floats(2, F32Tag::Raw))]), @"layer fc: bias has 2 elements, its parameters call for 3");
    insta::assert_snapshot!(error(vec![int8(), (WeightRole::InputScale, floats(3, F32Tag::Raw))]), @"layer fc: expected bias here, found input scale");
    insta::assert_snapshot!(error(vec![int8(), (WeightRole::Bias, WeightData::I8(vec![0; 3]))]), @"layer fc: bias is stored without a tag, so as plain fp32, not int8");
    insta::assert_snapshot!(error(vec![int8(), (WeightRole::Bias, floats(3, F32Tag::Tagged))]), @"layer fc: bias is stored without a tag, so as plain fp32, not fp32 with a tag");
    insta::assert_snapshot!(
        error(vec![(WeightRole::Weight, floats(3, F32Tag::Raw)), (WeightRole::Bias, floats(3, F32Tag::Raw))]),
        @"layer fc: weight is stored with a tag, found plain fp32"
    );
}

/// The pinned stock runtime reads the second form, that of July 2026 the first.
#[test]
fn packed_weights_are_read_with_and_without_a_tag() {
    let text = "7767517\n1 2\nGemm g 1 1 x y 3=1 5=1 8=2 9=5 18=610\n";
    let packed: Vec<u8> = (1..=8).collect();
    let scales: Vec<u8> = (1..=7_u8).flat_map(|value| f32::from(value).to_le_bytes()).collect();
    for tag in [words(&[0x000D_4B38]), Vec::new()] {
        let bytes = [tag.clone(), packed.clone(), scales.clone()].concat();
        let mut model = Model::from_param_text(text).unwrap();
        model.read_bin(&bytes).unwrap();
        let weights = &model.layers[0].weights;
        assert_eq!(weights[0].data, WeightData::Packed { tagged: !tag.is_empty(), bytes: packed.clone() });
        assert_eq!(weights[0].data.storage(), Storage::Packed);
        assert_eq!(weights[0].data.stored_bytes(), tag.len() + 8);
        let floats = |role| model.layers[0].weight_f32(role).unwrap().into_owned();
        assert_eq!(floats(WeightRole::MatrixBBlockScales), [1.0, 2.0]);
        assert_eq!(floats(WeightRole::MatrixBInputScales), [3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(model.bin_bytes().unwrap(), bytes);
        for end in 0..bytes.len() {
            assert_eq!(model.read_bin(&bytes[..end]).unwrap_err().kind(), ErrorKind::Malformed, "{end}");
        }
    }
    let mut model = Model::from_param_text(text).unwrap();
    let raw = |role, len| Weight { role, data: WeightData::F32(vec![1.0; len], F32Tag::Raw) };
    let mut write = |data| {
        let packed = Weight { role: WeightRole::MatrixB, data };
        let scales = [raw(WeightRole::MatrixBBlockScales, 2), raw(WeightRole::MatrixBInputScales, 5)];
        model.layers[0].weights = [vec![packed], scales.to_vec()].concat();
        model.bin_bytes().unwrap_err().to_string()
    };
    insta::assert_snapshot!(write(WeightData::I8(vec![0; 8])), @"layer g: matrix b should be packed, found int8");
    let bytes = [words(&[0x000D_4B38]), vec![0; 4]].concat();
    insta::assert_snapshot!(write(WeightData::Packed { tagged: false, bytes }), @"layer g: matrix b starts with the bytes of the tag that it has not, and would be misread");
}

#[test]
fn a_converted_convolution_is_laid_out_as_ncnn2int8_does() {
    let mut layer = Layer::new(LayerKind::Convolution, "conv")
        .with(Convolution::NUM_OUTPUT, 2)
        .with(Convolution::KERNEL_W, 1)
        .with(Convolution::BIAS_TERM, 1)
        .with(Convolution::WEIGHT_DATA_SIZE, 6)
        .with(Convolution::INT8_SCALE_TERM, 102);
    let raw = |role, values: &[f32]| Weight { role, data: WeightData::F32(values.to_vec(), F32Tag::Raw) };
    layer.weights = vec![
        Weight { role: WeightRole::Weight, data: WeightData::I8(vec![1, -2, 3, -4, 5, -6]) },
        raw(WeightRole::Bias, &[0.5, -0.5]),
        raw(WeightRole::WeightScales, &[10.0, 20.0]),
        raw(WeightRole::InputScale, &[30.0]),
        raw(WeightRole::OutputScale, &[40.0]),
    ];
    assert_eq!(weight_layout(&layer).unwrap().len(), 5);
    let model = Model { layers: vec![layer], ..Model::default() };
    let mut expected = words(&[0x000D_4B38]);
    expected.extend([1, 0xFE, 3, 0xFC, 5, 0xFA, 0, 0]);
    expected.extend([0.5_f32, -0.5, 10.0, 20.0, 30.0, 40.0].iter().flat_map(|value| value.to_le_bytes()));
    assert_eq!(model.bin_bytes().unwrap(), expected);
    let layer = &model.layers[0];
    assert_eq!(layer.weight_i8(WeightRole::Weight).unwrap().len(), 6);
    assert_eq!(layer.weight_f32(WeightRole::InputScale).unwrap().as_ref(), [30.0]);
    insta::assert_snapshot!(layer.weight_f32(WeightRole::Weight).unwrap_err(), @"layer conv: weight is stored as int8, expected floats");
    insta::assert_snapshot!(layer.weight_i8(WeightRole::Bias).unwrap_err(), @"layer conv: bias is stored as fp32, expected int8");
    insta::assert_snapshot!(layer.weight_f32(WeightRole::Slope).unwrap_err(), @"layer conv: no slope was loaded");
}
