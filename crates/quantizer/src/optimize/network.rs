//! A model while passes change it.

use std::collections::{HashMap, HashSet};

use fp32_ref::Shape;
use ncnn_format::{Error, Graph, Layer, LayerKind, Model, Result};

use super::options::OptimizeOptions;
use super::report::{Change, Refusal};
use super::shapes::known_shapes;

/// Layers in file order, what is known about their blobs, and the report so far.
///
/// A layer that was removed leaves an empty one in its place, so that indices stay.
pub(super) struct Network {
    /// Their inputs and outputs change through [`Network::set_inputs`] and [`Network::set_outputs`] only.
    pub(super) layers: Vec<Layer>,
    removed: Vec<bool>,
    /// By blob name, the layer that makes it.
    makers: HashMap<String, usize>,
    /// By blob name, the layers that read it, once per reading.
    readers: HashMap<String, Vec<usize>>,
    /// By blob name; passes never change the shape of a blob.
    shapes: HashMap<String, Shape>,
    /// Blobs that somebody outside reads: outputs and those of the options.
    kept: HashSet<String>,
    /// The pass at work.
    pub(super) pass: &'static str,
    pub(super) changes: Vec<Change>,
    pub(super) refusals: Vec<Refusal>,
}

impl Network {
    pub(super) fn new(model: &Model, options: &OptimizeOptions) -> Result<Self> {
        let graph = Graph::new(model)?;
        let shapes = known_shapes(model, &graph, &options.input_shapes)?;
        for blob in options.outputs.iter().chain(&options.keep) {
            graph.blob(blob).map_err(|_| Error::invalid(format!("no blob is called {blob}")))?;
        }
        let graph = if options.outputs.is_empty() { graph } else { graph.with_outputs(&options.outputs)? };
        let graph = graph.keeping(&options.keep)?;
        let mut network = Self {
            layers: model.layers.clone(),
            removed: vec![false; model.layers.len()],
            makers: HashMap::new(),
            readers: HashMap::new(),
            shapes,
            kept: graph.outputs().iter().map(|&blob| graph.blob_name(blob).to_owned()).collect(),
            pass: "",
            changes: Vec::new(),
            refusals: Vec::new(),
        };
        for index in 0..network.layers.len() {
            let (inputs, outputs) = network.take_blobs(index);
            network.set_inputs(index, inputs);
            network.set_outputs(index, outputs);
        }
        Ok(network)
    }

    /// The layers that are left.
    pub(super) fn into_layers(self) -> Vec<Layer> {
        self.layers.into_iter().zip(self.removed).filter(|(_, removed)| !removed).map(|(layer, _)| layer).collect()
    }

    /// Whether the layer at `index` is gone.
    pub(super) fn is_removed(&self, index: usize) -> bool {
        self.removed[index]
    }

    /// The layer that makes `blob`.
    pub(super) fn producer(&self, blob: &str) -> Option<usize> {
        self.makers.get(blob).copied()
    }

    /// The layers that read `blob`, once per reading.
    pub(super) fn readers(&self, blob: &str) -> &[usize] {
        self.readers.get(blob).map(Vec::as_slice).unwrap_or_default()
    }

    /// Gives the layer at `index` other inputs.
    pub(super) fn set_inputs(&mut self, index: usize, inputs: Vec<String>) {
        for old in std::mem::take(&mut self.layers[index].inputs) {
            if let Some(readers) = self.readers.get_mut(&old)
                && let Some(position) = readers.iter().position(|&reader| reader == index)
            {
                readers.swap_remove(position);
            }
        }
        for blob in &inputs {
            self.readers.entry(blob.clone()).or_default().push(index);
        }
        self.layers[index].inputs = inputs;
    }

    /// Gives the layer at `index` other outputs.
    pub(super) fn set_outputs(&mut self, index: usize, outputs: Vec<String>) {
        for old in std::mem::take(&mut self.layers[index].outputs) {
            if self.makers.get(&old) == Some(&index) {
                self.makers.remove(&old);
            }
        }
        for blob in &outputs {
            self.makers.insert(blob.clone(), index);
        }
        self.layers[index].outputs = outputs;
    }

    /// Takes the layer at `index` out.
    pub(super) fn remove(&mut self, index: usize) {
        self.set_inputs(index, Vec::new());
        self.set_outputs(index, Vec::new());
        self.layers[index].weights = Vec::new();
        self.removed[index] = true;
    }

