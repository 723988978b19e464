//! Read and write the files of an ncnn model.
//!
//! An ncnn model is two files: a `.param` text that lists the layers, and a
//! `.bin` that is nothing but their weights one after another. A third file, the
//! `.table`, carries the scales that a calibration tool found. This crate reads
//! and writes all three and gives plain values in between:
//!
//! ```
//! use ncnn_format::{Model, typed};
//!
//! let text = "7767517\n2 2\n\
//!             Input        data 0 1 data 0=4 1=4 2=1\n\
//!             Convolution  conv 1 1 data out 0=2 1=3 4=1 6=18\n";
//! let model = Model::from_param_text(text)?;
//! let conv = typed::Convolution::read(&model.layers[1])?;
//! assert_eq!((conv.num_output, conv.kernel_w, conv.kernel_h), (2, 3, 3));
//! assert_eq!(model.to_param_text(), text);
//! # Ok::<(), ncnn_format::Error>(())
//! ```
//!
//! Nothing that a file claims is believed before it is checked against
//! [`Limits`]; nothing here panics on any input.

#![forbid(unsafe_code)]

mod activation;
mod bin;
mod check;
mod effect;
mod error;
mod foreign;
mod graph;
mod int8_form;
mod layer_builder;
mod layer_kind;
mod limits;
mod linear;
mod model;
mod model_files;
mod model_text;
mod param;
mod param_binary;
mod param_dict;
mod param_key;
mod param_value;
mod place;
mod remark;
mod scale_table;
mod table;
pub mod typed;
mod weight_layout;
mod weights;
mod whole_file;

pub use activation::Activation;
pub use bin::{BinFile, BinIndex, OddPadding, WeightRef};
pub use check::{check, check_table};
pub use effect::{Effect, PoolArea};
pub use error::{Error, ErrorKind, Result};
pub use foreign::ForeignFile;
pub use graph::{Blob, BlobId, Graph, Node};
pub use layer_kind::LayerKind;
pub use limits::Limits;
pub use linear::{LinearFamily, LinearLayer, WindowAxis};
pub use model::{Layer, Model, SourceText};
pub use param_dict::ParamDict;
pub use param_value::{Number, ParamValue};
pub use place::Place;
pub use remark::{Remark, Severity};
pub use scale_table::{ScaleTable, TableDialect, TableRow};
pub use weight_layout::{Encoding, WeightSpec, weight_layout};
pub use weights::{F32Tag, Storage, Weight, WeightData, WeightRole};
pub use whole_file::{write_all_whole, write_whole};

/// The examples of the README are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
