//! The grammar of `.param`, as ncnn's `Net::load_param` (`src/net.cpp`) reads it.
//!
//! ncnn scans tokens, not lines: a newline is a blank like any other, except that
//! it ends a parameter's value. Each rule stands above the function that reads it.

use nom::Parser;
use nom::bytes::complete::{take_while, take_while1};
use nom::sequence::preceded;

use super::fault::{Fault, Notes, Scanned, between, shown};
use super::positional::{is_positional, parse_positional};
use super::value::{Entry, is_white, parameters};
use crate::foreign::{ForeignFile, explain};
use crate::model::SourceText;
use crate::{Error, Layer, LayerKind, Limits, Model, ParamDict, Remark, Result};

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
            params.set_raw(entry.id, entry.value.clone());
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
pub(crate) fn parse_model(text: &str, limits: &Limits) -> Result<(Model, Vec<Remark>)> {
    if text.len() as u64 > limits.text_bytes {
        return Err(Error::too_large(format!("{} bytes of text, the limit is {}", text.len(), limits.text_bytes)));
    }
    let whole = no_zero_byte(text);
    if whole.is_ok() && is_positional(text) {
        return parse_positional(text, limits);
    }
    let mut notes = Notes::new(limits);
    let parsed = whole.and_then(|_| model(text, &mut notes));
    match parsed {
        Ok((_, model)) if is_pnnx(&model) => Err(Error::malformed(ForeignFile::Pnnx.advice())),
        Ok((_, model)) => Ok((model, notes.into_remarks(text))),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(explain(fault.into_error(text), text.as_bytes())),
        Err(nom::Err::Incomplete(_)) => Err(Error::malformed("the text ends too early")),
    }
}

/// A graph of pnnx can happen to follow our grammar too.
pub(super) fn is_pnnx(model: &Model) -> bool {
    model.layers.iter().any(|layer| layer.kind.as_str() == "pnnx.Input")
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
        let counts = format!("the header counts {} blobs, there are {blobs}", header.blob_count);
        if header.blob_count < blobs {
            notes.misread(header.blobs, "blob-count", || format!("{counts}; ncnn writes past its array of blobs"));
        } else {
            notes.odd(header.blobs, "blob-count", || counts);
        }
    }
    Ok((rest, model))
}

