//! Small int8 networks, mostly of one layer, here and in the stock runtime.

use std::fs;
use std::path::Path;

use int8_exec::Roundings;
use ncnn_format::{Error, Result};

use super::report::{Check, Report};
use crate::python::Python;

// A link to the tests of int8-exec, which replay some of the same cases; a package has a copy.
#[path = "golden/mod.rs"]
mod golden;

use golden::Tally;

/// What `--model` calls them.
pub(super) const NAME: &str = "int8-layers";
/// Fewer cases than this are no evidence.
const FEWEST_CASES: usize = 1000;
/// Wrong cases that are described.
const MOST_DESCRIBED: usize = 20;

/// Generates the cases with ncnn's outputs, replays them and adds a check per kind of layer and order
/// of rounding. Files go to `folder`.
///
/// # Errors
/// Those of running Python and of reading what it wrote.
pub(super) fn compare(python: &Python, folder: &Path, report: &mut Report) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::io("cannot create", folder, error))?;
    let prefix = folder.join("cases");
    python.int8_cases(&prefix)?;
    let (text, values) = (prefix.with_extension("txt"), prefix.with_extension("bin"));
    let text = fs::read_to_string(&text).map_err(|error| Error::io("cannot read", &text, error))?;
    let values = fs::read(&values).map_err(|error| Error::io("cannot read", &values, error))?;
    let cases = golden::parse(&text, &values)?;
    let check = |what: &str, found, wanted: &str, ok| Check {
        model: NAME.to_owned(),
        what: what.to_owned(),
        found,
        wanted: wanted.to_owned(),
        ok,
    };
    let found = format!("{} cases", cases.len());
    report.checks.push(check("cases", found, &format!("at least {FEWEST_CASES}"), cases.len() >= FEWEST_CASES));
    for (roundings, order) in [(Roundings::Reference, "plain order"), (Roundings::NcnnX86, "x86 order")] {
        let tally = Tally::new(&cases, roundings);
        for label in tally.labels() {
            for row in tally.rows(label) {
                let wanted = format!("ncnn's {}", row.options());
                report.checks.push(check(&format!("{label}, {order}"), row.found(), &wanted, !row.is_wrong()));
            }
        }
        report.checks.push(check(&format!("all, {order}"), tally.total(), "none wrong", tally.wrong.is_empty()));
        for wrong in tally.wrong.iter().take(MOST_DESCRIBED) {
            report.notes.push(format!("{NAME}, {order}: {wrong}"));
        }
    }
    Ok(())
}
