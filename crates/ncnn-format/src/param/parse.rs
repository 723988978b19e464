//! The grammar of `.param` (spec §1.1).
//!
//! ncnn scans tokens, not lines: a newline is a blank like any other, except that
//! it ends a parameter's value. Each rule stands above the function that reads it.

use nom::Parser;
use nom::bytes::complete::{take_while, take_while1};
use nom::sequence::preceded;

use super::Warning;
use super::fault::{Fault, Notes, Scanned, between, shown};
use super::value::{Entry, is_white, parameters};
use crate::model::SourceText;
use crate::{Error, Layer, LayerKind, Limits, Model, ParamDict, Result};

const MAGIC: &str = "7767517";
/// ncnn cuts longer names in two.
const NAME_BYTES: usize = 255;

/// The counts in front of the layers, as they stand in the text.
#[derive(Debug)]
pub(super) struct Header<'a> {
    pub(super) layers: &'a str,
    pub(super) layer_count: usize,
    pub(super) blobs: &'a str,
    pub(super) blob_count: usize,
}

/// A layer as slices of the text.
#[derive(Debug)]
pub(super) struct LayerText<'a> {
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    /// From the number of inputs on.
    pub(super) counts: &'a str,
    pub(super) inputs: Vec<&'a str>,
    pub(super) outputs: Vec<&'a str>,
    pub(super) entries: Vec<Entry<'a>>,
    /// What follows the last token, to the end of the line.
    pub(super) ending: &'a str,
}

impl LayerText<'_> {
    /// The parameters; of equal ids the last one counts.
    pub(super) fn params(&self) -> ParamDict {
        let mut params = ParamDict::default();
        for entry in &self.entries {
            params.set(entry.id, entry.value.clone());
        }
        params
    }

    fn to_layer(&self, source: &str) -> Layer {
        Layer {
            kind: LayerKind::from(self.kind),
            name: self.name.to_owned(),
            inputs: self.inputs.iter().map(|&name| name.to_owned()).collect(),
            outputs: self.outputs.iter().map(|&name| name.to_owned()).collect(),
            params: self.params(),
            weights: Vec::new(),
            source: SourceText(Some(source.into())),
        }
    }
}

/// Reads a whole text.
pub(crate) fn parse_model(text: &str, limits: &Limits) -> Result<(Model, Vec<Warning>)> {
    if text.len() as u64 > limits.text_bytes {
        return Err(Error::too_large(format!("{} bytes of text, the limit is {}", text.len(), limits.text_bytes)));
    }
    let mut notes = Notes::new(limits);
    let parsed = no_zero_byte(text).and_then(|_| model(text, &mut notes));
    match parsed {
        Ok((_, model)) => Ok((model, notes.into_warnings(text))),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(fault.into_error(text)),
        Err(nom::Err::Incomplete(_)) => Err(Error::malformed("the text ends too early")),
    }
}

/// A zero byte ends a C string: ncnn would see another file than we do.
fn no_zero_byte(text: &str) -> Scanned<'_, ()> {
    match text.find('\0') {
        Some(at) => Fault::malformed(text.get(at..).unwrap_or(text), "a zero byte in the text"),
        None => Ok((text, ())),
    }
}

/// model = header , { layer } , trailer ;   (* as many layers as the header counts *)
fn model<'a>(text: &'a str, notes: &mut Notes<'a, '_>) -> Scanned<'a, Model> {
    let (mut rest, header) = header(text)?;
    let most = notes.limits.layers;
    if header.layer_count > most {
        return Fault::too_large(header.layers, format!("{} layers, the limit is {most}", header.layer_count));
    }
    let mut model = Model { header: remembered(between(text, text, rest)), ..Model::default() };
    while model.layers.len() < header.layer_count {
        if rest.chars().all(is_white) {
            let (promised, found) = (header.layer_count, model.layers.len());
            return Fault::malformed(rest, format!("the header counts {promised} layers, the text ends after {found}"));
        }
        let (after, layer) = layer(rest, notes)?;
        model.layers.push(layer.to_layer(between(text, rest, after)));
        rest = after;
    }
    model.trailer = trailer(rest, header.layer_count, notes);
    let blobs = model.blob_count();
    if blobs != header.blob_count {
        let risk = if header.blob_count < blobs { "; ncnn writes past its array of blobs" } else { "" };
        notes.odd(header.blobs, || format!("the header counts {} blobs, there are {blobs}{risk}", header.blob_count));
    }
    Ok((rest, model))
}

/// trailer = { any character } ;   (* ignored by ncnn *)
fn trailer<'a>(rest: &'a str, layers: usize, notes: &mut Notes<'a, '_>) -> SourceText {
    let visible = rest.trim_start_matches(is_white);
    if !visible.is_empty() {
        notes.odd(visible, || format!("the text after the {layers} layers that the header counts is ignored"));
    }
    if rest.is_empty() { SourceText::default() } else { remembered(rest) }
}

