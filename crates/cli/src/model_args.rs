//! The files of a network on a command line.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use ncnn_format::{Limits, Model, Result};

/// The fp32 model.
#[derive(Debug, Clone, Args)]
pub struct ModelArgs {
    /// The network's .param file.
    #[arg(long, value_name = "FILE")]
    pub param: PathBuf,
    /// The network's .bin file.
    #[arg(long, value_name = "FILE")]
    pub bin: PathBuf,
}

impl ModelArgs {
    /// Reads both files; oddities in the text are said on standard error.
    ///
    /// # Errors
    /// Those of reading them, naming the file.
    pub fn load(&self) -> Result<Model> {
        let (model, oddities) = Model::load_with(&self.param, &self.bin, &Limits::default())?;
        for oddity in oddities {
            // A courtesy: a closed standard error is no reason to stop.
            let _ = writeln!(std::io::stderr(), "{}", oddity.in_file(&self.param));
        }
        Ok(model)
    }
}
