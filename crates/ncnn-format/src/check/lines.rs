//! Lines of layers, from the text that they were read from.

use crate::Model;

/// The line, from 1, of each layer, up to the first one whose text is not known.
pub(super) fn layer_lines(model: &Model) -> Vec<usize> {
    let Some(header) = &model.header.0 else { return Vec::new() };
    let mut line = 1 + newlines(header);
    let mut lines = Vec::new();
    for layer in &model.layers {
        let Some(text) = &layer.source.0 else { break };
        let blank = text.len() - text.trim_start().len();
        lines.push(line + newlines(text.get(..blank).unwrap_or("")));
        line += newlines(text);
    }
    lines
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}
