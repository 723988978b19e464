//! What `check` finds, and that it finds nothing in a sound model.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use ncnn_format::{Limits, Model, ScaleTable, check, check_table};

/// The findings for a model of the given layers, one per line.
fn found(layers: &[&str]) -> String {
    let text = format!("7767517\n{} 99\n{}\n", layers.len(), layers.join("\n"));
    let (model, warnings) = Model::from_param_text_with(&text, &Limits::default()).unwrap();
    let own = warnings.into_iter().filter(|warning| !warning.message.contains("99 blobs")).collect::<Vec<_>>();
    listed(&check(&model, &own))
}

fn listed(findings: &[ncnn_format::Remark]) -> String {
    let lines: Vec<String> = findings
        .iter()
        .map(|finding| {
            let line = finding.place.line.map_or(String::new(), |line| format!("{line}: "));
            let layer = finding.place.layer.as_ref().map_or(String::new(), |layer| format!("{layer}: "));
            let advice = finding.advice.as_deref().unwrap_or_default();
            format!("{} {line}{layer}{} [{advice}]", finding.severity, finding.message)
        })
        .collect();
    lines.join("\n")
}

const INPUT: &str = "Input data 0 1 data 0=4 1=4 2=1";

/// The findings for one layer behind an Input.
fn layer(line: &str) -> String {
    found(&[INPUT, line])
}

#[test]
fn a_sound_model_has_no_findings() {
    let conv = "Convolution conv 1 1 data a 0=2 1=3 6=18 5=1 9=2 -23310=1,0.1 -23330=4,3,2,2,2 31=1";
    assert_eq!(found(&[INPUT, conv, "Split s 1 2 a b c", "Eltwise e 2 1 b c d 0=1"]), "");
}

