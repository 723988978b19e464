//! Scale tables, alone and beside their model.

use std::collections::{HashMap, HashSet};

use crate::{Layer, LinearLayer, Model, Remark, ScaleTable, TableRow};

/// Below this, six decimals leave fewer than five digits.
const FEW_DIGITS: f32 = 0.1;

/// Everything about `table` that ncnn2int8 would accept silently and convert
/// wrongly. `text` is what it was read from, for blank lines; `model` is the fp32
/// model that it belongs to.
pub fn check_table(table: &ScaleTable, text: Option<&str>, model: Option<&Model>) -> Vec<Remark> {
    let mut findings = Vec::new();
    if let Some(text) = text {
        findings.extend(blank_line(text));
    }
    let mut keys = HashSet::new();
    for row in &table.rows {
        if !keys.insert(row.key.as_str()) {
            findings
                .push(Remark::warning("repeated-row", format!("row {} is given again; the last one counts", row.key)));
        }
        findings.extend(values(row));
    }
    match model.map(|model| (model, table.check_dialect(model))) {
        None => {}
        Some((model, Ok(()))) => partners(table, model, &mut findings),
        // Its keys mean something else, so there are no partners to look for.
        Some((_, Err(error))) => findings.push(Remark::error("table-dialect", error.message())),
    }
    findings
}

/// ncnn2int8 stops at the first blank line.
fn blank_line(text: &str) -> Option<Remark> {
    let mut lines = text.lines().enumerate().skip_while(|(_, line)| !line.is_empty());
    let (number, _) = lines.next()?;
    let lost = lines.filter(|(_, line)| !line.trim().is_empty()).count();
    (lost > 0).then(|| {
        Remark::error("blank-line", format!("ncnn2int8 stops at this blank line and loses {lost} rows"))
            .advise("remove the line")
            .at_line(number + 1)
    })
}

fn is_weight_row(row: &TableRow) -> bool {
    row.key.contains("_param_")
}

fn values(row: &TableRow) -> Vec<Remark> {
    let mut findings = Vec::new();
    let key = &row.key;
    let at = |wrong: fn(&f32) -> bool| row.values.iter().position(wrong);
    if let Some(index) = at(|value| !value.is_finite()) {
        let value = row.values.get(index).copied().unwrap_or_default();
        findings.push(
            Remark::error("not-finite", format!("row {key}: scale {index} is {value}"))
                .advise("the channel or blob was always zero; any finite scale, such as 1, does"),
        );
    }
    if let Some(index) = at(|value| *value < 0.0) {
        findings.push(Remark::error("negative-scale", format!("row {key}: scale {index} is negative")));
    }
    if let Some(index) = at(|value| *value == 0.0) {
        let message = format!("row {key}: scale {index} is 0");
        findings.push(if is_weight_row(row) {
            Remark::warning("zero-scale", message).advise("the channel becomes zero")
        } else {
            Remark::error("zero-scale", message).advise("ncnn divides by it; a scale below 0.0000005 is printed as 0")
        });
    }
    if let Some(index) = at(|value| (f32::MIN_POSITIVE..FEW_DIGITS).contains(value)) {
        let value = row.values.get(index).copied().unwrap_or_default();
        findings.push(Remark::warning(
            "few-digits",
            format!("row {key}: scale {index} is {value}, with few digits left of it"),
        ));
    }
    if !is_weight_row(row) && row.values.len() > 1 {
        let found = row.values.len();
        findings.push(Remark::warning(
            "several-input-scales",
            format!("row {key}: an input has one scale, found {found}; the first counts"),
        ));
    }
    findings
}

fn partners(table: &ScaleTable, model: &Model, findings: &mut Vec<Remark>) {
    let layers: HashMap<&str, &Layer> = model.layers.iter().map(|layer| (layer.name.as_str(), layer)).collect();
    for row in &table.rows {
        let name = row.key.rsplit_once("_param_").map_or(row.key.as_str(), |(name, _)| name);
        if !layers.contains_key(name) && !layers.contains_key(row.key.as_str()) {
            findings
                .push(Remark::warning("row-without-layer", format!("row {}: the model has no layer {name}", row.key)));
        }
    }
    for layer in &model.layers {
        let linear = LinearLayer::of(layer).ok().flatten().filter(LinearLayer::has_int8_form);
        let Some(linear) = linear else { continue };
        let expected = linear.scale_count();
        let mut layer_findings = Vec::new();
        if linear.is_int8() {
            layer_findings.push(Remark::warning("already-int8", "is int8 already; ncnn2int8 would quantize it again"));
        }
        match table.weight_scales(&layer.name) {
            None => layer_findings.push(missing("weights", &format!("{}_param_0", layer.name))),
            Some(scales) if scales.len() != 1 && scales.len() != expected => layer_findings.push(
                Remark::error(
                    "scale-count",
                    format!("row {}_param_0 has {} scales, the layer {expected}", layer.name, scales.len()),
                )
                .advise("ncnn2int8 reads past the end; calibrate again"),
            ),
            Some(_) => {}
        }
        if table.input_scale(&layer.name).is_none() {
            layer_findings.push(missing("input", &layer.name));
        }
        findings.extend(layer_findings.into_iter().map(|finding| finding.in_layer(&layer.name)));
    }
}

fn missing(what: &str, key: &str) -> Remark {
    Remark::warning("missing-row", format!("no row {key} for its {what}")).advise("the layer stays float")
}
