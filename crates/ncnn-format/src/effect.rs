//! What a layer does to the values that pass through it.

use crate::{Activation, Layer, LayerKind, LinearLayer, Result, WindowAxis, typed};

/// What a layer does to values, as far as others can make use of it: an executor that keeps integers through it, a
/// pass that looks for the maker of a value, a scale that is moved from one layer to another.
///
/// It depends on the type, the parameters and the number of inputs. One that a layer does not have for certain is
/// [`Effect::Other`].
///
/// ```
/// use ncnn_format::{Activation, Effect, Layer, LayerKind, typed::Clip};
///
/// let clip = Layer::new(LayerKind::Clip, "relu6").reads("a").makes("b").with(Clip::MIN, 0.0).with(Clip::MAX, 6.0);
/// assert_eq!(clip.effect()?, Effect::Activation(Activation::Clip { min: 0.0, max: 6.0 }));
/// let split = Layer::new(LayerKind::Split, "copy").reads("a").makes("b").makes("c");
/// assert!(split.effect()?.is_alias());
/// # Ok::<(), ncnn_format::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Effect {
    /// Its blobs are fed from outside (`Input`).
    Feed,
    /// Its blob is a constant (`MemoryData`).
    Constant,
    /// Each output is the input in the same place, or the only input, under another name: `Split`, a `Noop` with as
    /// many outputs as inputs, `DeepCopy`, a `Dropout` by 1.
    Alias,
    /// Every value of the outputs is a value of the only input: `Slice`, `Crop`, `Reshape`, `Permute`,
    /// nearest `Interp`, ...
    Move,
    /// Every value is one of the input's or a constant: `Padding`, and `Packing` that fills up.
    Fill,
    /// Joins blobs along an axis.
    Concat {
        /// 0 is the outermost dimension, -1 the innermost.
        axis: i32,
    },
    /// The largest value of each window.
    MaxPool(PoolArea),
    /// The mean of each window.
    AveragePool(PoolArea),
    /// Adds blobs element by element, with broadcasting in a `BinaryOp`, all by factor 1.
    Add,
    /// `a · x + b`, with numbers for each channel: `BatchNorm`, `Scale`, `Bias`.
    PerChannel,
    /// `a · x + b`, with the same numbers for all: `Power` of 1, `Dropout` by another number than 1, arithmetic
    /// with a number.
    Uniform,
    /// A function that ncnn can run inside the layer above, too.
    Activation(Activation),
    /// Another function of each value by itself (in `PReLU` with a slope per channel).
    Elementwise,
    /// Weighted sums, whose weights are a [`LinearLayer`](crate::LinearLayer)'s.
    Linear,
    /// Depends on the shapes of its inputs, not on their values: `PriorBox`.
    ShapeOnly,
    /// Changes the type of the values: `Quantize`, `Dequantize`, `Requantize`, `Cast`.
    Retype,
    /// Anything else.
    Other,
}

/// Where a pooling layer looks.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PoolArea {
    /// At everything, in one window.
    Everything,
    /// At windows of one size, per axis, the outermost first; padding as `pad_mode` says.
    Windows(Vec<WindowAxis>),
    /// At windows that are chosen to give an output of a certain size.
    Adaptive,
}

impl Layer {
    /// What the layer does to values.
    ///
    /// # Errors
    /// `Malformed` when a parameter that decides it has another form.
    pub fn effect(&self) -> Result<Effect> {
        Effect::of(self)
    }
}

impl Effect {
    /// Whether every output is an input, under another name.
    pub fn is_alias(&self) -> bool {
        *self == Self::Alias
    }

    /// Whether every value of the outputs is a value of the inputs, so that their scale is one of those of the
    /// inputs.
    pub fn moves_values(&self) -> bool {
        matches!(self, Self::Alias | Self::Move | Self::Concat { .. })
    }

    /// Whether the outputs depend on the values of inputs.
    pub fn reads_values(&self) -> bool {
        !matches!(self, Self::Feed | Self::Constant | Self::ShapeOnly)
    }

    /// Whether the layer treats every channel by itself and hands a positive factor on: `f(k · x) = k · f(x)`.
    pub fn scales_through(&self) -> bool {
        match self {
            Self::Alias | Self::MaxPool(_) | Self::AveragePool(_) | Self::Add => true,
            Self::Activation(activation) => activation.scales_through(),
            _ => false,
        }
    }

    /// Whether the first outputs are the first inputs, bit for bit.
    pub fn is_identity(&self) -> bool {
        match self {
            Self::Alias => true,
            Self::MaxPool(PoolArea::Windows(axes)) | Self::AveragePool(PoolArea::Windows(axes)) => {
                axes.iter().all(|axis| (axis.kernel, axis.stride, axis.pads) == (1, 1, [0, 0]))
            }
            _ => false,
        }
    }

