//! `fixtures/format/`: one small file for each peculiarity met in the field, written
//! by hand, and what becomes of it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ncnn_format::{Limits, Model, Result, ScaleTable, weight_layout};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/format")
}

/// What reading and writing `file` gave: the text, and warnings in one line.
fn read(file: &Path) -> Result<(String, String)> {
    let text = fs::read_to_string(file).unwrap();
    if file.extension().is_some_and(|extension| extension == "table") {
        return Ok((ScaleTable::parse(&text)?.to_text(), String::new()));
    }
    let (model, warnings) = Model::from_param_text_with(&text, &Limits::default())?;
    model.layers.iter().try_for_each(|layer| weight_layout(layer).map(drop))?;
    let warnings: Vec<String> = warnings.into_iter().map(|warning| warning.message).collect();
    Ok((model.to_param_text(), warnings.join("; ")))
}

#[test]
fn every_peculiar_file_has_the_outcome_that_is_written_down() {
    let outcomes = fs::read_to_string(folder().join("OUTCOMES.tsv")).unwrap();
    let mut seen = BTreeSet::new();
    for line in outcomes.lines().filter(|line| !line.starts_with('#')) {
        let [name, outcome, words] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let path = folder().join(name);
        seen.insert(name.to_owned());
        let original = fs::read_to_string(&path).unwrap();
        let found = match read(&path) {
            Ok((text, warnings)) if text != original => ("changes", warnings),
            Ok((_, warnings)) if warnings.is_empty() => ("same", warnings),
            Ok((_, warnings)) => ("warns", warnings),
            Err(error) => ("refused", error.to_string()),
        };
        assert_eq!(found.0, outcome, "{name}: {}", found.1);
        assert!(found.1.contains(words), "{name}: {}", found.1);
    }
    for entry in fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_ours = name.ends_with(".param") || name.ends_with(".table");
        assert!(!is_ours || seen.contains(&name), "{name} is not in OUTCOMES.tsv");
    }
}
