//! The list of the gates' steps, which stands in three places.

use super::file::{Complaint, File};

const SCRIPT: &str = ".ci/run";
const PAPER: &str = "CONTRIBUTING.md";

/// Checks that `.ci/run` does, names and documents the same steps.
pub(super) fn check(files: &[File], complaints: &mut Vec<Complaint>) {
    let text = |name: &str| files.iter().find(|file| file.name == name).map_or("", |file| &file.text);
    let done = behind(text(SCRIPT), "steps=(", Some(')'));
    for (name, words, end) in [(SCRIPT, "the steps are: ", Some('"')), (PAPER, "# single steps: ", None)] {
        let named = behind(text(name), words, end);
        if named != done {
            let what = format!("says that the steps are {named:?}, {SCRIPT} does {done:?}");
            complaints.push(Complaint::new(name, None, &what));
        }
    }
}

/// What stands behind the last `words`, up to `end` or the end of the line.
fn behind<'a>(text: &'a str, words: &str, end: Option<char>) -> &'a str {
    let line = text.rsplit(words).next().and_then(|rest| rest.lines().next()).unwrap_or_default();
    line.split(|c| Some(c) == end).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_is_missing_from_the_paper_is_found() {
        let script = "echo \"the steps are: fmt test\"\nsteps=(\"$@\")\nsteps=(fmt test)\n";
        let found = |paper: &str| {
            let file = |name: &str, text: &str| File { name: name.to_owned(), text: text.to_owned() };
            let mut complaints = Vec::new();
            check(&[file(SCRIPT, script), file(PAPER, paper)], &mut complaints);
            complaints.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(found(".ci/run fmt # single steps: fmt test\n```\n"), [""; 0]);
        assert_eq!(
            found("# single steps: fmt\n"),
            ["CONTRIBUTING.md: says that the steps are \"fmt\", .ci/run does \"fmt test\""]
        );
    }
}
