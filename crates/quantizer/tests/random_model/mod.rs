//! Networks with made-up weights.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
// Each test file uses its own part of this module.
#![allow(dead_code, reason = "shared by several test binaries")]

use ncnn_format::{Encoding, F32Tag, Layer, Model, Weight, WeightData, WeightRole, weight_layout};

/// A model of these layer lines, with weights between -1 and 1, variances between 0 and 2.
pub(crate) fn random_model(lines: &str) -> Model {
    let mut model = Model::from_param_text(&format!("7767517\n{} 99\n{lines}", lines.lines().count())).unwrap();
    fill(&mut model);
    model
}

/// Gives every layer the weights that its parameters call for.
pub(crate) fn fill(model: &mut Model) {
    let mut state = 1u32;
    model.layers.iter_mut().for_each(|layer| fill_layer(layer, &mut state));
}

fn fill_layer(layer: &mut Layer, state: &mut u32) {
    for spec in weight_layout(layer).unwrap() {
        let mut value = || {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = (*state >> 8) as f32 / (1 << 23) as f32 - 1.0;
            if spec.role == WeightRole::Variance { value + 1.0 } else { value }
        };
        let tag = if spec.encoding == Encoding::Raw { F32Tag::Raw } else { F32Tag::Tagged };
        let mut values: Vec<f32> = (0..spec.len).map(|_| value()).collect();
        if layer.kind == ncnn_format::LayerKind::PReLU {
            values.iter_mut().for_each(|slope| *slope = slope.abs());
        }
        layer.weights.push(Weight { role: spec.role, data: WeightData::F32(values, tag) });
    }
}
