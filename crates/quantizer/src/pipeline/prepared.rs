//! From a prepared network to scales.

use std::borrow::Cow;

use ncnn_format::{Model, Remark, Result, ScaleTable};

use super::optimization::Optimization;
use super::quantized::Quantized;
use crate::calibrate::{CalibrateOptions, Calibration, calibrate, correct_biases};
use crate::inputs::with_readable;
use crate::{ConvertOptions, Dataset, Options, Progress, comment_out, convert, equalize};

/// A network that is ready for scales.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Prepared<'a> {
    /// The float network.
    pub model: Cow<'a, Model>,
    /// What optimizing did, if it was asked for.
    pub optimization: Option<Optimization>,
    /// A remark for each layer that shall stay float ([`Selection::excluded`](crate::Selection::excluded)).
    pub excluded: Vec<Remark>,
    pub(super) options: Options,
}

/// Scales and the network that they are for.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Calibrated<'p> {
    /// The scales; the rows of layers that stay float are comments.
    pub table: ScaleTable,
    /// How they came about; `None` for scales out of a table.
    pub calibration: Option<Calibration>,
    /// Samples that were left out or skipped, and what calibration gave cause to mention.
    pub remarks: Vec<Remark>,
    prepared: &'p Prepared<'p>,
    /// The network with equal channels, if it is another one.
    equalized: Option<Model>,
    /// The network with corrected biases, which is good for converting only.
    corrected: Option<Model>,
}

impl Prepared<'_> {
    /// Finds the scales on the samples of `dataset` that the options choose, after making channels equal if they say
    /// so; then corrects the biases if they say so.
    ///
    /// # Errors
    /// `Invalid` listing all samples that cannot be read, unless those are skipped; those of equalizing, calibrating
    /// and correcting; `Cancelled` if `progress` says so.
    pub fn calibrate(&self, dataset: &dyn Dataset, progress: &dyn Progress) -> Result<Calibrated<'_>> {
        let options = &self.options;
        let chosen = options.chosen(dataset);
        progress.check()?;
        let ((calibration, equalized, corrected), skipped) =
            with_readable(&chosen, options.skip_bad, progress, |samples| {
                let equalized = options.equalize.then(|| equalize(&self.model, samples, progress)).transpose()?;
                let equalized = equalized.map(|equalized| equalized.model);
                let float = equalized.as_ref().unwrap_or(&self.model);
                let calibration = calibrate(float, samples, options.calibrate_options(), progress)?;
                let correct = || correct_biases(float, samples, &calibration, progress);
                let corrected = options.correct_bias.then(correct).transpose()?;
                Ok((calibration, equalized, corrected))
            })?;
        let mut remarks = dataset.remarks();
        remarks.extend(calibration.remarks());
        remarks.extend(skipped);
        let table = comment_out(&calibration.table(), &self.excluded);
        Ok(Calibrated { table, calibration: Some(calibration), remarks, prepared: self, equalized, corrected })
    }

    /// Takes the scales of a table, whose rows get the names of today if the options say so.
    ///
    /// # Errors
    /// As [`ScaleTable::remap_producers`].
    pub fn with_table(&self, table: ScaleTable) -> Result<Calibrated<'_>> {
        let table = if self.options.remap_table { table.remap_producers(&self.model)? } else { table };
        let table = comment_out(&table, &self.excluded);
        let (remarks, prepared) = (Vec::new(), self);
        Ok(Calibrated { table, calibration: None, remarks, prepared, equalized: None, corrected: None })
    }
}

impl Calibrated<'_> {
    /// The float network that the int8 network is made of; it computes what the original computes.
    pub fn float(&self) -> &Model {
        self.equalized.as_ref().unwrap_or(&self.prepared.model)
    }

    /// Makes the int8 network.
    ///
    /// # Errors
    /// As [`convert`].
    pub fn convert(&self) -> Result<Quantized> {
        let Prepared { options, excluded, .. } = self.prepared;
        let convert_options = ConvertOptions { sequence_layers: !options.float_sequence, ..ConvertOptions::default() };
        let converted = convert(self.corrected.as_ref().unwrap_or(self.float()), &self.table, convert_options)?;
        let mut remarks = self.remarks.clone();
        remarks.extend(excluded.iter().cloned());
        let is_excluded = |remark: &Remark| excluded.iter().any(|excluded| excluded.place == remark.place);
        let is_news = |remark: &Remark| remark.code != "no-rows" || !is_excluded(remark);
        remarks.extend(converted.remarks.into_iter().filter(is_news));
        Ok(Quantized {
            model: converted.model,
            table: self.table.clone(),
            calibration: self.calibration.clone(),
            comparison: None,
            optimization: self.prepared.optimization.clone(),
            remarks,
        })
    }
}

impl Options {
    /// How to calibrate.
    pub fn calibrate_options(&self) -> CalibrateOptions {
        CalibrateOptions {
            method: self.method.unwrap_or_default(),
            passes: self.passes,
            winograd: self.winograd.unwrap_or_default(),
            weights: self.weights.unwrap_or_default(),
            plain_sums: self.plain_sums,
        }
    }
}
