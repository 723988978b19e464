//! What calibration found.

use histogram_kl::{Histogram, Range, Threshold, sqnr_db};
use ncnn_format::{Remark, ScaleTable, TableRow};

use super::decision::{Choice, Similarity};
use crate::weight_scales::WeightScales;
use crate::winograd::as_printed;

/// What calibration found, layer by layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// One entry per quantizable layer, in file order.
    pub layers: Vec<LayerCalibration>,
    /// The scales of the weights of layers for sequences ([`sequence_rows`](crate::sequence_rows)).
    pub sequence_rows: Vec<TableRow>,
    /// How many samples were seen.
    pub samples: usize,
}

/// The scales of one layer and how they came about.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerCalibration {
    /// The layer's name.
    pub layer: String,
    /// The blob that it reads.
    pub blob: String,
    /// What the blob held over all samples.
    pub range: Range,
    /// The distribution of its absolute values.
    pub histogram: Histogram,
    /// The name of what chose the threshold: a rule, or a [`Strategy`](super::Strategy) that needs none.
    pub rule: String,
    /// Under [`Method::Auto`](super::Method::Auto), what the rule was chosen over; `None` for inputs of the network.
    pub choice: Option<Choice>,
    /// Under [`Method::Eq`](super::Method::Eq), what was reached; `None` where no output could be computed.
    pub similarity: Option<Similarity>,
    /// The largest absolute value that is not clipped; `None` where the blob is dead: nothing but zeros was seen.
    pub threshold: Option<Threshold>,
    /// Multiplier of the input blob. Arbitrary where that is dead: 1, or infinite as in ncnn2table's tables.
    pub input_scale: f32,
    /// Multipliers of the weights, per output channel or group.
    pub weights: WeightScales,
}

/// What it costs to store a blob that is never negative as signed int8.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct HalfRange {
    /// Expected signal-to-noise ratio of the blob in decibels, with its threshold at 127.
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    pub sqnr_db: f64,
    /// The same with the threshold at 255, which unsigned codes would allow. At most 6.05 more: a bit.
    #[cfg_attr(feature = "serde", serde(with = "crate::number"))]
    pub unsigned_db: f64,
}

impl LayerCalibration {
    /// What signed codes cost; `None` for a blob that has negative values, or is dead.
    pub fn half_range(&self) -> Option<HalfRange> {
        self.range.min().filter(|&min| min >= 0.0)?;
        let threshold = self.threshold?.value();
        let sqnr = |largest| sqnr_db(&self.histogram, threshold, largest);
        Some(HalfRange { sqnr_db: sqnr(127)?, unsigned_db: sqnr(255)? })
    }

    /// The threshold as reports show it: 127 for a dead blob, which makes its scale 1.
    pub fn reported_threshold(&self) -> f32 {
        self.threshold.unwrap_or(Threshold::UNIT).value()
    }

    /// The share of the blob's non-zero values beyond the threshold, 0 to 1, to the width of a bin.
    pub fn clipped(&self) -> f64 {
        let (histogram, threshold) = (&self.histogram, self.reported_threshold());
        let is_beyond = |bin: usize| (bin as f32 + 0.5) * histogram.bin_width() > threshold;
        let counts = histogram.counts().iter().enumerate();
        let beyond: u64 = counts.filter(|(bin, _)| is_beyond(*bin)).map(|(_, count)| count).sum();
        if histogram.total() == 0 { 0.0 } else { beyond as f64 / histogram.total() as f64 }
    }
}

impl Calibration {
    /// The scales as ncnn2int8 reads them: all weight rows, then all input rows, then the rows
    /// of layers for sequences.
    ///
    /// Every value is rounded to the six decimals of the file, so that a model made
    /// from this table and one made from the saved file have the same bytes.
    pub fn table(&self) -> ScaleTable {
        let mut table = ScaleTable::default();
        for layer in &self.layers {
            let scales = layer.weights.scales.iter().map(|&scale| as_printed(scale)).collect();
            table.push(format!("{}_param_0", layer.layer), scales);
        }
        for layer in &self.layers {
            table.push(layer.layer.clone(), vec![as_printed(layer.input_scale)]);
        }
        table.rows.extend(self.sequence_rows.iter().cloned());
        table
    }

    /// What a user should know before trusting the scales.
    pub fn remarks(&self) -> Vec<Remark> {
        let mut remarks = Vec::new();
        let by_itself = |layer: &&LayerCalibration| layer.choice.as_ref().is_some_and(|choice| !choice.by_output);
        let count = self.layers.iter().filter(by_itself).count();
        if count > 0 {
            let message = format!(
                "the rules of {count} of {} inputs were chosen by the squared error of the input, not of the layer's \
                 output: there were no samples to compute that on",
                self.layers.len()
            );
            remarks.push(Remark::note("judged-by-input", message));
        }
        for layer in &self.layers {
            if layer.threshold.is_none() {
                let message = format!(
                    "its input {} was zero in all {} samples; the scale {} is arbitrary",
                    layer.blob, self.samples, layer.input_scale
                );
                let advice = "calibrate on samples that reach it, or leave the layer float";
                remarks.push(Remark::warning("dead-input", message).in_layer(&layer.layer).advise(advice));
            }
            if let Some(first) = layer.weights.dead.first() {
                let message = format!(
                    "the weights of {} of {} channels are all zero or too small for a scale (first: channel {first})",
                    layer.weights.dead.len(),
                    layer.weights.scales.len(),
                );
                remarks.push(Remark::note("dead-channels", message).in_layer(&layer.layer));
            }
        }
        remarks
    }
}
