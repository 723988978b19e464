//! Weights of every type that has some, in every storage.

use half::f16;
use ncnn_format::{
    BinFile, Encoding, ErrorKind, F32Tag, LayerKind, Limits, Model, Storage, Weight, WeightData, weight_layout,
};

use crate::support::{Draw, layer};

/// Lines with the weights that ncnn's `load_model` reads for them, in order: T for those with a
/// tag, R for plain floats, P for packed bytes, and the number of elements.
const LINES: &[(&str, &str, &str)] = &[
    ("BatchNorm", "0=3", "R3 R3 R3 R3"),
    ("Bias", "0=3", "R3"),
    ("Convolution", "0=2 1=3 6=54", "T54"),
    ("Convolution", "0=2 1=3 5=1 6=54", "T54 R2"),
    ("Convolution", "0=2 1=3 5=1 6=54 8=1", "T54 R2 R2 R1"),
    ("Convolution", "0=2 1=3 5=1 6=54 8=2", "T54 R2 R2 R1"),
    ("Convolution", "0=2 1=3 6=54 8=102", "T54 R2 R1 R1"),
    ("Convolution", "0=2 1=3 5=1 6=54 19=1", ""),
    ("Convolution1D", "0=2 1=3 5=1 6=18", "T18 R2"),
    ("Convolution3D", "0=2 1=2 5=1 6=48", "T48 R2"),
    ("ConvolutionDepthWise", "0=4 1=3 5=1 6=36 7=4", "T36 R4"),
    ("ConvolutionDepthWise", "0=4 1=3 5=1 6=36 7=4 8=1", "T36 R4 R4 R1"),
    ("ConvolutionDepthWise", "0=4 1=3 5=1 6=36 7=4 8=2", "T36 R4 R1 R1"),
    ("ConvolutionDepthWise", "0=4 1=3 6=36 7=4 8=101", "T36 R4 R1 R1"),
    ("ConvolutionDepthWise", "0=4 1=3 6=72 7=2 8=102", "T72 R1 R1 R1"),
    ("ConvolutionDepthWise1D", "0=4 1=3 5=1 6=12 7=4", "T12 R4"),
    ("ConvolutionDepthWise3D", "0=4 1=2 5=1 6=32 7=4", "T32 R4"),
    ("Deconvolution", "0=2 1=3 5=1 6=54", "T54 R2"),
    ("Deconvolution", "0=2 1=3 5=1 6=54 28=1", ""),
    ("Deconvolution1D", "0=2 1=3 5=1 6=18", "T18 R2"),
    ("Deconvolution3D", "0=2 1=2 5=1 6=48", "T48 R2"),
    ("DeconvolutionDepthWise", "0=4 1=3 5=1 6=36 7=4", "T36 R4"),
    ("DeconvolutionDepthWise1D", "0=4 1=3 6=12 7=4", "T12"),
    ("DeconvolutionDepthWise3D", "0=4 1=2 6=32 7=4", "T32"),
    ("DeformableConv2D", "0=2 1=3 5=1 6=54", "T54 R2"),
    ("Dequantize", "0=3", "R3"),
    ("Dequantize", "0=3 1=3", "R3 R3"),
    ("Dequantize", "0=1 1=1", "R1 R1"),
    ("Embed", "0=3 1=4 3=12", "T12"),
    ("Embed", "0=3 1=4 2=1 3=12", "T12 R3"),
    ("Embed", "0=3 1=4 2=1 3=12 18=1", "T12 R3 R1"),
    ("Gemm", "", ""),
    ("Gemm", "4=1 7=2 9=3", "T6"),
    ("Gemm", "5=1 8=4 9=3", "T12"),
    ("Gemm", "4=1 5=1 6=1 7=2 8=4 9=3 10=4", "T6 T12 T4"),
    ("Gemm", "6=1 7=2 8=4 10=0", "T1"),
    ("Gemm", "6=1 7=2 8=4 10=1", "T2"),
    ("Gemm", "6=1 7=2 8=4 10=2", "T2"),
    ("Gemm", "6=1 7=2 8=4 10=3", "T8"),
    ("Gemm", "6=1 7=2 8=4 10=-1", ""),
    ("Gemm", "4=1 5=1 7=2 8=4 9=3 18=2", "T6 T12 R2 R1"),
    ("GroupNorm", "0=2 1=4", "R4 R4"),
    ("GroupNorm", "0=2 1=4 3=0", ""),
    ("GRU", "0=2 1=18", "T18 T8 T12"),
    ("GRU", "0=2 1=36 2=2", "T36 T16 T24"),
    ("GRU", "0=2 1=18 8=2", "T18 T8 T12 R6 R6"),
    ("InnerProduct", "0=3 1=1 2=12", "T12 R3"),
    ("InnerProduct", "0=3 2=12", "T12"),
    ("InnerProduct", "0=3 1=1 2=12 8=2", "T12 R3 R3 R1"),
    ("InstanceNorm", "0=3", "R3 R3"),
    ("InstanceNorm", "0=3 2=0", ""),
    ("LayerNorm", "0=5", "R5 R5"),
    ("LayerNorm", "0=5 2=0", ""),
    ("LSTM", "0=2 1=24", "T24 T8 T16"),
    ("LSTM", "0=2 1=48 2=2", "T48 T16 T32"),
    ("LSTM", "0=2 1=36 3=3", "T36 T12 T24 T6"),
    ("LSTM", "0=2 1=24 8=2", "T24 T8 T16 R8 R8"),
    ("MemoryData", "0=4 1=3", "R12"),
    ("MemoryData", "0=4 1=3 2=2", "R24"),
    ("MemoryData", "0=4 1=3 2=2 11=2", "R48"),
    ("MemoryData", "0=4 1=3 21=0", "T12"),
    ("MultiHeadAttention", "0=4 1=2 2=12 3=5 4=6", "T12 R4 T20 R4 T24 R4 T12 R3"),
    ("MultiHeadAttention", "0=4 1=2 2=16 18=2", "T16 R4 T16 R4 T16 R4 T16 R4 R4 R4 R4 R1"),
    ("Normalize", "3=3", "R3"),
    ("Padding", "6=3", "R3"),
    ("Padding", "", ""),
    ("PReLU", "0=3", "R3"),
    ("Quantize", "0=3", "R3"),
    ("Requantize", "0=3 1=2 2=3", "R3 R2 R3"),
    ("Requantize", "0=1 1=1", "R1 R1"),
    ("RMSNorm", "0=5", "R5"),
    ("RNN", "0=2 1=6", "T6 T2 T4"),
    ("RNN", "0=2 1=12 2=2", "T12 T4 T8"),
    ("RNN", "0=2 1=6 8=2", "T6 T2 T4 R2 R2"),
    ("Scale", "0=3", "R3"),
    ("Scale", "0=3 1=1", "R3 R3"),
    ("Scale", "0=-233", ""),
];