/// trailer = { any character } ;   (* ignored by ncnn *)
fn trailer<'a>(rest: &'a str, layers: usize, notes: &mut Notes<'a, '_>) -> SourceText {
    let visible = rest.trim_start_matches(is_white);
    if !visible.is_empty() {
        notes.odd(visible, "text-after-layers", || {
            format!("the text after the {layers} layers that the header counts is ignored")
        });
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
        notes.misread(kind, "unreadable-type", || {
            format!("the type {} starts like a number: ncnn cannot read it from a file", shown(kind))
        });
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typed::Eltwise;

    fn error(text: &str) -> String {
        parse_model(text, &Limits::default()).unwrap_err().to_string()
    }

    fn warnings(text: &str) -> Vec<String> {
        let (_, remarks) = parse_model(text, &Limits::default()).unwrap();
        remarks.into_iter().map(|remark| format!("{}: {}", remark.place.line.unwrap(), remark.message)).collect()
    }

    #[test]
    fn a_newline_is_a_blank_like_any_other() {
        let spread = "7767517 2\n3 Input\tdata\n0 1\na\r\n0=4 Eltwise\n\n add 2\n1 a\na c\n0=1\n1=2";
        let (model, warnings) = parse_model(spread, &Limits::default()).unwrap();
        let [data, add] = model.layers.as_slice() else { panic!("{model:?}") };
        assert_eq!(
            (&data.kind, data.name.as_str(), data.outputs.as_slice()),
            (&LayerKind::Input, "data", &["a".to_owned()][..])
        );
        assert_eq!(
            (add.inputs.len(), add.outputs[0].as_str(), add.params.get(Eltwise::COEFFS).is_err()),
            (2, "c", true)
        );
        assert_eq!(warnings.len(), 1, "blobs are counted: {warnings:?}");
    }

    #[test]
    fn names_may_have_any_characters() {
        let text = "7767517\n1 1\n层::x=1 \"0=1\",é 0 1 -23300=1 0=1\n";
        let (model, _) = parse_model(text, &Limits::default()).unwrap();
        let layer = &model.layers[0];
        assert_eq!(layer.kind, LayerKind::Custom("层::x=1".into()));
        assert_eq!((layer.name.as_str(), layer.outputs[0].as_str()), ("\"0=1\",é", "-23300=1"));
    }

    #[test]
    fn what_follows_the_counted_layers_is_kept_with_a_warning() {
        let text = "7767517\n1 1\nInput a 0 1 a\n\nNoop b 0 0\nrest";
        let (model, _) = parse_model(text, &Limits::default()).unwrap();
        assert_eq!(model.layers.len(), 1);
        assert_eq!(model.trailer.0.as_deref(), Some("\nNoop b 0 0\nrest"));
        assert_eq!(warnings(text), ["5: the text after the 1 layers that the header counts is ignored"]);
    }

    #[test]
    fn a_wrong_blob_count_is_a_warning() {
        assert_eq!(warnings("7767517\n1 3\nInput a 0 1 a\n"), ["2: the header counts 3 blobs, there are 1"]);
        assert_eq!(
            warnings("7767517\n1 1\nSplit a 0 2 a b\n"),
            ["2: the header counts 1 blobs, there are 2; ncnn writes past its array of blobs"]
        );
    }

    #[test]
    fn oddities_are_counted_not_collected_without_end() {
        let text = format!("7767517\n1 1\nInput a 0 1 a{}\n", " 0=1".repeat(5000));
        let warnings = warnings(&text);
        assert_eq!(warnings.len(), 1001);
        assert_eq!(warnings[1000], "3: more than 1000 oddities: the rest is not listed");
    }

    #[test]
    fn a_type_that_starts_like_a_number_is_a_warning() {
        assert_eq!(
            warnings("7767517\n1 1\n3DPool a 0 1 a\n"),
            ["3: the type '3DPool' starts like a number: ncnn cannot read it from a file"]
        );
    }

    #[test]
    fn errors_name_line_layer_and_what_was_found() {
        insta::assert_snapshot!(error(""), @"the file is empty; the program that wrote it failed, or the download did");
        insta::assert_snapshot!(error("75 83\nConvolution conv1 1 1 data conv1 20 5 1 1 0 1 500"), @"line 2: the header counts 75 layers, the text ends after 1");
        insta::assert_snapshot!(error("\u{feff}7767517\n1 1\n"), @"the text starts with a byte order mark; save it as UTF-8 without one");
        insta::assert_snapshot!(error("7767517\nx 1\n"), @"line 2: expected the number of layers, found 'x'");
        insta::assert_snapshot!(error("7767517\n1"), @"line 2: expected the number of blobs, found the end of the text");
        insta::assert_snapshot!(error("7767517\n0 1\n"), @"line 2: 0 layers and 1 blobs: ncnn wants some of both");
        insta::assert_snapshot!(error("7767517\n-1 1\n"), @"line 2: expected the number of layers, found '-1'");
        insta::assert_snapshot!(error("7767517\n99999999999 1\n"), @"line 2: expected the number of layers, found '99999999999'");
        insta::assert_snapshot!(error("7767517\n2000000 1\n"), @"line 2: 2000000 layers, the limit is 1048576");
        insta::assert_snapshot!(error("7767517\n3 3\nInput a 0 1 a\nReLU b 1 1 a b\n\n"), @"line 5: the header counts 3 layers, the text ends after 2");
        insta::assert_snapshot!(error("7767517\n1 1\nInput"), @"line 3: expected a layer name, found the end of the text");
        insta::assert_snapshot!(error("7767517\n1 1\nInput a x 1 a\n"), @"line 3: layer a: expected the number of inputs, found 'x'");
        insta::assert_snapshot!(error("7767517\n1 1\nInput a 0 -1 a\n"), @"line 3: layer a: expected the number of outputs, found '-1'");
        insta::assert_snapshot!(error("7767517\n1 1\nInput a 0 1x a\n"), @"line 3: layer a: expected the number of outputs, found '1x'");
        insta::assert_snapshot!(error("7767517\n1 1\nInput a 40000 40000 a\n"), @"line 3: layer a: 80000 inputs and outputs, the limit is 65536");
        insta::assert_snapshot!(error("7767517\n1 1\nConcat a 3 1 x y\n"), @"line 3: layer a: expected the name of an input, found the end of the text");
        insta::assert_snapshot!(error("7767517\n2 2\nInput a 0 1 a 0=1\nReLU b 1 1 a b 0=0.10000000000001\n"), @"line 4: layer b: '0.10000000000001' in parameter 0 is longer than the 15 characters that ncnn reads");
        insta::assert_snapshot!(error("7767517\n1 1\nIn\0put a 0 1 a\n"), @"line 3: a zero byte in the text");
        insta::assert_snapshot!(error("1 1\nIn\0put a 0 1 a\n"), @"line 2: a zero byte in the text");
        insta::assert_snapshot!(error(&format!("7767517\n1 1\nInput {} 0 1 a\n", "n".repeat(256))), @"line 3: expected a layer name, found 'nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…', 256 bytes long (ncnn cuts at 255)");
    }

    #[test]
    fn limits_are_kept() {
        let tiny = Limits { text_bytes: 10, ..Limits::default() };
        let error = parse_model("7767517\n1 1\nInput a 0 1 a\n", &tiny).unwrap_err();
        assert_eq!((error.kind(), error.message()), (crate::ErrorKind::TooLarge, "26 bytes of text, the limit is 10"));
    }
}
