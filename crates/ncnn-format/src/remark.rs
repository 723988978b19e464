//! Something to say about a file, a layer or a result without failing.
//!
//! With the feature `serde` a remark is, as JSON,
//!
//! ```json
//! {
//!   "severity": "warning",
//!   "code": "zero-channels",
//!   "place": { "file": "a.param", "line": 3, "layer": "conv1" },
//!   "message": "the weights of 2 of 16 channels are all zero (first: channel 3)",
//!   "advice": "calibrate again"
//! }
//! ```
//!
//! `severity` is `note`, `warning` or `error`. `code` is lower case words joined by
//! hyphens; a program may compare it, and it stays when the message is worded anew.
//! `place` has those of `file`, `line` (from 1), `byte` and `layer` that are known.
//! `advice` is absent if there is none.

use std::borrow::Cow;
use std::fmt;

use crate::place::place_methods;
use crate::{Error, ErrorKind, Place};

/// Something that a user should know.
///
/// Its text is the place and the message; severity and advice are for the program
/// that prints it to lay out. A message that begins with the layer, as a sentence about it
/// does, is not given the layer twice.
///
/// ```
/// use ncnn_format::{Remark, Severity};
///
/// let remark = Remark::warning("weight-minus-128", "weight 4 is -128").in_layer("conv1").advise("use -127");
/// assert_eq!(remark.to_string(), "layer conv1: weight 4 is -128");
/// assert!(remark.severity < Severity::Error);
/// assert_eq!(remark.advice.as_deref(), Some("use -127"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Remark {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about, for programs: lower case words joined by hyphens.
    pub code: Cow<'static, str>,
    /// Where it is.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Place::is_unknown"))]
    pub place: Place,
    /// What was found: lower case, without a full stop.
    pub message: String,
    /// What to do about it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub advice: Option<String>,
}

/// What comes of what a [`Remark`] says, from the least to the worst.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Severity {
    /// Good to know.
    Note,
    /// It works, but perhaps not as it was meant.
    Warning,
    /// The model is refused, crashes, or computes nonsense.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl Remark {
    /// A remark without a place and advice.
    pub fn new(severity: Severity, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self { severity, code: code.into(), place: Place::default(), message: message.into(), advice: None }
    }

    /// [`Severity::Note`].
    pub fn note(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Note, code, message)
    }

    /// [`Severity::Warning`].
    pub fn warning(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, code, message)
    }

    /// [`Severity::Error`].
    pub fn error(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, code, message)
    }

    /// Says what to do about it.
    #[must_use]
    pub fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    place_methods!(place);
}

/// An error that is something to tell, because the work goes on without what failed;
/// its kind is the code.
impl From<&Error> for Remark {
    fn from(error: &Error) -> Self {
        let code = match error.kind() {
            ErrorKind::Malformed => "malformed",
            ErrorKind::TooLarge => "too-large",
            ErrorKind::Unsupported => "unsupported",
            ErrorKind::Invalid => "invalid",
            ErrorKind::Io => "io",
            ErrorKind::Cancelled => "cancelled",
        };
        Self { place: error.place().clone(), ..Self::error(code, error.message()) }
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let begins_with = |layer: &String| {
            let rest = self.message.strip_prefix("layer ").and_then(|rest| rest.strip_prefix(layer.as_str()));
            rest.is_some_and(|rest| rest.starts_with(' '))
        };
        let mut place = self.place.clone();
        place.layer = place.layer.filter(|layer| !begins_with(layer));
        place.write_before(&self.message, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn severities_are_ordered_and_named() {
        let all = [Severity::Note, Severity::Warning, Severity::Error];
        assert!(all.is_sorted());
        assert_eq!(all.map(|severity| severity.to_string()), ["note", "warning", "error"]);
        assert_eq!(format!("{:8}|", Severity::Note), "note    |");
    }

    #[test]
    fn the_text_is_the_place_and_the_message() {
        let remark = Remark::note("few-digits", "scale 3 is 0.01");
        assert_eq!(remark.to_string(), "scale 3 is 0.01");
        let remark = remark.advise("calibrate again").in_layer("c").at_line(2).in_file("a.table");
        assert_eq!(remark.to_string(), "a.table:2: layer c: scale 3 is 0.01");
        assert_eq!(remark.clone().at_byte(7).at_byte(9).place.byte, Some(7), "the innermost place wins");
    }

    #[test]
    fn a_sentence_that_begins_with_the_layer_names_it_once() {
        let sentence = Remark::note("stays-float", "layer conv stays float");
        let cases = [
            ("conv", "layer conv stays float"),
            ("con", "layer con: layer conv stays float"),
            ("conv stays", "layer conv stays float"),
            ("relu", "layer relu: layer conv stays float"),
        ];
        for (layer, text) in cases {
            assert_eq!(sentence.clone().in_layer(layer).to_string(), text);
        }
        let remark = sentence.in_layer("conv").in_file("a.param");
        assert_eq!(remark.to_string(), "a.param: layer conv stays float");
    }

    #[test]
    fn an_error_becomes_a_remark_with_the_same_text() {
        let error = Error::too_large("7 layers, the limit is 6").at_byte(4).in_file("a.param.bin");
        let remark = Remark::from(&error);
        assert_eq!(remark.to_string(), error.to_string());
        assert_eq!((remark.severity, &*remark.code, &remark.advice), (Severity::Error, "too-large", &None));
    }
}
