//! A `.bin` that is read weight by weight.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use ncnn_format::{BinFile, ErrorKind, Limits, Model, Storage, WeightRole};

const PARAM: &str = "7767517\n5 5\n\
    Input            data 0 1 data\n\
    PReLU            act  1 1 data a 0=2\n\
    InnerProduct     fc1  1 1 a b 0=3 1=1 2=6\n\
    InnerProduct     fc2  1 1 b c 0=1 2=3\n\
    InnerProduct     fc3  1 1 c d 0=1 2=5\n";

/// Raw floats, int8 with padding, halves with padding, a table; and three bytes more.
fn bin() -> Vec<u8> {
    let mut bytes: Vec<u8> = [1.0_f32, 2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    bytes.extend(0x000D_4B38_u32.to_le_bytes());
    bytes.extend([1, 2, 3, 4, 5, 6, 0, 0]);
    bytes.extend([0.5_f32; 3].iter().flat_map(|value| value.to_le_bytes()));
    bytes.extend(0x0130_6B47_u32.to_le_bytes());
    bytes.extend([0x00, 0x3C, 0x00, 0x40, 0x00, 0x42, 0, 0]);
    bytes.extend(7_u32.to_le_bytes());
    bytes.extend((0..256_u16).flat_map(|value| f32::from(value).to_le_bytes()));
    bytes.extend([9, 8, 7, 6, 5, 0, 0, 0]);
    bytes.extend([1, 2, 3]);
    bytes
}

#[test]
fn every_weight_is_found_and_read_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    fs::write(&path, bin()).unwrap();
    let mut model = Model::from_param_text(PARAM).unwrap();
    let file = BinFile::open(&path).unwrap();
    let index = model.index_bin(&file).unwrap();
    let places: Vec<_> =
        index.weights().map(|w| (w.role(), w.storage(), w.len(), w.byte(), w.stored_bytes())).collect();
    assert_eq!(
        places,
        [
            (WeightRole::Slope, Storage::F32, 2, 0, 8),
            (WeightRole::Weight, Storage::I8, 6, 8, 12),
            (WeightRole::Bias, Storage::F32, 3, 20, 12),
            (WeightRole::Weight, Storage::F16, 3, 32, 12),
            (WeightRole::Weight, Storage::Table, 5, 44, 4 + 1024 + 8),
        ]
    );
    assert_eq!((index.end, file.len()), (1080, 1083));
    assert_eq!(index.layers[4][0].table_tag(), Some(7));
    assert_eq!(index.layers[2][1].read().unwrap().data.to_f32().unwrap().as_ref(), [0.5; 3]);
    // One by one they are what they are at once.
    model.read_bin(&bin()).unwrap();
    for (layer, found) in model.layers.iter().zip(&index.layers) {
        let read: Vec<_> = found.iter().map(|weight| weight.read().unwrap()).collect();
        assert_eq!(read, layer.weights);
    }
}

#[test]
fn loading_from_a_file_and_from_memory_give_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (param, path) = (folder.path().join("a.param"), folder.path().join("a.bin"));
    fs::write(&param, PARAM).unwrap();
    fs::write(&path, bin()).unwrap();
    let mut model = Model::from_param_text(PARAM).unwrap();
    model.read_bin(&bin()).unwrap();
    assert_eq!(Model::load(&param, &path).unwrap(), model);
    assert_eq!(model.trailing_bytes, [1, 2, 3]);
}

#[test]
fn a_weight_of_several_pieces_is_whole() {
    // More than is read at a time, and no multiple of it.
    let len = 200_003;
    let text = format!("7767517\n2 2\nInput a 0 1 a\nInnerProduct fc 1 1 a b 0=1 2={len}\n");
    let values: Vec<f32> = (0..len).map(|i| i as f32).collect();
    let mut bytes = vec![0; 4];
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    fs::write(&path, bytes).unwrap();
    let file = BinFile::open(&path).unwrap();
    let index = Model::from_param_text(&text).unwrap().index_bin(&file).unwrap();
    assert_eq!(index.layers[1][0].read().unwrap().data.to_f32().unwrap().as_ref(), values);
}

#[test]
fn a_file_cut_anywhere_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    let model = Model::from_param_text(PARAM).unwrap();
    for end in (1..1080).step_by(5) {
        fs::write(&path, &bin()[..end]).unwrap();
        let file = BinFile::open(&path).unwrap();
        let error = model.index_bin(&file).unwrap_err();
        let place = error.place();
        assert_eq!(error.kind(), ErrorKind::Malformed, "{end}");
        assert!(place.byte.is_some() && place.layer.is_some() && place.file.as_deref() == Some(path.as_path()));
        assert_eq!(error.message(), model.clone().read_bin(&bin()[..end]).unwrap_err().message());
    }
}

#[test]
fn a_file_that_is_cut_while_it_is_open_gives_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    fs::write(&path, bin()).unwrap();
    let file = BinFile::open(&path).unwrap();
    let model = Model::from_param_text(PARAM).unwrap();
    let index = model.index_bin(&file).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(40).unwrap();
    assert!(index.layers[1][0].read().is_ok());
    let error = index.layers[4][0].read().unwrap_err();
    assert_eq!((error.kind(), error.place().byte), (ErrorKind::Io, Some(48)));
    assert_eq!(model.index_bin(&file).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn limits_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    fs::write(&path, bin()).unwrap();
    let file = BinFile::open(&path).unwrap();
    let model = Model::from_param_text(PARAM).unwrap();
    let mut tight = Limits::default();
    tight.weight_elements = 5;
    let error = model.index_bin_with(&file, &tight).unwrap_err();
    assert_eq!((error.kind(), error.message()), (ErrorKind::TooLarge, "weight has 6 elements, the limit is 5"));
    tight.bin_bytes = 1000;
    assert_eq!(model.index_bin_with(&file, &tight).unwrap_err().kind(), ErrorKind::TooLarge);
}

// Elsewhere a file of zeros may not be sparse.
#[cfg(unix)]
#[test]
fn a_file_of_a_gigabyte_is_indexed_without_reading_it() {
    // Sparse: a gigabyte of zeros that no disk holds.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.bin");
    let (rows, elements) = (4, 1_i64 << 26);
    fs::File::create(&path).unwrap().set_len(rows * (4 + 4 * elements as u64)).unwrap();
    let lines: String = (0..rows).map(|i| format!("InnerProduct f{i} 1 1 a a 0=1 2={elements}\n")).collect();
    let model = Model::from_param_text(&format!("7767517\n{rows} 1\n{lines}")).unwrap();
    let file = BinFile::open(&path).unwrap();
    let index = model.index_bin(&file).unwrap();
    assert_eq!(index.end, file.len());
    assert_eq!((index.layers[0][0].storage(), index.layers[0][0].len()), (Storage::F32, 1 << 26));
}
