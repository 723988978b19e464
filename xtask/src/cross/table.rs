//! kernel × CPU → cases.

use std::collections::BTreeSet;

use super::suite::Outcome;

/// A CPU's name and what came of its tests.
pub(crate) type Column = (&'static str, Outcome);

/// The table of an architecture: a row for every kernel, a column for every CPU.
pub(crate) fn describe(architecture: &str, columns: &[Column]) -> String {
    let kernels: BTreeSet<&str> =
        columns.iter().flat_map(|(_, outcome)| outcome.cases.keys().map(String::as_str)).collect();
    let mut header = vec![format!("{architecture}: cases that were right")];
    header.extend(columns.iter().map(|(cpu, _)| (*cpu).to_owned()));
    let row = |kernel: &&str| {
        let cases = columns.iter().map(|(_, outcome)| match outcome.cases.get(*kernel) {
            Some(cases) => cases.to_string(),
            None => "-".to_owned(),
        });
        std::iter::once((*kernel).to_owned()).chain(cases).collect::<Vec<_>>()
    };
    let mut rows: Vec<Vec<String>> = kernels.iter().map(row).collect();
    let tests = columns.iter().map(|(_, outcome)| outcome.passed.to_string());
    rows.push(std::iter::once("tests passed".to_owned()).chain(tests).collect());
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    ncnn_quant::output::table(&header, rows, 1)
}
