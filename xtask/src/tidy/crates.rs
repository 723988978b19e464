//! What the crates depend upon, and what of it they use.

use std::collections::BTreeSet;

use super::file::{Complaint, File};
use super::rust::{Kind, tokens, without_tests};

/// The picture in ARCHITECTURE.md: each crate and those of ours that it may depend upon.
///
/// The two leaves name `ncnn-format` only to turn their errors into its error, behind a feature.
const MAY_DEPEND: [(&str, &[&str]); 7] = [
    ("ncnn-format", &[]),
    ("histogram-kl", &["ncnn-format"]),
    ("int8-kernels", &["ncnn-format"]),
    ("fp32-ref", &["ncnn-format"]),
    ("int8-exec", &["ncnn-format", "fp32-ref", "int8-kernels"]),
    ("quantizer", &["ncnn-format", "histogram-kl", "fp32-ref", "int8-exec", "int8-kernels"]),
    ("cli", &["ncnn-format", "histogram-kl", "fp32-ref", "int8-exec", "int8-kernels", "quantizer"]),
];
/// Crates that must build without the dependencies of ours that they have.
const LEAVES: [&str; 3] = ["ncnn-format", "histogram-kl", "int8-kernels"];

/// Files outside tests that may name the layer type Convolution: what a layer is, is said once.
const MAX_NAME_CONVOLUTION: usize = 12;

/// Checks every crate.
pub(super) fn check(files: &[File], complaints: &mut Vec<Complaint>) {
    for file in files {
        let Some(folder) = file.name.strip_prefix("crates/").and_then(|name| name.strip_suffix("/Cargo.toml")) else {
            continue;
        };
        let mut complain = |what: &str| complaints.push(Complaint::new(&file.name, None, what));
        let found = dependencies(&file.text);
        match MAY_DEPEND.iter().find(|(name, _)| *name == folder) {
            Some((_, allowed)) => direction(folder, allowed, &found).iter().for_each(|what| complain(what)),
            None => complain("a crate that the table of dependencies does not know"),
        }
        let named = names(files, &format!("crates/{folder}/src/"));
        packaging(folder, &file.text, files).iter().for_each(|what| complain(what));
        for dependency in found.iter().filter(|dependency| !named.contains(&*dependency.name.replace('-', "_"))) {
            complain(&format!("only tests use {}, or nobody does", dependency.name));
        }
    }
    convolution(files, complaints);
}

/// A line of `[dependencies]`.
struct Dependency {
    name: String,
    optional: bool,
}

fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section == "[dependencies]"
            && let Some((name, _)) = line.split_once(['.', '=', ' '])
            && !line.starts_with('#')
        {
            found.push(Dependency { name: name.to_owned(), optional: line.contains("optional = true") });
        }
    }
    found
}

fn direction(folder: &str, allowed: &[&str], found: &[Dependency]) -> Vec<String> {
    let ours = found.iter().filter(|dependency| MAY_DEPEND.iter().any(|(name, _)| *name == dependency.name));
    ours.filter_map(|dependency| {
        let name = &dependency.name;
        if !allowed.contains(&name.as_str()) {
            Some(format!("depends on {name}, against the direction in ARCHITECTURE.md"))
        } else if LEAVES.contains(&folder) && !dependency.optional {
            Some(format!("a leaf needs {name}; it must be optional"))
        } else {
            None
        }
    })
    .collect()
}

/// What the package of a crate lacks.
fn packaging(folder: &str, manifest: &str, files: &[File]) -> Vec<String> {
    let has = |part: &str| {
        let path = format!("crates/{folder}/{part}");
        files.iter().any(|file| file.name == path || part.ends_with('/') && file.name.starts_with(&path))
    };
    let parts = ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "examples/"].into_iter().filter(|part| !has(part));
    let is_field = |field: &&str| manifest.lines().any(|line| line.starts_with(*field));
    let fields = ["description", "repository", "rust-version"].into_iter().filter(|field| !is_field(field));
    parts.map(|part| format!("the crate has no {part}")).chain(fields.map(|field| format!("has no {field}"))).collect()
}

/// All names in the code below `folder`, tests aside.
fn names<'a>(files: &'a [File], folder: &str) -> BTreeSet<&'a str> {
    let code = files.iter().filter(|file| file.name.starts_with(folder) && file.is_rust() && !file.is_test());
    code.flat_map(|file| words(&file.text)).collect()
}

