//! What a conversion has to say about its result.

use ncnn_format::{LayerKind, Remark};

/// The layer could be int8, but the table has no rows for it.
pub(super) fn no_rows(layer: &str) -> Remark {
    Remark::note("no-rows", "no row in the table, stays float").in_layer(layer)
}

/// The table has weight scales but no input scale.
pub(super) fn no_input_scale(layer: &str) -> Remark {
    Remark::warning("no-input-scale", "no input scale in the table, stays float").in_layer(layer)
}

/// The table has an input scale but no weight scales, as when only one of the two rows was
/// made a comment. ncnn2int8 gives up all later layers of its type.
pub(super) fn no_weight_scales(layer: &str) -> Remark {
    Remark::warning("no-weight-scales", format!("no row {layer}_param_0 in the table, stays float")).in_layer(layer)
}

/// ncnn has an int8 form of this type, which was not asked for.
pub(super) fn not_quantized(layer: &str, kind: &LayerKind) -> Remark {
    Remark::note("stays-float", format!("{kind} is not quantized, stays float")).in_layer(layer)
}

/// Channels without a finite scale; their weights, all zero, are stored as 0 with scale 1.
pub(super) fn dead_channels(layer: &str, channels: &[usize]) -> Remark {
    let message = format!("all weights are zero in {} channel(s): {channels:?}", channels.len());
    Remark::note("dead-channels", message).in_layer(layer)
}

/// Several layers read the output without a Split between.
pub(super) fn shared_output(layer: &str) -> Remark {
    let message = "several layers read its output without a Split, which stays float";
    Remark::note("shared-output", message).in_layer(layer)
}

/// The layers behind a Split have different input scales; `layer` makes the blob.
pub(super) fn scales_differ(layer: &str) -> Remark {
    let message = "the readers of its output have different scales, so it stays float";
    Remark::note("scales-differ", message).in_layer(layer)
}

/// Float weights too large for fp16.
pub(super) fn half_overflow(layer: &str, count: usize) -> Remark {
    let message = format!("{count} float weight(s) are beyond 65504 and become infinite in fp16");
    Remark::warning("half-overflow", message).in_layer(layer)
}

/// A row of the table names no layer.
pub(super) fn unknown_row(key: &str) -> Remark {
    Remark::warning("unknown-row", format!("row {key} of the table names no layer"))
}

/// Bytes after the last weight were left out.
pub(super) fn trailing_bytes(count: usize) -> Remark {
    Remark::note("trailing-bytes", format!("{count} byte(s) after the last weight are left out"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ncnn_format::Severity;

    #[test]
    fn every_remark_has_its_place_and_code() {
        let remarks = [
            (no_rows("conv"), "no-rows", "layer conv: no row in the table, stays float"),
            (no_input_scale("conv"), "no-input-scale", "layer conv: no input scale in the table, stays float"),
            (no_weight_scales("conv"), "no-weight-scales", "layer conv: no row conv_param_0 in the table, stays float"),
            (not_quantized("conv", &LayerKind::LSTM), "stays-float", "layer conv: LSTM is not quantized, stays float"),
            (
                dead_channels("conv", &[1, 5]),
                "dead-channels",
                "layer conv: all weights are zero in 2 channel(s): [1, 5]",
            ),
            (
                shared_output("conv"),
                "shared-output",
                "layer conv: several layers read its output without a Split, which stays float",
            ),
            (
                scales_differ("conv"),
                "scales-differ",
                "layer conv: the readers of its output have different scales, so it stays float",
            ),
            (
                half_overflow("conv", 3),
                "half-overflow",
                "layer conv: 3 float weight(s) are beyond 65504 and become infinite in fp16",
            ),
            (unknown_row("x"), "unknown-row", "row x of the table names no layer"),
            (trailing_bytes(8), "trailing-bytes", "8 byte(s) after the last weight are left out"),
        ];
        for (remark, code, text) in remarks {
            assert_eq!((&*remark.code, remark.to_string()), (code, text.to_owned()));
            assert_eq!(remark.place.layer.is_some(), text.starts_with("layer "), "{text}");
            assert!(remark.severity < Severity::Error);
        }
    }
}
