//! Which layers are calibrated, and on which blobs.

use fp32_ref::{BlobId, Graph};
use ncnn_format::{Error, Layer, LayerKind, Model, Result};

use crate::is_quantizable;

/// One layer to calibrate.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// Index of the layer in the model.
    pub(super) layer: usize,
    /// Its name.
    pub(super) name: String,
    /// The blob that it reads, by its own name.
    pub(super) blob_name: String,
    /// The blob to watch: the same value, before any Split copied it.
    pub(super) blob: BlobId,
    /// Position of `blob` among the distinct watched blobs.
    pub(super) slot: usize,
    /// Whether `blob` is fed from outside.
    pub(super) reads_network_input: bool,
}

/// The layers that ncnn quantizes by calibration, in file order.
///
/// # Errors
/// `Invalid` when a layer is int8 already, two have the same name, or there is
/// nothing to calibrate.
pub(super) fn find(model: &Model, graph: &Graph) -> Result<Vec<Target>> {
    let mut targets: Vec<Target> = Vec::new();
    let mut slots: Vec<BlobId> = Vec::new();
    for (index, layer) in model.layers.iter().enumerate() {
        if !is_calibrated(layer)? {
            continue;
        }
        if targets.iter().any(|target| target.name == layer.name) {
            let message = "two layers have this name; a table could not tell them apart";
            return Err(Error::invalid(message).in_layer(&layer.name));
        }
        let Some(&read) = graph.nodes()[index].inputs.first() else {
            return Err(Error::malformed("has no input").in_layer(&layer.name));
        };
        // Copies by Split are one blob.
        let blob = graph.origin(read, |layer| model.layers[layer].kind == LayerKind::Split);
        let slot = slots.iter().position(|&known| known == blob).unwrap_or_else(|| {
            slots.push(blob);
            slots.len() - 1
        });
        targets.push(Target {
            layer: index,
            name: layer.name.clone(),
            blob_name: graph.blob_name(read).to_owned(),
            blob,
            slot,
            reads_network_input: graph.inputs().contains(&blob),
        });
    }
    if targets.is_empty() {
        return Err(Error::invalid("the network has no convolution or inner product with weights to quantize"));
    }
    Ok(targets)
}

/// The distinct blobs of `targets`, by slot.
pub(super) fn watched(targets: &[Target]) -> Vec<BlobId> {
    let mut blobs = Vec::new();
    for target in targets {
        if target.slot == blobs.len() {
            blobs.push(target.blob);
        }
    }
    blobs
}

/// Whether calibration gives `layer` scales.
///
/// # Errors
/// `Invalid` when it is int8 already.
fn is_calibrated(layer: &Layer) -> Result<bool> {
    if layer.is_int8()? {
        return Err(Error::invalid("is int8 already; calibrate the fp32 model").in_layer(&layer.name));
    }
    is_quantizable(layer)
}
