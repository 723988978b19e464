#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

pub mod calibrate;
pub mod compare;
mod convert;
mod dataset;
mod decode;
mod equalize;
mod fit;
mod image;
mod inputs;
mod joint;
#[cfg(feature = "images")]
mod jpeg;
mod labels;
mod metrics;
mod network;
mod npy;
#[cfg(feature = "serde")]
mod number;
pub mod optimize;
mod options;
mod pipeline;
mod pixel;
mod preprocess;
mod progress;
mod raw;
mod resize;
mod samples;
mod selection;
mod sequence_weights;
mod setters;
mod spread;
mod unreadable;
mod weight_scales;
mod weight_slices;
mod winograd;

pub use fp32_ref::declared_shape;
pub use fp32_ref::{Shape, Tensor};
pub use ncnn_format::{Error, ErrorKind, Model, Remark, Result, ScaleTable};

pub use convert::{ConvertOptions, Converted, FloatStorage, convert};
pub use dataset::{Dataset, Feed, FileDataset};
pub use decode::decode_image;
pub use equalize::{Equalized, equalize};
pub use fit::ResizeMode;
pub use image::RgbImage8;
pub use inputs::{Inputs, with_readable};
pub use joint::{Joint, Subset, choose};
pub use labels::{ClassNames, Label, Labels};
pub use metrics::{Agreement, Cosine, Sqnr, TopK, top_k};
pub use network::single_input;
pub use npy::{read_npy, write_npy};
pub use options::{Floats, InputShape, Named, OptionSpec, Options, Shard, Takes};
pub use pipeline::{
    Calibrated, Compared, Counted, Optimization, OutputCheck, Pipeline, Prepared, Quantized, SavedModel, file_size,
    model_paths, save_model, with_suffix,
};
pub use pixel::Pixel;
pub use preprocess::{InputOptions, Preprocess};
pub use progress::Progress;
pub use samples::Samples;
pub use selection::{Selection, comment_out};
pub use sequence_weights::sequence_rows;
pub use unreadable::unreadable;
pub use weight_scales::{WeightMethod, WeightRule, WeightScales, weight_scales};
pub use weight_slices::is_quantizable;
pub use winograd::WinogradGuard;
