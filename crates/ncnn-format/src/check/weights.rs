//! Weights that spoil what they are used for.

use crate::int8_form::int8_param;
use crate::{Layer, LayerKind, LinearLayer, Remark, Storage, Weight, WeightData, WeightRole};

/// Findings about the weights of `layer`; none while no `.bin` was read.
pub(super) fn check(layer: &Layer) -> Vec<Remark> {
    let mut findings = Vec::new();
    for weight in &layer.weights {
        match weight.data.to_f32() {
            Some(values) if is_scale(weight.role) => scales(weight.role, &values, &mut findings),
            Some(values) => floats(weight.role, &values, &mut findings),
            None => {}
        }
        if let WeightData::I8(values) = &weight.data
            && let Some(index) = values.iter().position(|value| *value == i8::MIN)
        {
            findings.push(
                Remark::warning(
                    "weight-minus-128",
                    format!("{} {index} is -128; ncnn's kernels may overflow on it", weight.role),
                )
                .advise("use -127"),
            );
        }
        storage(layer, weight, &mut findings);
    }
    zero_channels(layer, &mut findings);
    findings
}

fn is_scale(role: WeightRole) -> bool {
    use WeightRole as R;
    matches!(
        role,
        R::WeightScales
            | R::InputScale
            | R::OutputScale
            | R::InputWeightScales
            | R::HiddenWeightScales
            | R::QueryScales
            | R::KeyScales
            | R::ValueScales
            | R::OutScale
            | R::MatrixAScales
            | R::MatrixBScale
            | R::MatrixBBlockScales
            | R::QueryBlockScales
            | R::KeyBlockScales
            | R::ValueBlockScales
            | R::OutBlockScales
    )
}

fn floats(role: WeightRole, values: &[f32], findings: &mut Vec<Remark>) {
    let wrong = values.iter().filter(|value| !value.is_finite()).count();
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        let value = values.get(index).copied().unwrap_or_default();
        let rest = if wrong > 1 { format!(" (and {} more are not finite)", wrong - 1) } else { String::new() };
        findings.push(
            Remark::error("not-finite", format!("{role} {index} is {value}{rest}")).advise("convert the model again"),
        );
    }
}

fn scales(role: WeightRole, values: &[f32], findings: &mut Vec<Remark>) {
    floats(role, values, findings);
    if let Some(index) = values.iter().position(|value| *value < 0.0) {
        findings.push(Remark::error("negative-scale", format!("{role} {index} is negative")).advise("calibrate again"));
    }
    if let Some(index) = values.iter().position(|value| *value == 0.0) {
        // ncnn guards the division for weight scales only.
        findings.push(if role == WeightRole::WeightScales {
            Remark::warning("zero-scale", format!("{role} {index} is 0: that output is its bias, whatever the input"))
        } else {
            Remark::error("zero-scale", format!("{role} {index} is 0: ncnn divides by it")).advise("calibrate again")
        });
    }
}

/// Whether the storage is one that the layer's forward function understands.
fn storage(layer: &Layer, weight: &Weight, findings: &mut Vec<Remark>) {
    let is_int8 = weight.data.storage() == Storage::I8;
    let (Some(row), Ok(Some(term))) = (int8_param(&layer.kind), layer.int8_term()) else { return };
    if is_int8 && term == 0 {
        findings.push(
            Remark::error(
                "storage-and-term",
                format!("{} is stored as int8, but {} is 0: ncnn reads it as floats", weight.role, row.name),
            )
            .advise("write the term that goes with the scales"),
        );
    }
    let loads_int8_only = matches!(layer.kind, LayerKind::LSTM | LayerKind::GRU | LayerKind::RNN | LayerKind::Embed);
    let is_matrix = matches!(weight.role, WeightRole::Weight | WeightRole::InputWeight | WeightRole::HiddenWeight);
    if loads_int8_only && is_matrix && term != 0 && !is_int8 {
        findings.push(
            Remark::error(
                "storage-and-term",
                format!(
                    "{} is stored as {}, but int8_scale_term is {term}: ncnn reads it as int8",
                    weight.role,
                    weight.data.storage()
                ),
            )
            .advise("write int8_scale_term 0"),
        );
    }
}

/// Output channels of which every weight is zero, in the types that tables have rows for.
fn zero_channels(layer: &Layer, findings: &mut Vec<Remark>) {
    let linear = LinearLayer::of(layer).ok().flatten().filter(LinearLayer::has_table_rows);
    let Some(channels) = linear.map(|linear| linear.outputs).filter(|count| *count > 0) else { return };
    let Some(weight) = layer.weight(WeightRole::Weight) else { return };
    let len = weight.data.len() / channels;
    if len == 0 {
        return;
    }
    let zero: Vec<usize> = match (&weight.data, weight.data.to_f32()) {
        (_, Some(values)) => zeros(values.chunks_exact(len).map(|chunk| chunk.iter().all(|value| *value == 0.0))),
        (WeightData::I8(values), None) => {
            zeros(values.chunks_exact(len).map(|chunk| chunk.iter().all(|value| *value == 0)))
        }
        _ => return,
    };
    if let Some(first) = zero.first() {
        findings.push(
            Remark::warning(
                "zero-channels",
                format!("the weights of {} of {channels} channels are all zero (first: channel {first})", zero.len()),
            )
            .advise("ncnn2table gives such a channel an infinite scale"),
        );
    }
}

fn zeros(channels: impl Iterator<Item = bool>) -> Vec<usize> {
    channels.enumerate().filter(|(_, zero)| *zero).map(|(index, _)| index).collect()
}
