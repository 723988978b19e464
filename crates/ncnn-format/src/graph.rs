//! Who makes which blob and who reads it.

use std::collections::HashMap;

use crate::{Error, LayerKind, Model, Result};

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
    /// Indices of the layers that read it, in file order, once per reading.
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
///
/// ```
/// use ncnn_format::{Graph, Model};
///
/// let model = Model::from_param_text(
///     "7767517\n3 3\nInput in 0 1 data\nReLU a 1 1 data mid\nSigmoid b 1 1 mid out\n",
/// )?;
/// let graph = Graph::new(&model)?;
/// let mid = graph.blob("mid")?;
/// assert_eq!((graph.blobs()[mid.0].producer, graph.blobs()[mid.0].consumers.as_slice()), (1, [2].as_slice()));
/// assert_eq!(graph.outputs(), [graph.blob("out")?]);
/// // Somebody extracts `mid`: then it is an output, although a layer reads it.
/// let graph = graph.keeping(["mid"])?;
/// assert_eq!(graph.outputs(), [mid, graph.blob("out")?]);
/// # Ok::<(), ncnn_format::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Graph {
    blobs: Vec<Blob>,
    nodes: Vec<Node>,
    layers: Vec<String>,
    by_name: HashMap<String, BlobId>,
    inputs: Vec<BlobId>,
    outputs: Vec<BlobId>,
    /// By blob, whether it is one of `outputs`.
    is_output: Vec<bool>,
}

