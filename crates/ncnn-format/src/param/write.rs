//! Writing a model as text: what was not changed is written as it was read.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;

use super::fault::{Notes, between};
use super::format::format_parameter;
use super::parse::{LayerText, header, layer};
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
    let limits = no_limits();
    model.layers.iter().try_for_each(|layer| check_layer(layer, &limits))
}

fn check_layer(layer: &Layer, limits: &Limits) -> Result<()> {
    let refused =
        |why: &str| Err(Error::invalid(format!("cannot be written as .param text: {why}")).in_layer(&layer.name));
    let old = read_source(layer, limits);
    if old.as_ref().is_some_and(|old| says(old, layer)) {
        return Ok(());
    }
    let text = write_layer(layer, old.as_ref(), "\n");
    let mut notes = Notes::new(limits);
    if starts_like_parameter(layer.kind.as_str()) {
        return refused("its type would be taken for a parameter");
    }
    match super::parse::layer(&text, &mut notes) {
        Ok(("", read)) if says(&read, layer) => match notes.first() {
            Some(oddity) => refused(oddity),
            None => Ok(()),
        },
        _ => refused("a name or a text in it is empty, too long, or has characters that end it early"),
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
    format!("{indent}{line}{}", old.ending)
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
        let old = known.iter().rev().find(|entry| entry.id == id && entry.value == *value && is_closed(entry));
        // Writing to a String cannot fail.
        let _ = match old {
            Some(entry) => write!(text, " {}", entry.text),
            None => write!(text, " {}", format_parameter(id, value)),
        };
    }
    text
}

/// Whether anything may follow on the same line.
fn is_closed(entry: &Entry<'_>) -> bool {
    !matches!(entry.value, ParamValue::Text(_)) || entry.text.ends_with('"') || !entry.text.contains('"')
}
