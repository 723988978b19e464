//! What must hold of every file by itself.

use super::file::{Complaint, File};
use super::flags::named;
use super::rust::{tokens, without_tests};
use super::words::{bare_parameter, outside};

/// Lines that a Rust file may have.
const MAX_LINES: usize = 400;
/// Lines that a file of tests may have.
const MAX_TEST_LINES: usize = 600;
/// Where CPUs may be asked what they can do.
const DETECTION: &str = "crates/int8-kernels/src/isa.rs";
/// Where `unsafe` may stand: in kernels, and in the plugin that qemu calls through C.
const UNSAFE_HOMES: [&str; 2] = ["crates/int8-kernels/", "xtask/qemu-count/"];
/// The files here name what they forbid.
const SELF: &str = "xtask/src/tidy/";

/// Checks one file.
pub(super) fn check(file: &File, complaints: &mut Vec<Complaint>) {
    let mut complain = |line: Option<usize>, what: &str| complaints.push(Complaint::new(&file.name, line, what));
    let File { name, text } = file;
    if name != "Cargo.lock" && !name.starts_with(SELF) {
        for (index, line) in text.lines().enumerate() {
            if let Some(found) = machine_specific(line) {
                complain(Some(index + 1), &format!("{found} exists on one machine only or names a registry"));
            }
            if let Some(call) = bare_parameter(name, line) {
                complain(Some(index + 1), &format!("`{call}`: name parameters by the keys of `typed`"));
            }
            if let Some(found) = outside(line) {
                complain(
                    Some(index + 1),
                    &format!("`{found}` is not in the repository: say the fact, or cite ncnn's file"),
                );
            }
        }
    }
    if !file.is_rust() {
        return;
    }
    // The name of a file of unit tests says it all.
    let has_doc = text.starts_with("//!") || text.starts_with("#![doc = include_str!");
    if !has_doc && !name.ends_with("/tests.rs") {
        complain(None, "does not open with a module doc (`//!`)");
    }
    let lines = text.lines().count();
    let most = if file.is_test() { MAX_TEST_LINES } else { MAX_LINES };
    if lines > most {
        complain(None, &format!("{lines} lines, at most {most} wanted"));
    }
    if !UNSAFE_HOMES.iter().any(|home| name.starts_with(home)) {
        if is_crate_root(name) && !text.contains("#![forbid(unsafe_code)]") {
            complain(None, "a crate root without `#![forbid(unsafe_code)]`");
        }
        for index in lines_with_words(text, &["unsafe"]) {
            complain(Some(index), "`unsafe` outside int8-kernels");
        }
    }
    if name != DETECTION && !name.starts_with(SELF) {
        let detection = ["is_x86_feature_detected", "is_aarch64_feature_detected", "getauxval"];
        for index in lines_with_words(text, &detection) {
            complain(Some(index), &format!("CPU detection outside {DETECTION}"));
        }
    }
    if file.is_library() {
        for (line, flag) in named(&without_tests(&tokens(text))) {
            complain(
                Some(line),
                &format!("a library names the flag {flag}; programs without a command line use it too"),
            );
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
        check(&File { name: file.to_owned(), text: text.to_owned() }, &mut found);
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
        assert_eq!(complaints("crates/a/src/b.rs", &text), ["401 lines, at most 400 wanted"]);
        assert_eq!(complaints("crates/a/tests/b.rs", &text), [""; 0]);
    }

    #[test]
    fn cpu_detection_has_one_home() {
        let text = "//! Doc.\nif is_x86_feature_detected!(\"avx2\") {}\n";
        assert_eq!(complaints("crates/int8-kernels/src/gemm.rs", text).len(), 1);
        assert_eq!(complaints(DETECTION, text), [""; 0]);
    }
}
