//! Loading from and saving to disk.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use ncnn_format::{ErrorKind, Limits, Model, ScaleTable, write_whole};

const PARAM: &str = "7767517\n2 2\nInput data 0 1 data\nPReLU act 1 1 data out 0=1\n";
const BIN: [u8; 4] = [0, 0, 0x80, 0x3E];

#[test]
fn a_saved_model_loads_again_and_nothing_else_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let (param, bin) = (folder.path().join("a.param"), folder.path().join("a.bin"));
    write_whole(&param, PARAM.as_bytes()).unwrap();
    write_whole(&bin, &BIN).unwrap();
    let model = Model::load(&param, &bin).unwrap();
    let (param2, bin2) = (folder.path().join("b.param"), folder.path().join("b.bin"));
    model.save(&param2, &bin2).unwrap();
    assert_eq!(fs::read_to_string(&param2).unwrap(), PARAM);
    assert_eq!(fs::read(&bin2).unwrap(), BIN);
    assert_eq!(Model::load(&param2, &bin2).unwrap(), model);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4);
}

#[test]
fn every_error_names_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for (name, bytes) in [("a.param", PARAM.as_bytes()), ("a.bin", &BIN[..3]), ("old.param", b"5 6\n"), ("t", b"a x")] {
        fs::write(path(name), bytes).unwrap();
    }
    let shown = |error: ncnn_format::Error| error.to_string().replace(&folder.path().display().to_string(), "DIR");
    let model = Model::load_param(path("a.param")).unwrap();
    let same = model.save(path("x"), path("x")).unwrap_err();
    let empty = Model::default().save(path("x"), path("y")).unwrap_err();
    let unloaded = model.save(path("x"), path("y")).unwrap_err();
    let mut full = model.clone();
    full.read_bin(&BIN).unwrap();
    let nowhere = full.save(path("x"), path("no/y")).unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::Io);
    let no_table = ScaleTable::load(path("none")).unwrap_err();
    assert_eq!(no_table.kind(), ErrorKind::Io);
    let mut bad_key = ScaleTable::default();
    bad_key.push("a b", vec![1.0]);

    insta::assert_snapshot!(shown(Model::load(path("a.param"), path("a.bin")).unwrap_err()), @"DIR/a.bin: byte 0: layer act: slope of 1 elements needs 4 bytes, the file has 3 left");
    insta::assert_snapshot!(shown(Model::load_param(path("old.param")).unwrap_err()), @"DIR/old.param:1: expected 7767517 at the start, found '5': either this is no ncnn .param, or it is too old and should be made again with today's converter");
    let no_param = Model::load_param(path("none.param")).unwrap_err();
    assert!(shown(no_param).starts_with("DIR/none.param: cannot read: "));
    insta::assert_snapshot!(shown(same), @"DIR/x: the .param and the .bin cannot be one file");
    insta::assert_snapshot!(shown(empty), @"DIR/x: a model without layers cannot be written: ncnn refuses to read it");
    insta::assert_snapshot!(shown(unloaded), @"DIR/y: layer act: has 0 weights, its parameters call for 1");
    assert!(shown(nowhere).starts_with("DIR/no/y: cannot write: "));
    assert!(shown(no_table).starts_with("DIR/none: cannot read: "));
    insta::assert_snapshot!(shown(ScaleTable::load(path("t")).unwrap_err()), @r#"DIR/t:1: key a: expected a number, found "x""#);
    insta::assert_snapshot!(shown(bad_key.save(path("t")).unwrap_err()), @r#"DIR/t: key a: expected a number, found "b""#);
    assert!(!path("x").exists() && !path("y").exists());
}

#[test]
fn warnings_and_limits_reach_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    let (param, bin) = (folder.path().join("a.param"), folder.path().join("a.bin"));
    fs::write(&param, PARAM.to_owned() + "Noop x 0 0\n").unwrap();
    fs::write(&bin, BIN).unwrap();
    let (_, warnings) = Model::load_with(&param, &bin, &Limits::default()).unwrap();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0].place.line, Some(5));
    let mut tight = Limits::default();
    tight.bin_bytes = 3;
    let error = Model::load_with(&param, &bin, &tight).unwrap_err();
    assert_eq!((error.kind(), error.place().file.as_deref()), (ErrorKind::TooLarge, Some(bin.as_path())));
}

#[test]
fn a_table_is_saved_as_it_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.table");
    let text = "conv_param_0 12.500000 0.000000 inf \nconv 156.190002 \n";
    fs::write(&path, text).unwrap();
    let table = ScaleTable::load(&path).unwrap();
    table.save(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}
