//! What is known of every blob before anything is computed.

use std::sync::Arc;

use fp32_ref::{BlobId, Graph, Shape, Shapes, Tensor};
use int8_kernels::PoolWindow;
use ncnn_format::{Effect, Error, PoolArea, Result};

use super::windows::pool_window;
use crate::layers::Prepared;

/// Larger constants are computed at every run.
const MOST_CONSTANT_VALUES: usize = 1 << 20;

/// Shapes, types and readers of the blobs of one network for inputs of given shapes.
pub(super) struct Facts {
    /// `None` where the shape depends on values.
    pub(super) shapes: Vec<Option<Shape>>,
    /// The scale of blobs that the file makes int8.
    pub(super) int8: Vec<Option<f32>>,
    /// The blob whose value this one has: copies made by Split are one blob.
    pub(super) roots: Vec<BlobId>,
    /// The layers that read a root under any of its names, aliasing layers left out.
    pub(super) readers: Vec<Vec<usize>>,
    /// Whether a root is an output of the network under any of its names.
    pub(super) is_output: Vec<bool>,
    /// Values that are the same for every input of these shapes.
    pub(super) constants: Vec<Option<Tensor>>,
    /// By layer, the windows of a largest-value pooling that the int8 kernels can do.
    pub(super) windows: Vec<Option<PoolWindow>>,
}

impl Facts {
    /// # Errors
    /// What the layers say of shapes they cannot work on, and `Unsupported` for what only the
    /// layer-by-layer path does.
    pub(super) fn new(graph: &Graph, layers: &[Arc<Prepared>], inputs: &[(BlobId, Shape)]) -> Result<Self> {
        let blobs = graph.blobs().len();
        let mut facts = Self {
            shapes: Shapes::follow(graph, inputs, |index, inputs| layers[index].output_shapes(inputs)).into_known()?,
            int8: vec![None; blobs],
            roots: (0..blobs).map(BlobId).collect(),
            readers: vec![Vec::new(); blobs],
            is_output: vec![false; blobs],
            constants: vec![None; blobs],
            windows: vec![None; layers.len()],
        };
        for (index, layer) in layers.iter().enumerate() {
            facts.add_layer(graph, index, layer)?;
        }
        for &blob in graph.outputs() {
            facts.is_output[facts.roots[blob.0].0] = true;
        }
        Ok(facts)
    }

    /// The shape of a blob that integers are made of or from.
    pub(super) fn shape(&self, blob: BlobId) -> Result<Shape> {
        self.shapes[blob.0].ok_or_else(|| Error::unsupported("the shape of an int8 layer's input depends on values"))
    }

    fn add_layer(&mut self, graph: &Graph, index: usize, layer: &Prepared) -> Result<()> {
        let node = &graph.nodes()[index];
        let inputs: Vec<BlobId> = node.inputs.iter().map(|&blob| self.roots[blob.0]).collect();
        let is_alias = layer.effect().is_alias();
        match layer {
            Prepared::Fed => {}
            Prepared::Rescale(_) => return Err(Error::unsupported("a layer that only runs by itself")),
            Prepared::ImageConvolution(_) | Prepared::InnerProduct(_) => {
                let [input] = inputs[..] else {
                    return Err(Error::unsupported("an int8 layer with other than one input"));
                };
                self.shape(input)?;
                let [output] = node.outputs[..] else {
                    return Err(Error::unsupported("an int8 layer with other than one output"));
                };
                self.int8[output.0] = layer.output_scale();
            }
            Prepared::Float { layer, effect } => {
                if let (Effect::MaxPool(area), &[input]) = (effect, &inputs[..])
                    && let Some(shape) = self.shapes[input.0].filter(|shape| shape.rank() == 3)
                    && let Some((kernel, stride)) = kernel_and_stride(area, shape)
                {
                    self.windows[index] = pool_window(&**layer, shape, kernel, stride)?;
                }
                if is_alias {
                    node.outputs.iter().zip(inputs.iter().cycle()).for_each(|(to, from)| self.roots[to.0] = *from);
                }
                self.pass_scale(effect, &inputs, &node.outputs)?;
                if !is_alias {
                    self.compute_constants(&**layer, effect, &inputs, &node.outputs)?;
                }
            }
        }
        if !is_alias && !self.is_constant(&node.outputs) {
            inputs.iter().for_each(|blob| self.readers[blob.0].push(index));
        }
        Ok(())
    }

    /// Whether every one of a layer's `outputs` is known.
    pub(super) fn is_constant(&self, outputs: &[BlobId]) -> bool {
        !outputs.is_empty() && outputs.iter().all(|blob| self.constants[blob.0].is_some())
    }

    /// Runs a layer now if its outputs do not depend on what is fed.
    fn compute_constants(
        &mut self,
        layer: &dyn fp32_ref::Layer,
        effect: &Effect,
        inputs: &[BlobId],
        outputs: &[BlobId],
    ) -> Result<()> {
        let is_small = |blob: &BlobId| self.shapes[blob.0].is_some_and(|shape| shape.volume() <= MOST_CONSTANT_VALUES);
        let known: Option<Vec<Tensor>> = match effect {
            Effect::ShapeOnly | Effect::Constant => {
                inputs.iter().map(|blob| self.shapes[blob.0].map(|shape| Tensor::filled(shape, 0.0))).collect()
            }
            _ if inputs.is_empty() => None,
            _ => inputs.iter().map(|blob| self.constants[blob.0].clone()).collect(),
        };
        let Some(known) = known.filter(|_| outputs.iter().all(is_small)) else { return Ok(()) };
        outputs.iter().zip(layer.run(known)?).for_each(|(blob, value)| self.constants[blob.0] = Some(value));
        Ok(())
    }

    /// Layers of the file's int8 blobs keep their scale if they only move values.
    fn pass_scale(&mut self, effect: &Effect, inputs: &[BlobId], outputs: &[BlobId]) -> Result<()> {
        let scales: Vec<Option<f32>> = inputs.iter().map(|blob| self.int8[blob.0]).collect();
        let Some(&first) = scales.first() else { return Ok(()) };
        if scales.iter().any(|scale| scale.map(f32::to_bits) != first.map(f32::to_bits)) {
            return Err(Error::unsupported("inputs of different types"));
        }
        if first.is_some() && !effect.moves_values() {
            return Err(Error::unsupported("a layer that the layer-by-layer path decides about"));
        }
        outputs.iter().for_each(|blob| self.int8[blob.0] = first);
        Ok(())
    }
}

/// Rows and columns of the windows of a pooling and from one to the next, if they are of one size.
fn kernel_and_stride(area: &PoolArea, shape: Shape) -> Option<((usize, usize), (usize, usize))> {
    match area {
        PoolArea::Everything => Some(((shape.h(), shape.w()), (1, 1))),
        PoolArea::Windows(axes) => {
            let [h, w] = axes[..] else { return None };
            let size = |value: i32| usize::try_from(value).unwrap_or(1);
            Some(((size(h.kernel), size(w.kernel)), (size(h.stride), size(w.stride))))
        }
        _ => None,
    }
}
