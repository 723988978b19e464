//! A network ready to run.

use ncnn_format::{Error, LayerKind, Model, Result};

use crate::{BlobId, Graph, Layer, Observer, Order, Shape, Tensor, Value, Workspace, build};

/// An fp32 network: its graph and one executable [`Layer`] per file layer.
///
/// It is immutable while running, so one `Net` serves many threads.
pub struct Net {
    graph: Graph,
    // `None` for Input layers, whose value is fed.
    layers: Vec<Option<Box<dyn Layer>>>,
}

/// Which algorithms a [`Net`] may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NetOptions {
    /// Winograd's algorithm for 3×3 convolutions, where there are enough channels: faster, but
    /// results differ from the plain sums by about 1e-5 of the largest value. On by default.
    pub winograd: bool,
}

impl Default for NetOptions {
    fn default() -> Self {
        Self { winograd: true }
    }
}

/// The values of a network's outputs.
#[derive(Debug, Clone)]
pub struct Outputs(Vec<(String, Tensor)>);

impl Net {
    /// Prepares every layer of `model`.
    ///
    /// # Errors
    /// `Unsupported` listing all layers that this executor lacks, `Malformed` or
    /// `Invalid` for the first layer whose parameters or weights do not work.
    pub fn new(model: &Model) -> Result<Self> {
        Self::with_options(model, NetOptions::default())
    }

    /// As [`Net::new`] with algorithms chosen.
    ///
    /// # Errors
    /// As [`Net::new`].
    pub fn with_options(model: &Model, options: NetOptions) -> Result<Self> {
        let graph = Graph::new(model)?;
        let mut layers = Vec::with_capacity(model.layers.len());
        let mut unsupported = Vec::new();
        for layer in &model.layers {
            layers.push(if layer.kind == LayerKind::Input {
                None
            } else {
                match build(layer) {
                    Ok(mut built) => {
                        built.set_winograd(options.winograd);
                        Some(built)
                    }
                    Err(error) if error.kind() == ncnn_format::ErrorKind::Unsupported => {
                        unsupported.push(error.in_layer(&layer.name).to_string());
                        None
                    }
                    Err(error) => return Err(error.in_layer(&layer.name)),
                }
            });
        }
        if !unsupported.is_empty() {
            return Err(Error::unsupported(unsupported.join("; ")));
        }
        Ok(Self { graph, layers })
    }

    /// The graph of layers and blobs.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Runs the network on `inputs` (blob name and value, one per input).
    ///
    /// # Errors
    /// `Invalid` when an input is missing or a layer cannot work on its shape,
    /// naming the layer.
    pub fn run(&self, inputs: &[(&str, Tensor)], observer: &mut dyn Observer) -> Result<Outputs> {
        self.run_in(&mut Workspace::default(), inputs, observer)
    }

    /// As [`Net::run`] with memory that is kept from one run to the next.
    ///
    /// # Errors
    /// As [`Net::run`].
    pub fn run_in(
        &self,
        workspace: &mut Workspace,
        inputs: &[(&str, Tensor)],
        observer: &mut dyn Observer,
    ) -> Result<Outputs> {
        let feeds = inputs
            .iter()
            .map(|(name, value)| Ok((self.graph.blob(name)?, Value::Planar(value.clone()))))
            .collect::<Result<_>>()?;
        let outputs = crate::execute(
            &self.graph,
            feeds,
            |index, inputs| run_layer(self.layer(index)?, inputs, workspace),
            |blob, value| observer.observe(blob, value),
        )?;
        let named = outputs
            .into_iter()
            .map(|(blob, value)| Ok((self.graph.blob_name(blob).to_owned(), value.into_planar(workspace)?)));
        Ok(Outputs(named.collect::<Result<_>>()?))
    }

    /// The shape of every blob for inputs of the given shapes, by [`BlobId`].
    ///
    /// # Errors
    /// As [`Net::run`], and `Unsupported` when a shape depends on values.
    pub fn infer_shapes(&self, inputs: &[(&str, Shape)]) -> Result<Vec<Shape>> {
        let feeds =
            inputs.iter().map(|(name, shape)| Ok((self.graph.blob(name)?, *shape))).collect::<Result<Vec<_>>>()?;
        let mut shapes: Vec<(BlobId, Shape)> = Vec::with_capacity(self.graph.blobs().len());
        crate::execute(
            &self.graph,
            feeds,
            |index, inputs| self.layer(index)?.output_shapes(&inputs),
            |blob, &shape| shapes.push((blob, shape)),
        )?;
        shapes.sort_by_key(|(blob, _)| *blob);
        Ok(shapes.into_iter().map(|(_, shape)| shape).collect())
    }

    fn layer(&self, index: usize) -> Result<&dyn Layer> {
        self.layers[index].as_deref().ok_or_else(|| Error::invalid("an Input layer was not fed"))
    }
}

/// Runs `layer` on values in the order that it wants.
///
/// # Errors
/// Those of the layer.
pub fn run_layer(layer: &dyn Layer, inputs: Vec<Value>, workspace: &mut Workspace) -> Result<Vec<Value>> {
    let shapes: Vec<Shape> = inputs.iter().map(Value::shape).collect();
    let given = inputs.iter().any(|input| matches!(input, Value::Pixels(_)));
    let turned = match layer.order(&shapes) {
        Order::Planar => false,
        Order::Either => given,
        Order::Pixels => true,
    };
    if turned {
        let inputs = inputs.into_iter().map(|input| input.into_pixels(workspace)).collect::<Result<_>>()?;
        return layer.run_pixels(inputs, workspace);
    }
    let inputs = inputs.into_iter().map(|input| input.into_planar(workspace)).collect::<Result<_>>()?;
    Ok(layer.run(inputs)?.into_iter().map(Value::Planar).collect())
}

impl Outputs {
    /// Outputs from names and values, in the order of the graph.
    pub fn new(values: Vec<(String, Tensor)>) -> Self {
        Self(values)
    }

    /// The output called `name`.
    pub fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// All outputs in the order of the graph.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Tensor)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }
}
