//! What a float layer does to integers.

use int8_kernels::Activation;
use ncnn_format::{Layer, LayerKind, Result, typed};

/// What a float layer does, as far as a plan can make use of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Nature {
    /// Its outputs are its inputs (or its only input) under other names.
    Hands,
    /// Every value of its outputs is one of its inputs' values.
    Moves,
    /// Joins blobs along an axis.
    Joins,
    /// An activation that may run inside the epilogue of what is above it.
    Activates(Activation),
    /// Adds two blobs of the same shape.
    Adds,
    /// Takes the largest value of windows of about this many rows and columns, or of everything.
    TakesLargest {
        /// Rows and columns of a window and from one to the next; `None` for the whole image.
        window: Option<[usize; 4]>,
    },
    /// Reads the shapes of its inputs, not their values.
    Measures,
    /// Anything else.
    Computes,
}

impl Nature {
    /// # Errors
    /// `Malformed` when the parameters cannot be read.
    pub(crate) fn new(layer: &Layer) -> Result<Self> {
        let one_input = layer.inputs.len() == 1;
        Ok(match layer.kind {
            LayerKind::Split => Self::Hands,
            LayerKind::Noop if layer.inputs.len() == layer.outputs.len() => Self::Hands,
            LayerKind::Slice
            | LayerKind::Crop
            | LayerKind::Flatten
            | LayerKind::Reshape
            | LayerKind::ShuffleChannel
            | LayerKind::Permute
            | LayerKind::PixelShuffle
            | LayerKind::Reorg
            | LayerKind::ExpandDims
            | LayerKind::Squeeze
            | LayerKind::Tile
                if one_input =>
            {
                Self::Moves
            }
            LayerKind::Interp if one_input && typed::Interp::read(layer)?.resize_type == 1 => Self::Moves,
            LayerKind::Concat => Self::Joins,
            LayerKind::PriorBox | LayerKind::MemoryData => Self::Measures,
            LayerKind::ReLU => match typed::ReLU::read(layer)?.slope {
                0.0 => Self::Activates(Activation::Relu),
                slope if slope > 0.0 => Self::Activates(Activation::LeakyRelu { slope }),
                _ => Self::Computes,
            },
            LayerKind::Clip => {
                let params = typed::Clip::read(layer)?;
                Self::Activates(Activation::Clip { min: params.min, max: params.max })
            }
            LayerKind::Eltwise if layer.inputs.len() == 2 => {
                let params = typed::Eltwise::read(layer)?;
                let is_plain = params.coeffs.iter().all(|&coefficient| coefficient == 1.0);
                if params.op_type == 1 && is_plain { Self::Adds } else { Self::Computes }
            }
            LayerKind::BinaryOp if layer.inputs.len() == 2 => {
                let params = typed::BinaryOp::read(layer)?;
                if params.op_type == 0 && params.with_scalar == 0 { Self::Adds } else { Self::Computes }
            }
            LayerKind::Pooling if one_input => {
                let params = typed::Pooling::read(layer)?;
                let sizes = [params.kernel_h, params.kernel_w, params.stride_h, params.stride_w];
                let window = (params.global_pooling == 0).then(|| sizes.map(|size| usize::try_from(size).unwrap_or(1)));
                if params.pooling_type == 0 { Self::TakesLargest { window } } else { Self::Computes }
            }
            _ => Self::Computes,
        })
    }
}
