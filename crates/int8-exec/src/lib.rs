#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod aligned;
mod buffers;
mod compiled;
mod grid;
mod helpers;
mod layers;
mod net;
mod options;
mod plan;
mod report;
mod rows;
mod run_step;
mod session;
mod validate;
mod value;

pub use net::Int8Net;
pub use options::{Options, Roundings};
pub use report::{PlanReport, StepReport};
pub use session::Session;
pub use validate::validate;
pub use value::Value;
