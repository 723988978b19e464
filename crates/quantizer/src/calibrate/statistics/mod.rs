//! What a network held over some samples, kept in a file.
//!
//! [`Statistics`] say for every blob that an int8 layer reads how often each value occurred,
//! and which samples of which data set went through which model. They can be stored while
//! they grow, taken up again, and merged: sums of integers, so that any way of dividing
//! the samples gives the same bytes. Thresholds come from them without running the network.
//! The file is described in docs/statistics-file.md.

mod file;
mod growth;
mod provenance;

use std::collections::BTreeMap;

use fp32_ref::Graph;
use histogram_kl::GrowingHistogram;
use ncnn_format::{Error, Model, Result};

use super::calibration::Calibration;
use super::collect::in_final_bins;
use super::decide::{all_weight_scales, decide, layers};
use super::gathered::Gathered;
use super::options::CalibrateOptions;
use super::targets::{self, Target};
use crate::progress::Progress;
use crate::sequence_weights::sequence_rows;

pub use provenance::{ModelPrint, Origin};

/// A sample that was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The file's name without its folder.
    pub name: String,
    /// SHA-256 of its contents, in hexadecimal digits.
    pub sha256: String,
}

/// Counts of every blob that an int8 layer reads, and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Statistics {
    /// The model, the inputs and the data set.
    origin: Origin,
    /// Those counted, by their number in the data set.
    samples: BTreeMap<usize, Sample>,
    /// Names of those that could not be read, by their number.
    skipped: BTreeMap<usize, String>,
    /// In the order in which the network makes them.
    blobs: Vec<BlobStatistics>,
}

/// Counts of one blob.
#[derive(Debug, Clone, PartialEq)]
pub struct BlobStatistics {
    /// The blob, before any Split.
    pub blob: String,
    /// The layers that read it and can be int8.
    pub layers: Vec<String>,
    /// Its values over all samples.
    pub values: GrowingHistogram,
}

impl Statistics {
    /// Nothing counted yet of `model`.
    ///
    /// # Errors
    /// As [`calibrate`](super::calibrate) for what the model says.
    pub fn new(model: &Model, origin: Origin) -> Result<Self> {
        let graph = Graph::new(model)?;
        let targets = targets::find(model, &graph)?;
        let blobs = targets::watched(&targets)
            .into_iter()
            .enumerate()
            .map(|(slot, blob)| BlobStatistics {
                blob: graph.blob_name(blob).to_owned(),
                layers: readers(&targets, slot),
                values: GrowingHistogram::default(),
            })
            .collect();
        Ok(Self { origin, samples: BTreeMap::new(), skipped: BTreeMap::new(), blobs })
    }

    /// Where the counts come from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The counted samples by their number in the data set.
    pub fn samples(&self) -> &BTreeMap<usize, Sample> {
        &self.samples
    }

    /// Names of samples that could not be read, by their number.
    pub fn skipped(&self) -> &BTreeMap<usize, String> {
        &self.skipped
    }

    /// The counts by blob.
    pub fn blobs(&self) -> &[BlobStatistics] {
        &self.blobs
    }

    /// How many samples of the data set were neither counted nor skipped.
    pub fn missing(&self) -> usize {
        self.origin.samples.saturating_sub(self.samples.len() + self.skipped.len())
    }

    /// Notes that a sample cannot be read.
    pub fn skip(&mut self, index: usize, name: &str) {
        self.skipped.insert(index, name.to_owned());
    }

    /// Adds what others counted of the same data set; the order does not matter.
    ///
    /// # Errors
    /// `Invalid` when the two do not have the same origin, saying what differs, or have a
    /// sample in common; then nothing is changed.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        self.origin.check_same(&other.origin)?;
        if let Some((index, sample)) = other.samples.iter().find(|(index, _)| self.samples.contains_key(index)) {
            return Err(Error::invalid(format!("both have counted sample {index} ({})", sample.name)));
        }
        let names = |blobs: &[BlobStatistics]| blobs.iter().map(|blob| blob.blob.clone()).collect::<Vec<_>>();
        if names(&self.blobs) != names(&other.blobs) {
            return Err(Error::invalid("the two have counted other blobs"));
        }
        self.samples.extend(other.samples.iter().map(|(&index, sample)| (index, sample.clone())));
        self.skipped.extend(other.skipped.iter().map(|(&index, name)| (index, name.clone())));
        for (blob, more) in self.blobs.iter_mut().zip(&other.blobs) {
            blob.values.merge(&more.values);
        }
        Ok(())
    }

    /// Scales for `model`, as [`calibrate`](super::calibrate) finds them in one pass.
    ///
    /// Counts hold no samples: [`Method::Auto`](super::Method::Auto) judges by the expected squared error of the blobs, and what
    /// Winograd accumulators reach is not known, only what is proven.
    ///
    /// # Errors
    /// `Invalid` when `model` is not the one that was run, when nothing was counted, for
    /// [`Method::MovingAverage`](super::Method::MovingAverage) and [`Method::Eq`](super::Method::Eq), and as
    /// [`calibrate`](super::calibrate) for scales that a table cannot hold.
    pub fn calibrate(
        &self,
        model: &Model,
        options: impl Into<CalibrateOptions>,
        progress: &dyn Progress,
    ) -> Result<Calibration> {
        let options = options.into();
        let strategy = options.method.strategy();
        self.origin.model.check_same(&ModelPrint::of(model)?)?;
        if self.samples.is_empty() {
            return Err(Error::invalid("no samples were counted yet"));
        }
        let targets = targets::find(model, &Graph::new(model)?)?;
        let slots = targets::watched(&targets).len();
        if slots != self.blobs.len() {
            let found = self.blobs.len();
            return Err(Error::invalid(format!("counts of {found} blobs, the model's layers read {slots}")));
        }
        let values: Vec<GrowingHistogram> = self.blobs.iter().map(|blob| blob.values.clone()).collect();
        let (ranges, histograms) = in_final_bins(&values)?;
        let weight_method = strategy.weight_method(options.weights, options.winograd);
        let weights = all_weight_scales(model, &targets, weight_method)?;
        let samples = self.samples.len();
        let (maxima, patches) = (Vec::new(), Vec::new());
        let gathered = Gathered { model, targets: &targets, samples, ranges, histograms, maxima, patches };
        let decisions = decide(&gathered, &*strategy, options, &weights, progress)?;
        let layers = layers(&gathered, weight_method, &decisions, weights)?;
        Ok(Calibration { layers, sequence_rows: sequence_rows(model)?, samples })
    }
}

fn readers(targets: &[Target], slot: usize) -> Vec<String> {
    targets.iter().filter(|target| target.slot == slot).map(|target| target.name.clone()).collect()
}
