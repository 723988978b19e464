//! A model while passes change it.

use std::collections::{HashMap, HashSet};

use fp32_ref::Shape;
use ncnn_format::{Error, Layer, LayerKind, Model, Result};

use super::options::OptimizeOptions;
use super::report::{Change, Refusal};
use super::shapes::known_shapes;

/// Layers in file order, what is known about their blobs, and the report so far.
pub(super) struct Network {
    pub(super) layers: Vec<Layer>,
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
        let shapes = known_shapes(model, &options.input_shapes)?;
        let mut network = Self {
            layers: model.layers.clone(),
            shapes,
            kept: HashSet::new(),
            pass: "",
            changes: Vec::new(),
            refusals: Vec::new(),
        };
        let outputs = if options.outputs.is_empty() { network.unread_results() } else { options.outputs.clone() };
        for blob in outputs.iter().chain(&options.keep) {
            if network.producer(blob).is_none() {
                return Err(Error::invalid(format!("no blob is called {blob}")));
            }
        }
        network.kept = outputs.into_iter().chain(options.keep.iter().cloned()).collect();
        Ok(network)
    }

    /// The blobs that no layer reads or a Noop swallows. A constant and a spare name of a Split are no results.
    fn unread_results(&self) -> Vec<String> {
        let is_read = |blob: &String| self.layers.iter().any(|layer| layer.inputs.contains(blob));
        let is_spare = |layer: &Layer| match layer.kind {
            LayerKind::MemoryData => true,
            LayerKind::Split => layer.outputs.iter().any(is_read),
            _ => false,
        };
        let makers = self.layers.iter().filter(|layer| !is_spare(layer));
        let unread = makers.flat_map(|layer| &layer.outputs).filter(|blob| !is_read(blob));
        // A Noop with more inputs than outputs stands at the end to have them all computed.
        let noops = self.layers.iter().filter(|layer| layer.kind == LayerKind::Noop);
        unread.chain(noops.flat_map(|noop| noop.inputs.iter().skip(noop.outputs.len()))).cloned().collect()
    }

    /// The layer that makes `blob`.
    pub(super) fn producer(&self, blob: &str) -> Option<usize> {
        self.layers.iter().position(|layer| layer.outputs.iter().any(|output| output == blob))
    }

    /// The layers that read `blob`, once per reading.
    pub(super) fn readers(&self, blob: &str) -> Vec<usize> {
        let reads = |layer: &Layer| layer.inputs.iter().filter(|input| *input == blob).count();
        self.layers.iter().enumerate().flat_map(|(index, layer)| vec![index; reads(layer)]).collect()
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
        self.layers.remove(index);
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
        if self.is_kept(&output) {
            // The name must stay, so its maker takes it over, unless nobody would take it for an output then.
            let can_name = |maker: usize| {
                !matches!(self.layers[maker].kind, LayerKind::Input | LayerKind::Split | LayerKind::MemoryData)
            };
            if !self.producer(&input).is_some_and(can_name) || !self.is_read_once(&input) {
                return self.refuse(index, format!("its output {output} must keep its name"));
            }
            self.rename_output(&input, &output);
        } else {
            for layer in &mut self.layers {
                layer.inputs.iter_mut().filter(|name| **name == output).for_each(|name| name.clone_from(&input));
            }
        }
        self.note(index, format!("removed, {why}"));
        let layer = &mut self.layers[index];
        layer.inputs.remove(0);
        layer.outputs.remove(0);
        if layer.outputs.is_empty() {
            self.layers.remove(index);
        }
        true
    }

    fn rename_output(&mut self, from: &str, to: &str) {
        for output in self.layers.iter_mut().flat_map(|layer| &mut layer.outputs) {
            if output == from {
                to.clone_into(output);
                return;
            }
        }
    }
}
