//! A scale table in numbers.

use std::path::Path;

use ncnn_format::{Result, ScaleTable};
use serde_json::{Value, json};

use crate::output::{Output, json_float, table};

/// Rows, counts, ranges.
///
/// # Errors
/// Those of reading the table.
pub(crate) fn inspect_table(path: &Path) -> Result<Output> {
    let scales = ScaleTable::load(path)?;
    let mut not_finite = 0;
    let mut rows = Vec::new();
    let mut json_rows = Vec::new();
    for row in &scales.rows {
        let finite = || row.values.iter().copied().filter(|value| value.is_finite());
        let (min, max) = (finite().fold(f32::INFINITY, f32::min), finite().fold(f32::NEG_INFINITY, f32::max));
        let wrong = row.values.len() - finite().count();
        not_finite += wrong;
        rows.push(vec![
            row.key.clone(),
            row.values.len().to_string(),
            format!("{min:.6}"),
            format!("{max:.6}"),
            wrong.to_string(),
        ]);
        let values: Vec<Value> = row.values.iter().map(|&value| json_float(value.into())).collect();
        json_rows.push(json!({ "key": row.key, "values": values, "not_finite": wrong }));
    }
    let weights = scales.rows.iter().filter(|row| row.key.contains("_param_")).count();
    let text = format!(
        "{}: {} rows ({weights} of weights, {} of inputs), {not_finite} scales not finite\n\n{}",
        path.display(),
        scales.rows.len(),
        scales.rows.len() - weights,
        table(&["row", "scales", "smallest", "largest", "not finite"], rows, 1)
    );
    let json = json!({ "file": path, "rows": json_rows, "not_finite": not_finite });
    Ok(Output { text, json, ..Output::default() })
}
