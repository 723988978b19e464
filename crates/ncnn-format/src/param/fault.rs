//! Faults and oddities while the text is being read: places are slices of the
//! text, which become line numbers only when somebody is told.

use nom::IResult;
use nom::error::ParseError;

use crate::{Error, ErrorKind, Limits, Remark, Severity};

/// What every rule of the grammar returns.
pub(super) type Scanned<'a, T> = IResult<&'a str, T, Fault<'a>>;

/// Why the text cannot be a `.param`, and where.
#[derive(Debug)]
pub(super) struct Fault<'a> {
    at: &'a str,
    kind: ErrorKind,
    message: String,
    layer: Option<&'a str>,
}

impl<'a> Fault<'a> {
    /// Ends the parse: the text breaks the format at `at`.
    pub(super) fn malformed<T>(at: &'a str, message: impl Into<String>) -> Scanned<'a, T> {
        Self::fail(at, ErrorKind::Malformed, message.into())
    }

    /// Ends the parse: the text asks for more than the limits allow.
    pub(super) fn too_large<T>(at: &'a str, message: impl Into<String>) -> Scanned<'a, T> {
        Self::fail(at, ErrorKind::TooLarge, message.into())
    }

    fn fail<T>(at: &'a str, kind: ErrorKind, message: String) -> Scanned<'a, T> {
        Err(nom::Err::Failure(Self { at, kind, message, layer: None }))
    }

    /// Names the layer, unless one is already named.
    pub(super) fn in_layer(mut self, name: &'a str) -> Self {
        self.layer.get_or_insert(name);
        self
    }

    /// The error for the caller; `text` is what was being read.
    pub(super) fn into_error(self, text: &str) -> Error {
        let error = Error::new(self.kind, self.message).at_line(line_of(text, self.at));
        match self.layer {
            Some(name) => error.in_layer(name),
            None => error,
        }
    }
}

impl<'a> ParseError<&'a str> for Fault<'a> {
    fn from_error_kind(at: &'a str, _: nom::error::ErrorKind) -> Self {
        Self { at, kind: ErrorKind::Malformed, message: "unexpected text".into(), layer: None }
    }

    fn append(_: &'a str, _: nom::error::ErrorKind, inner: Self) -> Self {
        inner
    }
}

/// The limits of a reading and the oddities met so far.
#[derive(Debug)]
pub(super) struct Notes<'a, 'l> {
    /// What the text may ask for.
    pub(super) limits: &'l Limits,
    oddities: Vec<(&'a str, Remark)>,
    count: usize,
}

impl<'a, 'l> Notes<'a, 'l> {
    /// A hostile text could hold an oddity every few bytes.
    const MOST: usize = 1000;

    /// No oddities yet.
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self { limits, oddities: Vec::new(), count: 0 }
    }

    /// Remembers something odd at `at`.
    pub(super) fn odd(&mut self, at: &'a str, code: &'static str, message: impl FnOnce() -> String) {
        self.remember(at, Severity::Warning, code, message);
    }

    /// Remembers a place `at` which ncnn reads otherwise than it was meant.
    pub(super) fn misread(&mut self, at: &'a str, code: &'static str, message: impl FnOnce() -> String) {
        self.remember(at, Severity::Error, code, message);
    }

    fn remember(&mut self, at: &'a str, severity: Severity, code: &'static str, message: impl FnOnce() -> String) {
        self.count = self.count.saturating_add(1);
        if self.oddities.len() < Self::MOST {
            self.oddities.push((at, Remark::new(severity, code, message())));
        } else if self.oddities.len() == Self::MOST {
            let message = format!("more than {} oddities: the rest is not listed", Self::MOST);
            self.oddities.push((at, Remark::warning("more-oddities", message)));
        }
    }

    /// The number of oddities met, listed or not.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// The oddities with their lines in `text`.
    pub(super) fn into_remarks(self, text: &str) -> Vec<Remark> {
        let line_ends: Vec<usize> = if self.oddities.is_empty() {
            Vec::new()
        } else {
            text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(i, _)| i).collect()
        };
        let line = |at| line_ends.partition_point(|&end| end < offset(text, at)) + 1;
        self.oddities.into_iter().map(|(at, remark)| remark.at_line(line(at))).collect()
    }
}

/// Where `part` starts in `text`, of which it is a slice, in bytes.
pub(super) fn offset(text: &str, part: &str) -> usize {
    (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize)
}

/// The text from the start of `from` to the start of `to`, both slices of `text`.
pub(super) fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.get(offset(text, from)..offset(text, to)).unwrap_or("")
}

/// Text from the file, fit for a message.
pub(super) fn shown(text: &str) -> String {
    const MOST: usize = 60;
    let escaped: String = text.chars().take(MOST).flat_map(char::escape_debug).collect();
    let more = if text.chars().nth(MOST).is_some() { "…" } else { "" };
    format!("'{escaped}{more}'")
}

/// The line, from 1, in which `at` starts.
fn line_of(text: &str, at: &str) -> usize {
    1 + text.bytes().take(offset(text, at)).filter(|byte| *byte == b'\n').count()
}