fn words(text: &str) -> Vec<&str> {
    let kept = without_tests(&tokens(text));
    kept.iter().filter(|token| token.kind == Kind::Word).map(|token| token.text).collect()
}

/// A new layer with weights must not have to be told to every crate.
fn convolution(files: &[File], complaints: &mut Vec<Complaint>) {
    let library = files.iter().filter(|file| file.name.starts_with("crates/") && file.name.contains("/src/"));
    let code =
        |file: &File| file.text.split("#[cfg(test)]").next().is_some_and(|code| words(code).contains(&"Convolution"));
    let named = library.filter(|file| file.is_rust() && !file.is_test() && code(file));
    let named: Vec<&str> = named.map(|file| file.name.as_str()).collect();
    if named.len() > MAX_NAME_CONVOLUTION {
        let what = format!(
            "{} files outside tests name the layer type Convolution, at most {MAX_NAME_CONVOLUTION} may: {}",
            named.len(),
            named.join(", ")
        );
        complaints.push(Complaint::new("crates", None, &what));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, text: &str) -> File {
        File { name: name.to_owned(), text: text.to_owned() }
    }

    const PARTS: [&str; 4] = ["README.md", "LICENSE-MIT", "LICENSE-APACHE", "examples/a.rs"];

    fn complaints(manifest: &str, code: &str) -> Vec<String> {
        let manifest = format!("description = \"\"\nrepository = \"\"\nrust-version = \"\"\n{manifest}");
        let mut files = vec![file("crates/fp32-ref/Cargo.toml", &manifest), file("crates/fp32-ref/src/lib.rs", code)];
        files.extend(PARTS.map(|part| file(&format!("crates/fp32-ref/{part}"), "")));
        let mut found = Vec::new();
        check(&files, &mut found);
        found.into_iter().map(|complaint| complaint.what).collect()
    }

    #[test]
    fn a_dependency_against_the_picture_is_found() {
        let code = "use ncnn_format::Model; use quantizer::Samples;";
        let found = complaints("[dependencies]\nncnn-format.workspace = true\nquantizer = { path = \"x\" }\n", code);
        assert_eq!(found, ["depends on quantizer, against the direction in ARCHITECTURE.md"]);
        assert_eq!(complaints("[dev-dependencies]\nquantizer.workspace = true\n", code), [""; 0]);
    }

    #[test]
    fn a_package_has_its_papers() {
        let files: Vec<File> = PARTS[..3].iter().map(|part| file(&format!("crates/a/{part}"), "")).collect();
        let found = packaging("a", "description.workspace = true\nrust-version = \"1.88\"\n", &files);
        assert_eq!(found, ["the crate has no examples/", "has no repository"]);
    }

    #[test]
    fn a_leaf_needs_nothing_of_ours() {
        let needed = dependencies("[dependencies]\nncnn-format.workspace = true\n");
        let optional = dependencies("[dependencies]\nncnn-format = { workspace = true, optional = true }\n");
        assert_eq!(direction("int8-kernels", &["ncnn-format"], &needed).len(), 1);
        assert_eq!(direction("int8-kernels", &["ncnn-format"], &optional), [""; 0]);
    }

    #[test]
    fn a_dependency_that_only_tests_use_is_found() {
        let code = "use half::f16;\n#[cfg(test)]\nmod tests { use serde_json::json; }";
        let found = complaints("[dependencies]\nhalf.workspace = true\n# why\nserde-json.workspace = true\n", code);
        assert_eq!(found, ["only tests use serde-json, or nobody does"]);
    }

    #[test]
    fn the_files_that_name_convolution_are_counted() {
        let name = |index: usize| format!("crates/a/src/f{index}.rs");
        let files = |count: usize| -> Vec<File> {
            (0..count).map(|index| File { name: name(index), text: "LayerKind::Convolution".to_owned() }).collect()
        };
        let mut found = Vec::new();
        convolution(&files(MAX_NAME_CONVOLUTION), &mut found);
        assert!(found.is_empty());
        convolution(&files(MAX_NAME_CONVOLUTION + 1), &mut found);
        assert_eq!(found.len(), 1);
    }
}
