//! A network ready to run.

use std::fmt;
use std::sync::Arc;

use ncnn_format::{Error, ErrorKind, LayerKind, Model, Result};

use crate::schedule::{check_known, check_replacement, execute, feeds};
use crate::{
    BlobId, Blobs, BuildOptions, Graph, Layer, Observer, Order, Part, Registry, Shape, Shapes, Tensor, Value, Workspace,
};

/// An fp32 network: its graph and one executable [`Layer`] per file layer.
///
/// It is immutable while running, so one `Net` serves many threads. Cloning shares the layers.
///
/// A layer can be replaced and the rest of the network run again from values that were kept:
///
/// ```
/// use fp32_ref::{Blobs, Net, Part, Tensor, Workspace};
/// use ncnn_format::Model;
///
/// let model = Model::from_param_text(
///     "7767517\n3 3\nInput data 0 1 data\nAbsVal size 1 1 data size\nReLU act 1 1 size out\n",
/// )?;
/// let net = Net::new(&model)?;
/// let mut kept = Blobs::new();
/// net.run(&[("data", Tensor::new([2], vec![-1.0, 3.0])?)], &mut kept)?;
///
/// let clip = Model::from_param_text("7767517\n1 1\nClip act 1 1 size out 0=0.0 1=2.0\n")?;
/// let other = net.with_layer(2, &clip.layers[0])?;
/// let part = Part::dependents(net.graph(), &[2]);
/// let made = other.run_part(&mut Workspace::default(), &part, &kept, &mut ())?;
/// assert_eq!(made.get(net.graph().blob("out")?).unwrap().to_tensor().as_slice(), [1.0, 2.0]);
/// # Ok::<(), ncnn_format::Error>(())
/// ```
#[derive(Clone)]
pub struct Net {
    graph: Arc<Graph>,
    /// All layers.
    whole: Arc<Part>,
    /// `None` for Input layers, whose value is fed.
    layers: Vec<Option<Arc<dyn Layer>>>,
    options: NetOptions,
}

/// Which layer types a [`Net`] knows and how it prepares them.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct NetOptions {
    /// The layer types.
    pub registry: Registry,
    /// How layers are prepared.
    pub build: BuildOptions,
}

/// The values of a network's outputs.
#[derive(Debug, Clone)]
pub struct Outputs(Vec<(String, Tensor)>);

impl NetOptions {
    /// The same with [`NetOptions::registry`] set.
    #[must_use]
    pub fn with_registry(mut self, registry: Registry) -> Self {
        self.registry = registry;
        self
    }

    /// The same with [`BuildOptions::winograd`] set.
    #[must_use]
    pub fn with_winograd(mut self, on: bool) -> Self {
        self.build.winograd = on;
        self
    }
}

impl Net {
    /// Prepares every layer of `model`.
    ///
    /// # Errors
    /// `Unsupported` listing all layers that this executor lacks, `Malformed` or
    /// `Invalid` for the first layer whose parameters or weights do not work.
    pub fn new(model: &Model) -> Result<Self> {
        Self::with_options(model, NetOptions::default())
    }

