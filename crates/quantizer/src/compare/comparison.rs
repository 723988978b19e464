//! What a comparison found.

use ncnn_format::LayerKind;

use super::scores::Scores;

/// How close an int8 network comes to its fp32 original.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    /// How many samples were run.
    pub samples: usize,
    /// Where quantized layers and outputs differ, in file order.
    pub blobs: Vec<BlobComparison>,
    /// Classification scores, when the network has an output to rank.
    pub scores: Option<Scores>,
}

/// The error of one blob over all samples.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BlobComparison {
    /// The layer that makes the blob.
    pub layer: String,
    /// The type of that layer.
    #[cfg_attr(feature = "serde", serde(rename = "type"))]
    pub kind: LayerKind,
    /// The blob.
    pub blob: String,
    /// Whether the layer computes on int8.
    pub int8: bool,
    /// Signal-to-quantization-noise ratio in dB; infinite when equal.
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    pub sqnr_db: f64,
    /// Cosine of the angle between the two; 1 when parallel.
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    pub cosine: f64,
}
