//! The public functions of the crate, read in its sources.
//!
//! The lint `unreachable_pub` refuses a `pub` that no user of the crate can reach, so what says `pub fn` is public and
//! what says `pub(crate) fn` is not.

use std::collections::BTreeSet;
use std::path::Path;

/// All of them: module, type and name.
pub(crate) fn public_functions() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 40, "the sources were not read: {found:?}");
    found
}

fn visit(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, found);
        } else {
            let module = path.file_stem().unwrap().to_string_lossy().into_owned();
            functions_of(&module, &std::fs::read_to_string(&path).unwrap(), found);
        }
    }
}

fn functions_of(module: &str, text: &str, found: &mut BTreeSet<String>) {
    let mut of_type = String::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("impl") {
            let rest = rest.strip_prefix('<').map_or(rest, |rest| rest.split_once('>').map_or(rest, |(_, rest)| rest));
            of_type = rest.trim().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned() + "::";
        } else if line == "}" {
            of_type.clear();
        }
        let words = line.trim_start().strip_prefix("pub ").map(|rest| rest.split_once("fn "));
        let Some(Some((before, name))) = words else { continue };
        if before.split_whitespace().all(|word| ["const", "unsafe", "async"].contains(&word)) {
            let name = name.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
            found.insert(format!("{module}::{of_type}{name}"));
        }
    }
}

#[test]
fn functions_and_methods_are_found_and_private_ones_are_not() {
    let text = "pub fn a(x: u8) {}\npub(crate) fn b() {}\nimpl<'a> Image<'a> {\n    pub const fn c() {}\n    fn d() {}\n}\n\
                pub fn e<T>() {}\nimpl From<Isa> for X {\n    fn from() {}\n}\npub const F: fn() = g;\n";
    let mut found = BTreeSet::new();
    functions_of("m", text, &mut found);
    assert!(found.into_iter().eq(["m::Image::c", "m::a", "m::e"]));
}