/// A model with that layer behind an input and in front of another with a weight.
fn model(kind: &str, params: &str) -> Model {
    let text =
        format!("7767517\n3 3\nInput data 0 1 data\n{kind} layer 1 1 data mid {params}\nPReLU last 1 1 mid out 0=2\n");
    Model::from_param_text(&text).unwrap()
}

/// Elements of a storage; what has no tag is always plain floats.
fn data(draw: &mut Draw, encoding: Encoding, len: usize, storage: usize) -> WeightData {
    let floats = |draw: &mut Draw, len: usize| -> Vec<f32> { (0..len).map(|_| draw.float()).collect() };
    match (encoding, storage) {
        (Encoding::Raw, _) => WeightData::F32(floats(draw, len), F32Tag::Raw),
        (Encoding::Packed, _) => WeightData::Packed {
            tagged: storage.is_multiple_of(2),
            bytes: (0..len).map(|_| draw.bits() as u8).collect(),
        },
        (_, 0) => WeightData::F32(floats(draw, len), F32Tag::Tagged),
        (_, 1) => WeightData::F32(floats(draw, len), F32Tag::Legacy),
        (_, 2) => WeightData::F16((0..len).map(|_| f16::from_f32(draw.int() as f32 / 64.0)).collect()),
        (_, 3) => WeightData::I8((0..len).map(|_| draw.bits() as i8).collect()),
        _ => WeightData::Table {
            tag: 0xDEAD_0000 | draw.size(1, 0xffff) as u32,
            table: Box::new(std::array::from_fn(|_| draw.float())),
            indices: (0..len).map(|_| draw.bits() as u8).collect(),
        },
    }
}

