//! A network compiled for inputs of given shapes.
//!
//! ```text
//! facts      shapes and types of blobs; copies by Split are one blob
//! fusion     what runs in the epilogue of which int8 layer
//! demand     from the outputs back: who needs a blob as floats, who as integers of which scale
//! lowering   layers become steps; integers move through layers that keep their order
//! memory     buffers that never live together share memory
//! ```
//!
//! A producer quantizes for its consumers: the same float, the same scale, so the same bits as if
//! the consumer did it.

mod demand;
mod facts;
mod fusion;
mod lowering;
mod memory;
mod movement;
mod step;
mod storage;
mod windows;

use std::collections::HashMap;
use std::sync::Arc;

use fp32_ref::{BlobId, Graph, Shape, Tensor};
use ncnn_format::{Error, Result};

use crate::layers::Prepared;
use crate::rows::MOST_SINKS;
use facts::Facts;
use fusion::Fusion;
use lowering::Lowering;
use memory::{Memory, Span, extend};

pub(crate) use step::{Moving, Op, Sinks, Step};
pub(crate) use storage::View;

/// Steps that compute a network, and the memory that they need.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) steps: Vec<Step>,
    /// Bytes of each int8 slot.
    pub(crate) byte_slots: Vec<usize>,
    /// Elements of each f32 slot.
    pub(crate) float_slots: Vec<usize>,
    /// Bytes of all buffers if none shared a slot.
    pub(crate) unshared_bytes: usize,
    /// Where the floats of each root are.
    pub(crate) homes: Vec<FloatHome>,
    /// By step, the roots whose floats nobody reads any more.
    pub(crate) released: Vec<Vec<BlobId>>,
    /// Roots whose floats must lie pixel by pixel.
    pub(crate) as_pixels: Vec<bool>,
    /// Values that are the same in every run.
    pub(crate) constants: Vec<(BlobId, Tensor)>,
    /// The blob whose value each blob has.
    pub(crate) roots: Vec<BlobId>,
    /// The shape of each blob, `None` where it depends on values.
    pub(crate) shapes: Vec<Option<Shape>>,
    /// Outputs that are int8: blob, where they are and their scale.
    pub(crate) int8_outputs: HashMap<BlobId, (View, f32)>,
}

/// Where the floats of a blob are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FloatHome {
    /// Nobody needs them.
    Nowhere,
    /// In a value that layers of fp32-ref can take.
    Value,
    /// In a slot, pixel by pixel.
    Slot(usize),
}

impl Plan {
    /// Compiles the network.
    ///
    /// # Errors
    /// `Unsupported` for what only the layer-by-layer path does, and the layers' own errors; that
    /// path then says what is wrong.
    pub(crate) fn new(graph: &Graph, layers: &[Arc<Prepared>], inputs: &[(BlobId, Shape)]) -> Result<Self> {
        if graph.inputs().iter().any(|input| inputs.iter().all(|(blob, _)| blob != input)) {
            return Err(Error::invalid("an input is missing"));
        }
        let facts = Facts::new(graph, layers, inputs)?;
        let fusion = Fusion::new(graph, layers, &facts);
        let demands = demand::demands(graph, layers, &facts, &fusion);
        let mut lowering = Lowering {
            graph,
            layers,
            facts: &facts,
            fusion: &fusion,
            demands: &demands,
            steps: Vec::new(),
            storages: storage::Storages::default(),
            forms: HashMap::new(),
        };
        lowering.lower()?;
        let Lowering { steps, storages, forms, .. } = lowering;
        let mut int8_outputs = HashMap::new();
        for &blob in graph.outputs() {
            let root = facts.roots[blob.0];
            if let Some(scale) = facts.int8[root.0] {
                let view = forms.get(&(root.0, scale.to_bits())).copied();
                let view = view.ok_or_else(|| Error::unsupported("an int8 output that no layer makes"))?;
                int8_outputs.insert(blob, (view, scale));
            }
        }
        let known = facts.constants.into_iter().enumerate();
        let known = known.filter_map(|(blob, value)| value.map(|value| (BlobId(blob), value)));
        let mut plan = Self {
            released: vec![Vec::new(); steps.len()],
            steps,
            byte_slots: Vec::new(),
            float_slots: Vec::new(),
            unshared_bytes: 0,
            homes: vec![FloatHome::Nowhere; graph.blobs().len()],
            as_pixels: vec![false; graph.blobs().len()],
            constants: known.collect(),
            roots: facts.roots,
            shapes: facts.shapes,
            int8_outputs,
        };
        plan.place_bytes(&storages);
        plan.place_floats(graph);
        Ok(plan)
    }

