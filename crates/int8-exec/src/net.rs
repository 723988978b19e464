//! A quantized network ready to run.

use std::borrow::Borrow;
use std::sync::{Arc, Mutex, PoisonError};

use fp32_ref::{BlobId, Graph, Outputs, Shape, Tensor};
use ncnn_format::{Error, ErrorKind, Layer, Model, Result};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::layers::Prepared;
use crate::plan::{Op, Plan};
use crate::{Options, Session, Value};

/// Sees every blob once per run, right after it was made, in execution order.
///
/// `()` watches nothing.
pub trait Observer {
    /// `value` may be released after the call.
    fn observe(&mut self, blob: BlobId, value: &Value);

    /// Whether it looks at blobs at all. If it does, the network runs layer by layer, as many blobs
    /// of a plan never exist; the values are the same.
    fn watches(&self) -> bool {
        true
    }
}

impl Observer for () {
    fn observe(&mut self, _: BlobId, _: &Value) {}

    fn watches(&self) -> bool {
        false
    }
}

impl<F: FnMut(BlobId, &Value)> Observer for F {
    fn observe(&mut self, blob: BlobId, value: &Value) {
        self(blob, value);
    }
}

/// A network with int8 layers.
///
/// It is immutable while running, so one `Int8Net` serves many threads. Who runs it often keeps a
/// [`Session`].
pub struct Int8Net {
    compiled: Arc<Compiled>,
    /// Sessions that are not running.
    idle: Mutex<Vec<Session>>,
}

/// What sessions share.
pub(crate) struct Compiled {
    pub(crate) graph: Graph,
    pub(crate) layers: Vec<Prepared>,
    pub(crate) names: Vec<String>,
    /// The types of the layers as the file names them.
    pub(crate) kinds: Vec<String>,
    pub(crate) options: Options,
    /// The plans made last, by the shapes of the inputs.
    plans: Mutex<Vec<KnownPlan>>,
}

/// A plan and the shapes of the inputs that it is for.
pub(crate) type KnownPlan = (Vec<(BlobId, Shape)>, Arc<Plan>);

/// More plans than this are forgotten, the oldest first.
const MOST_PLANS: usize = 8;

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
        let mut compiled = Compiled {
            graph,
            layers: Vec::new(),
            names: Vec::new(),
            kinds: Vec::new(),
            options,
            plans: Mutex::default(),
        };
        let mut unsupported = Vec::new();
        for layer in layers {
            let layer = layer.borrow();
            match Prepared::new(layer, options) {
                Ok(prepared) => compiled.layers.push(prepared),
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    unsupported.push(error.in_layer(&layer.name).to_string());
                }
                Err(error) => return Err(error.in_layer(&layer.name)),
            }
            compiled.names.push(layer.name.clone());
            compiled.kinds.push(layer.kind.to_string());
        }
        if !unsupported.is_empty() {
            return Err(Error::unsupported(unsupported.join("; ")));
        }
        Ok(Self { compiled: Arc::new(compiled), idle: Mutex::default() })
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
    /// An output that is int8 is returned as floats, divided by its scale.
    ///
    /// # Errors
    /// `Invalid` when an input is missing or a layer cannot work on its shape,
    /// naming the layer.
    pub fn run(&self, inputs: &[(&str, Tensor)], observer: &mut dyn Observer) -> Result<Outputs> {
        if observer.watches() || !self.compiled.options.fuse {
            return self.compiled.run_alone(inputs, observer);
        }
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let session = idle().pop();
        let mut session = session.unwrap_or_else(|| self.session());
        let outputs = session.run(inputs);
        idle().push(session);
        outputs
    }
}

impl Compiled {
    /// The shapes of inputs by blob, in the order of the graph.
    pub(crate) fn input_shapes<'a>(
        &self,
        inputs: impl Iterator<Item = (&'a str, Shape)>,
    ) -> Result<Vec<(BlobId, Shape)>> {
        let shapes = inputs.map(|(name, shape)| Ok((self.graph.blob(name)?, shape)));
        let mut shapes = shapes.collect::<Result<Vec<_>>>()?;
        shapes.sort_by_key(|(blob, _)| *blob);
        Ok(shapes)
    }

    /// The plan for inputs of these shapes, made now or before.
    ///
    /// # Errors
    /// Those of making it.
    pub(crate) fn plan(&self, inputs: &[(BlobId, Shape)]) -> Result<Arc<Plan>> {
        if !self.options.fuse {
            return Err(Error::unsupported("plans are switched off"));
        }
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, plan)) = plans.iter().find(|(shapes, _)| shapes == inputs) {
            return Ok(Arc::clone(plan));
        }
        let plan = Arc::new(Plan::new(&self.graph, &self.layers, inputs)?);
        if plans.len() == MOST_PLANS {
            plans.remove(0);
        }
        plans.push((inputs.to_vec(), Arc::clone(&plan)));
        // Threads that wait here may do work that asks for a plan.
        drop(plans);
        self.prepare(&plan);
        Ok(plan)
    }

    /// Brings the weights into the form that kernels want for the sizes of a plan.
    fn prepare(&self, plan: &Plan) {
        plan.steps.par_iter().for_each(|step| {
            if let Op::Convolve { layer, output, .. } = &step.op
                && let Some(parts) = self.layers[*layer].parts()
            {
                parts.prepare(output.height, output.width);
            }
        });
    }

    /// Runs layer by layer: every blob exists and is shown to `observer`.
    pub(crate) fn run_alone(&self, inputs: &[(&str, Tensor)], observer: &mut dyn Observer) -> Result<Outputs> {
        let feeds = inputs
            .iter()
            .map(|(name, value)| Ok((self.graph.blob(name)?, Value::F32(value.clone()))))
            .collect::<Result<_>>()?;
        let outputs = fp32_ref::execute(
            &self.graph,
            feeds,
            |index, inputs| run_layer(&self.layers[index], inputs),
            |blob, value| observer.observe(blob, value),
        )?;
        let named = outputs.iter().map(|(blob, value)| Ok((self.graph.blob_name(*blob).to_owned(), value.to_f32()?)));
        Ok(Outputs::new(named.collect::<Result<_>>()?))
    }
}

fn run_layer(layer: &Prepared, inputs: Vec<Value>) -> Result<Vec<Value>> {
    match layer {
        Prepared::Fed => Err(Error::invalid("an Input layer was not fed")),
        Prepared::Float { layer, .. } => run_float(&**layer, inputs),
        Prepared::Alone(layer) => layer.run(inputs),
        Prepared::Convolution(_) | Prepared::InnerProduct(_) => layer.run_alone(inputs),
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
