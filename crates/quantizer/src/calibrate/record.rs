//! A calibration as data. docs/results.md describes the form.

use std::fmt;

use histogram_kl::{Histogram, Range, Rule, Threshold};
use ncnn_format::TableRow;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::calibration::{Calibration, LayerCalibration};
use super::decision::{Choice, Scored, Similarity};
use super::method::Method;
use crate::number::Number;
use crate::weight_scales::WeightScales;

/// The versions of the form of a [`Calibration`]. Every change that older programs would misread makes a new one;
/// they ignore keys that they do not know.
#[derive(Serialize, Deserialize)]
#[serde(tag = "schema")]
enum CalibrationForm {
    #[serde(rename = "ncnn-quant/calibration/1")]
    One(CalibrationRecord),
}

#[derive(Serialize, Deserialize)]
struct CalibrationRecord {
    samples: usize,
    layers: Vec<LayerCalibration>,
    sequence_rows: Vec<RowRecord>,
}

impl From<Calibration> for CalibrationForm {
    fn from(Calibration { layers, sequence_rows, samples }: Calibration) -> Self {
        let sequence_rows = sequence_rows.into_iter().map(RowRecord::from).collect();
        Self::One(CalibrationRecord { samples, layers, sequence_rows })
    }
}

impl From<CalibrationForm> for Calibration {
    fn from(CalibrationForm::One(record): CalibrationForm) -> Self {
        let CalibrationRecord { samples, layers, sequence_rows } = record;
        Self { layers, sequence_rows: sequence_rows.into_iter().map(TableRow::from).collect(), samples }
    }
}

/// A row of a table, without the text that it may have been read from.
#[derive(Serialize, Deserialize)]
struct RowRecord {
    key: String,
    attributes: Vec<(String, String)>,
    values: Vec<Number>,
}

impl From<TableRow> for RowRecord {
    fn from(TableRow { key, attributes, values, .. }: TableRow) -> Self {
        Self { key, attributes, values: numbers(&values) }
    }
}

impl From<RowRecord> for TableRow {
    fn from(RowRecord { key, attributes, values }: RowRecord) -> Self {
        Self { key, attributes, values: floats(values), ..Self::default() }
    }
}

/// Fields that follow from others are written for readers and not read.
#[derive(Serialize, Deserialize)]
struct LayerRecord {
    layer: String,
    blob: String,
    rule: String,
    /// Lossless: value, bin and divergence.
    decided: Option<Threshold>,
    scale: Number,
    range: Range,
    histogram: Histogram,
    choice: Option<Choice>,
    cosine: Option<Similarity>,
    weight_scales: Vec<Number>,
    full_weight_scales: Vec<Number>,
    dead_channels: Vec<usize>,
    reduced_channels: Vec<ReducedRecord>,
    observed_channels: Vec<usize>,
    may_run_winograd: bool,
    #[serde(flatten, skip_deserializing)]
    derived: Derived,
}

/// What follows from the other fields of a layer.
#[derive(Serialize, Default)]
struct Derived {
    absmax: Option<Number>,
    threshold: Option<Number>,
    threshold_bin: Option<usize>,
    clipped: f64,
    signed_costs_db: Option<Number>,
    error: Option<Number>,
    runner_up: Option<Scored>,
}

#[derive(Serialize, Deserialize)]
struct ReducedRecord {
    channel: usize,
    #[serde(skip_deserializing)]
    bits: Option<Number>,
}

impl From<LayerCalibration> for LayerRecord {
    fn from(layer: LayerCalibration) -> Self {
        let derived = Derived {
            absmax: Some(layer.range.absmax().into()),
            threshold: Some(layer.reported_threshold().into()),
            threshold_bin: layer.threshold.and_then(|threshold| threshold.bin()),
            clipped: layer.clipped(),
            signed_costs_db: layer.half_range().map(|half| (half.unsigned_db - half.sqnr_db).into()),
            error: layer.choice.as_ref().map(|choice| choice.winner.error.into()),
            runner_up: layer.choice.as_ref().and_then(|choice| choice.runner_up),
        };
        let weights = &layer.weights;
        let bits = |channel: usize| Some(weights.bits(channel).into());
        let reduced = weights.reduced.iter().map(|&channel| ReducedRecord { channel, bits: bits(channel) }).collect();
        Self {
            decided: layer.threshold,
            scale: layer.input_scale.into(),
            range: layer.range,
            choice: layer.choice,
            cosine: layer.similarity,
            weight_scales: numbers(&weights.scales),
            full_weight_scales: numbers(&weights.full),
            dead_channels: layer.weights.dead,
            reduced_channels: reduced,
            observed_channels: layer.weights.observed,
            may_run_winograd: layer.weights.may_run_winograd,
            layer: layer.layer,
            blob: layer.blob,
            rule: layer.rule,
            histogram: layer.histogram,
            derived,
        }
    }
}

/// A record that contradicts itself.
#[derive(Debug)]
struct Contradiction(String);

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<LayerRecord> for LayerCalibration {
    type Error = Contradiction;

    fn try_from(record: LayerRecord) -> Result<Self, Contradiction> {
        let channels = record.weight_scales.len();
        if record.full_weight_scales.len() != channels {
            let full = record.full_weight_scales.len();
            return Err(Contradiction(format!("layer {}: {channels} and {full} scales of weights", record.layer)));
        }
        let reduced: Vec<usize> = record.reduced_channels.into_iter().map(|reduced| reduced.channel).collect();
        let named = [&record.dead_channels, &reduced, &record.observed_channels];
        if let Some(channel) = named.into_iter().flatten().find(|&&channel| channel >= channels) {
            return Err(Contradiction(format!("layer {}: channel {channel} of {channels}", record.layer)));
        }
        Ok(Self {
            layer: record.layer,
            blob: record.blob,
            range: record.range,
            histogram: record.histogram,
            rule: record.rule,
            choice: record.choice,
            similarity: record.cosine,
            threshold: record.decided,
            input_scale: record.scale.into(),
            weights: WeightScales {
                scales: floats(record.weight_scales),
                full: floats(record.full_weight_scales),
                dead: record.dead_channels,
                reduced,
                observed: record.observed_channels,
                may_run_winograd: record.may_run_winograd,
            },
        })
    }
}

#[derive(Serialize, Deserialize)]
struct ScoredRecord {
    rule: Rule,
    decided: Option<Threshold>,
    error: Number,
    #[serde(skip_deserializing)]
    threshold: Option<Number>,
}

impl From<Scored> for ScoredRecord {
    fn from(Scored { rule, threshold, error }: Scored) -> Self {
        let value = threshold.map(|threshold| threshold.value().into());
        Self { rule, decided: threshold, error: error.into(), threshold: value }
    }
}

impl From<ScoredRecord> for Scored {
    fn from(record: ScoredRecord) -> Self {
        Self { rule: record.rule, threshold: record.decided, error: record.error.into() }
    }
}

/// Writes and reads a type as its record.
macro_rules! as_record {
    ($($type:ty => $record:ty),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$record>::from(self.clone()).serialize(serializer)
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$record>::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
            }
        }
    )*};
}

as_record!(Calibration => CalibrationForm, LayerCalibration => LayerRecord, Scored => ScoredRecord);

/// As its name.
impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

fn numbers(floats: &[f32]) -> Vec<Number> {
    floats.iter().copied().map(Number::from).collect()
}

fn floats(numbers: Vec<Number>) -> Vec<f32> {
    numbers.into_iter().map(f32::from).collect()
}
