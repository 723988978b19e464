//! What was compared and how it came out.

use std::fmt::Write as _;
use std::path::Path;

use ncnn_format::{Result, write_whole};
use serde::Serialize;

/// One comparison of one network.
#[derive(Debug, Serialize)]
pub(crate) struct Check {
    /// The network.
    pub model: String,
    /// What was compared.
    pub what: String,
    /// What came out.
    pub found: String,
    /// What was asked for.
    pub wanted: String,
    /// Whether that was reached.
    pub ok: bool,
}

/// All comparisons of a run.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    /// Version of the ncnn wheel.
    pub ncnn_version: String,
    /// The comparisons in the order in which they were made.
    pub checks: Vec<Check>,
    /// What a reader should know, such as layers that deviate within their tolerance.
    pub notes: Vec<String>,
}

impl Report {
    /// How many comparisons failed.
    pub(crate) fn misses(&self) -> usize {
        self.checks.iter().filter(|check| !check.ok).count()
    }

    /// The comparisons from number `from` on, one line each.
    pub(crate) fn lines(&self, from: usize) -> String {
        let mut text = String::new();
        for check in self.checks.iter().skip(from) {
            let Check { model, what, found, wanted, ok } = check;
            let verdict = if *ok { "ok  " } else { "MISS" };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{verdict} {model:<22} {what:<24} {found:<44} {wanted}");
        }
        text
    }

    /// Everything as text.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("ncnn {}\n\n{}", self.ncnn_version, self.lines(0));
        if !self.notes.is_empty() {
            text += "\nnotes\n";
            for note in &self.notes {
                let _ = writeln!(text, "  {note}");
            }
        }
        let _ = writeln!(text, "\n{} comparisons, {} missed", self.checks.len(), self.misses());
        text
    }

    /// Writes `report.txt` and `report.json` into `folder`.
    ///
    /// # Errors
    /// `Io`.
    pub(crate) fn save(&self, folder: &Path) -> Result<()> {
        let json = serde_json::to_string_pretty(self)
            .map_err(|error| ncnn_format::Error::invalid(format!("cannot write the report: {error}")))?;
        write_whole(folder.join("report.txt"), self.text().as_bytes())?;
        write_whole(folder.join("report.json"), json.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_is_counted_and_stands_out() {
        let check =
            |ok| Check { model: "net".into(), what: "fp32 out".into(), found: "1".into(), wanted: "0".into(), ok };
        let report = Report { checks: vec![check(true), check(false)], ..Report::default() };
        assert_eq!(report.misses(), 1);
        assert!(report.text().contains("MISS net") && report.text().ends_with("2 comparisons, 1 missed\n"));
    }

    #[test]
    fn lines_begin_where_they_are_told_and_notes_stand_behind_the_checks() {
        let check = |model: &str| Check {
            model: model.to_owned(),
            what: "fp32 out".into(),
            found: "1e-6".into(),
            wanted: "below 1e-4".into(),
            ok: true,
        };
        let mut report = Report { ncnn_version: "1.0".into(), ..Report::default() };
        report.checks.extend(["first", "second", "third"].map(check));
        assert_eq!(report.lines(1).lines().count(), 2);
        assert!(report.lines(2).starts_with("ok   third"));
        assert_eq!(report.lines(3), "");
        assert!(!report.text().contains("notes"));
        report.notes.push("layer conv deviates".into());
        let text = report.text();
        assert!(text.starts_with("ncnn 1.0\n\nok   first"), "{text}");
        assert!(text.find("third").unwrap() < text.find("notes\n  layer conv deviates\n").unwrap(), "{text}");
        assert!(text.ends_with("\n3 comparisons, 0 missed\n"), "{text}");
    }
}
