//! Lines of text as remarks.

use ncnn_format::Remark;

/// Lines that are good to know, with a code for programs.
pub(super) fn notes(code: &'static str, lines: impl IntoIterator<Item = String>) -> Vec<Remark> {
    lines.into_iter().map(|line| Remark::note(code, line)).collect()
}
