//! Who makes which blob and who reads it.

use std::collections::HashMap;

use ncnn_format::{Error, LayerKind, Model, Result};

/// A blob of one particular [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobId(pub usize);

/// A named value between layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its name in the file.
    pub name: String,
    /// Index of the layer that makes it.
    pub producer: usize,
    /// Indices of the layers that read it, in file order.
    pub consumers: Vec<usize>,
}

/// The blobs of one layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Blobs read.
    pub inputs: Vec<BlobId>,
    /// Blobs made.
    pub outputs: Vec<BlobId>,
}

/// The layers of a model joined by their blobs; execution order is file order.
#[derive(Debug, Clone)]
pub struct Graph {
    blobs: Vec<Blob>,
    nodes: Vec<Node>,
    names: Vec<String>,
    inputs: Vec<BlobId>,
    outputs: Vec<BlobId>,
}

impl Graph {
    /// # Errors
    /// `Malformed` when a blob is read before a layer makes it, is made twice, or
    /// nothing can be fed to the network.
    pub fn new(model: &Model) -> Result<Self> {
        let mut graph =
            Self { blobs: Vec::new(), nodes: Vec::new(), names: Vec::new(), inputs: Vec::new(), outputs: Vec::new() };
        let mut by_name: HashMap<&str, BlobId> = HashMap::new();
        for (index, layer) in model.layers.iter().enumerate() {
            let mut inputs = Vec::with_capacity(layer.inputs.len());
            for name in &layer.inputs {
                let blob = *by_name.get(name.as_str()).ok_or_else(|| {
                    Error::malformed(format!("reads the blob {name}, which no layer above it makes"))
                        .in_layer(&layer.name)
                })?;
                graph.blobs[blob.0].consumers.push(index);
                inputs.push(blob);
            }
            let mut outputs = Vec::with_capacity(layer.outputs.len());
            for name in &layer.outputs {
                let blob = BlobId(graph.blobs.len());
                if by_name.insert(name, blob).is_some() {
                    return Err(
                        Error::malformed(format!("makes the blob {name}, which exists already")).in_layer(&layer.name)
                    );
                }
                graph.blobs.push(Blob { name: name.clone(), producer: index, consumers: Vec::new() });
                outputs.push(blob);
            }
            if layer.kind == LayerKind::Input {
                graph.inputs.extend(&outputs);
            }
            graph.nodes.push(Node { inputs, outputs });
            graph.names.push(layer.name.clone());
        }
        graph.outputs =
            (0..graph.blobs.len()).filter(|&blob| graph.blobs[blob].consumers.is_empty()).map(BlobId).collect();
        if graph.inputs.is_empty() {
            return Err(Error::malformed("the network has no Input layer"));
        }
        Ok(graph)
    }

    /// All blobs; a [`BlobId`] is an index into them.
    pub fn blobs(&self) -> &[Blob] {
        &self.blobs
    }

    /// The blobs of each layer, in file order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The blobs that `Input` layers make, in file order.
    pub fn inputs(&self) -> &[BlobId] {
        &self.inputs
    }

    /// The blobs that nobody reads, in file order.
    pub fn outputs(&self) -> &[BlobId] {
        &self.outputs
    }

    /// The name of a blob.
    pub fn blob_name(&self, blob: BlobId) -> &str {
        &self.blobs[blob.0].name
    }

    /// The blob called `name`.
    ///
    /// # Errors
    /// `Invalid`, listing the network's inputs and outputs.
    pub fn blob(&self, name: &str) -> Result<BlobId> {
        self.blobs.iter().position(|blob| blob.name == name).map(BlobId).ok_or_else(|| {
            Error::invalid(format!(
                "no blob is called {name}; the inputs are {}, the outputs {}",
                self.names(&self.inputs),
                self.names(&self.outputs)
            ))
        })
    }

    /// The name of a layer, by its place in the file.
    pub fn layer_name(&self, layer: usize) -> &str {
        &self.names[layer]
    }

    /// The names of `blobs`, for messages.
    pub fn names(&self, blobs: &[BlobId]) -> String {
        blobs.iter().map(|&blob| self.blob_name(blob)).collect::<Vec<_>>().join(", ")
    }
}
