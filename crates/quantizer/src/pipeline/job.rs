//! What is to be done, and doing it.

use std::borrow::Cow;

use ncnn_format::{Model, Remark, Result};

use super::optimization::Optimization;
use super::prepared::Prepared;
use super::quantized::Quantized;
use crate::options::Options;
use crate::{Dataset, Progress, Selection};

/// A float network and what is to be done to it.
///
/// [`run`](Self::run) does all of it. Each step can be had by itself: [`prepare`](Self::prepare), then
/// [`Prepared::calibrate`] or [`Prepared::with_table`], then [`Calibrated::convert`](crate::Calibrated::convert); and
/// [`compare`](Self::compare) for two networks that there are already.
///
/// ```
/// use quantizer::{Model, Options, Pipeline};
///
/// # fn main() -> quantizer::Result<()> {
/// # let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/fmnist");
/// # let (param, bin) = (format!("{fixtures}/lenet_fp16w.param"), format!("{fixtures}/lenet_fp16w.bin"));
/// let model = Model::load(param, bin)?;
/// let options = Options::default().set("images", &format!("{fixtures}/calib"))?.set("limit", "4")?;
/// let samples = options.dataset(&model)?;
/// let prepared = Pipeline::new(&model).options(options).prepare()?;
/// let calibrated = prepared.calibrate(&samples, &())?;
/// assert_eq!(calibrated.table.rows.len(), 8, "two rows for each of the four layers with weights");
/// let int8 = calibrated.convert()?.model;
/// assert_eq!(int8.layers.len(), model.layers.len());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Pipeline<'a> {
    pub(super) model: &'a Model,
    pub(super) options: Options,
}

impl<'a> Pipeline<'a> {
    /// A job with `model` and all options at their defaults.
    pub fn new(model: &'a Model) -> Self {
        Self { model, options: Options::default() }
    }

    /// The same with these options.
    #[must_use]
    pub fn options(self, options: Options) -> Self {
        Self { options, ..self }
    }

    /// Does the whole job on the samples of `dataset` that the options choose, and compares the networks on them.
    /// Nothing is written: see [`Quantized::save`].
    ///
    /// # Errors
    /// Those of every step; `Cancelled` if `progress` says so.
    pub fn run(&self, dataset: &dyn Dataset, progress: &dyn Progress) -> Result<Quantized> {
        let prepared = self.prepare()?;
        let calibrated = prepared.calibrate(dataset, progress)?;
        progress.check()?;
        let mut quantized = calibrated.convert()?;
        progress.check()?;
        // What equalizing scales differs between the networks by itself.
        let float = Pipeline { model: calibrated.float(), options: self.options.clone() };
        quantized.comparison = Some(float.compare(&quantized.model, dataset, progress)?.comparison);
        Ok(quantized)
    }

    /// The network as it is to be calibrated: optimized if the options say so, with the layers that stay float.
    ///
    /// # Errors
    /// Those of optimizing; `Invalid` for a pattern that matches no layer.
    pub fn prepare(&self) -> Result<Prepared<'a>> {
        let (model, optimization) = if self.options.optimize {
            let (model, optimization) = Optimization::on_the_way(self.model, &self.options)?;
            (Cow::Owned(model), Some(optimization))
        } else {
            (Cow::Borrowed(self.model), None)
        };
        let excluded = self.options.selection().excluded_or_none(&model)?;
        Ok(Prepared { model, optimization, excluded, options: self.options.clone() })
    }
}

impl Options {
    /// Which layers become int8.
    pub fn selection(&self) -> Selection {
        Selection {
            only: self.only.clone(),
            exclude: self.exclude.clone(),
            float_first: self.float_first,
            float_last: self.float_last,
        }
    }
}

impl Selection {
    /// As [`Selection::excluded`], without a look at the network where everything is wanted.
    fn excluded_or_none(&self, model: &Model) -> Result<Vec<Remark>> {
        if self.is_everything() { Ok(Vec::new()) } else { self.excluded(model) }
    }
}
