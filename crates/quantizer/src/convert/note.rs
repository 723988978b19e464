//! What a conversion has to say about its result.

use std::fmt;

use ncnn_format::{LayerKind, Remark};

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

impl Note {
    /// The same as a remark.
    pub fn remark(&self) -> Remark {
        match self {
            Self::NoRows { layer } => Remark::note("no-rows", "no row in the table, stays float").in_layer(layer),
            Self::NoInputScale { layer } => {
                Remark::warning("no-input-scale", "no input scale in the table, stays float").in_layer(layer)
            }
            Self::NoWeightScales { layer } => {
                let message = format!("no row {layer}_param_0 in the table, stays float");
                Remark::warning("no-weight-scales", message).in_layer(layer)
            }
            Self::StaysFloat { layer, kind } => {
                Remark::note("stays-float", format!("{kind} is not quantized, stays float")).in_layer(layer)
            }
            Self::DeadChannels { layer, channels } => {
                let message = format!("all weights are zero in {} channel(s): {channels:?}", channels.len());
                Remark::note("dead-channels", message).in_layer(layer)
            }
            Self::SharedOutput { layer } => {
                let message = "several layers read its output without a Split, which stays float";
                Remark::note("shared-output", message).in_layer(layer)
            }
            Self::ScalesDiffer { layer } => {
                let message = "the readers of its output have different scales, so it stays float";
                Remark::note("scales-differ", message).in_layer(layer)
            }
            Self::HalfOverflow { layer, count } => {
                let message = format!("{count} float weight(s) are beyond 65504 and become infinite in fp16");
                Remark::warning("half-overflow", message).in_layer(layer)
            }
            Self::UnknownRow { key } => {
                Remark::warning("unknown-row", format!("row {key} of the table names no layer"))
            }
            Self::TrailingBytes { count } => {
                Remark::note("trailing-bytes", format!("{count} byte(s) after the last weight are left out"))
            }
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.remark().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ncnn_format::Severity;

    #[test]
    fn every_note_is_a_remark_with_its_place_and_code() {
        let layer = || "conv".to_owned();
        let notes = [
            (Note::NoRows { layer: layer() }, "no-rows", "layer conv: no row in the table, stays float"),
            (
                Note::NoInputScale { layer: layer() },
                "no-input-scale",
                "layer conv: no input scale in the table, stays float",
            ),
            (
                Note::NoWeightScales { layer: layer() },
                "no-weight-scales",
                "layer conv: no row conv_param_0 in the table, stays float",
            ),
            (
                Note::StaysFloat { layer: layer(), kind: LayerKind::from("LSTM") },
                "stays-float",
                "layer conv: LSTM is not quantized, stays float",
            ),
            (
                Note::DeadChannels { layer: layer(), channels: vec![1, 5] },
                "dead-channels",
                "layer conv: all weights are zero in 2 channel(s): [1, 5]",
            ),
            (
                Note::SharedOutput { layer: layer() },
                "shared-output",
                "layer conv: several layers read its output without a Split, which stays float",
            ),
            (
                Note::ScalesDiffer { layer: layer() },
                "scales-differ",
                "layer conv: the readers of its output have different scales, so it stays float",
            ),
            (
                Note::HalfOverflow { layer: layer(), count: 3 },
                "half-overflow",
                "layer conv: 3 float weight(s) are beyond 65504 and become infinite in fp16",
            ),
            (Note::UnknownRow { key: "x".to_owned() }, "unknown-row", "row x of the table names no layer"),
            (Note::TrailingBytes { count: 8 }, "trailing-bytes", "8 byte(s) after the last weight are left out"),
        ];
        for (note, code, text) in notes {
            let remark = note.remark();
            assert_eq!((&*remark.code, remark.to_string(), note.to_string()), (code, text.to_owned(), text.to_owned()));
            assert_eq!(remark.place.layer.is_some(), text.starts_with("layer "), "{text}");
            assert!(remark.severity < Severity::Error);
        }
    }
}
