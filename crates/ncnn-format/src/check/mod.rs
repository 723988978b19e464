//! What ncnn accepts silently and fails on later.

mod graph;
mod lines;
mod params;
mod rules;
mod table;
mod weights;

use std::fmt;

use crate::{Model, Place, Warning};
use lines::layer_lines;

pub use table::check_table;

/// Something wrong with a file that ncnn would not say.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// What was found.
    pub message: String,
    /// What to do about it; may be empty.
    pub advice: String,
}

/// What comes of a [`Finding`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It works, but perhaps not as it was meant.
    Warning,
    /// ncnn refuses the model, crashes, or computes nonsense.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl Finding {
    pub(crate) fn error(message: impl Into<String>) -> Self {
        Self::new(Severity::Error, message)
    }

    pub(crate) fn warning(message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, message)
    }

    fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self { severity, place: Place::default(), message: message.into(), advice: String::new() }
    }

    pub(crate) fn advise(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }
}

impl From<&Warning> for Finding {
    fn from(warning: &Warning) -> Self {
        let severity = if warning.misread { Severity::Error } else { Severity::Warning };
        let mut finding = Self::new(severity, warning.message.clone());
        match warning.byte {
            Some(byte) => finding.place.byte = Some(byte),
            None => finding.place.line = Some(warning.line),
        }
        finding
    }
}

/// Everything about `model` that ncnn would accept silently and later fail on, or
/// refuse when it loads: in the order of the layers, the reader's `warnings` first.
///
/// `warnings` are those of [`Model::from_param_text_with`] or
/// [`Model::load_with`](crate::Model::load_with). Weights are looked at if they
/// were read. Lines are given while every layer still has its [`crate::SourceText`].
pub fn check(model: &Model, warnings: &[Warning]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = warnings.iter().map(Finding::from).collect();
    let mut by_layer = graph::check(model);
    for (layer, found) in model.layers.iter().zip(&mut by_layer) {
        found.extend(params::check(layer));
        found.extend(rules::check(layer));
        found.extend(weights::check(layer));
    }
    let lines = layer_lines(model);
    for ((index, layer), found) in model.layers.iter().enumerate().zip(by_layer) {
        findings.extend(found.into_iter().map(|mut finding| {
            finding.place.layer = Some(layer.name.clone());
            finding.place.line = lines.get(index).copied();
            finding
        }));
    }
    findings.extend(graph::check_whole(model));
    if !model.trailing_bytes.is_empty() {
        let left = model.trailing_bytes.len();
        findings.push(
            Finding::warning(format!("{left} bytes follow the last weight in the .bin; ncnn ignores them"))
                .advise("see that the .param and the .bin belong together"),
        );
    }
    findings
}
