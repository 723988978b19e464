//! Run an ncnn network in f32 and let others watch.
//!
//! The executor is a reference: it computes what ncnn's plain layers compute, and
//! shows every blob to an [`Observer`] as soon as it exists. Calibrating, dumping
//! and comparing are three observers of the same run.
//!
//! ```
//! use fp32_ref::{Net, Tensor};
//! use ncnn_format::Model;
//!
//! let model = Model::from_param_text(
//!     "7767517\n2 2\nInput data 0 1 data\nReLU act 1 1 data out 0=0.5\n",
//! )?;
//! let net = Net::new(&model)?;
//! let input = Tensor::new([1, 1, 2], vec![-1.0, 3.0])?;
//! let outputs = net.run(&[("data", input)], &mut ())?;
//! assert_eq!(outputs.get("out").unwrap().as_slice(), [-0.5, 3.0]);
//! # Ok::<(), ncnn_format::Error>(())
//! ```
//!
//! Shapes are written outermost dimension first, as they lie in memory:
//! `[c, h, w]`, `[h, w]`, `[w]`, or `[c, d, h, w]`. While a network runs, an image may lie
//! in memory pixel by pixel ([`Pixels`]); inputs and outputs are always row-major.

#![forbid(unsafe_code)]

mod blobs;
mod layer;
mod layer_shapes;
mod layers;
mod net;
mod observer;
mod pixels;
mod registry;
mod schedule;
pub mod sequence;
mod shape;
mod shapes;
pub mod shares;
mod simd;
mod tanh;
mod tensor;
mod validate;
mod value;
mod workspace;

pub use blobs::Blobs;
pub use layer::{BuildOptions, Layer, Order};
pub use layers::activation::Activation;
pub use layers::build;
pub use layers::window::{ConvWindow, Pads, Placement};
pub use ncnn_format::{Blob, BlobId, Graph, Node};
pub use net::{Net, NetOptions, Outputs, run_layer};
pub use observer::{Observer, Watch};
pub use pixels::Pixels;
pub use registry::Registry;
pub use schedule::{Part, check_replacement, execute, feeds};
pub use shape::Shape;
pub use shapes::Shapes;
pub use tanh::tanh;
pub use tensor::Tensor;
pub use validate::{validate, validate_with};
pub use value::Value;
pub use workspace::Workspace;
