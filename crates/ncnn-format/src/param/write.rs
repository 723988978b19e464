//! Writing a model as text: what was not changed is written as it was read.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;

use super::fault::{Notes, between};
use super::format::{format_parameter, is_writable_text};
use super::parse::{LayerText, header, is_pnnx, layer};
use super::value::{Entry, is_white, starts_like_parameter};
use crate::{Error, Layer, Limits, Model, ParamValue, Result};

/// The column width of types and names in ncnn's own files.
const WIDTH: usize = 24;

/// The text of `model`.
pub(crate) fn write_model(model: &Model) -> String {
    let limits = no_limits();
    let read: Vec<Option<LayerText<'_>>> = model.layers.iter().map(|layer| read_source(layer, &limits)).collect();
    let mut text = write_header(model, &read);
    let newline = if text.contains("\r\n") { "\r\n" } else { "\n" };
    for (layer, read) in model.layers.iter().zip(&read) {
        if !text.ends_with(is_white) {
            text.push_str(newline);
        }
        text.push_str(&write_layer(layer, read.as_ref(), newline));
    }
    if let Some(trailer) = &model.trailer.0 {
        if !text.ends_with(is_white) && !trailer.starts_with(is_white) {
            text.push_str(newline);
        }
        text.push_str(trailer);
    }
    text
}

/// Whether the text of `model` says what `model` says, to us and to ncnn.
pub(crate) fn check_writable(model: &Model) -> Result<()> {
    if model.layers.is_empty() {
        return Err(Error::invalid("a model without layers cannot be written: ncnn refuses to read it"));
    }
    if is_pnnx(model) {
        return Err(Error::invalid("a model with a layer of pnnx's own graph cannot be written: it is read as one"));
    }
    let limits = no_limits();
    let read: Vec<Option<LayerText<'_>>> = model.layers.iter().map(|layer| read_source(layer, &limits)).collect();
    if header(&write_header(model, &read)).is_err() {
        return Err(Error::invalid("a model without blobs cannot be written: ncnn refuses to read it"));
    }
    model.layers.iter().zip(&read).try_for_each(|(layer, old)| check_layer(layer, old.as_ref(), &limits))
}

fn check_layer<'a>(layer: &'a Layer, old: Option<&LayerText<'a>>, limits: &Limits) -> Result<()> {
    let refused =
        |why: &str| Err(Error::invalid(format!("cannot be written as .param text: {why}")).in_layer(&layer.name));
    if old.is_some_and(|old| says(old, layer)) {
        return Ok(());
    }
    let text = write_layer(layer, old, "\n");
    if text.contains('\0') {
        return refused("a zero byte in it ends the text for ncnn");
    }
    if starts_like_parameter(layer.kind.as_str()) {
        return refused("its type would be taken for a parameter");
    }
    for (id, value) in layer.params.iter() {
        if matches!(value, ParamValue::Text(text) if !is_writable_text(id, text)) {
            return refused(&format!("ncnn would not read the text of parameter {id} as it is"));
        }
    }
    match super::parse::layer(&text, &mut Notes::new(limits)) {
        Ok(("", read)) if says(&read, layer) => Ok(()),
        _ => refused("a name in it is empty, has blanks or is too long, or a parameter has an id that ncnn has not"),
    }
}

/// Everything that is in memory may be written.
fn no_limits() -> Limits {
    Limits { layers: usize::MAX, blobs_per_layer: usize::MAX, array_len: usize::MAX, ..Limits::default() }
}

/// What the remembered text of `layer` says.
fn read_source<'a>(remembered: &'a Layer, limits: &Limits) -> Option<LayerText<'a>> {
    let text = remembered.source.0.as_deref()?;
    match layer(text, &mut Notes::new(limits)) {
        Ok(("", read)) => Some(read),
        _ => None,
    }
}

/// Whether `text` still describes `layer`.
fn says(text: &LayerText<'_>, layer: &Layer) -> bool {
    text.kind == layer.kind.as_str()
        && text.name == layer.name
        && text.inputs == layer.inputs
        && text.outputs == layer.outputs
        && text.params() == layer.params
}

