//! Running a network again and again.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fp32_ref::{BlobId, Outputs, Tensor, Value};
use int8_kernels::unstored;
use ncnn_format::{Error, Result};

use crate::buffers::Buffers;
use crate::compiled::{Compiled, InputShapes, Planned};
use crate::helpers::Helpers;
use crate::plan::{Plan, View};
use crate::run_step::Context;

/// One user of an [`Int8Net`](crate::Int8Net), with memory that is kept from run to run.
///
/// The weights are shared with the net and its other sessions. From the second run on inputs of the
/// same shapes, nothing large is allocated. Give every thread its own.
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
/// let mut session = Int8Net::new(&model)?.session();
/// for (value, expected) in [(5.0, 11.0), (1.0, -1.0)] {
///     let outputs = session.run(&[("data", Tensor::new([2], vec![value, 1.0])?)])?;
///     assert_eq!(outputs.get("out").unwrap().as_slice(), [expected]);
/// }
/// assert!(session.no_plan().is_none());
/// # Ok::<(), ncnn_format::Error>(())
/// ```
pub struct Session {
    compiled: Arc<Compiled>,
    /// What the last run went by.
    planned: Option<(InputShapes, Planned)>,
    buffers: Buffers,
    helpers: Arc<Helpers>,
}

impl Session {
    pub(crate) fn new(compiled: Arc<Compiled>) -> Self {
        Self { compiled, planned: None, buffers: Buffers::default(), helpers: Arc::new(Helpers::new()) }
    }

    /// Runs the network on `inputs` (blob name and value, one per input), an output that is int8 is
    /// returned as floats, divided by its scale. Outputs are the same for any number of threads.
    ///
    /// # Errors
    /// As [`Int8Net::run`](crate::Int8Net::run).
    pub fn run(&mut self, inputs: &[(&str, Tensor)]) -> Result<Outputs> {
        self.run_and(inputs, |_, _| {})
    }

    /// As [`Session::run`], and the time that each step of the plan took, in the order of
    /// [`Int8Net::plan_report`](crate::Int8Net::plan_report). No times where there is no plan.
    ///
    /// # Errors
    /// As [`Session::run`].
    pub fn profile(&mut self, inputs: &[(&str, Tensor)]) -> Result<(Outputs, Vec<Duration>)> {
        let mut times = Vec::new();
        let outputs = self.run_and(inputs, |_, time| times.push(time))?;
        Ok((outputs, times))
    }

    /// Why the last run had no plan and went layer by layer; `None` if it had one, or there was none yet.
    pub fn no_plan(&self) -> Option<&Error> {
        self.planned.as_ref().and_then(|(_, planned)| planned.as_ref().err().map(|error| &**error))
    }

    fn run_and(&mut self, inputs: &[(&str, Tensor)], mut timed: impl FnMut(usize, Duration) + Send) -> Result<Outputs> {
        let compiled = Arc::clone(&self.compiled);
        let Some(plan) = self.plan(inputs)? else { return compiled.run_inputs(inputs, &mut ()) };
        let context =
            Context { graph: &compiled.graph, layers: &compiled.layers, plan: &plan, isa: compiled.options.isa };
        self.buffers.fit(&plan);
        for (name, tensor) in inputs {
            self.buffers.keep(&plan, compiled.graph.blob(name)?, Value::Planar(tensor.clone()))?;
        }
        for (blob, value) in &plan.constants {
            self.buffers.keep(&plan, *blob, Value::Planar(value.clone()))?;
        }
        let buffers = &mut self.buffers;
        if !self.helpers.fit() {
            self.helpers = Arc::new(Helpers::new());
        }
        let helpers = &self.helpers;
        let run_step = |index: usize| {
            if plan.steps[index].op.is_shared() {
                helpers.call();
            }
            let start = Instant::now();
            let result = context.run_step(index, buffers);
            timed(index, start.elapsed());
            result.map_err(|error| error.in_layer(compiled.graph.layer_name(plan.steps[index].layers[0])))
        };
        let mut steps = 0..plan.steps.len();
        if rayon::current_thread_index().is_some() {
            steps.try_for_each(run_step)?;
        } else {
            // Threads of the pool can only help one of theirs.
            rayon::scope(|_| steps.try_for_each(run_step))?;
        }
        self.outputs(&compiled, &plan)
    }

    /// The plan for these inputs; `None` if they are to be run layer by layer.
    fn plan(&mut self, inputs: &[(&str, Tensor)]) -> Result<Option<Arc<Plan>>> {
        let shapes = self.compiled.input_shapes(inputs.iter().map(|(name, tensor)| (*name, tensor.shape())))?;
        let planned = match &self.planned {
            Some((known, planned)) if *known == shapes => planned.clone(),
            _ => {
                let planned = self.compiled.plan(&shapes);
                self.planned = Some((shapes, planned.clone()));
                planned
            }
        };
        Ok(planned.ok())
    }

    fn outputs(&mut self, compiled: &Compiled, plan: &Plan) -> Result<Outputs> {
        let named = compiled.graph.outputs().iter().map(|&blob| {
            let value = match plan.int8_outputs.get(&blob) {
                Some(&(view, scale)) => self.dequantized(plan, blob, view, scale)?,
                None => {
                    let value = self.buffers.values[plan.roots[blob.0].0].as_ref();
                    value.ok_or_else(|| Error::invalid("no step made an output"))?.to_tensor()
                }
            };
            Ok((compiled.graph.blob_name(blob).to_owned(), value))
        });
        let outputs = Outputs::new(named.collect::<Result<_>>()?);
        let made: Vec<BlobId> = compiled.graph.outputs().iter().map(|blob| plan.roots[blob.0]).collect();
        self.buffers.release(&made);
        Ok(outputs)
    }

    /// An int8 output as floats in ncnn's order.
    fn dequantized(&self, plan: &Plan, blob: BlobId, view: View, scale: f32) -> Result<Tensor> {
        let shape = plan.shapes[blob.0].or(plan.shapes[plan.roots[blob.0].0]);
        let shape = shape.ok_or_else(|| Error::invalid("an output without a shape"))?;
        let step = if scale == 0.0 { 0.0 } else { 1.0 / scale };
        let bytes = &self.buffers.bytes[view.buffer][view.offset..];
        let value = |position| {
            let (pixel, channel) = view.grid.place(shape.rank(), position);
            f32::from(unstored(bytes[pixel * view.stride + channel])) * step
        };
        Tensor::new(shape.dims(), (0..shape.volume()).map(value).collect())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan =
            self.planned.as_ref().map(|(inputs, planned)| (inputs, planned.as_ref().map(|plan| plan.steps.len())));
        f.debug_struct("Session").field("compiled", &self.compiled).field("plan", &plan).finish_non_exhaustive()
    }
}