fn remembered(text: &str) -> SourceText {
    SourceText(Some(text.into()))
}

/// header = magic , layer count , blob count , line end ;
pub(super) fn header(input: &str) -> Scanned<'_, Header<'_>> {
    let (rest, found) = token(input, "the number 7767517")?;
    if found.strip_prefix('+').unwrap_or(found) != MAGIC {
        return Fault::malformed(
            found,
            format!(
                "expected {MAGIC} at the start, found {}: either this is no ncnn .param, or it is too old \
                 and should be made again with today's converter",
                shown(found)
            ),
        );
    }
    let (rest, (layers, layer_count)) = count(rest, "the number of layers")?;
    let (rest, (blobs, blob_count)) = count(rest, "the number of blobs")?;
    if layer_count == 0 || blob_count == 0 {
        return Fault::malformed(
            layers,
            format!("{layer_count} layers and {blob_count} blobs: ncnn wants some of both"),
        );
    }
    let (rest, _) = line_end(rest)?;
    Ok((rest, Header { layers, layer_count, blobs, blob_count }))
}

/// layer = kind , name , input count , output count , { input } , { output } , parameters , line end ;
pub(super) fn layer<'a>(input: &'a str, notes: &mut Notes<'a, '_>) -> Scanned<'a, LayerText<'a>> {
    let (rest, kind) = token(input, "a layer type")?;
    if kind.starts_with(|c: char| c.is_ascii_digit() || c == '+' || c == '-') {
        notes.odd(kind, || format!("the type {} starts like a number: ncnn cannot read it from a file", shown(kind)));
    }
    let (rest, name) = token(rest, "a layer name")?;
    layer_after_name(rest, kind, name, notes).map_err(|error| error.map(|fault| fault.in_layer(name)))
}

fn layer_after_name<'a>(
    input: &'a str,
    kind: &'a str,
    name: &'a str,
    notes: &mut Notes<'a, '_>,
) -> Scanned<'a, LayerText<'a>> {
    let counts = input.trim_start_matches(is_white);
    let (rest, (_, input_count)) = count(input, "the number of inputs")?;
    let (rest, (_, output_count)) = count(rest, "the number of outputs")?;
    let (blobs, most) = (input_count.saturating_add(output_count), notes.limits.blobs_per_layer);
    if blobs > most {
        return Fault::too_large(counts, format!("{blobs} inputs and outputs, the limit is {most}"));
    }
    let (rest, inputs) = names(rest, input_count, "the name of an input")?;
    let (rest, outputs) = names(rest, output_count, "the name of an output")?;
    let (ending, entries) = parameters(rest, notes)?;
    let (rest, _) = line_end(ending)?;
    let ending = between(ending, ending, rest);
    Ok((rest, LayerText { kind, name, counts, inputs, outputs, entries, ending }))
}

/// names = { token } ;   (* as many as counted *)
fn names<'a>(input: &'a str, count: usize, expected: &str) -> Scanned<'a, Vec<&'a str>> {
    let mut names = Vec::new();
    let mut rest = input;
    while names.len() < count {
        let (after, name) = token(rest, expected)?;
        names.push(name);
        rest = after;
    }
    Ok((rest, names))
}

/// count = [ "+" ] , digit , { digit } ;
fn count<'a>(input: &'a str, expected: &str) -> Scanned<'a, (&'a str, usize)> {
    let (rest, found) = token(input, expected)?;
    match found.parse::<i32>().ok().and_then(|value| usize::try_from(value).ok()) {
        Some(value) => Ok((rest, (found, value))),
        None => Fault::malformed(found, format!("expected {expected}, found {}", shown(found))),
    }
}

/// token = { white } , graphic , { graphic } ;
fn token<'a>(input: &'a str, expected: &str) -> Scanned<'a, &'a str> {
    let graphic = take_while1::<_, _, Fault<'a>>(|c| !is_white(c));
    match preceded(take_while(is_white), graphic).parse(input) {
        Ok((_, token)) if token.len() > NAME_BYTES => Fault::malformed(
            token,
            format!(
                "expected {expected}, found {}, {} bytes long (ncnn cuts at {NAME_BYTES})",
                shown(token),
                token.len()
            ),
        ),
        Ok(found) => Ok(found),
        Err(_) => Fault::malformed(input, format!("expected {expected}, found the end of the text")),
    }
}

/// line end = { white } , [ newline ] ;   (* up to the first newline *)
fn line_end(input: &str) -> Scanned<'_, &str> {
    let visible = input.trim_start_matches(is_white);
    let blank = between(input, input, visible);
    let end = blank.find('\n').map_or(blank.len(), |newline| newline + 1);
    Ok((input.get(end..).unwrap_or(""), blank.get(..end).unwrap_or("")))
}
