//! Reading a `.table`.

use crate::foreign::explain;
use crate::{Error, Limits, Result, ScaleTable, SourceText, TableRow};

/// ncnn cuts longer keys.
const KEY_BYTES: usize = 255;

/// table = { row | comment | blank line } ;
pub(crate) fn parse_table(text: &str, limits: &Limits) -> Result<ScaleTable> {
    if text.len() as u64 > limits.text_bytes {
        return Err(Error::too_large(format!("{} bytes of text, the limit is {}", text.len(), limits.text_bytes)));
    }
    let mut table = ScaleTable::default();
    // What stood between the last row and this line.
    let mut source = String::new();
    for (number, line) in text.split('\n').enumerate() {
        let line = line.trim_end_matches('\r');
        if line.bytes().all(|byte| byte == b' ') {
            continue;
        }
        source.push_str(line);
        source.push('\n');
        let read = row(line, limits).map_err(|error| explain(error.at_line(number + 1), text.as_bytes()));
        if let Some(mut row) = read? {
            row.source = SourceText(Some(std::mem::take(&mut source).into()));
            table.rows.push(row);
        }
    }
    if !source.is_empty() {
        table.trailer = SourceText(Some(source.into()));
    }
    Ok(table)
}

/// row = key , { attribute } , number , { number } ;   (* with one or more blanks between *)
/// comment = "#" , { any character } ;
fn row(line: &str, limits: &Limits) -> Result<Option<TableRow>> {
    let mut fields = line.split(' ').filter(|field| !field.is_empty());
    let key = match fields.next() {
        None => return Ok(None),
        Some(key) if key.starts_with('#') => return Ok(None),
        Some(key) => key,
    };
    if key.len() > KEY_BYTES {
        let len = key.len();
        return Err(Error::malformed(format!("a key of {len} bytes, ncnn cuts at {KEY_BYTES}: {:.40}…", key)));
    }
    if key.contains('\0') {
        return Err(Error::malformed(format!("key {key:?} has a zero byte, at which ncnn cuts")));
    }
    let mut row = TableRow::new(key, Vec::new());
    for field in fields {
        if row.values.len().saturating_add(row.attributes.len()) >= limits.array_len {
            return Err(Error::too_large(format!("key {key} has more values than the limit {}", limits.array_len)));
        }
        match (field.parse(), attribute(field)) {
            (Ok(value), _) => row.values.push(value),
            (Err(_), Some(attribute)) if row.values.is_empty() => row.attributes.push(attribute),
            _ => return Err(Error::malformed(format!("key {key}: expected a number, found {field:?}"))),
        }
    }
    if row.values.is_empty() {
        return Err(Error::malformed(format!("key {key:?} has no values")));
    }
    Ok(Some(row))
}

/// attribute = letter , { any character but "=" and blank } , "=" , { any character but blank } ;
fn attribute(field: &str) -> Option<(String, String)> {
    let (name, value) = field.split_once('=')?;
    name.starts_with(|c: char| c.is_ascii_alphabetic()).then(|| (name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        parse_table(text, &Limits::default()).unwrap_err().to_string()
    }

    #[test]
    fn reads_what_ncnn2table_writes() {
        let table = ScaleTable::parse("conv_param_0 1.500000 inf \r\nconv 0.000001 \n").unwrap();
        assert_eq!(table.weight_scales("conv"), Some(&[1.5, f32::INFINITY][..]));
        assert_eq!(table.input_scale("conv"), Some(0.000_001));
        assert_eq!((table.weight_scales("other"), table.input_scale("other")), (None, None));
    }

    #[test]
    fn blank_lines_and_comments_are_no_rows() {
        let table = ScaleTable::parse("# made by hand\n\n  \nconv 1 \n#conv 2\n").unwrap();
        assert_eq!(table.rows.len(), 1);
    }

    #[test]
    fn of_equal_keys_all_are_kept_and_the_last_wins() {
        let table = ScaleTable::parse("a 1\na 2\na_param_0 3\na_param_0 4\n").unwrap();
        assert_eq!(table.rows.len(), 4);
        assert_eq!((table.input_scale("a"), table.weight_scales("a")), (Some(2.0), Some(&[4.0][..])));
    }

    #[test]
    fn attributes_stand_between_key_and_numbers() {
        let table = ScaleTable::parse("q_param_1 bits=6 block=64 method=gptq qweight=a=b.qw 1.5 2\n").unwrap();
        let row = &table.rows[0];
        assert_eq!(
            (row.attribute("bits"), row.attribute("qweight"), row.attribute("x")),
            (Some("6"), Some("a=b.qw"), None)
        );
        assert_eq!((row.attributes.len(), table.param_scales("q", 1)), (4, Some(&[1.5, 2.0][..])));
        insta::assert_snapshot!(error("q 1 bits=6"), @r#"line 1: key q: expected a number, found "bits=6""#);
        insta::assert_snapshot!(error("q =6 1"), @r#"line 1: key q: expected a number, found "=6""#);
        insta::assert_snapshot!(error("q bits=6"), @r#"line 1: key "q" has no values"#);
    }

    #[test]
    fn nan_is_a_number() {
        let table = ScaleTable::parse("a nan -nan -inf").unwrap();
        assert!(table.rows[0].values[0].is_nan() && table.rows[0].values[1].is_nan());
    }

    #[test]
    fn errors_name_line_and_key() {
        insta::assert_snapshot!(error("a 1 \nconv1 1.0 x 2.0\n"), @r#"line 2: key conv1: expected a number, found "x""#);
        insta::assert_snapshot!(error("a 1.0f\n"), @r#"line 1: key a: expected a number, found "1.0f""#);
        insta::assert_snapshot!(error("a\t1.0\n"), @r#"line 1: key "a\t1.0" has no values"#);
        insta::assert_snapshot!(error("a 1\t2\n"), @r#"line 1: key a: expected a number, found "1\t2""#);
        insta::assert_snapshot!(error("a\n"), @r#"line 1: key "a" has no values"#);
        insta::assert_snapshot!(error(&format!("{} 1", "k".repeat(256))), @"line 1: a key of 256 bytes, ncnn cuts at 255: kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk…");
        insta::assert_snapshot!(error("a\0b 1"), @r#"line 1: key "a\0b" has a zero byte, at which ncnn cuts"#);
    }

    #[test]
    fn limits_are_kept() {
        let tiny = Limits { text_bytes: 10, array_len: 2, ..Limits::default() };
        let error = |text| parse_table(text, &tiny).unwrap_err().to_string();
        insta::assert_snapshot!(error("a 1 2 3"), @"line 1: key a has more values than the limit 2");
        insta::assert_snapshot!(error("a 1 2 3 4 5"), @"11 bytes of text, the limit is 10");
    }
}
