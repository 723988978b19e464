#![doc = include_str!("../README.md")]
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
pub use layer_shapes::declared_shape;
pub use layers::activation::Activate;
pub use layers::build;
pub use layers::window::{ConvWindow, Pads, Placement};
pub use ncnn_format::{Activation, Blob, BlobId, Graph, Node};
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
