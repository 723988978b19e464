//! What is checked, and what is found.

use std::fmt;

/// A rule that was broken, and where.
pub(super) struct Complaint {
    pub(super) file: String,
    pub(super) line: Option<usize>,
    pub(super) what: String,
}

impl Complaint {
    pub(super) fn new(file: &str, line: Option<usize>, what: &str) -> Self {
        Self { file: file.to_owned(), line, what: what.to_owned() }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

/// A file of text.
pub(super) struct File {
    /// Its path from the root of the repository.
    pub(super) name: String,
    pub(super) text: String,
}

impl File {
    pub(super) fn is_rust(&self) -> bool {
        self.name.ends_with(".rs")
    }

    /// Whether it holds nothing but tests.
    pub(super) fn is_test(&self) -> bool {
        self.name.contains("/tests/") || self.name.ends_with("/tests.rs")
    }

    /// Whether it is code of a crate that knows nothing of the command line.
    pub(super) fn is_library(&self) -> bool {
        let library = self.name.starts_with("crates/") && !self.name.starts_with("crates/cli/");
        library && self.is_rust() && self.name.contains("/src/") && !self.is_test()
    }
}
