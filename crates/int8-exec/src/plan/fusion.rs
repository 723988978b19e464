//! Which float layers run inside the epilogue of the int8 layer above them.

use std::sync::Arc;

use fp32_ref::{BlobId, Graph};
use int8_kernels::Activation;
use ncnn_format::Effect;

use super::facts::Facts;
use crate::layers::Prepared;

/// What runs in the epilogue of one int8 layer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chain {
    /// The root that is added after the layer's own activation.
    pub(super) addend: Option<BlobId>,
    /// The activation of the sum.
    pub(super) then: Activation,
    /// The float layers that disappear, in order.
    pub(super) absorbed: Vec<usize>,
    /// The blob that is made.
    pub(super) output: BlobId,
}

/// The chains of a network.
pub(super) struct Fusion {
    /// By layer; `None` for layers without int8 weights.
    pub(super) chains: Vec<Option<Chain>>,
    /// Whether a layer disappears in a chain.
    pub(super) is_absorbed: Vec<bool>,
}

impl Fusion {
    pub(super) fn new(graph: &Graph, layers: &[Arc<Prepared>], facts: &Facts) -> Self {
        let mut fusion = Self { chains: vec![None; layers.len()], is_absorbed: vec![false; layers.len()] };
        // The layer in whose step a blob comes into being.
        let mut made_by: Vec<usize> = graph.blobs().iter().map(|blob| blob.producer).collect();
        for (index, layer) in layers.iter().enumerate() {
            if !layer.is_quantized() {
                continue;
            }
            let chain = Chain::of(graph, layers, facts, index, &made_by);
            chain.absorbed.iter().for_each(|&layer| fusion.is_absorbed[layer] = true);
            made_by[chain.output.0] = index;
            fusion.chains[index] = Some(chain);
        }
        fusion
    }
}

impl Chain {
    fn of(graph: &Graph, layers: &[Arc<Prepared>], facts: &Facts, head: usize, made_by: &[usize]) -> Self {
        let output = graph.nodes()[head].outputs[0];
        let mut chain = Self { addend: None, then: Activation::None, absorbed: Vec::new(), output };
        // The file's own requantization ends the epilogue.
        if facts.int8[output.0].is_some() {
            return chain;
        }
        if let Some((add, addend)) = chain.addition(graph, layers, facts, head, made_by) {
            chain.addend = Some(addend);
            chain.absorb(graph, add);
            if let Some(next) = chain.only_reader(facts)
                && let Some(activation) = layers[next].fusible_activation()
            {
                chain.then = activation;
                chain.absorb(graph, next);
            }
        }
        chain
    }

    /// The addition that is the only reader of the output, and its other operand, if that exists
    /// before layer `head` runs.
    fn addition(
        &self,
        graph: &Graph,
        layers: &[Arc<Prepared>],
        facts: &Facts,
        head: usize,
        made_by: &[usize],
    ) -> Option<(usize, BlobId)> {
        let is_addition = |&reader: &usize| *layers[reader].effect() == Effect::Add;
        let add = self.only_reader(facts).filter(is_addition)?;
        if graph.nodes()[add].inputs.len() != 2 {
            return None;
        }
        let mut operands = graph.nodes()[add].inputs.iter().map(|blob| facts.roots[blob.0]);
        let other = operands.find(|&operand| operand != self.output)?;
        let is_alike = facts.shapes[other.0].is_some() && facts.shapes[other.0] == facts.shapes[self.output.0];
        (is_alike && facts.int8[other.0].is_none() && made_by[other.0] < head).then_some((add, other))
    }

    fn only_reader(&self, facts: &Facts) -> Option<usize> {
        match facts.readers[self.output.0][..] {
            [reader] if !facts.is_output[self.output.0] => Some(reader),
            _ => None,
        }
    }

    fn absorb(&mut self, graph: &Graph, layer: usize) {
        self.absorbed.push(layer);
        self.output = graph.nodes()[layer].outputs[0];
    }
}
