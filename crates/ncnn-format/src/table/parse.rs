//! Reading a `.table`.

use crate::{Error, Limits, Result, ScaleTable, TableRow};

/// ncnn cuts longer keys.
const KEY_BYTES: usize = 255;

/// table = { row | comment | blank line } ;
pub(crate) fn parse_table(text: &str, limits: &Limits) -> Result<ScaleTable> {
    if text.len() as u64 > limits.text_bytes {
        return Err(Error::too_large(format!("{} bytes of text, the limit is {}", text.len(), limits.text_bytes)));
    }
    let mut table = ScaleTable::default();
    for (number, line) in text.split('\n').enumerate() {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some(row) = row(line, limits).map_err(|error| error.at_line(number + 1))? {
            table.rows.push(row);
        }
    }
    Ok(table)
}

/// row = key , number , { number } ;   (* with one or more blanks between *)
/// comment = "#" , { any character } ;
fn row(line: &str, limits: &Limits) -> Result<Option<TableRow>> {
    let mut fields = line.split(' ').filter(|field| !field.is_empty());
    let key = match fields.next() {
        None => return Ok(None),
        Some(key) if key.starts_with('#') => return Ok(None),
        Some(key) => key,
    };
    if key.len() > KEY_BYTES || key.contains('\0') {
        return Err(Error::malformed(format!("key {key:?} is longer than {KEY_BYTES} bytes or has a zero byte")));
    }
    let mut values = Vec::new();
    for field in fields {
        if values.len() >= limits.array_len {
            return Err(Error::too_large(format!("key {key} has more values than the limit {}", limits.array_len)));
        }
        let value =
            field.parse().map_err(|_| Error::malformed(format!("key {key}: expected a number, found {field:?}")))?;
        values.push(value);
    }
    if values.is_empty() {
        return Err(Error::malformed(format!("key {key:?} has no values")));
    }
    Ok(Some(TableRow { key: key.to_owned(), values }))
}
