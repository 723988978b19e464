//! A quantized network ready to run.

use std::borrow::Borrow;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use fp32_ref::{BlobId, Blobs, Graph, Observer, Outputs, Part, Tensor};
use ncnn_format::{Error, ErrorKind, Layer, Model, Result};

use crate::compiled::Compiled;
use crate::{Options, Session, Value};

/// A network with int8 layers.
///
/// It is immutable while running, so one `Int8Net` serves many threads. Who runs it often keeps a
/// [`Session`].
///
/// ```
/// use fp32_ref::{Blobs, Tensor};
/// use int8_exec::{Int8Net, Value};
/// # use ncnn_format::typed::InnerProduct;
/// # use ncnn_format::{Layer, LayerKind, Model, WeightRole};
/// # let input = Layer::new(LayerKind::Input, "data").makes("data");
/// # let fc = Layer::new(LayerKind::InnerProduct, "fc").reads("data").makes("out");
/// # let fc = fc.with(InnerProduct::NUM_OUTPUT, 1).with(InnerProduct::WEIGHT_DATA_SIZE, 2);
/// # let fc = fc.with(InnerProduct::INT8_SCALE_TERM, 2).with_weight(WeightRole::Weight, vec![3_i8, -4]);
/// # let fc = fc.with_weight(WeightRole::WeightScales, vec![1.0]).with_weight(WeightRole::InputScale, vec![2.0]);
/// # let model = Model::new([input, fc]);
///
/// let net = Int8Net::new(&model)?;
/// let mut seen = Blobs::<Value>::new();
/// net.run(&[("data", Tensor::new([2], vec![5.0, 1.0])?)], &mut seen)?;
/// assert_eq!(seen.get(net.graph().blob("out")?).unwrap().to_f32()?.as_slice(), [11.0]);
/// # Ok::<(), ncnn_format::Error>(())
/// ```
pub struct Int8Net {
    compiled: Arc<Compiled>,
    /// Sessions that are not running.
    idle: Mutex<Vec<Session>>,
}

impl Int8Net {
    /// Prepares every layer of `model` for the best instructions of this CPU.
    ///
    /// # Errors
    /// `Unsupported` listing all layers that cannot be run, `Malformed` or
    /// `Invalid` for the first layer whose parameters or weights do not work.
    pub fn new(model: &Model) -> Result<Self> {
        Self::with_options(model, Options::default())
    }

    /// As [`Int8Net::new`] with instructions, roundings and layer types chosen.
    ///
    /// # Errors
    /// As [`Int8Net::new`].
    pub fn with_options(model: &Model, options: Options) -> Result<Self> {
        Self::build(Graph::new(model)?, model.layers.iter(), options)
    }

    /// As [`Int8Net::with_options`], giving up the weights of the model layer by layer, so that they
    /// are in memory only once.
    ///
    /// # Errors
    /// As [`Int8Net::new`].
    pub fn from_model(model: Model, options: Options) -> Result<Self> {
        Self::build(Graph::new(&model)?, model.layers.into_iter(), options)
    }

    fn build(graph: Graph, layers: impl Iterator<Item = impl Borrow<Layer>>, options: Options) -> Result<Self> {
        let mut compiled = Compiled::new(graph, options);
        let mut unsupported = Vec::new();
        for layer in layers {
            match compiled.push(layer.borrow()) {
                Err(error) if error.kind() == ErrorKind::Unsupported => unsupported.push(error.to_string()),
                result => result?,
            }
        }
        if !unsupported.is_empty() {
            return Err(Error::unsupported(unsupported.join("; ")));
        }
        Ok(Self::of(compiled))
    }

    fn of(compiled: Compiled) -> Self {
        Self { compiled: Arc::new(compiled), idle: Mutex::default() }
    }

