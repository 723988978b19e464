//! The tables that are in the field, each in a small file of its kind.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use ncnn_format::{ErrorKind, Model, ScaleTable, Severity, TableDialect, check_table};

fn path(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/format").join(name)
}

fn table(name: &str) -> ScaleTable {
    ScaleTable::load(path(name)).unwrap()
}

fn model() -> Model {
    Model::load_param(path("july2018.param")).unwrap()
}

#[test]
fn a_table_of_july_2018_is_refused_with_an_explanation() {
    let table = table("july2018.table");
    assert_eq!(table.dialect(&model()), TableDialect::Producer);
    let error = table.check_dialect(&model()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    insta::assert_snapshot!(error, @"row data is named after a blob: this is a table of July 2018, whose rows hold the scale of what a layer makes, where today's hold the scale of what it reads; remap it with its model first");
}

#[test]
fn check_names_a_table_of_another_dialect_and_looks_for_no_partners() {
    for (name, words) in [("july2018.table", "a table of July 2018"), ("llm.table", "for ncnnllm2int")] {
        let findings = check_table(&table(name), None, Some(&model()));
        let errors: Vec<_> = findings.iter().filter(|finding| finding.severity == Severity::Error).collect();
        assert_eq!(errors.len(), 1, "{findings:?}");
        assert!(errors[0].message.contains(words), "{findings:?}");
        assert!(findings.iter().all(|finding| !finding.message.contains("no layer")), "{findings:?}");
    }
}

#[test]
fn a_table_of_july_2018_is_remapped_to_what_the_layers_read() {
    let remapped = table("july2018.table").remap_producers(&model()).unwrap();
    // Behind a pooling and a split; conv4 has no weight scale and stays as it is.
    assert_eq!(
        remapped.to_text(),
        "conv1_param_0 120.5\nconv2_param_0 201.5\nconv3_param_0 98.25\n\
         conv1 0.750000 \nconv2 33.125000 \nconv3 33.125000 \n"
    );
    remapped.check_dialect(&model()).unwrap();
    assert_eq!(remapped.dialect(&model()), TableDialect::PerLayer);
}

#[test]
fn what_runs_in_place_in_caffe_has_its_inputs_name() {
    let text = "7767517\n5 5\nInput data 0 1 data\nConvolution a 1 1 data a 0=2\nBatchNorm bn 1 1 a a_bn\n\
        ReLU relu 1 1 a_bn a_relu\nConvolution b 1 1 a_relu b 0=2\n";
    let model = Model::from_param_text(text).unwrap();
    let table = ScaleTable::parse("b_param_0 2\ndata 3\na 4\nb 5\n").unwrap();
    assert_eq!(table.remap_producers(&model).unwrap().input_scale("b"), Some(4.0));
    let error = ScaleTable::parse("b_param_0 2\nrelu_ 4\n").unwrap().remap_producers(&model).unwrap_err();
    insta::assert_snapshot!(error, @"layer b: the table has no row for its input blob a_relu, nor for what that is made from");
}

#[test]
fn blobs_in_a_circle_end_in_an_error() {
    let model = Model::from_param_text("7767517\n3 2\nReLU r 1 1 x y\nReLU s 1 1 y x\nConvolution c 1 1 x z 0=2\n");
    let table = ScaleTable::parse("c_param_0 1\n").unwrap();
    assert!(table.remap_producers(&model.unwrap()).is_err());
}

#[test]
fn a_table_of_late_2018_means_what_todays_means_and_keeps_its_digits() {
    let table = table("late2018.table");
    assert_eq!(table.dialect(&model()), TableDialect::PerLayer);
    table.check_dialect(&model()).unwrap();
    assert_eq!((table.weight_scales("conv2"), table.input_scale("conv3")), (Some(&[54.321_1][..]), Some(12.345_679)));
    assert_eq!(table.to_text(), std::fs::read_to_string(path("late2018.table")).unwrap());
}

#[test]
fn zero_and_infinite_scales_and_all_rows_of_attention_are_read() {
    let table = table("per_channel.table");
    let dw = table.weight_scales("dw").unwrap();
    assert_eq!((dw.len(), dw[0], dw[2]), (4, 0.0, f32::INFINITY));
    let attention: Vec<_> = (0..5).map(|index| table.param_scales("q", index).map(<[f32]>::len)).collect();
    assert_eq!(attention, [Some(2), Some(2), Some(2), Some(1), None]);
    // ncnn2int8 would stop at the blank line.
    assert_eq!(table.input_scale("dw"), Some(31.75));
    let expected = std::fs::read_to_string(path("per_channel.table")).unwrap().replace("\n\n", "\n").replace('\r', "");
    assert_eq!(table.to_text(), expected);
}

#[test]
fn block_scales_are_read_with_their_attributes_and_are_no_table_for_int8() {
    let table = table("llm.table");
    assert_eq!(table.rows[0].attribute("qweight"), Some("llm.table.proj_param_1.qweight"));
    assert_eq!(table.rows[0].values, [12.345_679, 0.012_345_679]);
    assert_eq!(table.dialect(&model()), TableDialect::Block);
    insta::assert_snapshot!(table.check_dialect(&model()).unwrap_err(), @"row proj_param_1 has attributes: these are the block scales that ncnnllm2table makes for ncnnllm2int, not a table for int8");
    assert_eq!(table.to_text(), std::fs::read_to_string(path("llm.table")).unwrap());
}

#[test]
fn a_layer_that_was_left_out_does_not_make_a_table_old() {
    // Someone commented out the weight row of conv1 and the blob row of conv2.
    let text = "#conv1_param_0 1 1 1 1\nconv2_param_0 1 1 1 1\nconv3_param_0 1 1 1 1\nconv1 2\n#conv2 3\nconv3 4\n";
    assert_eq!(ScaleTable::parse(text).unwrap().dialect(&model()), TableDialect::Current);
    assert_eq!(ScaleTable::default().dialect(&model()), TableDialect::Current);
    // Keys of another model say nothing.
    assert_eq!(ScaleTable::parse("other 2\n").unwrap().dialect(&model()), TableDialect::Current);
}
