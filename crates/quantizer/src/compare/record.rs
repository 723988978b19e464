//! A comparison as data. docs/results.md describes the form.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::comparison::{BlobComparison, Comparison};
use super::scores::Scores;
use crate::metrics::{Agreement, TopK};

/// The versions of the form of a [`Comparison`]. Every change that older programs would misread makes a new one;
/// they ignore keys that they do not know.
#[derive(Serialize, Deserialize)]
#[serde(tag = "schema")]
enum ComparisonForm {
    #[serde(rename = "ncnn-quant/comparison/1")]
    One { samples: usize, layers: Vec<BlobComparison>, scores: Option<Scores> },
}

impl Serialize for Comparison {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { samples, blobs, scores } = self.clone();
        ComparisonForm::One { samples, layers: blobs, scores }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Comparison {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ComparisonForm::One { samples, layers, scores } = ComparisonForm::deserialize(deserializer)?;
        Ok(Self { samples, blobs: layers, scores })
    }
}

#[derive(Serialize, Deserialize)]
struct ScoresRecord {
    samples: usize,
    fp32: TopK,
    int8: TopK,
    agree_top1: usize,
    /// Follows from the others: written for readers and not read.
    #[serde(skip_deserializing)]
    labelled: usize,
}

impl Serialize for Scores {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { fp32, int8, agreement } = *self;
        let (samples, agree_top1) = (agreement.total, agreement.same);
        ScoresRecord { samples, fp32, int8, agree_top1, labelled: fp32.total }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Scores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ScoresRecord { samples, fp32, int8, agree_top1, .. } = ScoresRecord::deserialize(deserializer)?;
        Ok(Self { fp32, int8, agreement: Agreement { same: agree_top1, total: samples } })
    }
}
