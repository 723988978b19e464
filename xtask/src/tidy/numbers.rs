//! How much there is: lines of code and of tests, doctests, examples, public items.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{Complaint, File};
use super::rust::{Kind, Token, tokens, without_tests};
use crate::models::repository;

/// Lines of tests per line of code, in all crates together.
const LEAST_RATIO: f64 = 0.6;
/// Examples in documentation that are compiled.
const LEAST_DOCTESTS: usize = 40;

/// What a crate has. Blank lines and comments are neither code nor tests.
#[derive(Debug, Default, PartialEq, Eq)]
struct Numbers {
    code: usize,
    /// Lines in files and modules of tests and in doctests.
    tests: usize,
    doctests: usize,
    examples: usize,
}

impl Numbers {
    fn ratio(&self) -> f64 {
        self.tests as f64 / self.code.max(1) as f64
    }

    fn add(mut self, other: &Self) -> Self {
        self.code += other.code;
        self.tests += other.tests;
        self.doctests += other.doctests;
        self.examples += other.examples;
        self
    }
}

fn count_all(files: &[File]) -> BTreeMap<&str, Numbers> {
    let mut crates: BTreeMap<&str, Numbers> = BTreeMap::new();
    for file in files {
        if let Some((name, path)) = file.name.strip_prefix("crates/").and_then(|name| name.split_once('/')) {
            count(path, &file.text, crates.entry(name).or_default());
        }
    }
    crates
}

/// Checks that all crates together have tests and doctests enough.
pub(super) fn check(files: &[File], complaints: &mut Vec<Complaint>) {
    let all = count_all(files).values().fold(Numbers::default(), Numbers::add);
    if all.ratio() < LEAST_RATIO {
        let what = format!("{:.2} lines of tests per line of code, at least {LEAST_RATIO} wanted", all.ratio());
        complaints.push(Complaint::new("crates", None, &what));
    }
    if all.doctests < LEAST_DOCTESTS {
        let what = format!("{} doctests, at least {LEAST_DOCTESTS} wanted", all.doctests);
        complaints.push(Complaint::new("crates", None, &what));
    }
}

/// Prints a line for each crate and one for all together.
pub(super) fn print(files: &[File]) {
    let crates = count_all(files);
    println!(
        "{:14}{:>8}{:>8}{:>7}{:>10}{:>10}{:>8}",
        "crate", "code", "tests", "ratio", "doctests", "examples", "public"
    );
    for (name, numbers) in &crates {
        line(name, numbers, &public_items(name).map_or("?".to_owned(), |count| count.to_string()));
    }
    line("all", &crates.values().fold(Numbers::default(), Numbers::add), "");
    println!("public items are counted after `cargo doc --workspace --no-deps`; without methods, fields and variants");
}

fn line(name: &str, numbers: &Numbers, public: &str) {
    let (ratio, Numbers { code, tests, doctests, examples }) = (numbers.ratio(), numbers);
    println!("{name:14}{code:>8}{tests:>8}{ratio:>7.2}{doctests:>10}{examples:>10}{public:>8}");
}

/// Adds what the file `path` of a crate has.
fn count(path: &str, text: &str, numbers: &mut Numbers) {
    if path == "README.md" {
        add_doctests(text.lines(), numbers);
    }
    if !path.ends_with(".rs") {
        return;
    }
    let is_example = path.starts_with("examples/");
    numbers.examples += usize::from(is_example && (path.matches('/').count() == 1 || path.ends_with("/main.rs")));
    let all = tokens(text);
    if path.starts_with("tests/") || path.ends_with("/tests.rs") {
        numbers.tests += lines(&all);
    } else {
        let code = lines(&without_tests(&all));
        numbers.code += code;
        numbers.tests += lines(&all) - code;
    }
    let docs = all.iter().filter(|token| token.kind == Kind::Doc).map(|token| &token.text[3..]);
    add_doctests(docs.map(|line| line.strip_prefix(' ').unwrap_or(line)), numbers);
}

/// The number of lines that have something else than comments.
fn lines(tokens: &[Token<'_>]) -> usize {
    let code = tokens.iter().filter(|token| !token.is_comment());
    code.flat_map(|token| token.line..=token.line + token.text.matches('\n').count()).collect::<BTreeSet<_>>().len()
}

/// Adds the examples in `lines` of documentation that are compiled.
fn add_doctests<'a>(lines: impl Iterator<Item = &'a str>, numbers: &mut Numbers) {
    let mut fence = None;
    for line in lines {
        match (line.trim().strip_prefix("```"), fence) {
            (Some(words), None) => {
                let is_rust = words.split(',').all(|word| matches!(word, "" | "rust" | "no_run" | "should_panic"));
                fence = Some(is_rust);
                numbers.doctests += usize::from(is_rust);
            }
            (Some(_), Some(_)) => fence = None,
            (None, Some(true)) => numbers.tests += usize::from(!line.trim().is_empty()),
            _ => {}
        }
    }
}

/// The items that the documentation of a crate lists; `None` if it was not made.
fn public_items(folder: &str) -> Option<usize> {
    let name = if folder == "cli" { "ncnn_quant".to_owned() } else { folder.replace('-', "_") };
    let list = std::fs::read_to_string(repository().join("target/doc").join(name).join("all.html")).ok()?;
    Some(list.matches("<li><a href=").count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_tests_and_doctests_are_counted_without_comments_and_blank_lines() {
        let text = "//! Doc.\n//! ```\n//! f();\n//!\n//! # g();\n//! ```\n//! ```text\n//! no\n//! ```\n\n// why\nfn f() {}\n\
                    const S: &str = \"a\n b\";\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {}\n}\n";
        let mut numbers = Numbers::default();
        count("src/lib.rs", text, &mut numbers);
        assert_eq!(numbers, Numbers { code: 3, tests: 5 + 2, doctests: 1, examples: 0 });
    }

    #[test]
    fn too_few_tests_are_found() {
        let file = |text: String| [File { name: "crates/a/src/lib.rs".to_owned(), text }];
        let mut complaints = Vec::new();
        check(&file("fn f() {}\n".to_owned()), &mut complaints);
        assert_eq!(complaints.len(), 2, "tests and doctests");
        check(&file("/// ```\n/// f();\n/// ```\nfn f() {}\n".repeat(LEAST_DOCTESTS)), &mut complaints);
        assert_eq!(complaints.len(), 2);
    }

    #[test]
    fn whole_files_are_tests_or_examples_by_their_place() {
        let mut numbers = Numbers::default();
        for path in ["tests/a.rs", "src/b/tests.rs"] {
            count(path, "fn f() {}\n", &mut numbers);
        }
        for path in ["examples/c.rs", "examples/d/main.rs", "examples/d/part.rs"] {
            count(path, "fn f() {}\n", &mut numbers);
        }
        count("README.md", "```rust,no_run\nf();\n```\n```sh\nls\n```\n", &mut numbers);
        assert_eq!(numbers, Numbers { code: 3, tests: 2 + 1, doctests: 1, examples: 2 });
    }
}
