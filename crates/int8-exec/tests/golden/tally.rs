//! How many cases came out how.

use std::collections::BTreeMap;

use int8_exec::Roundings;

use super::case::Case;
use super::replay::replay;
use super::verdict::Class;

/// Cases by label, ncnn's options and class.
#[derive(Default)]
pub(crate) struct Tally {
    counts: BTreeMap<String, BTreeMap<String, Counts>>,
    /// What is wrong, a line per case.
    pub(crate) wrong: Vec<String>,
}

/// Numbers of cases by class.
type Counts = BTreeMap<Class, usize>;

/// The cases of a label, for those of ncnn's options that give the same numbers.
pub(crate) struct Row<'a> {
    options: Vec<&'a str>,
    counts: &'a Counts,
}

impl Tally {
    /// Replays all `cases`.
    pub(crate) fn new(cases: &[Case], roundings: Roundings) -> Self {
        let mut tally = Self::default();
        // One after another: runs share their own work among threads, which would begin other cases
        // inside it, deeper and deeper.
        for case in cases {
            let what = |why: String| format!("case {} {:?}: {why}", case.number, case.layers);
            let verdicts = replay(case, roundings).unwrap_or_else(|error| {
                tally.wrong.push(what(error.to_string()));
                vec![("plain".to_owned(), Class::Miss)]
            });
            for (options, class) in verdicts {
                if class == Class::Miss {
                    tally.wrong.push(what(format!("not what ncnn gives, {options}")));
                }
                let counts = tally.counts.entry(case.label.clone()).or_default().entry(options).or_default();
                *counts.entry(class).or_default() += 1;
            }
        }
        tally
    }

    /// The labels that there are, in order.
    pub(crate) fn labels(&self) -> impl Iterator<Item = &str> {
        self.counts.keys().map(String::as_str)
    }

    /// The rows of a label.
    pub(crate) fn rows(&self, label: &str) -> Vec<Row<'_>> {
        let mut rows: Vec<Row<'_>> = Vec::new();
        for (options, counts) in self.counts.get(label).into_iter().flatten() {
            match rows.iter_mut().find(|row| row.counts == counts) {
                Some(row) => row.options.push(options),
                None => rows.push(Row { options: vec![options], counts }),
            }
        }
        rows
    }

    /// Comparisons of all labels and options by class, in words.
    pub(crate) fn total(&self) -> String {
        let mut total = Counts::new();
        for (class, count) in self.counts.values().flat_map(BTreeMap::values).flatten() {
            *total.entry(*class).or_default() += count;
        }
        describe(&total)
    }
}

impl Row<'_> {
    /// Whether a case is not what ncnn gives and should be.
    pub(crate) fn is_wrong(&self) -> bool {
        self.counts.contains_key(&Class::Miss)
    }

    /// Such as `450 equal, 18 within 2 ulp`.
    pub(crate) fn found(&self) -> String {
        describe(self.counts)
    }

    /// ncnn's options.
    pub(crate) fn options(&self) -> String {
        self.options.join(", ")
    }
}

fn describe(counts: &Counts) -> String {
    let found: Vec<String> = counts.iter().map(|(class, count)| format!("{count} {}", class.name())).collect();
    found.join(", ")
}
