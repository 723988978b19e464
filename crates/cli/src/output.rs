//! What a command has to say.

use comfy_table::{CellAlignment, ContentArrangement, Table};
use ncnn_format::{Error, Remark, Result};
use serde::Serialize;
use serde_json::Value;

/// A command's result, for people and for machines.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// Plain text with a newline at its end.
    pub text: String,
    /// The same facts as JSON.
    pub json: Value,
    /// Exit code: 0, or 1 when the command's answer is no (`diff`, `check`).
    pub exit: u8,
}

/// `text` with the names of options as flags: the library says `option shape`, which is `--shape` here.
pub fn in_flags(text: &str) -> String {
    let mut parts = text.split("option ");
    let mut flags = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = part.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
        let is_known = quantizer::Options::SPECS.iter().any(|spec| spec.name == name);
        flags += if is_known { "--" } else { "option " };
        flags += part;
    }
    flags
}

/// The remarks as lines of text, each with its advice below it.
pub fn note_lines(remarks: &[Remark]) -> String {
    let line = |remark: &Remark| {
        let advice = remark.advice.iter().map(|advice| format!("    {}\n", in_flags(advice)));
        format!("note: {}\n", in_flags(&remark.to_string())) + &advice.collect::<String>()
    };
    remarks.iter().map(line).collect()
}

/// The remarks for JSON.
pub fn note_texts(remarks: &[Remark]) -> Vec<String> {
    remarks.iter().map(|remark| in_flags(&remark.to_string())).collect()
}

/// `text`, or its start and an ellipsis, in at most `width` characters.
pub fn fit(text: &str, width: usize) -> String {
    match text.char_indices().nth(width) {
        None => text.to_owned(),
        Some(_) => text.chars().take(width.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// `text` in lines of at most `width` characters, broken at spaces; a longer word stays whole.
pub fn wrap(text: &str, width: usize) -> String {
    let mut lines = String::new();
    let mut used = 0;
    for word in text.split(' ') {
        let len = word.chars().count();
        if used > 0 && used + 1 + len > width {
            lines.push_str("\n  ");
            used = 2;
        } else if used > 0 {
            lines.push(' ');
            used += 1;
        }
        lines.push_str(word);
        used += len;
    }
    lines + "\n"
}

/// `1234567` as `1.23 M`.
pub fn count(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{:.1} k", count as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.2} M", count as f64 / 1e6),
        _ => format!("{:.2} G", count as f64 / 1e9),
    }
}

/// A float in at most 11 characters, exact where that is short.
pub fn float(value: f32) -> String {
    let plain = value.to_string();
    match value.abs() {
        _ if plain.len() <= 9 => plain,
        1e-3..1e3 => format!("{value:.6}"),
        _ => format!("{value:.4e}"),
    }
}

/// A table with a heading; all columns but the first `left` are aligned right.
pub fn table(heading: &[&str], rows: Vec<Vec<String>>, left: usize) -> String {
    let mut table = Table::new();
    table.load_preset("     --            ").set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(heading.to_vec());
    table.add_rows(rows);
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        column.set_cell_alignment(if index < left { CellAlignment::Left } else { CellAlignment::Right });
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

/// `1234567` bytes as `1.23 MB`.
pub fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{:.1} kB", count as f64 / 1e3),
        _ => format!("{:.2} MB", count as f64 / 1e6),
    }
}

/// `part` of `whole` as `184/200 (92.00 %)`.
pub fn share(part: usize, whole: usize) -> String {
    if whole == 0 { "none".to_owned() } else { format!("{part}/{whole} ({:.2} %)", 100.0 * part as f64 / whole as f64) }
}

/// A ratio in dB; equal signals have no noise.
pub fn decibels(db: f64) -> String {
    if db == f64::INFINITY { "exact".to_owned() } else { format!("{db:.1} dB") }
}

/// A float as JSON; JSON has no infinity, so that becomes a word.
pub fn json_float(value: f64) -> Value {
    if value.is_finite() { Value::from(value) } else { Value::from(value.to_string()) }
}

/// A result as JSON, in the form that docs/results.md describes.
///
/// # Errors
/// `Invalid` when it has no such form.
pub fn serialized(result: &impl Serialize) -> Result<Value> {
    serde_json::to_value(result).map_err(|error| Error::invalid("cannot be written as JSON").caused_by(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_flags_here() {
        for (text, expected) in [
            ("give option shape w,h,c", "give --shape w,h,c"),
            ("(option skip-bad goes on)", "(--skip-bad goes on)"),
            ("option out", "--out"),
            ("no option is known", "no option is known"),
            ("an adoption of option shapes", "an adoption of option shapes"),
            ("", ""),
        ] {
            assert_eq!(in_flags(text), expected);
        }
    }
}
