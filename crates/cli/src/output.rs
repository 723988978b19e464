//! What a command has to say.

use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde_json::Value;

/// A command's result, for people and for machines.
#[derive(Debug, Clone, Default)]
pub struct Output {
    /// Plain text with a newline at its end.
    pub text: String,
    /// The same facts as JSON.
    pub json: Value,
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
