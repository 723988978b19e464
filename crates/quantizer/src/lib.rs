//! Turn an fp32 network and sample inputs into an int8 network, and say how good it is.

#![forbid(unsafe_code)]

pub mod calibrate;
pub mod compare;
mod dataset;
mod network;
mod progress;

pub use dataset::{Dataset, FileDataset};
pub use network::single_input;
pub use progress::Progress;
