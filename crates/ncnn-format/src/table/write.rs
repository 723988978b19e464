//! Writing a `.table`.

use std::fmt::Write as _;

use crate::{Error, Result, ScaleTable, TableRow};

/// The text of `table`.
pub(crate) fn write_table(table: &ScaleTable) -> String {
    let mut text = String::new();
    for row in &table.rows {
        match row.source.0.as_deref().filter(|source| says(source, row)) {
            Some(source) => text.push_str(source),
            None => write_row(&mut text, row),
        }
    }
    text.push_str(table.trailer.0.as_deref().unwrap_or(""));
    text
}

fn write_row(text: &mut String, row: &TableRow) {
    text.push_str(&row.key);
    text.push(' ');
    for (name, value) in &row.attributes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{name}={value} ");
    }
    for &value in &row.values {
        let _ = match row.attributes.is_empty() {
            true => write!(text, "{} ", c_fixed(value)),
            // ncnnllm2int takes what it reads as it is: no digit may be lost.
            false => write!(text, "{value} "),
        };
    }
    text.push('\n');
}

/// Whether the remembered text still describes `row`.
fn says(source: &str, row: &TableRow) -> bool {
    let Ok(read) = ScaleTable::parse(source) else { return false };
    let same_bits = |a: &[f32], b: &[f32]| a.iter().map(|v| v.to_bits()).eq(b.iter().map(|v| v.to_bits()));
    matches!(read.rows.as_slice(), [only] if same_words(only, row) && same_bits(&only.values, &row.values))
}

fn same_words(a: &TableRow, b: &TableRow) -> bool {
    a.key == b.key && a.attributes == b.attributes && a.values.len() == b.values.len()
}

/// Whether the text of `table` reads back with the same keys.
pub(crate) fn check_writable(table: &ScaleTable) -> Result<()> {
    table.rows.iter().try_for_each(|row| {
        let text = write_table(&ScaleTable { rows: vec![row.clone()], ..ScaleTable::default() });
        let read = ScaleTable::parse(&text).map_err(|error| Error::invalid(error.message()))?;
        match read.rows.as_slice() {
            [only] if same_words(only, row) => Ok(()),
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
    fn rows_that_were_read_stay_as_they_were_until_they_change() {
        let text = "# by hand\n a_param_0  88.123456789  1e-05\r\n\n#b 1\nb 0.123456789012\nc +inf\n# end";
        let mut table = ScaleTable::parse(text).unwrap();
        let kept = "# by hand\n a_param_0  88.123456789  1e-05\n#b 1\nb 0.123456789012\nc +inf\n# end\n";
        assert_eq!(table.to_text(), kept);
        table.rows[1].values[0] = 0.5;
        assert_eq!(table.to_text(), kept.replace("#b 1\nb 0.123456789012\n", "b 0.500000 \n"));
    }

    #[test]
    fn attributes_are_written_before_numbers_that_keep_all_digits() {
        let mut row = TableRow::new("q_param_0", vec![0.1, 123_456.79, 1e-9]);
        row.attributes = vec![("bits".into(), "4".into()), ("method".into(), "awq".into())];
        let table = ScaleTable { rows: vec![row], ..ScaleTable::default() };
        assert_eq!(table.to_text(), "q_param_0 bits=4 method=awq 0.1 123456.79 0.000000001 \n");
        assert_eq!(ScaleTable::parse(&table.to_text()).unwrap(), table);
        let mut bad = table;
        bad.rows[0].attributes[0].0 = "x y".into();
        assert!(check_writable(&bad).is_err());
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
