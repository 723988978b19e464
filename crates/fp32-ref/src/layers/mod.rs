//! One ncnn layer per file, and what several of them share.

// Shared.
pub(crate) mod activation;
mod along_axis;
mod arity;
pub(crate) mod attention;
mod blocks;
mod broadcast;
mod crop_by_values;
mod cut;
mod dense_kernel;
mod depth_wise_kernel;
mod detections;
mod dynamic_convolution;
mod expression;
pub(crate) mod gemm_form;
mod grid_axis;
mod grid_kernel;
mod grid_pooling;
mod loading;
mod matrix;
mod packed_weights;
mod pass_through;
mod per_channel;
mod pixel_pooling;
mod pixel_windows;
mod pointwise;
pub(crate) mod recurrent;
mod region;
mod resampling;
mod standardize;
mod transposed_kernel;
pub(crate) mod window;
mod winograd_kernel;
mod yolo_head;

macro_rules! layers {
    ($options:ident; $($kind:ident => $module:ident $(($argument:ident))?,)*) => {
        $(pub(crate) mod $module;)*

        fn build_known(layer: &ncnn_format::Layer, $options: BuildOptions) -> Result<Box<dyn Layer>> {
            match &layer.kind {
                $(LayerKind::$kind => Ok(Box::new($module::build(layer $(, $argument)?)?)),)*
                other => Err(Error::unsupported(format!("layers of type {other} cannot be run"))),
            }
        }
    };
}

use ncnn_format::{Error, LayerKind, Result};

use crate::{BuildOptions, Layer};

layers! {
    options;
    AbsVal => abs_val,
    BatchNorm => batch_norm,
    Bias => bias,
    BinaryOp => binary_op,
    Cast => cast,
    CELU => celu,
    Clip => clip,
    Concat => concat,
    Convolution => convolution(options),
    Convolution1D => convolution_1d,
    Convolution3D => convolution_3d,
    ConvolutionDepthWise => convolution_depth_wise,
    ConvolutionDepthWise1D => convolution_depth_wise_1d,
    ConvolutionDepthWise3D => convolution_depth_wise_3d,
    Crop => crop,
    CumulativeSum => cumulative_sum,
    Deconvolution => deconvolution,
    Deconvolution1D => deconvolution_1d,
    DeconvolutionDepthWise => deconvolution_depth_wise,
    DetectionOutput => detection_output,
    Dropout => dropout,
    Eltwise => eltwise,
    ELU => elu,
    Embed => embed,
    Erf => erf,
    Exp => exp,
    ExpandDims => expand_dims,
    Flatten => flatten,
    GELU => gelu,
    Gemm => gemm,
    GLU => glu,
    GroupNorm => group_norm,
    GRU => gru,
    HardSigmoid => hard_sigmoid,
    HardSwish => hard_swish,
    InnerProduct => inner_product,
    InstanceNorm => instance_norm,
    Interp => interp,
    LayerNorm => layer_norm,
    Log => log,
    LRN => lrn,
    LSTM => lstm,
    MatMul => mat_mul,
    MemoryData => memory_data,
    Mish => mish,
    MultiHeadAttention => multi_head_attention,
    MVN => mvn,
    Noop => noop,
    Normalize => normalize,
    Packing => packing,
    Padding => padding,
    Permute => permute,
    PixelShuffle => pixel_shuffle,
    Pooling => pooling,
    Pooling1D => pooling_1d,
    Pooling3D => pooling_3d,
    Power => power,
    PReLU => prelu,
    PriorBox => prior_box,
    Proposal => proposal,
    PSROIPooling => psroi_pooling,
    Reduction => reduction,
    ReLU => relu,
    Reorg => reorg,
    Reshape => reshape,
    RMSNorm => rms_norm,
    RNN => rnn,
    ROIAlign => roi_align,
    ROIPooling => roi_pooling,
    RotaryEmbed => rotary_embed,
    Scale => scale,
    SDPA => sdpa,
    SELU => selu,
    Shrink => shrink,
    ShuffleChannel => shuffle_channel,
    Sigmoid => sigmoid,
    Slice => slice,
    Softmax => softmax,
    Softplus => softplus,
    Split => split,
    Squeeze => squeeze,
    Swish => swish,
    TanH => tan_h,
    Threshold => threshold,
    Tile => tile,
    UnaryOp => unary_op,
    YoloDetectionOutput => yolo_detection_output,
    Yolov3DetectionOutput => yolov3_detection_output,
}

/// Prepares one layer of this crate's types for running: checks its parameters and takes its weights.
///
/// # Errors
/// `Unsupported` for a type (or an option of it) that this executor lacks;
/// `Malformed` or `Invalid` when parameters or weights do not work.
pub fn build(layer: &ncnn_format::Layer, options: BuildOptions) -> Result<Box<dyn Layer>> {
    if let Some(layer) = dynamic_convolution::build(layer)? {
        return Ok(Box::new(layer));
    }
    if let Some(layer) = crop_by_values::build(layer)? {
        return Ok(Box::new(layer));
    }
    build_known(layer, options)
}