    fn take_blobs(&mut self, index: usize) -> (Vec<String>, Vec<String>) {
        let layer = &mut self.layers[index];
        (std::mem::take(&mut layer.inputs), std::mem::take(&mut layer.outputs))
    }

    /// Whether somebody outside the network reads `blob`.
    pub(super) fn is_kept(&self, blob: &str) -> bool {
        self.kept.contains(blob)
    }

    /// Whether the only reading of `blob` is by one layer of the network.
    pub(super) fn is_read_once(&self, blob: &str) -> bool {
        !self.is_kept(blob) && self.readers(blob).len() == 1
    }

    /// The shape of `blob`, if it is known.
    pub(super) fn shape(&self, blob: &str) -> Option<Shape> {
        self.shapes.get(blob).copied()
    }

    /// The constant layer behind `blob`, through any number of Splits.
    pub(super) fn constant(&self, blob: &str) -> Option<&Layer> {
        let layer = &self.layers[self.producer(blob)?];
        match layer.kind {
            LayerKind::MemoryData => Some(layer),
            LayerKind::Split => self.constant(layer.inputs.first()?),
            _ => None,
        }
    }

    /// Notes that something was done to the layer at `index`.
    pub(super) fn note(&mut self, index: usize, what: impl Into<String>) {
        let Layer { kind, name, .. } = &self.layers[index];
        self.changes.push(Change { pass: self.pass, layer: name.clone(), kind: kind.clone(), what: what.into() });
    }

    /// Notes why nothing was done to the layer at `index`; always `false`.
    pub(super) fn refuse(&mut self, index: usize, reason: impl Into<String>) -> bool {
        let Layer { kind, name, .. } = &self.layers[index];
        let refusal = Refusal { pass: self.pass, layer: name.clone(), kind: kind.clone(), reason: reason.into() };
        self.refusals.push(refusal);
        false
    }

    /// Lets the producer of `blob` make the only output of the layer at `index`, which goes.
    ///
    /// `blob` must be an input of that layer and [read once](Self::is_read_once).
    pub(super) fn absorb(&mut self, index: usize, blob: &str) {
        let output = self.layers[index].outputs.first().cloned();
        self.remove(index);
        if let Some(output) = output {
            self.rename_output(blob, &output);
        }
    }

    /// Takes out a layer that hands its input on: its first output becomes its first input, and
    /// the layer goes with its last output. Says whether it could.
    pub(super) fn bypass(&mut self, index: usize, why: &str) -> bool {
        let layer = &self.layers[index];
        let (Some(input), Some(output)) = (layer.inputs.first().cloned(), layer.outputs.first().cloned()) else {
            return false;
        };
        let (inputs, outputs) = (layer.inputs[1..].to_vec(), layer.outputs[1..].to_vec());
        let renames_maker = self.is_kept(&output);
        if renames_maker {
            // The name must stay, so its maker takes it over, unless nobody would take it for an output then.
            let can_name = |maker: usize| {
                !matches!(self.layers[maker].kind, LayerKind::Input | LayerKind::Split | LayerKind::MemoryData)
            };
            if !self.producer(&input).is_some_and(can_name) || !self.is_read_once(&input) {
                return self.refuse(index, format!("its output {output} must keep its name"));
            }
        } else {
            self.rename_input(&output, &input);
        }
        self.note(index, format!("removed, {why}"));
        self.set_inputs(index, inputs);
        if outputs.is_empty() {
            self.remove(index);
        } else {
            self.set_outputs(index, outputs);
        }
        if renames_maker {
            self.rename_output(&input, &output);
        }
        true
    }

    /// Lets the readers of the blob `from` read `to`.
    fn rename_input(&mut self, from: &str, to: &str) {
        let readers = self.readers.remove(from).unwrap_or_default();
        for &reader in &readers {
            let inputs = &mut self.layers[reader].inputs;
            inputs.iter_mut().filter(|name| *name == from).for_each(|name| to.clone_into(name));
        }
        self.readers.entry(to.to_owned()).or_default().extend(readers);
    }

    /// Lets the maker of the blob `from`, which nobody reads any more, make `to`.
    fn rename_output(&mut self, from: &str, to: &str) {
        if let Some(maker) = self.producer(from) {
            let rename = |name: &String| if name == from { to.to_owned() } else { name.clone() };
            let outputs = self.layers[maker].outputs.iter().map(rename).collect();
            self.set_outputs(maker, outputs);
        }
    }
}
