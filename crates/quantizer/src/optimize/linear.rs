//! Layers with weights into which others are folded.

use ncnn_format::{Layer, LinearFamily, LinearLayer, Result};

/// `layer` as one whose weights, bias and activation can take over what stands behind it.
///
/// # Errors
/// `Malformed` when its parameters cannot be read.
pub(super) fn foldable(layer: &Layer) -> Result<Option<LinearLayer>> {
    Ok(LinearLayer::of(layer)?.filter(|linear| linear.family != LinearFamily::Deformable))
}

/// Why the weights and the function of `layer` cannot be changed, if so.
pub(super) fn obstacle(layer: &Layer, linear: &LinearLayer) -> Option<&'static str> {
    if linear.is_dynamic {
        Some("takes its weights from blobs")
    } else if linear.is_int8() || layer.stores_int8() {
        Some("is int8 already")
    } else if linear.activation_type != 0 {
        Some("has an activation already")
    } else {
        None
    }
}