#[test]
fn dangling_duplicate_and_doubly_read_blobs_are_found() {
    insta::assert_snapshot!(found(&[
        INPUT,
        "ReLU r1 1 1 nothing a",
        "ReLU r2 1 1 b a",
        "ReLU r1 1 1 data b",
        "ReLU r4 1 1 data c",
        "ReLU r5 1 1 c d",
        "ReLU r6 1 1 c e",
        "ReLU x_param_0 0 1 f",
    ]), @r"
    error 4: r1: reads the blob nothing, which no layer makes [ncnn logs this, loads the model and fails when it runs]
    error 5: r2: reads the blob b, which layer r1 makes only below [move the layer that makes a blob above those that read it]
    error 5: r2: makes the blob a, which exists already; readers get the first one [give the blob another name]
    warning 6: r1: another layer above has the same name; a table cannot tell them apart [give the layer another name]
    error 7: r4: is the second reader of the blob data; ncnn frees a blob after its first reader, and cannot make a fed one again [put a Split layer behind the blob, with an output for each reader]
    warning 9: r6: is the second reader of the blob c; ncnn frees a blob after its first reader and makes it a second time [put a Split layer behind the blob, with an output for each reader]
    warning 10: x_param_0: ncnn2int8 takes a table row whose key contains _param_ for weight scales [give the layer another name, or it stays float]
    error 10: x_param_0: a ReLU without an input crashes []
    ");
}

#[test]
fn words_of_the_wrong_type_are_found_and_zeros_are_not() {
    insta::assert_snapshot!(layer("Clip c 1 1 data a 0=0 1=6"), @"error 4: c: max (parameter 1) should be a float, found the int 6; old ncnn reads 8e-45, new ncnn 6.0 [write 6.0]");
    insta::assert_snapshot!(layer("Clip c 1 1 data a 1=1077936128"), @"warning 4: c: max (parameter 1) should be a float, found the int 1077936128; old ncnn reads 3.0, new ncnn 1077936100.0 [these are the bits of 3.0; write that, unless the int is wrong]");
    insta::assert_snapshot!(layer("Convolution c 1 1 data a 0=2 1=1 6=2 5=1.0"), @"error 4: c: bias_term (parameter 5) should be an int, found the float 1.0; ncnn reads 1065353216 [write it without a '.' and without an 'e']");
    insta::assert_snapshot!(layer("Convolution c 1 1 data a 0=2 1=1 6=2 9=2 10=0.1"), @"error 4: c: activation_params (parameter 10) should be an array, found the number 0.1; ncnn takes it for an empty array and crashes [write -23310=1,0.1]");
    insta::assert_snapshot!(layer("Eltwise c 1 1 data a 0=1 -23301=2,1,2"), @"error 4: c: coeffs (parameter 1) should be a float, found the int 1; old ncnn reads 1e-45, new ncnn 1.0 [write 1.0]");
    insta::assert_snapshot!(layer("ReLU c 1 1 data a 0=\"x y\" 7=1 -23330=4,3,4,4,1"), @r#"
    error 4: c: slope (parameter 0) should be a float, found the text "x y" []
    warning 4: c: a ReLU has no parameter 7; ncnn ignores it [docs/layer-parameters.md lists those that it has]
    "#);
    insta::assert_snapshot!(layer("Pooling c 1 1 data a -23301=2,3,3 4=1"), @"error 4: c: kernel_w (parameter 1) should be an int, found an array of 2 []");
}

#[test]
fn what_ncnn_refuses_or_crashes_on_is_found() {
    insta::assert_snapshot!(layer("Softmax s 1 1 data a 0=1"), @"error 4: s: axis 1 without 1=1: ncnn refuses the model [add 1=1]");
    insta::assert_snapshot!(layer("Reduction s 1 1 data a -23303=1,1"), @"error 4: s: axes without 5=1: ncnn refuses the model [add 5=1]");
    insta::assert_snapshot!(layer("Interp s 1 1 data a 0=4"), @"error 4: s: resize_type 4: ncnn refuses the model [write 0=1, 2 or 3]");
    insta::assert_snapshot!(layer("ConvolutionDepthWise s 1 1 data a 0=3 1=1 6=3 7=2 8=3"), @r"
    error 4: s: int8_scale_term 3: ncnn loads no input scale and crashes []
    error 4: s: num_output 3 is not a multiple of group 2 [ncnn cannot load the layer's weights]
    ");
    insta::assert_snapshot!(layer("Convolution s 1 1 data a 0=2 1=1 3=0 4=-233 14=1 6=2 9=3"), @r"
    error 4: s: a stride or dilation of 0; ncnn divides by it []
    error 4: s: pads [-233, -233, 1, 1] mix sizes and codes [-233 (SAME_UPPER) or -234 (SAME_LOWER) must stand in all four]
    error 4: s: activation_type 3 needs 2 activation_params, found 0; ncnn crashes [add -23310=2,…]
    ");
    insta::assert_snapshot!(layer("Pooling s 1 1 data a"), @"error 4: s: a window of 0 x 0 [give 1=, or 4=1 for a global pooling]");
    insta::assert_snapshot!(layer("MyLayer s 1 1 data a 0=1"), @"warning 4: s: ncnn has no layer type MyLayer [the program that loads the model must register it]");
    insta::assert_snapshot!(layer("ArgMax s 1 1 data a"), @"warning 4: s: ArgMax is switched off in ncnn's default build, which then refuses the model [build ncnn with it, or take the layer out]");
}

#[test]
fn the_readers_warnings_keep_their_lines_and_get_a_severity() {
    insta::assert_snapshot!(layer("Reshape s 1 1 data a 0=1 0=2 6=\"12345678901234\""), @r"
    warning 4: parameter 0 is given again; the later value counts []
    error 4: ncnn cannot read a quoted text of exactly 14 characters (parameter 6) []
    ");
}

#[test]
fn spoiled_weights_are_found() {
    let text = "7767517\n2 2\nInput data 0 1 data\nConvolution conv 1 1 data out 0=2 1=1 6=2 8=2\n";
    let mut model = Model::from_param_text(text).unwrap();
    let mut bin = 0_u32.to_le_bytes().to_vec();
    for value in [f32::NAN, 0.0, 0.0, f32::INFINITY, 0.0, 9.0] {
        bin.extend(value.to_le_bytes());
    }
    model.read_bin(&bin).unwrap();
    insta::assert_snapshot!(listed(&check(&model, &[])), @r"
    error 4: conv: weight 0 is NaN [convert the model again]
    error 4: conv: weight scales 1 is inf [convert the model again]
    warning 4: conv: weight scales 0 is 0: that output is its bias, whatever the input []
    error 4: conv: input scale 0 is 0: ncnn divides by it [calibrate again]
    warning 4: conv: the weights of 1 of 2 channels are all zero (first: channel 1) [ncnn2table gives such a channel an infinite scale]
    warning 4 bytes follow the last weight in the .bin; ncnn ignores them [see that the .param and the .bin belong together]
    ");
}

#[test]
fn int8_weights_need_their_term_and_their_range() {
    let text = "7767517\n2 2\nInput data 0 1 data\nInnerProduct fc 1 1 data out 0=2 2=4\n";
    let mut model = Model::from_param_text(text).unwrap();
    model.read_bin(&[0x38, 0x4B, 0x0D, 0x00, 1, 0x80, 0, 0]).unwrap();
    insta::assert_snapshot!(listed(&check(&model, &[])), @r"
    warning 4: fc: weight 1 is -128; ncnn's kernels may overflow on it [use -127]
    error 4: fc: weight is stored as int8, but int8_scale_term is 0: ncnn reads it as floats [write the term that goes with the scales]
    warning 4: fc: the weights of 1 of 2 channels are all zero (first: channel 1) [ncnn2table gives such a channel an infinite scale]
    ");
}

#[test]
fn a_table_is_checked_alone_and_beside_its_model() {
    let text = "conv_param_0 1.0 inf 0.0 \nconv 0.0 \nfc 0.01 2.0 \nfc 3.0 \n\nother_param_0 5.0 \nfc_param_0 -1.0 \n";
    let table = ScaleTable::parse(text).unwrap();
    insta::assert_snapshot!(listed(&check_table(&table, Some(text), None)), @r"
    error 5: ncnn2int8 stops at this blank line and loses 2 rows [remove the line]
    error row conv_param_0: scale 1 is inf [the channel or blob was always zero; any finite scale, such as 1, does]
    warning row conv_param_0: scale 2 is 0 [the channel becomes zero]
    error row conv: scale 0 is 0 [ncnn divides by it; a scale below 0.0000005 is printed as 0]
    warning row fc: scale 0 is 0.01, with few digits left of it []
    warning row fc: an input has one scale, found 2; the first counts []
    warning row fc is given again; the last one counts []
    error row fc_param_0: scale 0 is negative []
    ");
    let model = Model::from_param_text(
        "7767517\n4 4\nInput data 0 1 data\nConvolution conv 1 1 data a 0=2 1=1 6=2\n\
         InnerProduct fc 1 1 a b 0=2 2=4\nConvolution last 1 1 b c 0=2 1=1 6=2 8=2\n",
    )
    .unwrap();
    let all = listed(&check_table(&table, None, Some(&model)));
    insta::assert_snapshot!(all.lines().skip(7).collect::<Vec<_>>().join("\n"), @r"
    warning row other_param_0: the model has no layer other []
    error conv: row conv_param_0 has 3 scales, the layer 2 [ncnn2int8 reads past the end; calibrate again]
    warning last: is int8 already; ncnn2int8 would quantize it again []
    warning last: no row last_param_0 for its weights [the layer stays float]
    warning last: no row last for its input [the layer stays float]
    ");
}
