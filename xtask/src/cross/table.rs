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

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(cases: &[(&str, u64)], passed: u64) -> Outcome {
        let cases = cases.iter().map(|&(kernel, count)| (kernel.to_owned(), count)).collect();
        Outcome { cases, passed, ..Outcome::default() }
    }

    #[test]
    fn every_kernel_has_a_row_and_every_cpu_a_column() {
        let columns = [
            ("cortex-a53", outcome(&[("dense_8x8c4__neon", 300), ("dense_1x1c4__scalar", 20)], 7)),
            ("cortex-a76", outcome(&[("dense_8x8c4__dotprod", 400)], 12)),
        ];
        let table = describe("aarch64", &columns);
        let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0], ["aarch64:", "cases", "that", "were", "right", "cortex-a53", "cortex-a76"]);
        let body: Vec<&Vec<&str>> =
            rows.iter().filter(|row| row.first().is_some_and(|word| word.contains("__"))).collect();
        assert_eq!(
            body,
            [
                &["dense_1x1c4__scalar", "20", "-"],
                &["dense_8x8c4__dotprod", "-", "400"],
                &["dense_8x8c4__neon", "300", "-"]
            ]
        );
        assert_eq!(rows.last().unwrap(), &["tests", "passed", "7", "12"]);
    }

    #[test]
    fn a_target_without_kernels_still_says_how_many_tests_passed() {
        let table = describe("riscv64", &[("rv64", outcome(&[], 3))]);
        assert!(table.lines().last().unwrap().ends_with('3'), "{table}");
    }
}
