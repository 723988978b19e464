//! Links from one file of the repository to another.

use std::collections::BTreeSet;

use super::file::{Complaint, File};

/// Checks every link of every document; `names` are all files.
pub(super) fn check(files: &[File], names: &BTreeSet<&str>, complaints: &mut Vec<Complaint>) {
    for file in files.iter().filter(|file| file.name.ends_with(".md")) {
        for (line, link) in links(&file.text) {
            let target = link.split('#').next().unwrap_or_default();
            let is_elsewhere = target.is_empty() || target.contains("://") || target.starts_with("mailto:");
            if !is_elsewhere && !exists(&resolve(&file.name, target), names) {
                complaints.push(Complaint::new(
                    &file.name,
                    Some(line),
                    &format!("links to {link}, which is not there"),
                ));
            }
        }
    }
}

/// The targets of `[text](target)` in `text`, with their lines, without those in code.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut in_code = false;
    for (index, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        for part in line.split("](").skip(1) {
            if let Some((target, _)) = part.split_once(')') {
                found.push((index + 1, target));
            }
        }
    }
    found
}

/// The path of `target`, as the file `from` writes it, from the root of the repository.
fn resolve(from: &str, target: &str) -> String {
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn exists(path: &str, names: &BTreeSet<&str>) -> bool {
    let folder = format!("{path}/");
    names.contains(path) || names.range(folder.as_str()..).next().is_some_and(|name| name.starts_with(&folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_to_what_is_not_there_is_found() {
        let text = "[a](b.md) and [c](../README.md#part)\n```\n[no](link)\n```\n[web](https://example.org/x) [here](#part)\n\
                    [folder](deep/) [gone](deep/x.md)\n";
        let files = [File { name: "docs/a.md".to_owned(), text: text.to_owned() }];
        let names = BTreeSet::from(["README.md", "docs/a.md", "docs/deep/y.md"]);
        let mut found = Vec::new();
        check(&files, &names, &mut found);
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            ["docs/a.md:1: links to b.md, which is not there", "docs/a.md:6: links to deep/x.md, which is not there"]
        );
    }
}
