//! Writing a `.table`.

use std::fmt::Write as _;

use crate::{Error, Result, ScaleTable, TableRow};

/// The text of `table`.
pub(crate) fn write_table(table: &ScaleTable) -> String {
    let mut text = String::new();
    for row in &table.rows {
        text.push_str(&row.key);
        text.push(' ');
        for &value in &row.values {
            // Writing to a String cannot fail.
            let _ = write!(text, "{} ", c_fixed(value));
        }
        text.push('\n');
    }
    text
}

/// Whether the text of `table` reads back with the same keys.
pub(crate) fn check_writable(table: &ScaleTable) -> Result<()> {
    table.rows.iter().try_for_each(|row| {
        let text = write_table(&ScaleTable { rows: vec![row.clone()] });
        let read = ScaleTable::parse(&text).map_err(|error| Error::invalid(error.message()))?;
        let same = |read: &TableRow| read.key == row.key && read.values.len() == row.values.len();
        match read.rows.as_slice() {
            [only] if same(only) => Ok(()),
            _ => Err(Error::invalid(format!("key {:?} cannot be written to a table", row.key))),
        }
    })
}

/// C's `%f`.
fn c_fixed(value: f32) -> String {
    match (value.is_nan(), value.is_sign_negative()) {
        (true, false) => "nan".to_owned(),
        (true, true) => "-nan".to_owned(),
        _ => format!("{value:.6}"),
    }
}
