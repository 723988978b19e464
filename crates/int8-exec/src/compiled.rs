//! A network with its layers prepared, and the plans made of it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use fp32_ref::{BlobId, Graph, Observer, Outputs, Part, Shape, Tensor, check_replacement, execute, feeds};
use ncnn_format::{Error, Layer, Result};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use crate::layers::Prepared;
use crate::plan::{Op, Plan};
use crate::{Options, Value};

/// What sessions share.
pub(crate) struct Compiled {
    pub(crate) graph: Arc<Graph>,
    /// All layers.
    pub(crate) whole: Arc<Part>,
    pub(crate) layers: Vec<Arc<Prepared>>,
    /// The types of the layers as the file names them.
    pub(crate) kinds: Vec<String>,
    pub(crate) options: Options,
    /// The plans made last, by the shapes of the inputs.
    plans: Mutex<Vec<(InputShapes, Planned)>>,
}

/// The shapes of a network's inputs, in the order of the graph.
pub(crate) type InputShapes = Vec<(BlobId, Shape)>;

/// A plan, or why there is none.
pub(crate) type Planned = std::result::Result<Arc<Plan>, Arc<Error>>;

/// More plans than this are forgotten, the oldest first.
const MOST_PLANS: usize = 8;

impl Compiled {
    pub(crate) fn new(graph: Graph, options: Options) -> Self {
        Self {
            whole: Arc::new(Part::whole(&graph)),
            graph: Arc::new(graph),
            layers: Vec::new(),
            kinds: Vec::new(),
            options,
            plans: Mutex::default(),
        }
    }

    /// # Errors
    /// Those of preparing the layer, with its name.
    pub(crate) fn push(&mut self, layer: &Layer) -> Result<()> {
        let prepared = Prepared::new(layer, &self.options).map_err(|error| error.in_layer(&layer.name))?;
        self.layers.push(Arc::new(prepared));
        self.kinds.push(layer.kind.to_string());
        Ok(())
    }

    /// The same with another layer at `index`.
    ///
    /// # Errors
    /// As [`check_replacement`]; those of preparing the layer.
    pub(crate) fn with_layer(&self, index: usize, layer: &Layer) -> Result<Self> {
        check_replacement(&self.graph, index, layer)?;
        let prepared = Prepared::new(layer, &self.options).map_err(|error| error.in_layer(&layer.name))?;
        let (mut layers, mut kinds) = (self.layers.clone(), self.kinds.clone());
        layers[index] = Arc::new(prepared);
        kinds[index] = layer.kind.to_string();
        Ok(Self {
            graph: Arc::clone(&self.graph),
            whole: Arc::clone(&self.whole),
            layers,
            kinds,
            options: self.options.clone(),
            plans: Mutex::default(),
        })
    }

    /// The shapes of inputs by blob, in the order of the graph.
    pub(crate) fn input_shapes<'a>(&self, inputs: impl Iterator<Item = (&'a str, Shape)>) -> Result<InputShapes> {
        let shapes = inputs.map(|(name, shape)| Ok((self.graph.blob(name)?, shape)));
        let mut shapes = shapes.collect::<Result<Vec<_>>>()?;
        shapes.sort_by_key(|(blob, _)| *blob);
        Ok(shapes)
    }

    /// The plan for inputs of these shapes, made now or before; that there is none is remembered too.
    pub(crate) fn plan(&self, inputs: &InputShapes) -> Planned {
        if !self.options.fuse {
            return Err(Arc::new(Error::unsupported("plans are switched off")));
        }
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, planned)) = plans.iter().find(|(shapes, _)| shapes == inputs) {
            return planned.clone();
        }
        let planned = Plan::new(&self.graph, &self.layers, inputs).map(Arc::new).map_err(Arc::new);
        if plans.len() == MOST_PLANS {
            drop(plans.remove(0));
        }
        plans.push((inputs.clone(), planned.clone()));
        // Threads that wait here may do work that asks for a plan.
        drop(plans);
        if let Ok(plan) = &planned {
            self.prepare(plan);
        }
        planned
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

    /// Runs the whole network layer by layer.
    pub(crate) fn run_inputs(&self, inputs: &[(&str, Tensor)], observer: &mut dyn Observer<Value>) -> Result<Outputs> {
        let inputs = inputs.iter().map(|(name, value)| (*name, Value::F32(value.clone())));
        let outputs = self.run_alone(&self.whole, feeds(&self.graph, inputs)?, observer)?;
        let named = outputs.iter().map(|(blob, value)| Ok((self.graph.blob_name(*blob).to_owned(), value.to_f32()?)));
        Ok(Outputs::new(named.collect::<Result<_>>()?))
    }

    /// Runs `part` layer by layer: every blob of it exists and can be shown to `observer`.
    pub(crate) fn run_alone(
        &self,
        part: &Part,
        known: impl IntoIterator<Item = (BlobId, Value)>,
        observer: &mut dyn Observer<Value>,
    ) -> Result<Vec<(BlobId, Value)>> {
        execute(
            &self.graph,
            part,
            known,
            |index, inputs| run_layer(&self.layers[index], inputs),
            |blob, value| if observer.wants(blob) { observer.observe(blob, value) } else { Ok(()) },
        )
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled")
            .field("layers", &self.layers.len())
            .field("inputs", &self.graph.list(self.graph.inputs()))
            .field("outputs", &self.graph.list(self.graph.outputs()))
            .field("options", &self.options)
            .finish()
    }
}

fn run_layer(layer: &Prepared, inputs: Vec<Value>) -> Result<Vec<Value>> {
    match layer {
        Prepared::Fed => Err(Error::invalid("an Input layer was not fed")),
        Prepared::Float { layer, .. } => run_float(&**layer, inputs),
        Prepared::Rescale(layer) => layer.run(inputs),
        Prepared::ImageConvolution(_) | Prepared::InnerProduct(_) => layer.run_alone(inputs),
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
