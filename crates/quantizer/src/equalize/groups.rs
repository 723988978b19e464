//! Which blobs must be scaled together.

use ncnn_format::{Activation, BlobId, Graph, Layer, LinearLayer, Model, Result};

/// Blobs whose channels can be scaled without changing what the network computes.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Group {
    /// Convolutions that make the blobs.
    pub(super) writers: Vec<usize>,
    /// Convolutions that read them.
    pub(super) readers: Vec<usize>,
    /// The blobs that the readers read.
    pub(super) read: Vec<BlobId>,
    /// The least upper limit that a writer's activation has; infinite without one.
    pub(super) limit: f32,
}

/// The groups of `model` that have a writer and a reader.
///
/// Blobs belong together if a layer joins them that treats every channel by itself and lets a factor
/// through ([`Effect::scales_through`](ncnn_format::Effect::scales_through)): copies, ReLU, pooling, addition. A group is left out if any other layer makes or reads
/// one of its blobs, or nobody does: then the factor could not be taken back.
pub(super) fn find(model: &Model, graph: &Graph) -> Result<Vec<Group>> {
    let mut joined = Joined((0..graph.blobs().len()).collect());
    for (layer, node) in model.layers.iter().zip(graph.nodes()) {
        if layer.effect()?.scales_through() {
            let blobs: Vec<usize> = node.inputs.iter().chain(&node.outputs).map(|blob| blob.0).collect();
            blobs.windows(2).for_each(|pair| joined.join(pair[0], pair[1]));
        }
    }
    let mut groups: Vec<Option<Group>> =
        vec![Some(Group { limit: f32::INFINITY, ..Group::default() }); graph.blobs().len()];
    for (index, blob) in graph.blobs().iter().enumerate() {
        let root = joined.root(index);
        let ends = Ends {
            model,
            blob: BlobId(index),
            producer: blob.producer,
            consumers: &blob.consumers,
            is_output: graph.is_output(BlobId(index)),
        };
        groups[root] = match groups[root].take() {
            Some(mut group) => ends.add_to(&mut group)?.then_some(group),
            None => None,
        };
    }
    let is_whole = |group: &Group| !group.writers.is_empty() && !group.readers.is_empty();
    Ok(groups.into_iter().flatten().filter(is_whole).collect())
}

/// Who makes and reads a blob.
struct Ends<'a> {
    model: &'a Model,
    blob: BlobId,
    producer: usize,
    consumers: &'a [usize],
    /// Whether somebody outside reads the blob, who would see the factor.
    is_output: bool,
}

impl Ends<'_> {
    /// Whether the group can be scaled as far as this blob is concerned.
    fn add_to(&self, group: &mut Group) -> Result<bool> {
        let maker = &self.model.layers[self.producer];
        if let Some(limit) = writer_limit(maker)? {
            group.writers.push(self.producer);
            group.limit = group.limit.min(limit);
        } else if !maker.effect()?.scales_through() {
            return Ok(false);
        }
        for &consumer in self.consumers {
            let reader = &self.model.layers[consumer];
            if convolution(reader)?.is_some() {
                group.readers.push(consumer);
                group.read.push(self.blob);
            } else if !reader.effect()?.scales_through() {
                return Ok(false);
            }
        }
        Ok(!self.consumers.is_empty() && !self.is_output)
    }
}

/// `layer` if it is a convolution whose weights can take factors.
pub(super) fn convolution(layer: &Layer) -> Result<Option<LinearLayer>> {
    let takes_factors = |linear: &LinearLayer| linear.is_image_convolution() && linear.has_int8_form();
    Ok(if layer.inputs.len() == 1 { LinearLayer::of(layer)?.filter(takes_factors) } else { None })
}

/// The upper limit of what a convolution makes; `None` for other layers and for activations that do not let a
/// factor through.
fn writer_limit(layer: &Layer) -> Result<Option<f32>> {
    let Some(linear) = convolution(layer)? else { return Ok(None) };
    Ok(match linear.activation()? {
        Activation::Clip { min: 0.0, max } if max > 0.0 => Some(max),
        activation => activation.scales_through().then_some(f32::INFINITY),
    })
}

/// Sets of numbers, each known by its root.
struct Joined(Vec<usize>);

impl Joined {
    fn root(&self, mut index: usize) -> usize {
        while self.0[index] != index {
            index = self.0[index];
        }
        index
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}