/// Fills in the weights of all layers of a model.
fn fill(draw: &mut Draw, model: &mut Model, storage: usize) {
    for layer in &mut model.layers {
        layer.weights = weight_layout(layer)
            .unwrap()
            .into_iter()
            .map(|spec| Weight { role: spec.role, data: data(draw, spec.encoding, spec.len, storage) })
            .collect();
    }
}

#[test]
fn layouts_are_what_ncnn_reads() {
    for (kind, params, expected) in LINES {
        let layout = weight_layout(&layer(&LayerKind::from(*kind), params)).unwrap();
        let found: Vec<String> = layout
            .iter()
            .map(|spec| {
                let letter = match spec.encoding {
                    Encoding::Tagged => 'T',
                    Encoding::Raw => 'R',
                    Encoding::Packed => 'P',
                };
                format!("{letter}{}", spec.len)
            })
            .collect();
        assert_eq!(found.join(" "), *expected, "{kind} {params}");
    }
}

#[test]
fn every_type_with_weights_is_in_the_table() {
    // A type that is not in the table has no weights whatever its sizes are.
    for kind in LayerKind::BUILTIN {
        if LINES.iter().any(|line| line.0 == kind.as_str()) {
            continue;
        }
        let line: String = (0..30).map(|id| format!("{id}=2 ")).collect();
        assert_eq!(weight_layout(&layer(kind, &line)).unwrap(), [], "{kind}");
    }
}

#[test]
fn weights_of_every_type_survive_a_bin_in_every_storage() {
    let mut draw = Draw::new(1);
    for (kind, params, _) in LINES {
        for storage in 0..5 {
            let mut model = model(kind, params);
            fill(&mut draw, &mut model, storage);
            let bytes = model.bin_bytes().unwrap();
            let sum: usize =
                model.layers.iter().flat_map(|layer| &layer.weights).map(|weight| weight.data.stored_bytes()).sum();
            assert_eq!(bytes.len(), sum, "{kind} {params}");
            let mut again = Model::from_param_text(&model.to_param_text()).unwrap();
            again.read_bin(&bytes).unwrap();
            assert_eq!(again, model, "{kind} {params}, storage {storage}");
            assert_eq!(again.bin_bytes().unwrap(), bytes);
        }
    }
}

#[test]
fn a_bin_of_every_type_cut_at_any_byte_is_refused_with_byte_and_layer() {
    let mut draw = Draw::new(2);
    for (kind, params, layout) in LINES {
        let mut model = model(kind, params);
        let storage = draw.size(0, 4);
        fill(&mut draw, &mut model, storage);
        let bytes = model.bin_bytes().unwrap();
        // The last layer has 8 bytes.
        let mine = bytes.len() - 8;
        let mut empty = Model::from_param_text(&model.to_param_text()).unwrap();
        for end in (0..bytes.len()).filter(|end| *end < 300 || end.is_multiple_of(41)) {
            let error = empty.read_bin(&bytes[..end]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Malformed, "{kind} {params}: {error}");
            assert!(error.place().byte.is_some_and(|byte| byte <= end as u64), "{kind} {params}, {end} bytes: {error}");
            let layer = if end < mine && !layout.is_empty() { "layer" } else { "last" };
            assert_eq!(error.place().layer.as_deref(), Some(layer), "{kind} {params}, {end} bytes: {error}");
        }
    }
}

