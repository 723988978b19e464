//! A comparison as data. docs/results.md describes the form.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::comparison::{BlobComparison, Comparison};
use super::scores::Scores;
use crate::metrics::{Agreement, TopK};
use crate::schema::{Named, Schema};

/// The form of a [`Comparison`].
#[derive(Clone, Copy)]
struct ComparisonForm;

impl Named for ComparisonForm {
    const NAME: &'static str = "ncnn-quant/comparison/1";
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Comparison")]
struct ComparisonRecord {
    schema: Schema<ComparisonForm>,
    samples: usize,
    layers: Vec<BlobComparison>,
    scores: Option<Scores>,
}

impl Serialize for Comparison {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { samples, blobs, scores } = self.clone();
        ComparisonRecord { schema: Schema::new(), samples, layers: blobs, scores }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Comparison {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let ComparisonRecord { samples, layers, scores, .. } = ComparisonRecord::deserialize(deserializer)?;
        Ok(Self { samples, blobs: layers, scores })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename = "Scores")]
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
