//! `ncnn-quant diff`: what changed from one file to another.

use std::path::PathBuf;

use clap::Args;
use ncnn_format::{Error, Result, ScaleTable};
use serde_json::json;

use super::diff_model::diff_models;
use super::diff_table::diff_tables;
use super::model_file::{FileKind, ModelFile, OpenWeights};
use crate::output::Output;

/// Arguments of `diff`.
#[derive(Debug, Clone, Args)]
#[command(after_help = "Exit codes, as of diff(1): 0 the same, 1 different, 2 failed or wrong usage.\n\
    Models are compared by what they say: spaces, the order of parameters, and whether a default is \
    spelled out do not count.\n\
    Weights are compared when both models have a .bin beside them.")]
pub struct DiffArgs {
    /// A .param, .param.bin or .table file.
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// Another file of the same kind.
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
}

/// Compares the two files.
///
/// # Errors
/// Those of reading either file; `Invalid` when they are of different kinds.
pub fn run(args: &DiffArgs) -> Result<Output> {
    let kinds = (FileKind::of(&args.old)?, FileKind::of(&args.new)?);
    let mut notes = Vec::new();
    let changes = match kinds {
        (FileKind::Table, FileKind::Table) => diff_tables(&ScaleTable::load(&args.old)?, &ScaleTable::load(&args.new)?),
        (FileKind::Model, FileKind::Model) => {
            let (old, new) = (ModelFile::load(&args.old, None)?, ModelFile::load(&args.new, None)?);
            let bins = (old.open_bin()?, new.open_bin()?);
            let weights = match &bins {
                (Some(a), Some(b)) => Some((OpenWeights::find(&old.model, a)?, OpenWeights::find(&new.model, b)?)),
                _ => {
                    notes.push("weights not compared: there is no .bin beside both models".to_owned());
                    None
                }
            };
            diff_models(&old.model, &new.model, weights.as_ref())?
        }
        _ => return Err(Error::invalid("a model and a table cannot be compared")),
    };
    let mut text: String = changes.iter().map(|change| format!("{change}\n")).collect();
    if changes.is_empty() {
        text += "no differences\n";
    }
    notes.iter().for_each(|note| text += &format!("{note}\n"));
    let json = json!({ "same": changes.is_empty(), "changes": changes, "notes": notes });
    Ok(Output { text, json, exit: u8::from(!changes.is_empty()) })
}