    fn of(layer: &Layer) -> Result<Self> {
        use LayerKind as K;
        let (inputs, outputs) = (layer.inputs.len(), layer.outputs.len());
        Ok(match layer.kind {
            K::Input => Self::Feed,
            K::MemoryData => Self::Constant,
            K::Split | K::DeepCopy => Self::Alias,
            // With more inputs than outputs it swallows some.
            K::Noop if inputs == outputs => Self::Alias,
            K::Dropout if layer.dropout()?.scale == 1.0 => Self::Alias,
            // A further input would give sizes or places by its values.
            K::Slice
            | K::Crop
            | K::Flatten
            | K::Flip
            | K::Reshape
            | K::ShuffleChannel
            | K::Permute
            | K::PixelShuffle
            | K::Reorg
            | K::ExpandDims
            | K::Squeeze
            | K::Tile
                if inputs == 1 =>
            {
                Self::Move
            }
            K::Interp if inputs == 1 && layer.interp()?.resize_type == 1 => Self::Move,
            K::Padding | K::Packing => Self::Fill,
            K::Concat => Self::Concat { axis: layer.concat()?.axis },
            K::Pooling | K::Pooling1D | K::Pooling3D => pooling(layer)?,
            K::Eltwise if inputs >= 2 => {
                let params = layer.eltwise()?;
                let is_plain = params.coeffs.iter().all(|&coefficient| coefficient == 1.0);
                if params.op_type == 1 && is_plain { Self::Add } else { Self::Other }
            }
            K::BinaryOp => binary_op(&layer.binary_op()?, inputs),
            K::BatchNorm | K::Bias => Self::PerChannel,
            K::Scale if inputs == 1 => Self::PerChannel,
            K::Dropout => Self::Uniform,
            K::Power if layer.power()?.power == 1.0 => Self::Uniform,
            K::ReLU | K::Clip | K::Sigmoid | K::Mish | K::HardSwish => Self::Activation(activation(layer)?),
            K::AbsVal
            | K::BNLL
            | K::CELU
            | K::ELU
            | K::Erf
            | K::Exp
            | K::GELU
            | K::HardSigmoid
            | K::Log
            | K::Power
            | K::PReLU
            | K::SELU
            | K::Shrink
            | K::Softplus
            | K::Swish
            | K::TanH
            | K::Threshold
            | K::UnaryOp => Self::Elementwise,
            K::PriorBox => Self::ShapeOnly,
            K::Quantize | K::Dequantize | K::Requantize | K::Cast => Self::Retype,
            _ if LinearLayer::of(layer)?.is_some() => Self::Linear,
            _ => Self::Other,
        })
    }
}

fn activation(layer: &Layer) -> Result<Activation> {
    Ok(match layer.kind {
        LayerKind::ReLU => match layer.relu()?.slope {
            0.0 => Activation::Relu,
            slope => Activation::LeakyRelu { slope },
        },
        LayerKind::Clip => {
            let typed::Clip { min, max } = layer.clip()?;
            Activation::Clip { min, max }
        }
        LayerKind::HardSwish => {
            let typed::HardSwish { alpha, beta } = layer.hard_swish()?;
            Activation::HardSwish { alpha, beta }
        }
        LayerKind::Sigmoid => Activation::Sigmoid,
        LayerKind::Mish => Activation::Mish,
        _ => Activation::None,
    })
}

/// ncnn's numbers: 0 add, 1 sub, 2 mul, 3 div, 7 rsub.
fn binary_op(params: &typed::BinaryOp, inputs: usize) -> Effect {
    match (params.with_scalar, params.op_type) {
        (0, 0) if inputs == 2 => Effect::Add,
        (0, _) => Effect::Other,
        (_, 0..=3 | 7) => Effect::Uniform,
        _ => Effect::Elementwise,
    }
}

fn pooling(layer: &Layer) -> Result<Effect> {
    macro_rules! area {
        ($params:expr, [$($kernel:ident $stride:ident $before:ident $after:ident),*]) => {{
            let params = $params;
            let area = if params.global_pooling != 0 {
                PoolArea::Everything
            } else if params.adaptive_pooling != 0 {
                PoolArea::Adaptive
            } else {
                PoolArea::Windows(vec![$(WindowAxis {
                    kernel: params.$kernel,
                    dilation: 1,
                    stride: params.$stride,
                    pads: [params.$before, params.$after],
                }),*])
            };
            (params.pooling_type, area)
        }};
    }
    let (pooling_type, area) = match layer.kind {
        LayerKind::Pooling1D => area!(layer.pooling_1d()?, [kernel_w stride_w pad_left pad_right]),
        LayerKind::Pooling3D => area!(
            layer.pooling_3d()?,
            [kernel_d stride_d pad_front pad_behind, kernel_h stride_h pad_top pad_bottom, kernel_w stride_w pad_left pad_right]
        ),
        _ => area!(layer.pooling()?, [kernel_h stride_h pad_top pad_bottom, kernel_w stride_w pad_left pad_right]),
    };
    Ok(match pooling_type {
        _ if layer.inputs.len() != 1 => Effect::Other,
        0 => Effect::MaxPool(area),
        1 => Effect::AveragePool(area),
        _ => Effect::Other,
    })
}
