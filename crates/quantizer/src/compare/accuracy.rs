//! How often the right class comes first.

use std::path::Path;

use ncnn_format::{Error, Result};

use crate::Labels;
use crate::metrics::top_k;

/// How often two networks are right, and how often they agree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scores {
    /// Samples ranked.
    pub samples: usize,
    /// Samples with a label.
    pub labelled: usize,
    /// The fp32 network against the labels.
    pub fp32: Accuracy,
    /// The int8 network against the labels.
    pub int8: Accuracy,
    /// Samples where both networks rank the same class first.
    pub agree: usize,
}

/// Samples whose class came first, and among the first five.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Accuracy {
    /// The class, or an accepted alternate, came first.
    pub top1: usize,
    /// It came among the first five.
    pub top5: usize,
}

impl Scores {
    /// Counts one sample by its file name and the two outputs.
    ///
    /// # Errors
    /// `Invalid` when labels are given and this sample has none.
    pub(super) fn add(&mut self, name: &str, labels: Option<&Labels>, fp32: &[f32], int8: &[f32]) -> Result<()> {
        let (fp32, int8) = (top_k(fp32, 5), top_k(int8, 5));
        self.samples += 1;
        self.agree += usize::from(fp32.first() == int8.first());
        if let Some(labels) = labels {
            let file = Path::new(name).file_name().and_then(|file| file.to_str()).unwrap_or(name);
            let label = labels
                .get(file)
                .ok_or_else(|| Error::invalid(format!("the labels have no row for {file}")).in_file(name))?;
            self.labelled += 1;
            self.fp32.add(&fp32, |class| label.matches(class));
            self.int8.add(&int8, |class| label.matches(class));
        }
        Ok(())
    }
}

impl Accuracy {
    fn add(&mut self, ranked: &[usize], is_right: impl Fn(usize) -> bool) {
        self.top1 += usize::from(ranked.first().is_some_and(|&class| is_right(class)));
        self.top5 += usize::from(ranked.iter().any(|&class| is_right(class)));
    }
}
