//! The whole job: prepare, equalize, calibrate, correct, convert, compare.

mod compared;
mod counted;
mod job;
mod optimization;
mod prepared;
mod quantized;
mod saved;

pub use compared::Compared;
pub use counted::Counted;
pub use job::Pipeline;
pub use optimization::{Optimization, OutputCheck};
pub use prepared::{Calibrated, Prepared};
pub use quantized::Quantized;
pub use saved::{SavedModel, file_size, model_paths, save_model, with_suffix};
