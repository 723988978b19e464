//! What a job gives.

use std::path::Path;

use ncnn_format::{Model, Remark, Result, ScaleTable};

use super::optimization::Optimization;
use super::saved::{SavedModel, save_model};
use crate::calibrate::Calibration;
use crate::compare::Comparison;

/// An int8 network, its scales, and what is to be said about them.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Quantized {
    /// The int8 network, as stock ncnn loads it.
    pub model: Model,
    /// The scales.
    pub table: ScaleTable,
    /// How they came about; `None` for scales out of a table.
    pub calibration: Option<Calibration>,
    /// How close it comes to the float network; `None` if that was not asked for.
    pub comparison: Option<Comparison>,
    /// What optimizing did, if it was asked for.
    pub optimization: Option<Optimization>,
    /// What a user should know, in the order of the job.
    pub remarks: Vec<Remark>,
}

impl Quantized {
    /// Writes PREFIX.param, PREFIX.bin, and PREFIX.table if the scales were calibrated: all of them or none.
    ///
    /// # Errors
    /// As [`save_model`].
    pub fn save(&self, prefix: impl AsRef<Path>) -> Result<SavedModel> {
        save_model(&self.model, self.calibration.is_some().then_some(&self.table), prefix.as_ref())
    }
}
