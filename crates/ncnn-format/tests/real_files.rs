//! Other people's files: read, and written back byte for byte.
//!
//! None of them is part of this repository. `NCNN_REAL_FILES` names a folder with
//! `.param` and `.table` files in it; without it there is nothing to test. Texts of
//! 2017, which ncnn reads no longer, are written in today's words. Files that ought
//! to be refused stand in a `REFUSED.tsv` in the folder: name, tab, a
//! part of the message.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use ncnn_format::{Limits, Model, ScaleTable, weight_layout};

#[test]
fn real_files_are_read_and_written_back_byte_for_byte() {
    let Some(folder) = std::env::var_os("NCNN_REAL_FILES").map(PathBuf::from) else {
        eprintln!("skipped: NCNN_REAL_FILES names no folder with .param and .table files");
        return;
    };
    let expected = refusals(&folder);
    let mut complaints = Vec::new();
    let mut counts = BTreeMap::<&str, usize>::new();
    for path in files(&folder) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(found) = examine(&path) else { continue };
        match (found, expected.get(&name)) {
            (Ok(()), None) => *counts.entry("round trips").or_default() += 1,
            (Err(message), Some(part)) if message.contains(part) => {
                println!("{name}: {message}");
                *counts.entry("refused as expected").or_default() += 1;
            }
            (Ok(()), Some(part)) => complaints.push(format!("{name}: read, though it should say '{part}'")),
            (Err(message), _) => complaints.push(format!("{name}: {message}")),
        }
    }
    println!("{counts:?}");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(!counts.is_empty(), "no .param and no .table in {}", folder.display());
}

/// `None` when `path` is of another kind.
fn examine(path: &Path) -> Option<Result<(), String>> {
    let bytes = fs::read(path).unwrap();
    match path.extension()?.to_str()? {
        "param" => Some(param(&bytes)),
        "table" => Some(table(&bytes)),
        _ => None,
    }
}

fn param(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let (model, warnings) = Model::from_param_text_with(text, &Limits::default()).map_err(|error| error.to_string())?;
    warnings.iter().for_each(|warning| println!("  {warning}"));
    let written = model.to_param_text();
    let of_2017 = !text.trim_start().starts_with("7767517");
    if of_2017 && Model::from_param_text(&written).map_err(|error| error.to_string())?.layers != model.layers {
        return Err("it means something else in today's words".into());
    }
    if !of_2017 && written != text {
        return Err("the text changed".into());
    }
    model.layers.iter().try_for_each(|layer| weight_layout(layer).map(drop)).map_err(|error| error.to_string())
}

fn table(bytes: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    let table = ScaleTable::parse(text).map_err(|error| error.to_string())?;
    if table.to_text() == text { Ok(()) } else { Err("the text changed".into()) }
}

fn refusals(folder: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder.join("REFUSED.tsv")).unwrap_or_default();
    text.lines().filter_map(|line| line.split_once('\t')).map(|(name, part)| (name.into(), part.into())).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
