//! What a conversion has to say about its result.

use std::fmt;

use ncnn_format::LayerKind;

/// Something about the converted model that its user should know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The layer could be int8, but the table has no rows for it: it stays float.
    NoRows {
        /// Name of the layer.
        layer: String,
    },
    /// The table has weight scales but no input scale: it stays float.
    NoInputScale {
        /// Name of the layer.
        layer: String,
    },
    /// The table has an input scale but no weight scales, as when only one of the two rows was
    /// made a comment: it stays float. ncnn2int8 gives up all later layers of its type.
    NoWeightScales {
        /// Name of the layer.
        layer: String,
    },
    /// ncnn has an int8 form of this type, which was not asked for: it stays float.
    StaysFloat {
        /// Name of the layer.
        layer: String,
        /// Its type.
        kind: LayerKind,
    },
    /// Channels without a finite scale; their weights, all zero, are stored as 0
    /// with scale 1.
    DeadChannels {
        /// Name of the layer.
        layer: String,
        /// The channels.
        channels: Vec<usize>,
    },
    /// Several layers read the output without a Split between, so it stays float.
    SharedOutput {
        /// Name of the layer.
        layer: String,
    },
    /// The layers behind a Split have different input scales, so the output stays float.
    ScalesDiffer {
        /// Name of the layer that makes the blob.
        layer: String,
    },
    /// Float weights too large for fp16; they are stored as infinity.
    HalfOverflow {
        /// Name of the layer.
        layer: String,
        /// How many.
        count: usize,
    },
    /// A row of the table names no layer.
    UnknownRow {
        /// Its key.
        key: String,
    },
    /// Bytes after the last weight were left out.
    TrailingBytes {
        /// How many.
        count: usize,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRows { layer } => write!(f, "layer {layer}: no row in the table, stays float"),
            Self::NoInputScale { layer } => write!(f, "layer {layer}: no input scale in the table, stays float"),
            Self::NoWeightScales { layer } => {
                write!(f, "layer {layer}: no row {layer}_param_0 in the table, stays float")
            }
            Self::StaysFloat { layer, kind } => write!(f, "layer {layer}: {kind} is not quantized, stays float"),
            Self::DeadChannels { layer, channels } => {
                write!(f, "layer {layer}: all weights are zero in {} channel(s): {channels:?}", channels.len())
            }
            Self::SharedOutput { layer } => {
                write!(f, "layer {layer}: several layers read its output without a Split, which stays float")
            }
            Self::ScalesDiffer { layer } => {
                write!(f, "layer {layer}: the readers of its output have different scales, so it stays float")
            }
            Self::HalfOverflow { layer, count } => {
                write!(f, "layer {layer}: {count} float weight(s) are beyond 65504 and become infinite in fp16")
            }
            Self::UnknownRow { key } => write!(f, "row {key} of the table names no layer"),
            Self::TrailingBytes { count } => write!(f, "{count} byte(s) after the last weight are left out"),
        }
    }
}
