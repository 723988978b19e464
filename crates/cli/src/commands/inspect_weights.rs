//! Weights in numbers.

use ncnn_format::{Model, Weight, WeightData};
use serde_json::{Value, json};

use crate::output::{fit, float, json_float, table};

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

/// One line per weight.
pub(crate) fn describe_weights(model: &Model) -> String {
    let mut rows = Vec::new();
    for layer in &model.layers {
        for weight in &layer.weights {
            let statistics = Statistics::of(&weight.data);
            let extreme = |value: f32| if value.is_finite() { float(value) } else { "none".to_owned() };
            rows.push(vec![
                fit(&layer.name, 36),
                weight.role.to_string(),
                weight.data.len().to_string(),
                weight.data.storage().to_string(),
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
pub(crate) fn weight_json(weight: &Weight) -> Value {
    let Statistics { min, max, zeros, not_finite } = Statistics::of(&weight.data);
    json!({
        "role": weight.role.to_string(),
        "elements": weight.data.len(),
        "storage": weight.data.storage().to_string(),
        "bytes": weight.data.stored_bytes(),
        "min": json_float(min.into()),
        "max": json_float(max.into()),
        "zeros": zeros,
        "not_finite": not_finite,
    })
}
