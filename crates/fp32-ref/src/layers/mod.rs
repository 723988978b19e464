//! One ncnn layer per file, and what several of them share.

// Shared.
pub(crate) mod activation;
mod arity;
mod blocks;
mod broadcast;
mod cut;
mod dense_kernel;
mod detections;
mod expression;
mod loading;
mod pass_through;
mod per_channel;
mod pointwise;
mod region;
mod resampling;
mod transposed_kernel;
pub(crate) mod window;
mod yolo_head;

macro_rules! layers {
    ($($kind:ident => $module:ident,)*) => {
        $(mod $module;)*

        fn build_known(layer: &ncnn_format::Layer) -> Result<Box<dyn Layer>> {
            match &layer.kind {
                $(LayerKind::$kind => Ok(Box::new($module::build(layer)?)),)*
                other => Err(Error::unsupported(format!("layers of type {other} cannot be run"))),
            }
        }
    };
}

use ncnn_format::{Error, LayerKind, Result};

use crate::Layer;

layers! {
    AbsVal => abs_val,
    BatchNorm => batch_norm,
    Bias => bias,
    BinaryOp => binary_op,
    Clip => clip,
    Concat => concat,
    Convolution => convolution,
    ConvolutionDepthWise => convolution_depth_wise,
    Crop => crop,
    Deconvolution => deconvolution,
    DeconvolutionDepthWise => deconvolution_depth_wise,
    DetectionOutput => detection_output,
    Dropout => dropout,
    Eltwise => eltwise,
    ELU => elu,
    Exp => exp,
    ExpandDims => expand_dims,
    Flatten => flatten,
    GELU => gelu,
    HardSigmoid => hard_sigmoid,
    HardSwish => hard_swish,
    InnerProduct => inner_product,
    Interp => interp,
    Log => log,
    LRN => lrn,
    MemoryData => memory_data,
    Mish => mish,
    MVN => mvn,
    Noop => noop,
    Normalize => normalize,
    Padding => padding,
    Permute => permute,
    PixelShuffle => pixel_shuffle,
    Pooling => pooling,
    Power => power,
    PReLU => prelu,
    PriorBox => prior_box,
    Proposal => proposal,
    PSROIPooling => psroi_pooling,
    Reduction => reduction,
    ReLU => relu,
    Reorg => reorg,
    Reshape => reshape,
    ROIAlign => roi_align,
    ROIPooling => roi_pooling,
    Scale => scale,
    ShuffleChannel => shuffle_channel,
    Sigmoid => sigmoid,
    Slice => slice,
    Softmax => softmax,
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

/// Prepares one layer for running: checks its parameters and takes its weights.
///
/// # Errors
/// `Unsupported` for a type (or an option of it) that this executor lacks;
/// `Malformed` or `Invalid` when parameters or weights do not work.
pub fn build(layer: &ncnn_format::Layer) -> Result<Box<dyn Layer>> {
    build_known(layer)
}