#[test]
fn an_index_finds_every_weight_where_it_is() {
    let mut draw = Draw::new(3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("net.bin");
    for (kind, params, _) in LINES {
        let mut model = model(kind, params);
        let storage = draw.size(0, 4);
        fill(&mut draw, &mut model, storage);
        let bytes = model.bin_bytes().unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let file = BinFile::open(&path).unwrap();
        let index = model.index_bin(&file).unwrap();
        assert_eq!(index.end, bytes.len() as u64);
        let mut start = 0;
        for (layer, found) in model.layers.iter().zip(&index.layers) {
            assert_eq!(layer.weights.len(), found.len(), "{kind} {params}");
            for (weight, found) in layer.weights.iter().zip(found) {
                assert_eq!(found.role(), weight.role);
                assert_eq!((found.len(), found.storage()), (weight.data.len(), weight.data.storage()));
                assert_eq!((found.byte(), found.stored_bytes()), (start, weight.data.stored_bytes() as u64));
                assert_eq!(&found.read().unwrap(), weight);
                start += found.stored_bytes();
            }
        }
    }
}

#[test]
fn a_limit_one_below_the_longest_weight_or_the_file_refuses_it() {
    let mut draw = Draw::new(4);
    for (kind, params, _) in LINES {
        let mut model = model(kind, params);
        fill(&mut draw, &mut model, 0);
        let bytes = model.bin_bytes().unwrap();
        let longest =
            model.layers.iter().flat_map(|layer| &layer.weights).map(|weight| weight.data.len()).max().unwrap();
        let mut read = |elements: usize, size: u64| {
            let mut limits = Limits::default();
            limits.weight_elements = elements;
            limits.bin_bytes = size;
            model.read_bin_with(&bytes, &limits).map(|_| ()).map_err(|error| error.kind())
        };
        let size = bytes.len() as u64;
        assert_eq!(read(longest, size), Ok(()));
        assert_eq!(read(longest - 1, size), Err(ErrorKind::TooLarge), "{kind} {params}");
        assert_eq!(read(longest, size - 1), Err(ErrorKind::TooLarge), "{kind} {params}");
    }
}

#[test]
fn floats_of_every_storage_are_the_values_that_ncnn_makes_of_them() {
    let mut draw = Draw::new(5);
    for storage in 0..5 {
        let made = data(&mut draw, Encoding::Tagged, 37, storage);
        let floats = made.to_f32();
        assert_eq!(floats.is_none(), made.storage() == Storage::I8);
        assert_eq!(made.as_i8().is_some(), made.storage() == Storage::I8);
        match &made {
            WeightData::F32(values, _) => assert_eq!(floats.unwrap().as_ref(), values),
            WeightData::F16(values) => {
                let expected: Vec<f32> = values.iter().map(|value| value.to_f32()).collect();
                assert_eq!(floats.unwrap().as_ref(), expected);
            }
            WeightData::Table { table, indices, .. } => {
                for (value, index) in floats.unwrap().iter().zip(indices) {
                    assert_eq!(value.to_bits(), table[usize::from(*index)].to_bits());
                }
            }
            _ => {}
        }
    }
}

#[test]
fn sizes_that_contradict_each_other_are_refused_with_the_layer() {
    let table = [
        ("Convolution", "0=0 1=3 6=54"),
        ("Convolution", "0=-1 1=3 6=54"),
        ("Convolution", "0=5 1=3 6=54"),
        ("Convolution", "0=2 1=3 6=0"),
        ("Convolution", "0=2 1=3 6=-54"),
        ("ConvolutionDepthWise", "0=4 1=3 6=36 7=0 8=1"),
        ("InnerProduct", "0=5 2=12"),
        ("InnerProduct", "0=0 2=12"),
        ("Embed", "0=0 1=4 3=12"),
        ("BatchNorm", "0=-3"),
        ("PReLU", "0=-1"),
        ("LSTM", "0=2 1=23"),
        ("LSTM", "0=0 1=24"),
        ("GRU", "0=2 1=17"),
        ("RNN", "0=4 1=6"),
        ("MultiHeadAttention", "0=5 1=2 2=12"),
        ("MultiHeadAttention", "0=0 1=2 2=12"),
        ("Gemm", "4=1 7=2 9=0"),
        ("Gemm", "5=1 8=0 9=3"),
        ("Gemm", "6=1 7=2 8=4 10=5"),
        ("MemoryData", "0=-4 1=3"),
        ("GroupNorm", "0=2 1=-4"),
    ];
    for (kind, params) in table {
        match weight_layout(&layer(&LayerKind::from(kind), params)) {
            Ok(layout) => panic!("{kind} {params} has {layout:?}"),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Malformed, "{kind} {params}: {error}");
                assert_eq!(error.place().layer.as_deref(), Some("layer"), "{kind} {params}: {error}");
            }
        }
    }
}
