//! What clippy cannot check: the invariants of the repository as a whole.

use std::path::Path;
use std::process::Command;

use ncnn_format::{Error, Result};

use crate::models::repository;

/// Lines that a Rust file may have.
const MAX_LINES: usize = 600;
/// Bytes that all files of the repository may have together.
const MAX_REPOSITORY_BYTES: u64 = 14_000_000;
/// Where CPUs may be asked what they can do.
const DETECTION: &str = "crates/int8-kernels/src/isa.rs";
/// Where `unsafe` may stand: in kernels, and in the plugin that qemu calls through C.
const UNSAFE_HOMES: [&str; 2] = ["crates/int8-kernels/", "xtask/qemu-count/"];
/// This file names what it forbids.
const SELF: &str = "xtask/src/tidy.rs";

/// A rule that was broken, and where.
struct Complaint {
    file: String,
    line: Option<usize>,
    what: String,
}

/// Checks every file that git knows or would add.
///
/// # Errors
/// `Invalid` with the number of complaints; the complaints are printed.
pub(crate) fn run() -> Result<()> {
    let files = list_files()?;
    let mut complaints = Vec::new();
    let mut bytes = 0;
    for file in &files {
        let path = repository().join(file);
        let content = std::fs::read(&path).map_err(|error| Error::io("cannot read", &path, error))?;
        bytes += content.len() as u64;
        if let Ok(text) = std::str::from_utf8(&content) {
            check_text(file, text, &mut complaints);
        }
    }
    if bytes > MAX_REPOSITORY_BYTES {
        complaints.push(Complaint {
            file: ".".into(),
            line: None,
            what: format!("{bytes} bytes in all files together, at most {MAX_REPOSITORY_BYTES} wanted"),
        });
    }
    for Complaint { file, line, what } in &complaints {
        match line {
            Some(line) => println!("{file}:{line}: {what}"),
            None => println!("{file}: {what}"),
        }
    }
    if complaints.is_empty() {
        println!("tidy: {} files, {:.1} MB", files.len(), bytes as f64 / 1e6);
        Ok(())
    } else {
        Err(Error::invalid(format!("tidy found {} things to put right", complaints.len())))
    }
}

/// Files under version control and new ones that are not ignored.
fn list_files() -> Result<Vec<String>> {
    let output = Command::new("git")
        // The clone may belong to another user than the one who runs the gates.
        .args(["-c", "safe.directory=*", "-C"])
        .arg(repository())
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .output()
        .map_err(|error| Error::io("cannot run git", repository(), error))?;
    if !output.status.success() {
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(Error::invalid(format!("git cannot list the files: {message}")));
    }
    let names = String::from_utf8_lossy(&output.stdout);
    Ok(names
        .split('\0')
        .filter(|name| !name.is_empty() && repository().join(name).is_file())
        .map(str::to_owned)
        .collect())
}

fn check_text(file: &str, text: &str, complaints: &mut Vec<Complaint>) {
    let mut complain = |line: Option<usize>, what: &str| {
        complaints.push(Complaint { file: file.to_owned(), line, what: what.to_owned() });
    };
    if file != "Cargo.lock" && file != SELF {
        for (index, line) in text.lines().enumerate() {
            if let Some(found) = machine_specific(line) {
                complain(Some(index + 1), &format!("{found} exists on one machine only or names a registry"));
            }
        }
    }
    if Path::new(file).extension().is_none_or(|extension| extension != "rs") {
        return;
    }
    // The name of a file of unit tests says it all.
    if !text.starts_with("//!") && !file.ends_with("/tests.rs") {
        complain(None, "does not open with a module doc (`//!`)");
    }
    let lines = text.lines().count();
    if lines > MAX_LINES {
        complain(None, &format!("{lines} lines, at most {MAX_LINES} wanted"));
    }
    if !UNSAFE_HOMES.iter().any(|home| file.starts_with(home)) {
        if is_crate_root(file) && !text.contains("#![forbid(unsafe_code)]") {
            complain(None, "a crate root without `#![forbid(unsafe_code)]`");
        }
        for index in lines_with_words(text, &["unsafe"]) {
            complain(Some(index), "`unsafe` outside int8-kernels");
        }
    }
    if file != DETECTION && file != SELF {
        let detection = ["is_x86_feature_detected", "is_aarch64_feature_detected", "getauxval"];
        for index in lines_with_words(text, &detection) {
            complain(Some(index), &format!("CPU detection outside {DETECTION}"));
        }
    }
}

