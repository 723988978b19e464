//! Any text is a scale table or an error, in bounded memory; a table reads back
//! with the same keys, and its text is then stable.

#![no_main]

use fuzz::bounded;
use libfuzzer_sys::fuzz_target;
use ncnn_format::{Limits, ScaleTable};

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(table) = bounded(text.len(), || ScaleTable::parse_with(text, &Limits::default())) else { return };
    let written = table.to_text();
    let again = ScaleTable::parse(&written).expect("what was written can be read");
    assert_eq!(again.rows.len(), table.rows.len());
    for (again, row) in again.rows.iter().zip(&table.rows) {
        assert_eq!((&again.key, again.values.len()), (&row.key, row.values.len()));
    }
    assert_eq!(again.to_text(), written, "writing is idempotent");
});
