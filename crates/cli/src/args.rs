//! Options that several commands share.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use ncnn_format::{Limits, Model, Result};

/// Options of every command.
#[derive(Debug, Clone, Default, Args)]
pub struct RunOptions {
    /// Threads to use, 1 to 512; default: one per processor. Results do not depend on it.
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub threads: Option<u16>,
    /// Print the result as JSON.
    #[arg(long, global = true)]
    pub json: bool,
    /// Do not show progress.
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

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