/// The remembered header, with its counts replaced if the counts have changed.
fn write_header(model: &Model, read: &[Option<LayerText<'_>>]) -> String {
    let (layers, blobs) = (model.layers.len(), model.blob_count());
    let fresh = || format!("7767517\n{layers} {blobs}\n");
    let Some(text) = model.header.0.as_deref() else { return fresh() };
    let Ok((_, old)) = header(text) else { return fresh() };
    // A header that counted wrong is left alone until the blobs change.
    if old.layer_count == layers && (old.blob_count == blobs || blob_count(read) == Some(blobs)) {
        return text.to_owned();
    }
    let after_layers = text.get(super::fault::offset(text, old.layers) + old.layers.len()..).unwrap_or("");
    let after_blobs = text.get(super::fault::offset(text, old.blobs) + old.blobs.len()..).unwrap_or("");
    let before = between(text, text, old.layers);
    let gap = between(text, after_layers, old.blobs);
    format!("{before}{layers}{gap}{blobs}{after_blobs}")
}

/// The number of blobs that the remembered header counts.
pub(crate) fn header_blob_count(model: &Model) -> Option<usize> {
    let (_, old) = header(model.header.0.as_deref()?).ok()?;
    Some(old.blob_count)
}

/// The number of blobs in the text that was read, if all of it is remembered.
fn blob_count(read: &[Option<LayerText<'_>>]) -> Option<usize> {
    let mut names: HashSet<&str> = HashSet::new();
    for layer in read {
        let layer = layer.as_ref()?;
        names.extend(layer.inputs.iter().chain(&layer.outputs));
    }
    Some(names.len())
}

/// The remembered text if it still holds, else a line in its style.
fn write_layer<'a>(layer: &'a Layer, read: Option<&LayerText<'a>>, newline: &str) -> Cow<'a, str> {
    match (read, layer.source.0.as_deref()) {
        (Some(old), Some(source)) if says(old, layer) => Cow::Borrowed(source),
        (Some(old), Some(source)) => Cow::Owned(rewritten_line(layer, old, source)),
        _ => Cow::Owned(line(layer, WIDTH, WIDTH, &[]) + newline),
    }
}

/// A line with the columns, the blanks around it and the unchanged parameters of `source`.
fn rewritten_line(layer: &Layer, old: &LayerText<'_>, source: &str) -> String {
    let indent = between(source, source, old.kind);
    let width = |from: &str, to: &str| {
        let column = between(source, from, to);
        if column.contains('\n') { WIDTH } else { column.chars().count().saturating_sub(1) }
    };
    let line = line(layer, width(old.kind, old.name), width(old.name, old.counts), &old.entries);
    format!("{indent}{line}{}{}", gap_before(old.ending), old.ending)
}

/// A space where `ending` starts with a blank that does not end a value.
fn gap_before(ending: &str) -> &'static str {
    let ends_a_value = ending.starts_with([' ', '\n']) || ending.starts_with("\r\n");
    if ends_a_value || ending.is_empty() { "" } else { " " }
}

/// A line without its end; values that `known` has are copied from there.
fn line(layer: &Layer, kind_width: usize, name_width: usize, known: &[Entry<'_>]) -> String {
    let (inputs, outputs) = (layer.inputs.len(), layer.outputs.len());
    let mut text = format!("{:<kind_width$} {:<name_width$} {inputs} {outputs}", layer.kind, layer.name);
    for name in layer.inputs.iter().chain(&layer.outputs) {
        text.push(' ');
        text.push_str(name);
    }
    for (id, value) in layer.params.iter() {
        let old = known.iter().rev().find(|entry| entry.id == id && entry.value == *value && !entry.odd);
        // Writing to a String cannot fail.
        let _ = match old {
            Some(entry) => write!(text, " {}", entry.text),
            None => write!(text, " {}", format_parameter(id, value)),
        };
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typed::{Convolution, Softmax};
    use crate::{LayerKind, Number, SourceText};

    const TEXT: &str = "7767517\n3 3\nInput            data   0 1 data 0=4 1=4 2=1\n\
        Convolution      conv   1 1 data  mid 0=2 1=3 5=0.10 10=0.5,\nReLU relu 1 1 mid out";

    fn int(value: i32) -> ParamValue {
        ParamValue::Number(Number::Int(value))
    }

    fn model() -> Model {
        Model::from_param_text(TEXT).unwrap()
    }

    #[test]
    fn an_untouched_model_is_the_text_it_was_read_from() {
        for text in [
            TEXT.to_owned(),
            TEXT.replace('\n', "\r\n"),
            format!("  {}\n\n\nNoop x 0 0\n", TEXT.replace(" 1 1", "\n1\t1")),
            "7767517 1 9 Input a 0 1 a 0=1 0=2 ".to_owned(),
        ] {
            assert_eq!(Model::from_param_text(&text).unwrap().to_param_text(), text);
        }
    }

    #[test]
    fn an_edit_changes_its_own_line_and_keeps_the_other_values_and_columns() {
        let mut model = model();
        model.layers[1].params.set(Convolution::INT8_SCALE_TERM, 2);
        let expected = TEXT.replace("data  mid 0=2 1=3 5=0.10 10=0.5,\n", "data mid 0=2 1=3 5=0.10 10=0.5, 8=2\n");
        assert_eq!(model.to_param_text(), expected);
    }

    #[test]
    fn an_edit_taken_back_leaves_no_trace() {
        let mut model = model();
        model.layers[1].params.set(Convolution::INT8_SCALE_TERM, 2);
        model.layers[1].params.remove(Convolution::INT8_SCALE_TERM);
        assert_eq!(model.to_param_text(), TEXT);
    }

    #[test]
    fn counts_follow_added_layers_and_blobs() {
        let mut model = model();
        let mut layer = Layer::new(LayerKind::Softmax, "prob");
        layer.inputs = vec!["out".into()];
        layer.outputs = vec!["prob".into()];
        layer.params.set(Softmax::FIXBUG0, 1);
        model.layers.push(layer);
        let expected = TEXT.replace("\n3 3\n", "\n4 4\n")
            + "\nSoftmax                  prob                     1 1 out prob 1=1\n";
        assert_eq!(model.to_param_text(), expected);
        model.check_param_text().unwrap();
    }

    #[test]
    fn counts_follow_removed_layers_and_renamed_blobs() {
        let mut fewer = model();
        fewer.layers.pop();
        assert!(fewer.to_param_text().starts_with("7767517\n2 2\nInput "));
        let mut joined = model();
        joined.layers[2].outputs[0] = "mid".into();
        assert!(joined.to_param_text().starts_with("7767517\n3 2\nInput "));
    }

    #[test]
    fn a_header_that_counted_wrong_stays_until_the_blobs_change() {
        let text = TEXT.replace("\n3 3\n", "\n3   7\r\n");
        let mut model = Model::from_param_text(&text).unwrap();
        model.layers[1].params.set(Convolution::INT8_SCALE_TERM, 2);
        assert!(model.to_param_text().starts_with("7767517\n3   7\r\nInput "));
        model.layers[2].outputs[0] = "mid".into();
        assert!(model.to_param_text().starts_with("7767517\n3   2\r\nInput "));
    }

    #[test]
    fn line_ends_stay_as_they_were() {
        let mut model = Model::from_param_text(&TEXT.replace('\n', "\r\n")).unwrap();
        model.layers[0].name = "in".into();
        model.layers.push(Layer::new(LayerKind::Noop, "end"));
        let text = model.to_param_text();
        assert!(text.contains("Input            in     0 1 data 0=4 1=4 2=1\r\nConv"), "{text}");
        assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    }

    #[test]
    fn an_odd_value_is_written_plainly_when_its_line_is_rewritten() {
        let mut model = Model::from_param_text("7767517\n1 1\n3Pool a 0 1 a 0=0x10 1=2 1=3\n").unwrap();
        model.layers[0].params.set_raw(2, int(1));
        assert_eq!(model.to_param_text(), "7767517\n1 1\n3Pool a 0 1 a 0=0 1=3 2=1\n");
        model.check_param_text().unwrap();
    }

    #[test]
    fn an_unclosed_text_is_closed_when_its_line_is_rewritten() {
        let text = "7767517\n1 1\nReshape a 0 1 a 6=\"0w,1h\n";
        let mut model = Model::from_param_text(text).unwrap();
        model.layers[0].params.set_raw(0, int(1));
        assert_eq!(model.to_param_text(), text.replace("1h", "1h\" 0=1"));
    }

    #[test]
    fn a_blank_that_ends_no_value_is_kept_apart_from_it() {
        let text = "7767517\n1 1\nInput a 0 1 a\x0c1 rest\n";
        let mut model = Model::from_param_text(text).unwrap();
        model.layers[0].params.set_raw(0, int(7));
        assert_eq!(model.to_param_text(), text.replace("\x0c", " 0=7 \x0c"));
    }

    #[test]
    fn a_trailer_stays_behind_new_layers() {
        let mut model = Model::from_param_text(&(TEXT.to_owned() + "\nNoop x 0 0")).unwrap();
        model.layers.push(Layer::new(LayerKind::Noop, "end"));
        assert!(
            model
                .to_param_text()
                .ends_with("mid out\nNoop                     end                      0 0\nNoop x 0 0")
        );
    }

    #[test]
    fn values_are_laid_out_as_ncnns_tools_do() {
        let mut layer = Layer::new(LayerKind::Crop, "crop");
        layer.params.set_raw(0, ParamValue::Number(Number::Float(0.1)));
        layer.params.set_raw(9, ParamValue::Array(vec![Number::Int(1), Number::Float(-2.0)]));
        layer.params.set_raw(19, ParamValue::Text("-(0w,2)".into()));
        layer.params.set_raw(20, ParamValue::Text("abcdefghijklmn".into()));
        let model = Model { layers: vec![layer], header: SourceText(None), ..Model::default() };
        assert_eq!(
            model.to_param_text(),
            "7767517\n1 0\nCrop                     crop                     0 0 0=1.000000e-01 \
             -23309=2,1,-2.000000e+00 19=\"-(0w,2)\" 20=abcdefghijklmn\n"
        );
    }

    #[test]
    fn what_the_text_cannot_say_is_refused() {
        let refusal = |change: &dyn Fn(&mut Layer)| {
            let mut model = model();
            change(&mut model.layers[1]);
            model.check_param_text().unwrap_err().to_string()
        };
        let hostile_text = |text: &str| {
            let value = ParamValue::Text(text.into());
            refusal(&move |layer| layer.params.set_raw(6, value.clone()))
        };
        insta::assert_snapshot!(refusal(&|layer| layer.name = "a b".into()), @"layer a b: cannot be written as .param text: a name in it is empty, has blanks or is too long, or a parameter has an id that ncnn has not");
        insta::assert_snapshot!(refusal(&|layer| layer.name = String::new()), @"layer : cannot be written as .param text: a name in it is empty, has blanks or is too long, or a parameter has an id that ncnn has not");
        insta::assert_snapshot!(refusal(&|layer| layer.inputs[0] = "x\ny".into()), @"layer conv: cannot be written as .param text: a name in it is empty, has blanks or is too long, or a parameter has an id that ncnn has not");
        insta::assert_snapshot!(refusal(&|layer| layer.kind = LayerKind::Custom("5=x".into())), @"layer conv: cannot be written as .param text: its type would be taken for a parameter");
        insta::assert_snapshot!(refusal(&|layer| layer.params.set_raw(32, int(1))), @"layer conv: cannot be written as .param text: a name in it is empty, has blanks or is too long, or a parameter has an id that ncnn has not");
        insta::assert_snapshot!(hostile_text("a\0"), @"layer conv: cannot be written as .param text: a zero byte in it ends the text for ncnn");
        insta::assert_snapshot!(hostile_text("a\nb"), @"layer conv: cannot be written as .param text: ncnn would not read the text of parameter 6 as it is");
        insta::assert_snapshot!(hostile_text("1\"2"), @"layer conv: cannot be written as .param text: ncnn would not read the text of parameter 6 as it is");
        insta::assert_snapshot!(hostile_text(" 0w"), @"layer conv: cannot be written as .param text: ncnn would not read the text of parameter 6 as it is");
        insta::assert_snapshot!(hostile_text("12345678901234"), @"layer conv: cannot be written as .param text: ncnn would not read the text of parameter 6 as it is");
        let blobless = Model { layers: vec![Layer::new(LayerKind::Noop, "n")], ..Model::default() };
        insta::assert_snapshot!(blobless.check_param_text().unwrap_err(), @"a model without blobs cannot be written: ncnn refuses to read it");
        insta::assert_snapshot!(refusal(&|layer| layer.kind = LayerKind::Custom("pnnx.Input".into())), @"a model with a layer of pnnx's own graph cannot be written: it is read as one");
        insta::assert_snapshot!(Model::default().check_param_text().unwrap_err(), @"a model without layers cannot be written: ncnn refuses to read it");
    }
}
