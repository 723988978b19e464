//! Preparing a float network for quantization: fewer layers, the same outputs.
//!
//! What ncnn's own `tools/ncnnoptimize.cpp` does, one pass per file, with the
//! conditions that it forgets: a blob that others read or that is an output, a layer that
//! has an activation already, dynamic or int8 weights, and shapes that decide along which
//! dimension a layer works. Where a condition is not known to hold, nothing is done and
//! the report says why.

mod activation;
mod affine;
mod binary_op_with_scalar;
mod dead;
mod difference;
mod eltwise_sum;
mod flat;
mod fold;
mod global_pooling;
mod identity;
mod inner_product;
mod linear;
mod network;
mod options;
mod prelu;
mod report;
mod reshape_before_binary_op;
mod shapes;
mod splits;

use ncnn_format::{Model, Result};

pub use difference::{OutputDifference, differences};
pub use options::OptimizeOptions;
pub use report::{Change, Refusal};

use network::Network;

/// An optimized model and what was done to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimized {
    /// The model. Layers that no pass touched are written back as they were.
    pub model: Model,
    /// What was done, in order.
    pub changes: Vec<Change>,
    /// What could have been done were it not for a reason.
    pub refusals: Vec<Refusal>,
}

/// One kind of simplification.
struct Pass {
    /// As the report calls it.
    name: &'static str,
    /// Tries it at the layer of this index and says whether it changed anything.
    apply: fn(&mut Network, usize) -> Result<bool>,
}

/// Simple forms first: later passes look for them.
const PASSES: &[Pass] = &[
    Pass { name: "scalar operand", apply: binary_op_with_scalar::apply },
    Pass { name: "PReLU to ReLU", apply: prelu::apply },
    Pass { name: "remove layer without effect", apply: identity::apply },
    Pass { name: "remove flattening of a vector", apply: flat::apply },
    Pass { name: "tidy Split", apply: splits::apply },
    Pass { name: "mean to global pooling", apply: global_pooling::apply },
    Pass { name: "fold per-channel factors", apply: fold::apply },
    Pass { name: "fuse activation", apply: activation::apply },
    Pass { name: "remove reshape before broadcasting", apply: reshape_before_binary_op::apply },
    Pass { name: "1x1 convolution of a vector", apply: inner_product::apply },
    Pass { name: "weighted sum", apply: eltwise_sum::apply },
    Pass { name: "remove dead layer", apply: dead::apply },
];

/// `model` with fewer layers and the same outputs up to rounding. Source: ncnn's
/// `tools/ncnnoptimize.cpp`.
///
/// Names of layers and of outputs stay: of two layers that become one, the first keeps its
/// name and makes the blob of the second. Weights that were multiplied are stored as fp32,
/// whatever they were stored as before. Weights are multiplied in f64 and rounded once.
///
/// # Errors
/// `Malformed` when the layers are no graph or parameters have a wrong form; `Invalid` when
/// a blob of the options does not exist. All name the layer or the blob.
pub fn optimize(model: &Model, options: &OptimizeOptions) -> Result<Optimized> {
    let mut network = Network::new(model, options)?;
    let mut changes = usize::MAX;
    while changes != network.changes.len() {
        changes = network.changes.len();
        // Only what still stands in the last round is worth telling.
        network.refusals.clear();
        PASSES.iter().try_for_each(|pass| sweep(&mut network, pass))?;
    }
    let (changes, refusals) = (std::mem::take(&mut network.changes), std::mem::take(&mut network.refusals));
    let model = Model { layers: network.into_layers(), ..model.clone() };
    Ok(Optimized { model, changes, refusals })
}

fn sweep(network: &mut Network, pass: &Pass) -> Result<()> {
    network.pass = pass.name;
    let mut index = 0;
    while index < network.layers.len() {
        let apply = |network: &mut Network| {
            (pass.apply)(network, index).map_err(|error| error.in_layer(&network.layers[index].name))
        };
        // A layer that was changed is looked at again.
        if network.is_removed(index) || !apply(network)? {
            index += 1;
        }
    }
    Ok(())
}
