//! How often the right class comes first.

use std::path::Path;

use ncnn_format::{Error, Result};

use crate::Labels;
use crate::metrics::{Agreement, TopK};

/// How often two networks are right, and how often they agree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scores {
    /// The fp32 network against the labels; counts nothing without labels.
    pub fp32: TopK,
    /// The int8 network against the labels.
    pub int8: TopK,
    /// How often both rank the same class first.
    pub agreement: Agreement,
}

impl Scores {
    /// Counts one sample by its file name and the two outputs.
    ///
    /// # Errors
    /// `Invalid` when labels are given and this sample has none.
    pub(super) fn add(&mut self, name: &str, labels: Option<&Labels>, fp32: &[f32], int8: &[f32]) -> Result<()> {
        self.agreement.add(fp32, int8);
        if let Some(labels) = labels {
            let label = labels
                .of_path(Path::new(name))
                .ok_or_else(|| Error::invalid("the labels have no row for this file").in_file(name))?;
            self.fp32.add(fp32, label);
            self.int8.add(int8, label);
        }
        Ok(())
    }
}