    /// Deals out memory for integers and turns every view into one of a slot.
    fn place_bytes(&mut self, storages: &storage::Storages) {
        let mut spans: Vec<Option<Span>> = vec![None; storages.len()];
        for (index, step) in self.steps.iter().enumerate() {
            for view in step.op.reads().into_iter().chain(step.op.writes()) {
                extend(&mut spans[storages.resolve(view).buffer], index);
            }
        }
        for (view, _) in self.int8_outputs.values() {
            extend(&mut spans[storages.resolve(*view).buffer], self.steps.len());
        }
        let sizes: Vec<usize> = (0..storages.len()).map(|storage| storages.size(storage)).collect();
        let memory = Memory::new(&sizes, &spans);
        let place = |view: View| {
            let resolved = storages.resolve(view);
            View { buffer: memory.slots[resolved.buffer].unwrap_or_default(), ..resolved }
        };
        self.steps.iter_mut().for_each(|step| step.op.map_views(place));
        self.int8_outputs.values_mut().for_each(|(view, _)| *view = place(*view));
        self.unshared_bytes += unshared(&sizes, &memory.slots);
        self.byte_slots = memory.sizes;
    }

    /// Decides where floats are and when they are of no more use.
    fn place_floats(&mut self, graph: &Graph) {
        let mut spans: Vec<Option<Span>> = vec![None; self.homes.len()];
        let root = |blob: &BlobId| self.roots[blob.0].0;
        for &known in graph.inputs().iter().chain(self.constants.iter().map(|(blob, _)| blob)) {
            self.homes[known.0] = FloatHome::Value;
        }
        for (index, step) in self.steps.iter().enumerate() {
            match &step.op {
                Op::Quantize { from, .. } => extend(&mut spans[from.0], index),
                Op::Convolve { addend, sinks, .. } => {
                    if let Some(addend) = addend {
                        self.as_pixels[addend.0] = true;
                        extend(&mut spans[addend.0], index);
                    }
                    if let Some(made) = sinks.floats {
                        // A slot unless somebody needs a value.
                        self.homes[made.0] = FloatHome::Slot(0);
                        extend(&mut spans[made.0], index);
                    }
                }
                Op::Relabel { from, to } => {
                    self.as_pixels[from.0] = true;
                    extend(&mut spans[from.0], index);
                    extend(&mut spans[to.0], index);
                }
                Op::Float { layer } => {
                    let node = &graph.nodes()[*layer];
                    for blob in node.inputs.iter().map(root).chain(node.outputs.iter().map(|blob| blob.0)) {
                        extend(&mut spans[blob], index);
                    }
                }
                _ => {}
            }
        }
        for step in &self.steps {
            if matches!(step.op, Op::Float { .. } | Op::Relabel { .. }) {
                let node = &graph.nodes()[step.layers[0]];
                node.inputs.iter().map(root).for_each(|blob| self.homes[blob] = FloatHome::Value);
                node.outputs.iter().for_each(|blob| self.homes[blob.0] = FloatHome::Value);
            }
        }
        for output in graph.outputs().iter().filter(|blob| !self.int8_outputs.contains_key(blob)) {
            self.homes[root(output)] = FloatHome::Value;
            extend(&mut spans[root(output)], self.steps.len());
        }
        for (blob, span) in spans.iter().enumerate() {
            if let Some(released) = span.and_then(|span| self.released.get_mut(span.last)) {
                released.push(BlobId(blob));
            }
        }
        self.share_floats(&spans);
    }

    /// Deals out memory for floats that are no values.
    fn share_floats(&mut self, spans: &[Option<Span>]) {
        let is_slot = |blob: usize| matches!(self.homes[blob], FloatHome::Slot(_));
        let sizes: Vec<usize> = self.shapes.iter().map(|shape| shape.map_or(0, |shape| shape.volume())).collect();
        let mut spans: Vec<Option<Span>> =
            spans.iter().enumerate().map(|(blob, span)| span.filter(|_| is_slot(blob))).collect();
        // A sum takes the memory of an addend that nobody reads after it.
        let mut buffers: Vec<usize> = (0..spans.len()).collect();
        for (index, step) in self.steps.iter().enumerate() {
            if let Op::Convolve { addend: Some(addend), sinks: Sinks { floats: Some(sum), integers }, .. } = &step.op
                && self.released[index].contains(addend)
                && is_slot(addend.0)
                && is_slot(sum.0)
                && integers.len() < MOST_SINKS
            {
                let buffer = buffers[addend.0];
                if let Some(sum) = spans[sum.0].take() {
                    extend(&mut spans[buffer], sum.last);
                }
                buffers[sum.0] = buffer;
            }
        }
        let memory = Memory::new(&sizes, &spans);
        for (home, &buffer) in self.homes.iter_mut().zip(&buffers) {
            if let (FloatHome::Slot(_), Some(slot)) = (*home, memory.slots[buffer]) {
                *home = FloatHome::Slot(slot);
            }
        }
        self.unshared_bytes += 4 * unshared(&sizes, &memory.slots);
        self.float_slots = memory.sizes;
    }
}

/// The elements of all buffers that have a slot.
fn unshared(sizes: &[usize], slots: &[Option<usize>]) -> usize {
    sizes.iter().zip(slots).filter(|(_, slot)| slot.is_some()).map(|(size, _)| size).sum()
}
