//! How often the right class comes first.

use std::path::Path;

use ncnn_format::{Error, Result};

use crate::metrics::{Agreement, TopK};
use crate::{Label, Labels};

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
    /// `Invalid` when labels are given and this sample has none, or one beyond the
    /// number of classes.
    pub(super) fn add(&mut self, name: &str, labels: Option<&Labels>, fp32: &[f32], int8: &[f32]) -> Result<()> {
        self.agreement.add(fp32, int8);
        if let Some(labels) = labels {
            let label = label_of(name, labels)?;
            if label.class >= fp32.len() {
                return Err(Error::invalid(format!(
                    "the label is class {}, the network has {} classes (0 to {})",
                    label.class,
                    fp32.len(),
                    fp32.len() - 1
                ))
                .in_file(name));
            }
            self.fp32.add(fp32, label);
            self.int8.add(int8, label);
        }
        Ok(())
    }

    /// Adds what another counter has seen.
    pub(super) fn merge(&mut self, other: Self) {
        self.fp32.merge(other.fp32);
        self.int8.merge(other.int8);
        self.agreement.merge(other.agreement);
    }
}

/// The label of the sample called `name`.
///
/// # Errors
/// `Invalid` when there is none.
pub(super) fn label_of<'a>(name: &str, labels: &'a Labels) -> Result<&'a Label> {
    labels.of_path(Path::new(name)).ok_or_else(|| Error::invalid("the labels have no row for this file").in_file(name))
}