/// A path, or the choice of a registry, in `line` that must not be in the repository.
fn machine_specific(line: &str) -> Option<&'static str> {
    const REGISTRY_SETTINGS: [&str; 3] = ["index-url", "[registries", "[source."];
    const FOLDERS: [&str; 5] = ["/home/", "/root/", "/tmp/", "/work/", "/Users/"];
    let starts_a_path = |folder: &&&str| {
        line.match_indices(**folder).any(|(at, _)| {
            // After a letter, a dot or a colon it is the middle of a relative path or of a URL.
            line[..at]
                .chars()
                .next_back()
                .is_none_or(|before| !(before.is_alphanumeric() || "./_-}$:".contains(before)))
        })
    };
    REGISTRY_SETTINGS
        .iter()
        .find(|setting| line.contains(**setting))
        .or_else(|| FOLDERS.iter().find(starts_a_path))
        .copied()
}

fn is_crate_root(file: &str) -> bool {
    file.ends_with("src/lib.rs") || file.ends_with("src/main.rs")
}

/// Numbers (from 1) of the lines of code, not of comments, that contain one of `words`.
fn lines_with_words(text: &str, words: &[&str]) -> Vec<usize> {
    let is_word = |part: &str| words.contains(&part);
    text.lines()
        .enumerate()
        .filter(|(_, line)| {
            let code = line.split("//").next().unwrap_or_default();
            // String literals may talk about anything.
            let outside_strings = code.split('"').step_by(2);
            outside_strings.flat_map(|part| part.split(|c: char| !(c.is_alphanumeric() || c == '_'))).any(is_word)
        })
        .map(|(index, _)| index + 1)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(file: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        check_text(file, text, &mut found);
        found.into_iter().map(|complaint| complaint.what).collect()
    }

    #[test]
    fn unsafe_is_found_in_code_and_not_in_comments_strings_or_longer_words() {
        let text = "//! Doc.\n#![forbid(unsafe_code)]\n// unsafe\nlet s = \"unsafe\";\nunsafe { x() }\n";
        assert_eq!(complaints("crates/a/src/lib.rs", text), ["`unsafe` outside int8-kernels"]);
        assert_eq!(complaints("crates/int8-kernels/src/lib.rs", text), [""; 0]);
        assert_eq!(complaints("xtask/qemu-count/src/lib.rs", text), [""; 0]);
    }

    #[test]
    fn a_crate_root_must_forbid_unsafe_and_have_a_doc() {
        assert_eq!(complaints("crates/a/src/lib.rs", "fn f() {}\n").len(), 2);
        assert_eq!(complaints("crates/a/src/other.rs", "//! Doc.\n"), [""; 0]);
    }

    #[test]
    fn a_machine_path_is_found_and_a_relative_or_web_address_is_not() {
        assert_eq!(machine_specific("see /home/me/x"), Some("/home/"));
        assert_eq!(machine_specific("https://example.org/home/x and src/root/x"), None);
        assert_eq!(machine_specific("index-url = \"somewhere\""), Some("index-url"));
    }

    #[test]
    fn a_long_file_is_found() {
        let text = "//! Doc.\n".repeat(MAX_LINES + 1);
        assert_eq!(complaints("crates/a/src/b.rs", &text), ["601 lines, at most 600 wanted"]);
    }

    #[test]
    fn cpu_detection_has_one_home() {
        let text = "//! Doc.\nif is_x86_feature_detected!(\"avx2\") {}\n";
        assert_eq!(complaints("crates/int8-kernels/src/gemm.rs", text).len(), 1);
        assert_eq!(complaints(DETECTION, text), [""; 0]);
    }
}
