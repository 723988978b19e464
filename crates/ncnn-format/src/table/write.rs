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

#[cfg(test)]
mod tests {
    use super::*;

    fn table(key: &str, values: &[f32]) -> ScaleTable {
        let mut table = ScaleTable::default();
        table.push(key, values.to_vec());
        table
    }

    #[test]
    fn writes_as_ncnn2table_does() {
        let values = [1.5, f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -f32::NAN, 1e9, 1e-7, -0.0];
        assert_eq!(
            table("conv_param_0", &values).to_text(),
            "conv_param_0 1.500000 inf -inf nan -nan 1000000000.000000 0.000000 -0.000000 \n"
        );
    }

    #[test]
    fn ties_go_to_the_even_digit_as_in_c() {
        // 2^-7 and 3 · 2^-7 have exactly seven decimals, the last one a five.
        assert_eq!(table("a", &[0.007_812_5, 0.023_437_5]).to_text(), "a 0.007812 0.023438 \n");
    }

    #[test]
    fn keys_that_would_not_read_back_are_refused() {
        for key in ["", "a b", "a\nb", "#a", "a\r\n"] {
            let error = check_writable(&table(key, &[1.0])).unwrap_err();
            assert_eq!(error.kind(), crate::ErrorKind::Invalid, "{key:?}");
        }
        assert!(check_writable(&table("a", &[])).is_err());
        assert!(check_writable(&table("a", &[f32::NAN])).is_ok());
    }
}