    /// The same network with another layer at the place `index` of the file, int8 or float; all others are
    /// shared. Plans are made anew.
    ///
    /// ```
    /// use fp32_ref::Tensor;
    /// use int8_exec::Int8Net;
    /// # use ncnn_format::typed::InnerProduct;
    /// # use ncnn_format::{Layer, LayerKind, Model, WeightRole};
    /// # let input = Layer::new(LayerKind::Input, "data").makes("data");
    /// # let fc = Layer::new(LayerKind::InnerProduct, "fc").reads("data").makes("out");
    /// # let fc = fc.with(InnerProduct::NUM_OUTPUT, 1).with(InnerProduct::WEIGHT_DATA_SIZE, 2);
    /// # let fc = fc.with(InnerProduct::INT8_SCALE_TERM, 2).with_weight(WeightRole::Weight, vec![3_i8, -4]);
    /// # let fc = fc.with_weight(WeightRole::WeightScales, vec![1.0]).with_weight(WeightRole::InputScale, vec![2.0]);
    /// # let model = Model::new([input, fc]);
    ///
    /// let float = Layer::new(LayerKind::InnerProduct, "fc").reads("data").makes("out");
    /// let float = float.with(InnerProduct::NUM_OUTPUT, 1).with(InnerProduct::WEIGHT_DATA_SIZE, 2);
    /// let float = float.with_weight(WeightRole::Weight, vec![3.0, -4.25]);
    /// let net = Int8Net::new(&model)?.with_layer(1, &float)?;
    /// let outputs = net.run(&[("data", Tensor::new([2], vec![5.0, 1.0])?)], &mut ())?;
    /// assert_eq!(outputs.get("out").unwrap().as_slice(), [10.75]);
    /// # Ok::<(), ncnn_format::Error>(())
    /// ```
    ///
    /// # Errors
    /// `Invalid` when there is no such place, or the layer reads or makes other blobs than the one before;
    /// those of preparing it.
    pub fn with_layer(&self, index: usize, layer: &Layer) -> Result<Self> {
        Ok(Self::of(self.compiled.with_layer(index, layer)?))
    }

    /// The graph of layers and blobs.
    pub fn graph(&self) -> &Graph {
        &self.compiled.graph
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        &self.compiled
    }

    /// A user of the network with memory of its own.
    pub fn session(&self) -> Session {
        Session::new(Arc::clone(&self.compiled))
    }

    /// Runs the network on `inputs` (blob name and value, one per input).
    ///
    /// If `observer` wants any blob, the network runs layer by layer, as many blobs of a plan never exist; the
    /// values are the same. An output that is int8 is returned as floats, divided by its scale.
    ///
    /// # Errors
    /// `Invalid` when an input is missing or a layer cannot work on its shape,
    /// naming the layer; those of the observer.
    pub fn run(&self, inputs: &[(&str, Tensor)], observer: &mut dyn Observer<Value>) -> Result<Outputs> {
        if (0..self.graph().blobs().len()).any(|blob| observer.wants(BlobId(blob))) {
            return self.compiled.run_inputs(inputs, observer);
        }
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let session = idle().pop();
        let mut session = session.unwrap_or_else(|| self.session());
        let outputs = session.run(inputs);
        idle().push(session);
        outputs
    }

    /// Runs the layers of `part` alone, layer by layer, from values of [`Part::inputs`] that another run left, and
    /// returns those of [`Part::outputs`]. `observer` sees what the part makes or is fed.
    ///
    /// Values of another run of this network, or of one that differs by replaced layers, give the bits of a run of
    /// the whole network.
    ///
    /// # Errors
    /// As [`Int8Net::run`]; `Invalid` when `known` lacks a blob that the part reads.
    pub fn run_part(
        &self,
        part: &Part,
        known: &Blobs<Value>,
        observer: &mut dyn Observer<Value>,
    ) -> Result<Blobs<Value>> {
        let known = part.inputs().iter().filter_map(|&blob| Some((blob, known.get(blob)?.clone())));
        Ok(self.compiled.run_alone(part, known, observer)?.into_iter().collect())
    }
}

impl fmt::Debug for Int8Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Int8Net").field(&self.compiled).finish()
    }
}
