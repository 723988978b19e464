//! Weights in numbers.

use ncnn_format::{BinIndex, Model, Result, Storage, WeightData, WeightRef, WeightRole};
use serde_json::{Value, json};

use crate::output::{fit, float, json_float, table};

/// What there is to say of a weight.
pub(crate) struct WeightFacts {
    role: WeightRole,
    pub(crate) storage: Storage,
    pub(crate) elements: usize,
    /// In the .bin: tag, elements and padding.
    pub(crate) bytes: u64,
    /// Only when the elements were read.
    statistics: Option<Statistics>,
}

impl WeightFacts {
    /// The facts of every weight of every layer. Reads the elements only if
    /// `with_statistics`, and then holds one weight at a time.
    ///
    /// # Errors
    /// Those of reading the .bin.
    pub(crate) fn gather(index: &BinIndex<'_>, with_statistics: bool) -> Result<Vec<Vec<Self>>> {
        let layers = index.layers.iter();
        layers.map(|weights| weights.iter().map(|weight| Self::of(weight, with_statistics)).collect()).collect()
    }

    fn of(weight: &WeightRef<'_>, with_statistics: bool) -> Result<Self> {
        Ok(Self {
            role: weight.role(),
            storage: weight.storage(),
            elements: weight.len(),
            bytes: weight.stored_bytes(),
            statistics: if with_statistics { Some(Statistics::of(&weight.read()?.data)) } else { None },
        })
    }
}

/// What the elements of a weight are like.
struct Statistics {
    min: f32,
    max: f32,
    zeros: usize,
    not_finite: usize,
}

impl Statistics {
    fn of(data: &WeightData) -> Self {
        match (data.as_i8(), data.to_f32()) {
            (Some(values), _) => Self::count(values.iter().map(|&value| f32::from(value))),
            (None, Some(values)) => Self::count(values.iter().copied()),
            (None, None) => Self::count(std::iter::empty()),
        }
    }

    fn count(values: impl Iterator<Item = f32>) -> Self {
        let mut statistics = Self { min: f32::INFINITY, max: f32::NEG_INFINITY, zeros: 0, not_finite: 0 };
        for value in values {
            if value.is_finite() {
                statistics.min = statistics.min.min(value);
                statistics.max = statistics.max.max(value);
            } else {
                statistics.not_finite += 1;
            }
            statistics.zeros += usize::from(value == 0.0);
        }
        statistics
    }
}

/// One line per weight whose elements were read.
pub(crate) fn describe_weights(model: &Model, weights: &[Vec<WeightFacts>]) -> String {
    let mut rows = Vec::new();
    for (layer, weights) in model.layers.iter().zip(weights) {
        for weight in weights {
            let Some(statistics) = &weight.statistics else { continue };
            let extreme = |value: f32| if value.is_finite() { float(value) } else { "none".to_owned() };
            rows.push(vec![
                fit(&layer.name, 36),
                weight.role.to_string(),
                weight.elements.to_string(),
                weight.storage.to_string(),
                extreme(statistics.min),
                extreme(statistics.max),
                statistics.zeros.to_string(),
                statistics.not_finite.to_string(),
            ]);
        }
    }
    table(&["layer", "weight", "elements", "stored as", "min", "max", "zeros", "not finite"], rows, 2)
}

/// A weight as JSON.
pub(crate) fn weight_json(weight: &WeightFacts) -> Value {
    let mut json = json!({
        "role": weight.role.to_string(),
        "elements": weight.elements,
        "storage": weight.storage.to_string(),
        "bytes": weight.bytes,
    });
    if let Some(Statistics { min, max, zeros, not_finite }) = &weight.statistics {
        json["min"] = json_float((*min).into());
        json["max"] = json_float((*max).into());
        json["zeros"] = (*zeros).into();
        json["not_finite"] = (*not_finite).into();
    }
    json
}
