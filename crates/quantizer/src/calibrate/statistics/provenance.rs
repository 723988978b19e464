//! Where counts come from.

use ncnn_format::{Error, Model, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::dataset::in_hex;

/// The contents of a model's two files, as 64 hexadecimal digits each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelPrint {
    /// SHA-256 of the `.param` text.
    pub param_sha256: String,
    /// SHA-256 of the `.bin`.
    pub bin_sha256: String,
}

/// The model, its inputs and the data set that counts belong to.
///
/// Neither paths nor times nor anything of the machine: the same work gives the same bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The model that was run.
    pub model: ModelPrint,
    /// How samples became tensors, one line per input.
    pub inputs: Vec<String>,
    /// Further options that decide what is counted, one per line.
    pub options: Vec<String>,
    /// Whether 3×3 convolutions were added up product by product
    /// ([`CalibrateOptions::plain_sums`](crate::calibrate::CalibrateOptions::plain_sums)).
    pub plain_sums: bool,
    /// How many samples the data set has.
    pub samples: usize,
}

impl ModelPrint {
    /// That of a model with its weights.
    ///
    /// # Errors
    /// As [`Model::bin_bytes`].
    pub fn of(model: &Model) -> Result<Self> {
        let print = |bytes: &[u8]| in_hex(&Sha256::digest(bytes));
        Ok(Self { param_sha256: print(model.to_param_text().as_bytes()), bin_sha256: print(&model.bin_bytes()?) })
    }

    /// # Errors
    /// `Invalid` when `other` is of another model, saying which file differs.
    pub(super) fn check_same(&self, other: &Self) -> Result<()> {
        check_same(".param", &self.param_sha256, &other.param_sha256)?;
        check_same(".bin", &self.bin_sha256, &other.bin_sha256)
    }
}

impl Origin {
    /// # Errors
    /// `Invalid` when the two differ, saying in what.
    pub fn check_same(&self, other: &Self) -> Result<()> {
        self.model.check_same(&other.model)?;
        check_same("input", &self.inputs.join("; "), &other.inputs.join("; "))?;
        check_same("choice of samples", &self.options.join("; "), &other.options.join("; "))?;
        check_same("way to add up", way(self.plain_sums), way(other.plain_sums))?;
        check_same("number of samples", &self.samples.to_string(), &other.samples.to_string())
    }
}

fn way(plain_sums: bool) -> &'static str {
    if plain_sums { "plain sums" } else { "Winograd's algorithm" }
}

fn check_same(what: &str, expected: &str, found: &str) -> Result<()> {
    if expected == found {
        return Ok(());
    }
    let shown = |text: &str| if text.is_empty() { "none".to_owned() } else { text.to_owned() };
    Err(Error::invalid(format!(
        "the statistics are of another {what}: {}, here it is {}",
        shown(expected),
        shown(found)
    )))
}
