//! What the samples show.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use ncnn_format::{Error, Result};

/// The class of one sample.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The class number.
    pub class: usize,
    /// Further class numbers that count as right.
    pub alternates: Vec<usize>,
}

impl Label {
    /// Whether `class` is right.
    pub fn matches(&self, class: usize) -> bool {
        self.class == class || self.alternates.contains(&class)
    }
}

/// Labels by file name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    by_name: HashMap<String, Label>,
}

impl Labels {
    /// Reads rows of tab-separated `file`, `class` and optionally `alternates`:
    /// class numbers separated by commas, or `-`.
    ///
    /// Empty lines and lines that start with `#` are passed over; one that starts
    /// with `#file` names the columns (`class`, `alt`), so that others may stand
    /// between and after them. Without it, columns after the third are ignored.
    ///
    /// # Errors
    /// `Io`; `Malformed` naming the line for a missing or unreadable number and
    /// for a file named twice; `Invalid` when there is no row.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|error| Error::io("cannot read the labels", path, error))?;
        Self::parse(&text).map_err(|error| error.in_file(path))
    }

    fn parse(text: &str) -> Result<Self> {
        let mut columns = Columns { class: 1, alternates: Some(2) };
        let mut labels = Self::default();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let at_line = |error: Error| error.at_line(index + 1);
            if let Some(header) = line.strip_prefix("#file\t") {
                columns = Columns::from_header(header).map_err(at_line)?;
            } else if !line.trim().is_empty() && !line.starts_with('#') {
                let (path, label) = columns.read(line).map_err(at_line)?;
                // A labelled list of samples may say where they are.
                let name = Path::new(path).file_name().and_then(|name| name.to_str()).unwrap_or(path);
                if labels.by_name.insert(name.to_owned(), label).is_some() {
                    return Err(at_line(Error::malformed(format!("a second row for {name}"))));
                }
            }
        }
        if labels.by_name.is_empty() { Err(Error::invalid("the file has no labels")) } else { Ok(labels) }
    }

    /// The label of the file called `name` (without its folder).
    pub fn get(&self, name: &str) -> Option<&Label> {
        self.by_name.get(name)
    }

    /// The label of the file at `path`, by its name.
    pub fn of_path(&self, path: &Path) -> Option<&Label> {
        self.get(path.file_name()?.to_str()?)
    }

    /// The number of labelled files; at least 1.
    pub fn len(&self) -> usize {
        self.by_name.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }
}

/// Positions of the columns after the file name.
struct Columns {
    class: usize,
    alternates: Option<usize>,
}

impl Columns {
    fn from_header(header: &str) -> Result<Self> {
        let position = |name: &str| header.split('\t').position(|column| column.trim() == name).map(|it| it + 1);
        let class = position("class").ok_or_else(|| Error::malformed("the header names no column 'class'"))?;
        Ok(Self { class, alternates: position("alt") })
    }

    fn read<'a>(&self, line: &'a str) -> Result<(&'a str, Label)> {
        let fields: Vec<&str> = line.split('\t').map(str::trim).collect();
        let class = fields
            .get(self.class)
            .ok_or_else(|| Error::malformed(format!("expected file<TAB>class, found '{line}'")))?;
        let alternates = self.alternates.and_then(|column| fields.get(column)).copied().unwrap_or_default();
        let alternates = match alternates {
            "" | "-" => Vec::new(),
            list => list.split(',').map(class_number).collect::<Result<_>>()?,
        };
        Ok((fields[0], Label { class: class_number(class)?, alternates }))
    }
}

fn class_number(text: &str) -> Result<usize> {
    text.trim().parse().map_err(|_| Error::malformed(format!("expected a class number, found '{text}'")))
}

/// Names of classes: line n (from 0) names class n.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClassNames {
    names: Vec<String>,
}

impl ClassNames {
    /// Reads one name per line.
    ///
    /// # Errors
    /// `Io`; `Invalid` when the file is empty.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = fs::read_to_string(path).map_err(|error| Error::io("cannot read the class names", path, error))?;
        let names: Vec<String> =
            text.trim_start_matches('\u{feff}').trim_end().lines().map(|line| line.trim().to_owned()).collect();
        if names.is_empty() { Err(Error::invalid("the file names no class").in_file(path)) } else { Ok(Self { names }) }
    }

    /// The name of `class`.
    pub fn get(&self, class: usize) -> Option<&str> {
        self.names.get(class).map(String::as_str)
    }

    /// The number of classes; at least 1.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        Labels::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn two_columns_suffice() {
        let labels = Labels::parse("a.png\t9\r\nb c.png\t2\n").unwrap();
        assert_eq!(labels.len(), 2);
        assert!(!labels.is_empty());
        assert_eq!(labels.get("a.png").unwrap(), &Label { class: 9, alternates: vec![] });
        assert_eq!(labels.of_path(Path::new("x/b c.png")).unwrap().class, 2);
        assert_eq!(labels.get("c.png"), None);
    }

    #[test]
    fn alternates_count_as_right() {
        let labels = Labels::parse("# ours\n\na\t5\t6,7\nb\t5\t-\tname\n").unwrap();
        let a = labels.get("a").unwrap();
        assert!(a.matches(5) && a.matches(7) && !a.matches(8));
        assert!(labels.get("b").unwrap().alternates.is_empty());
    }

    #[test]
    fn a_header_says_where_the_columns_are() {
        let labels = Labels::parse("#file\tname\tclass\turl\na\tcat\t3\thttp\n").unwrap();
        assert_eq!(labels.get("a").unwrap(), &Label { class: 3, alternates: vec![] });
        let labels = Labels::parse("#file\tclass\tname\talt\na\t3\tcat\t4\n").unwrap();
        assert!(labels.get("a").unwrap().matches(4));
        assert_eq!(message("#file\tname\n"), "line 1: the header names no column 'class'");
    }

    #[test]
    fn bad_rows_are_named_by_line() {
        assert_eq!(message("a\t1\na\t2\n"), "line 2: a second row for a");
        assert_eq!(message("a 1\n"), "line 1: expected file<TAB>class, found 'a 1'");
        assert_eq!(message("a\tcat\n"), "line 1: expected a class number, found 'cat'");
        assert_eq!(message("a\t1\tcat\n"), "line 1: expected a class number, found 'cat'");
        assert_eq!(message("# nothing\n"), "the file has no labels");
    }

    #[test]
    fn files_are_named_in_errors() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("labels.tsv");
        assert!(Labels::load(&path).unwrap_err().to_string().contains("labels.tsv: cannot read the labels: "));
        assert!(ClassNames::load(&path).unwrap_err().to_string().contains("cannot read the class names"));
        fs::write(&path, "a\tx\n").unwrap();
        assert!(Labels::load(&path).unwrap_err().to_string().contains("labels.tsv:1: expected a class number"));
        fs::write(&path, "\n").unwrap();
        assert!(ClassNames::load(&path).unwrap_err().to_string().ends_with("the file names no class"));
    }

    #[test]
    fn class_names_are_counted_by_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("names.txt");
        fs::write(&path, "tench\ngold fish\n\nshark\n").unwrap();
        let names = ClassNames::load(&path).unwrap();
        assert_eq!(
            (names.len(), names.get(1), names.get(3), names.get(4)),
            (4, Some("gold fish"), Some("shark"), None)
        );
        assert!(!names.is_empty());
    }
}