/// What makes the layers of a model no graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault<'a> {
    /// The layer reads a blob that no layer above it makes.
    Unmade { layer: usize, blob: &'a str },
    /// The layer makes a blob that exists already.
    MadeTwice { layer: usize, blob: &'a str },
}

impl Graph {
    /// The graph of `model`. See [`Graph::outputs`] for what its outputs are.
    ///
    /// # Errors
    /// `Malformed` when a blob is read before a layer makes it, is made twice, or
    /// nothing can be fed to the network.
    pub fn new(model: &Model) -> Result<Self> {
        let (graph, faults) = Self::scan(model);
        if let Some(fault) = faults.first() {
            let (layer, message) = match fault {
                Fault::Unmade { layer, blob } => {
                    (layer, format!("reads the blob {blob}, which no layer above it makes"))
                }
                Fault::MadeTwice { layer, blob } => (layer, format!("makes the blob {blob}, which exists already")),
            };
            return Err(Error::malformed(message).in_layer(&model.layers[*layer].name));
        }
        if graph.inputs.is_empty() {
            return Err(Error::malformed("the network has no Input layer"));
        }
        Ok(graph)
    }

    /// What there is of a graph, and everything that is wrong with it in file order.
    ///
    /// A blob that nobody makes is left out of what its reader reads; of a blob that is made twice, readers get
    /// the first one.
    pub(crate) fn scan(model: &Model) -> (Self, Vec<Fault<'_>>) {
        let mut graph = Self {
            blobs: Vec::new(),
            nodes: Vec::with_capacity(model.layers.len()),
            layers: model.layers.iter().map(|layer| layer.name.clone()).collect(),
            by_name: HashMap::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            is_output: Vec::new(),
        };
        let mut faults = Vec::new();
        for (index, layer) in model.layers.iter().enumerate() {
            let mut inputs = Vec::with_capacity(layer.inputs.len());
            for name in &layer.inputs {
                match graph.by_name.get(name) {
                    Some(&blob) => {
                        graph.blobs[blob.0].consumers.push(index);
                        inputs.push(blob);
                    }
                    None => faults.push(Fault::Unmade { layer: index, blob: name }),
                }
            }
            let mut outputs = Vec::with_capacity(layer.outputs.len());
            for name in &layer.outputs {
                if graph.by_name.contains_key(name) {
                    faults.push(Fault::MadeTwice { layer: index, blob: name });
                    continue;
                }
                let blob = BlobId(graph.blobs.len());
                graph.by_name.insert(name.clone(), blob);
                graph.blobs.push(Blob { name: name.clone(), producer: index, consumers: Vec::new() });
                outputs.push(blob);
            }
            if layer.kind == LayerKind::Input {
                graph.inputs.extend(&outputs);
            }
            graph.nodes.push(Node { inputs, outputs });
        }
        let results = graph.results(model);
        graph.set_outputs(results);
        (graph, faults)
    }

    /// The graph with these blobs as its only outputs, in file order, whether or not layers read them.
    ///
    /// # Errors
    /// As [`Graph::blob`].
    pub fn with_outputs(mut self, names: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self> {
        let blobs = names.into_iter().map(|name| self.blob(name.as_ref())).collect::<Result<Vec<_>>>()?;
        self.set_outputs(blobs);
        Ok(self)
    }

    /// The graph with these blobs as further outputs: those that a program extracts from between layers.
    ///
    /// # Errors
    /// As [`Graph::blob`].
    pub fn keeping(mut self, names: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Self> {
        let mut blobs = self.outputs.clone();
        for name in names {
            blobs.push(self.blob(name.as_ref())?);
        }
        self.set_outputs(blobs);
        Ok(self)
    }

    /// All blobs; a [`BlobId`] is an index into them.
    pub fn blobs(&self) -> &[Blob] {
        &self.blobs
    }

    /// The blobs of each layer, in file order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The name of a layer, by its index in the model.
    pub fn layer_name(&self, layer: usize) -> &str {
        &self.layers[layer]
    }

    /// The blobs that `Input` layers make, in file order.
    pub fn inputs(&self) -> &[BlobId] {
        &self.inputs
    }

    /// The results of the network, in file order.
    ///
    /// Unless the caller [said others](Graph::with_outputs), these are the blobs that nobody reads, except those
    /// that are fed, constants (`MemoryData`) and spare names of a `Split`. What a `Noop`
    /// swallows is one: a `Noop` with more inputs than outputs stands at the end to have them all computed.
    /// If nothing is left then, every blob that nobody reads is a result.
    pub fn outputs(&self) -> &[BlobId] {
        &self.outputs
    }

    /// Whether `blob` is one of [`Graph::outputs`].
    pub fn is_output(&self, blob: BlobId) -> bool {
        self.is_output[blob.0]
    }

    /// The name of a blob.
    pub fn blob_name(&self, blob: BlobId) -> &str {
        &self.blobs[blob.0].name
    }

    /// The blob called `name`, found in constant time.
    ///
    /// # Errors
    /// `Invalid`, listing the network's inputs and outputs.
    pub fn blob(&self, name: &str) -> Result<BlobId> {
        self.find(name).ok_or_else(|| {
            Error::invalid(format!(
                "no blob is called {name}; the inputs are {}, the outputs {}",
                self.list(&self.inputs),
                self.list(&self.outputs)
            ))
        })
    }

    /// The blob called `name`, if there is one.
    pub(crate) fn find(&self, name: &str) -> Option<BlobId> {
        self.by_name.get(name).copied()
    }

    /// The names of `blobs`, for messages.
    pub fn list(&self, blobs: &[BlobId]) -> String {
        blobs.iter().map(|&blob| self.blob_name(blob)).collect::<Vec<_>>().join(", ")
    }

    /// The blob whose value `blob` has: `passes` says of a layer, by its index, whether each of its outputs is the
    /// input in the same place, or its only input.
    ///
    /// With [`Effect::is_alias`](crate::Effect::is_alias) all copies of a value are one blob.
    pub fn origin(&self, mut blob: BlobId, passes: impl Fn(usize) -> bool) -> BlobId {
        loop {
            let producer = self.blobs[blob.0].producer;
            let node = &self.nodes[producer];
            if node.inputs.is_empty() || !passes(producer) {
                return blob;
            }
            let place = node.outputs.iter().position(|&output| output == blob).unwrap_or_default();
            blob = node.inputs[place % node.inputs.len()];
        }
    }

    fn set_outputs(&mut self, mut blobs: Vec<BlobId>) {
        blobs.sort_unstable();
        blobs.dedup();
        self.is_output = vec![false; self.blobs.len()];
        blobs.iter().for_each(|blob| self.is_output[blob.0] = true);
        self.outputs = blobs;
    }

    fn results(&self, model: &Model) -> Vec<BlobId> {
        let is_read = |blob: &BlobId| !self.blobs[blob.0].consumers.is_empty();
        let mut results = Vec::new();
        for (layer, node) in model.layers.iter().zip(&self.nodes) {
            let is_spare = match layer.kind {
                LayerKind::Input | LayerKind::MemoryData => true,
                LayerKind::Split => node.outputs.iter().any(is_read),
                _ => false,
            };
            if !is_spare {
                results.extend(node.outputs.iter().filter(|blob| !is_read(blob)));
            }
            if layer.kind == LayerKind::Noop {
                results.extend(node.inputs.iter().skip(node.outputs.len()));
            }
        }
        if results.is_empty() {
            results.extend((0..self.blobs.len()).map(BlobId).filter(|blob| !is_read(blob)));
        }
        results
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(lines: &str) -> Result<Graph> {
        Graph::new(&Model::from_param_text(&format!("7767517\n{} 9\n{lines}\n", lines.lines().count())).unwrap())
    }

    fn outputs(lines: &str) -> String {
        let graph = graph(lines).unwrap();
        graph.list(graph.outputs())
    }

    #[test]
    fn outputs_are_the_blobs_that_nobody_reads() {
        assert_eq!(outputs("Input a 0 1 a\nReLU b 1 1 a b\nReLU c 1 1 a c"), "b, c");
    }

    #[test]
    fn a_fed_blob_a_constant_and_a_spare_name_of_a_split_are_no_outputs() {
        assert_eq!(outputs("Input a 0 2 a b\nReLU c 1 1 a c"), "c");
        assert_eq!(outputs("Input a 0 1 a\nMemoryData m 0 1 m 0=1\nReLU b 1 1 a b"), "b");
        assert_eq!(outputs("Input a 0 1 a\nSplit s 1 2 a s t\nReLU b 1 1 s b"), "b");
        assert_eq!(outputs("Input a 0 1 a\nSplit s 1 2 a s t"), "s, t", "a Split at the end has no spare names");
    }

    #[test]
    fn what_a_noop_swallows_is_an_output() {
        assert_eq!(outputs("Input a 0 1 a\nReLU b 1 1 a b\nReLU c 1 1 a c\nNoop n 2 0 b c"), "b, c");
        assert_eq!(outputs("Input a 0 1 a\nReLU b 1 1 a b\nNoop n 2 1 b a c"), "a, c");
        assert_eq!(outputs("Input a 0 1 a\nReLU b 1 1 a b\nNoop n 1 1 b c"), "c");
    }

    #[test]
    fn where_nothing_else_is_left_whatever_nobody_reads_is_an_output() {
        assert_eq!(outputs("Input a 0 1 a\nMemoryData m 0 1 m 0=1\nCustom end 1 0 a"), "m");
        assert_eq!(outputs("Input a 0 1 a\nMemoryData m 0 1 m 0=1"), "a, m");
    }

    #[test]
    fn outputs_can_be_declared_and_kept() {
        let lines = "Input a 0 1 a\nReLU b 1 1 a b\nReLU c 1 1 b c\nReLU d 1 1 a d";
        let declared = graph(lines).unwrap().with_outputs(["c", "b"]).unwrap();
        assert_eq!(declared.list(declared.outputs()), "b, c", "in file order");
        assert!(!declared.is_output(declared.blob("d").unwrap()));
        let kept = graph(lines).unwrap().keeping(["b", "c"]).unwrap();
        assert_eq!(kept.list(kept.outputs()), "b, c, d", "each once");
        let error = graph(lines).unwrap().keeping(["x"]).unwrap_err();
        assert!(error.to_string().contains("no blob is called x; the inputs are a, the outputs c, d"), "{error}");
        assert!(graph(lines).unwrap().with_outputs(["x"]).is_err());
    }

    #[test]
    fn what_is_no_graph_is_refused_with_layer_and_blob() {
        for (lines, message) in [
            ("Input a 0 1 a\nReLU b 1 1 x b", "layer b: reads the blob x, which no layer above it makes"),
            (
                "Input a 0 1 a\nReLU b 1 1 c b\nReLU c 1 1 a c",
                "layer b: reads the blob c, which no layer above it makes",
            ),
            ("Input a 0 1 a\nReLU b 1 1 a a", "layer b: makes the blob a, which exists already"),
            ("ReLU b 0 1 a", "the network has no Input layer"),
        ] {
            assert_eq!(graph(lines).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn a_scan_goes_on_behind_faults_and_names_them_all() {
        let text = "7767517\n3 9\nInput a 0 1 a\nReLU b 1 1 x a\nReLU c 2 1 a y c\n";
        let model = Model::from_param_text(text).unwrap();
        let (graph, faults) = Graph::scan(&model);
        assert_eq!(
            faults,
            [
                Fault::Unmade { layer: 1, blob: "x" },
                Fault::MadeTwice { layer: 1, blob: "a" },
                Fault::Unmade { layer: 2, blob: "y" }
            ]
        );
        assert_eq!(graph.blobs()[0], Blob { name: "a".into(), producer: 0, consumers: vec![2] });
    }

    #[test]
    fn a_reader_is_counted_once_per_reading() {
        let graph = graph("Input a 0 1 a\nEltwise b 2 1 a a b").unwrap();
        assert_eq!(graph.blobs()[0].consumers, [1, 1]);
        assert_eq!(graph.nodes()[1], Node { inputs: vec![BlobId(0); 2], outputs: vec![BlobId(1)] });
        assert_eq!(graph.layer_name(1), "b");
    }

    #[test]
    fn the_origin_of_a_copy_is_the_blob_that_was_computed() {
        let lines = "Input a 0 1 a\nReLU r 1 1 a b\nSplit s 1 2 b c d\nNoop n 2 2 d a e f\nReLU t 1 1 e g";
        let model = Model::from_param_text(&format!("7767517\n5 9\n{lines}\n")).unwrap();
        let graph = Graph::new(&model).unwrap();
        let origin = |name: &str| {
            let is_alias = |layer: usize| model.layers[layer].effect().unwrap().is_alias();
            graph.blob_name(graph.origin(graph.blob(name).unwrap(), is_alias))
        };
        assert_eq!(["a", "b", "c", "d", "e", "f", "g"].map(origin), ["a", "b", "b", "b", "b", "a", "g"]);
    }

    #[test]
    fn a_hundred_thousand_layers_are_joined_and_looked_up_in_linear_time() {
        let layers = 100_000;
        let line = |index: usize| crate::Layer::new(LayerKind::ReLU, format!("r{index}"));
        let input = crate::Layer::new(LayerKind::Input, "in").makes("b0");
        let model = Model::new(
            std::iter::once(input)
                .chain((0..layers).map(|i| line(i).reads(format!("b{i}")).makes(format!("b{}", i + 1)))),
        );
        let graph = Graph::new(&model).unwrap();
        // Quadratic look-ups would take minutes here.
        let all = (0..=layers).all(|i| graph.blob(&format!("b{i}")).unwrap() == BlobId(i));
        assert!(all);
    }
}
