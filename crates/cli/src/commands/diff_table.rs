//! Differences of two scale tables, in words.

use ncnn_format::{ScaleTable, TableRow};

/// One line per row that differs.
pub(crate) fn diff_tables(old: &ScaleTable, new: &ScaleTable) -> Vec<String> {
    let mut changes = Vec::new();
    for row in &old.rows {
        match find(new, &row.key) {
            None => changes.push(format!("row {}: removed", row.key)),
            Some(other) => changes.extend(diff_row(row, other)),
        }
    }
    changes.extend(
        new.rows.iter().filter(|row| find(old, &row.key).is_none()).map(|row| format!("row {}: added", row.key)),
    );
    if changes.is_empty() && !old.rows.iter().map(|row| &row.key).eq(new.rows.iter().map(|row| &row.key)) {
        changes.push("the rows are in another order, or repeated".to_owned());
    }
    changes
}

/// Of equal keys the last one counts.
fn find<'t>(table: &'t ScaleTable, key: &str) -> Option<&'t TableRow> {
    table.rows.iter().rev().find(|row| row.key == key)
}

fn diff_row(old: &TableRow, new: &TableRow) -> Option<String> {
    let key = &old.key;
    if old.values.len() != new.values.len() {
        return Some(format!("row {key}: {} scales, now {}", old.values.len(), new.values.len()));
    }
    let changed =
        old.values.iter().zip(&new.values).enumerate().filter(|(_, (old, new))| old.to_bits() != new.to_bits());
    let relative = |old: f32, new: f32| {
        let change = (f64::from(new) - f64::from(old)) / f64::from(old);
        // From zero, or to or from what is no number: larger than any.
        if change.is_finite() { change } else { f64::INFINITY }
    };
    let most = changed
        .clone()
        .map(|(index, (&old, &new))| (relative(old, new), index, old, new))
        .max_by(|a, b| a.0.abs().total_cmp(&b.0.abs()))?;
    let (change, index, from, to) = most;
    let percent = if change.is_finite() { format!(" ({:+.3} %)", 100.0 * change) } else { String::new() };
    let count = changed.count();
    Some(if old.values.len() == 1 {
        format!("row {key}: {from} -> {to}{percent}")
    } else {
        format!(
            "row {key}: {count} of {} scales changed, most: scale {index}, {from} -> {to}{percent}",
            old.values.len()
        )
    })
}