    /// As [`Net::new`] with layer types and algorithms chosen.
    ///
    /// # Errors
    /// As [`Net::new`].
    pub fn with_options(model: &Model, options: NetOptions) -> Result<Self> {
        let graph = Graph::new(model)?;
        let mut layers = Vec::with_capacity(model.layers.len());
        let mut unsupported = Vec::new();
        for layer in &model.layers {
            match prepare(layer, &options) {
                Ok(prepared) => layers.push(prepared),
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    unsupported.push(error.in_layer(&layer.name).to_string());
                }
                Err(error) => return Err(error.in_layer(&layer.name)),
            }
        }
        if !unsupported.is_empty() {
            return Err(Error::unsupported(unsupported.join("; ")));
        }
        let whole = Arc::new(Part::whole(&graph));
        Ok(Self { graph: Arc::new(graph), whole, layers, options })
    }

    /// The same network with another layer at the place `index` of the file; all others are shared.
    ///
    /// # Errors
    /// `Invalid` when there is no such place, or the layer reads or makes other blobs than the one before;
    /// those of preparing it.
    pub fn with_layer(&self, index: usize, layer: &ncnn_format::Layer) -> Result<Self> {
        check_replacement(&self.graph, index, layer)?;
        let mut net = self.clone();
        net.layers[index] = prepare(layer, &self.options).map_err(|error| error.in_layer(&layer.name))?;
        Ok(net)
    }

    /// The graph of layers and blobs.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Runs the network on `inputs` (blob name and value, one per input).
    ///
    /// # Errors
    /// `Invalid` when an input is missing or a layer cannot work on its shape,
    /// naming the layer; those of the observer.
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
        let inputs = inputs.iter().map(|(name, value)| (*name, Value::Planar(value.clone())));
        let outputs = self.execute(workspace, &self.whole, feeds(&self.graph, inputs)?, observer)?;
        let named = outputs
            .into_iter()
            .map(|(blob, value)| Ok((self.graph.blob_name(blob).to_owned(), value.into_planar(workspace)?)));
        Ok(Outputs(named.collect::<Result<_>>()?))
    }

    /// Runs the layers of `part` alone, from values of [`Part::inputs`] that another run left, and returns those of
    /// [`Part::outputs`]. `observer` sees what the part makes or is fed.
    ///
    /// Values of another run of this network, or of one that differs by replaced layers, give the bits of a run of
    /// the whole network.
    ///
    /// # Errors
    /// As [`Net::run`]; `Invalid` when `known` lacks a blob that the part reads.
    pub fn run_part(
        &self,
        workspace: &mut Workspace,
        part: &Part,
        known: &Blobs,
        observer: &mut dyn Observer,
    ) -> Result<Blobs> {
        let known = part.inputs().iter().filter_map(|&blob| Some((blob, known.get(blob)?.clone())));
        Ok(self.execute(workspace, part, known, observer)?.into_iter().collect())
    }

    fn execute(
        &self,
        workspace: &mut Workspace,
        part: &Part,
        known: impl IntoIterator<Item = (BlobId, Value)>,
        observer: &mut dyn Observer,
    ) -> Result<Vec<(BlobId, Value)>> {
        execute(
            &self.graph,
            part,
            known,
            |index, inputs| run_layer(self.layer(index)?, inputs, workspace),
            |blob, value| if observer.wants(blob) { observer.observe(blob, value) } else { Ok(()) },
        )
    }

    /// The shape of every blob for inputs of the given shapes, by [`BlobId`].
    ///
    /// # Errors
    /// As [`Net::run`], and `Unsupported` when a shape depends on values.
    pub fn infer_shapes(&self, inputs: &[(&str, Shape)]) -> Result<Vec<Shape>> {
        let feeds = feeds(&self.graph, inputs.iter().copied())?;
        check_known(&self.graph, &self.whole, |blob| feeds.iter().any(|(fed, _)| *fed == blob))?;
        Shapes::follow(&self.graph, &feeds, |index, inputs| self.layer(index)?.output_shapes(inputs)).into_all()
    }

    fn layer(&self, index: usize) -> Result<&dyn Layer> {
        self.layers.get(index).and_then(Option::as_deref).ok_or_else(|| Error::invalid("an Input layer was not fed"))
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net")
            .field("layers", &self.layers.len())
            .field("inputs", &self.graph.list(self.graph.inputs()))
            .field("outputs", &self.graph.list(self.graph.outputs()))
            .field("options", &self.options)
            .finish()
    }
}

/// One layer as `options` want it; `None` for an Input layer.
fn prepare(layer: &ncnn_format::Layer, options: &NetOptions) -> Result<Option<Arc<dyn Layer>>> {
    if layer.kind == LayerKind::Input {
        return Ok(None);
    }
    options.registry.build(layer, options.build).map(|layer| Some(layer.into()))
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
