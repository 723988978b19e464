//! In which forms every blob is needed.

use std::sync::Arc;

use fp32_ref::{BlobId, Graph, Shape};
use ncnn_format::{Activation, Effect};

use super::facts::Facts;
use super::fusion::Fusion;
use super::movement;
use crate::grid::Grid;
use crate::layers::Prepared;

/// The forms of one blob that somebody reads.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Demand {
    /// As floats.
    pub(super) floats: bool,
    /// As integers, once per scale.
    pub(super) scales: Vec<f32>,
}

impl Demand {
    fn add_scale(&mut self, scale: f32) {
        if self.scales.iter().all(|known| known.to_bits() != scale.to_bits()) {
            self.scales.push(scale);
        }
    }
}

/// The demands on every root, found from the outputs back to the inputs.
pub(super) fn demands(graph: &Graph, layers: &[Arc<Prepared>], facts: &Facts, fusion: &Fusion) -> Vec<Demand> {
    let mut demands = vec![Demand::default(); graph.blobs().len()];
    for &output in graph.outputs() {
        let root = facts.roots[output.0];
        match facts.int8[root.0] {
            Some(scale) => demands[root.0].add_scale(scale),
            None => demands[root.0].floats = true,
        }
    }
    for index in (0..layers.len()).rev() {
        let is_known = facts.is_constant(&graph.nodes()[index].outputs);
        if fusion.is_absorbed[index] || is_known || layers[index].effect().is_alias() {
            continue;
        }
        let roots: Vec<BlobId> = graph.nodes()[index].inputs.iter().map(|blob| facts.roots[blob.0]).collect();
        if let Some(chain) = &fusion.chains[index] {
            for &root in &roots {
                // Integers that the file makes are used as they are.
                demands[root.0].add_scale(facts.int8[root.0].unwrap_or(layers[index].input_scale()));
            }
            if let Some(addend) = chain.addend {
                demands[addend.0].floats = true;
            }
            continue;
        }
        let outputs: Vec<Demand> =
            graph.nodes()[index].outputs.iter().map(|blob| demands[facts.roots[blob.0].0].clone()).collect();
        for output in outputs {
            let by_integers = works_on_integers(graph, &layers[index], facts, index, &output);
            for &root in &roots {
                demands[root.0].floats |= output.floats || !by_integers;
                if by_integers {
                    output.scales.iter().for_each(|&scale| demands[root.0].add_scale(scale));
                }
            }
        }
    }
    demands
}

/// Whether layer `index` makes the int8 forms of its output from those of its inputs: it does so
/// where the bits are those of quantizing its float output, and where that is less work.
pub(super) fn works_on_integers(graph: &Graph, layer: &Prepared, facts: &Facts, index: usize, output: &Demand) -> bool {
    let node = &graph.nodes()[index];
    let shapes = |blobs: &[BlobId]| blobs.iter().map(|blob| facts.shapes[blob.0]).collect::<Option<Vec<Shape>>>();
    let (Some(inputs), Some(outputs)) = (shapes(&node.inputs), shapes(&node.outputs)) else { return false };
    // A layer that changes values keeps their order for positive scales only; and floats that are
    // needed anyhow are quantized in one go.
    let is_monotone = !output.floats && output.scales.iter().all(|&scale| scale > 0.0);
    match layer.effect() {
        Effect::Move => movement::is_affordable(&inputs, &outputs),
        Effect::Concat { .. } => Grid::joins(&inputs, &outputs),
        Effect::Activation(Activation::Relu | Activation::Clip { .. }) => is_monotone,
        Effect::MaxPool(_) => is_monotone && facts.windows[index].is_some(),
        _ => false,
    }
}
