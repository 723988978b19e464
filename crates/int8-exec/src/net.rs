//! A quantized network ready to run.

use fp32_ref::{BlobId, Graph, Outputs, Tensor};
use ncnn_format::{Error, ErrorKind, LayerKind, Model, Result};

use crate::layers::{QuantizedLayer, is_quantized, prepare};
use crate::{Options, Value};

/// Sees every blob once per run, right after it was made, in execution order.
///
/// `()` watches nothing.
pub trait Observer {
    /// `value` may be released after the call.
    fn observe(&mut self, blob: BlobId, value: &Value);
}

impl Observer for () {
    fn observe(&mut self, _: BlobId, _: &Value) {}
}

impl<F: FnMut(BlobId, &Value)> Observer for F {
    fn observe(&mut self, blob: BlobId, value: &Value) {
        self(blob, value);
    }
}

/// A network with int8 layers.
///
/// It is immutable while running, so one `Int8Net` serves many threads.
pub struct Int8Net {
    graph: Graph,
    steps: Vec<Step>,
}

enum Step {
    /// An Input layer: its value is fed.
    Fed,
    Quantized(Box<dyn QuantizedLayer>),
    Float(Box<dyn fp32_ref::Layer>),
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

    /// As [`Int8Net::new`] with instructions and roundings chosen.
    ///
    /// # Errors
    /// As [`Int8Net::new`].
    pub fn with_options(model: &Model, options: Options) -> Result<Self> {
        let graph = Graph::new(model)?;
        let mut steps = Vec::with_capacity(model.layers.len());
        let mut unsupported = Vec::new();
        for layer in &model.layers {
            match Step::new(layer, options) {
                Ok(step) => steps.push(step),
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    unsupported.push(error.in_layer(&layer.name).to_string());
                }
                Err(error) => return Err(error.in_layer(&layer.name)),
            }
        }
        if unsupported.is_empty() { Ok(Self { graph, steps }) } else { Err(Error::unsupported(unsupported.join("; "))) }
    }

    /// The graph of layers and blobs.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Runs the network on `inputs` (blob name and value, one per input).
    ///
    /// An output that is int8 is returned as floats, divided by its scale.
    ///
    /// # Errors
    /// `Invalid` when an input is missing or a layer cannot work on its shape,
    /// naming the layer.
    pub fn run(&self, inputs: &[(&str, Tensor)], observer: &mut dyn Observer) -> Result<Outputs> {
        let feeds = inputs
            .iter()
            .map(|(name, value)| Ok((self.graph.blob(name)?, Value::F32(value.clone()))))
            .collect::<Result<_>>()?;
        let outputs = self.graph.execute(
            feeds,
            |index, inputs| self.steps[index].run(inputs),
            |blob, value| observer.observe(blob, value),
        )?;
        let named = outputs.iter().map(|(blob, value)| Ok((self.graph.blob_name(*blob).to_owned(), value.to_f32()?)));
        Ok(Outputs::new(named.collect::<Result<_>>()?))
    }
}

impl Step {
    fn new(layer: &ncnn_format::Layer, options: Options) -> Result<Self> {
        if layer.kind == LayerKind::Input {
            Ok(Self::Fed)
        } else if is_quantized(layer)? {
            prepare(layer, options).map(Self::Quantized)
        } else {
            fp32_ref::build(layer).map(Self::Float)
        }
    }

    fn run(&self, inputs: Vec<Value>) -> Result<Vec<Value>> {
        match self {
            Self::Fed => Err(Error::invalid("an Input layer was not fed")),
            Self::Quantized(layer) => layer.run(inputs),
            Self::Float(layer) => run_float(&**layer, inputs),
        }
    }
}

/// Runs an fp32 layer; layers that only move data do so on int8 as well.
fn run_float(layer: &dyn fp32_ref::Layer, inputs: Vec<Value>) -> Result<Vec<Value>> {
    if let Some(scale) = common_scale(&inputs)? {
        let integers = inputs
            .iter()
            .filter_map(|value| match value {
                Value::I8 { tensor, .. } => Some(tensor.clone()),
                Value::F32(_) => None,
            })
            .collect();
        if let Some(outputs) = layer.run_i8(integers) {
            return Ok(outputs?.into_iter().map(|tensor| Value::I8 { tensor, scale }).collect());
        }
    }
    let floats = inputs.into_iter().map(Value::into_f32).collect::<Result<_>>()?;
    Ok(layer.run(floats)?.into_iter().map(Value::F32).collect())
}

/// The scale of inputs that are all int8; `None` when any is f32.
///
/// # Errors
/// `Unsupported` when int8 inputs have different scales: joined, their integers
/// would mean different things.
fn common_scale(inputs: &[Value]) -> Result<Option<f32>> {
    let mut common = None;
    for value in inputs {
        match (value, common) {
            (Value::F32(_), _) => return Ok(None),
            (Value::I8 { scale, .. }, None) => common = Some(*scale),
            (Value::I8 { scale, .. }, Some(first)) if *scale == first => {}
            (Value::I8 { scale, .. }, Some(first)) => {
                return Err(Error::unsupported(format!("the int8 inputs have different scales ({first} and {scale})")));
            }
        }
    }
    Ok(common)
}
