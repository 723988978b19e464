//! One ncnn layer per file, and what several of them share.

// Shared.
pub(crate) mod activation;
mod arity;
mod broadcast;
mod dense_kernel;
mod loading;
mod pass_through;
mod per_channel;
mod pointwise;
pub(crate) mod window;

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
    Dropout => dropout,
    ELU => elu,
    Eltwise => eltwise,
    Exp => exp,
    Flatten => flatten,
    GELU => gelu,
    HardSigmoid => hard_sigmoid,
    HardSwish => hard_swish,
    InnerProduct => inner_product,
    Log => log,
    Mish => mish,
    Noop => noop,
    PReLU => prelu,
    Pooling => pooling,
    Power => power,
    ReLU => relu,
    Scale => scale,
    Sigmoid => sigmoid,
    Softmax => softmax,
    Split => split,
    Swish => swish,
    TanH => tan_h,
    Threshold => threshold,
    UnaryOp => unary_op,
}

/// Prepares one layer for running: checks its parameters and takes its weights.
///
/// # Errors
/// `Unsupported` for a type (or an option of it) that this executor lacks;
/// `Malformed` or `Invalid` when parameters or weights do not work.
pub fn build(layer: &ncnn_format::Layer) -> Result<Box<dyn Layer>> {
    build_known(layer)
}
