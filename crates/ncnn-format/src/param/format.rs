//! How a single value is written.

use super::fault::Notes;
use super::number::write_float;
use super::value::parameters;
use crate::{Limits, Number, ParamValue};

/// `id=value` as ncnn's tools write it: arrays in the old form, texts in quotes.
pub(super) fn format_parameter(id: u8, value: &ParamValue) -> String {
    match value {
        ParamValue::Number(number) => format!("{id}={}", format_number(*number)),
        ParamValue::Array(numbers) => {
            let mut text = format!("-233{id:02}={}", numbers.len());
            for number in numbers {
                text.push(',');
                text.push_str(&format_number(*number));
            }
            text
        }
        ParamValue::Text(text) => format_text(id, text),
    }
}

fn format_number(number: Number) -> String {
    match number {
        Number::Int(value) => value.to_string(),
        Number::Float(value) => write_float(value),
    }
}

/// Quoted, unless ncnn stumbles over the quoted form and not over the bare one.
fn format_text(id: u8, text: &str) -> String {
    let quoted = format!("{id}=\"{text}\"");
    let bare = format!("{id}={text}");
    if !reads_back(&quoted, text) && reads_back(&bare, text) { bare } else { quoted }
}

/// Whether ncnn reads `text` from what [`format_parameter`] makes of it.
pub(super) fn is_writable_text(id: u8, text: &str) -> bool {
    reads_back(&format_text(id, text), text)
}

/// Whether `parameter` is read, by ncnn too, as `text`.
fn reads_back(parameter: &str, text: &str) -> bool {
    let limits = Limits::default();
    let mut notes = Notes::new(&limits);
    let Ok((rest, entries)) = parameters(parameter, &mut notes) else { return false };
    let same = matches!(entries.as_slice(), [only] if matches!(&only.value, ParamValue::Text(read) if read == text));
    same && rest.is_empty() && notes.count() == 0
}
