//! What a layer type asks of its parameters together.

use crate::{ErrorKind, Layer, LayerKind, LinearLayer, Remark, Result, typed, weight_layout};

/// Findings about the parameters of `layer` taken together.
pub(super) fn check(layer: &Layer) -> Vec<Remark> {
    let mut findings = Vec::new();
    // What cannot be read was found where the forms of parameters are checked.
    let _ = type_rules(layer, &mut findings);
    let _ = activation(layer, &mut findings);
    if let Err(error) = weight_layout(layer) {
        findings.extend(layout_error(layer, &error));
    }
    findings
}

fn layout_error(layer: &Layer, error: &crate::Error) -> Option<Remark> {
    // Parameters of the wrong form are reported elsewhere, in more words.
    let readable = typed::layer_spec(&layer.kind).is_none_or(|spec| {
        layer.params.iter().all(|(id, value)| {
            let array = matches!(value, crate::ParamValue::Array(_));
            spec.param(id)
                .is_none_or(|row| array == matches!(row.kind, typed::ParamKind::Ints | typed::ParamKind::Floats))
        })
    });
    match error.kind() {
        ErrorKind::Unsupported => Some(Remark::warning("unsupported", error.message())),
        _ if readable => {
            Some(Remark::error("unloadable-weights", error.message()).advise("ncnn cannot load the layer's weights"))
        }
        _ => None,
    }
}

fn type_rules(layer: &Layer, findings: &mut Vec<Remark>) -> Result<()> {
    match &layer.kind {
        LayerKind::Custom(name) => findings.push(
            Remark::warning("custom-layer", format!("ncnn has no layer type {name}"))
                .advise("the program that loads the model must register it"),
        ),
        LayerKind::ArgMax | LayerKind::SPP => findings.push(
            Remark::warning(
                "layer-switched-off",
                format!("{} is switched off in ncnn's default build, which then refuses the model", layer.kind),
            )
            .advise("build ncnn with it, or take the layer out"),
        ),
        LayerKind::Softmax => {
            let params = layer.softmax()?;
            if params.axis != 0 && params.fixbug0 == 0 {
                findings.push(refused(&format!("axis {} without 1=1", params.axis), "add 1=1"));
            }
        }
        LayerKind::Reduction => {
            let params = layer.reduction()?;
            if !params.axes.is_empty() && params.fixbug0 == 0 {
                findings.push(refused("axes without 5=1", "add 5=1"));
            }
        }
        LayerKind::Interp => match layer.interp()?.resize_type {
            0 => findings.push(
                Remark::error("empty-output", "resize_type 0 leaves the output empty").advise("write 0=1, 2 or 3"),
            ),
            1..=3 => {}
            other => findings.push(refused(&format!("resize_type {other}"), "write 0=1, 2 or 3")),
        },
        LayerKind::Pooling => {
            let params = layer.pooling()?;
            if params.global_pooling == 0 && params.adaptive_pooling == 0 {
                strides(&[params.stride_w, params.stride_h], findings);
                if params.kernel_w < 1 || params.kernel_h < 1 {
                    let size = format!("a window of {} x {}", params.kernel_w, params.kernel_h);
                    findings.push(Remark::error("pooling-window", size).advise("give 1=, or 4=1 for a global pooling"));
                }
            }
        }
        _ => {
            if let Some(linear) = LinearLayer::of(layer)?.filter(LinearLayer::is_image_convolution) {
                convolution(&linear, findings);
            }
        }
    }
    Ok(())
}

fn convolution(linear: &LinearLayer, findings: &mut Vec<Remark>) {
    // Width first, as the parameters are numbered.
    let axes = || linear.window.iter().rev();
    strides(&axes().map(|axis| axis.stride).chain(axes().map(|axis| axis.dilation)).collect::<Vec<_>>(), findings);
    pads(&axes().flat_map(|axis| axis.pads).collect::<Vec<_>>(), findings);
    let term = linear.int8_term.unwrap_or(0);
    if !matches!(term, 0..=2 | 101 | 102) {
        findings.push(if linear.has_groups() {
            Remark::error("int8-scale-term", format!("int8_scale_term {term}: ncnn loads no input scale and crashes"))
        } else {
            odd_term(term)
        });
    }
}

fn refused(what: &str, advice: &str) -> Remark {
    Remark::error("refused-parameter", format!("{what}: ncnn refuses the model")).advise(advice)
}

fn odd_term(term: i32) -> Remark {
    Remark::warning("int8-scale-term", format!("int8_scale_term {term} is none that a tool writes"))
        .advise("write 2, or 102 with an output scale")
}

fn strides(values: &[i32], findings: &mut Vec<Remark>) {
    if let Some(value) = values.iter().find(|value| **value < 1) {
        findings.push(Remark::error("stride", format!("a stride or dilation of {value}; ncnn divides by it")));
    }
}

fn pads(values: &[i32], findings: &mut Vec<Remark>) {
    let all = |value| values.iter().all(|pad| *pad == value);
    if values.iter().any(|pad| *pad < 0) && !all(-233) && !all(-234) {
        findings.push(
            Remark::error("mixed-pads", format!("pads {values:?} mix sizes and codes"))
                .advise("-233 (SAME_UPPER) or -234 (SAME_LOWER) must stand in all four"),
        );
    }
}

/// How many parameters a fused activation reads.
fn activation(layer: &Layer, findings: &mut Vec<Remark>) -> Result<()> {
    let Some(spec) = typed::layer_spec(&layer.kind) else { return Ok(()) };
    let id = |name| spec.params.iter().find(|row| row.name == name).map(|row| row.id);
    let (Some(kind), Some(params)) = (id("activation_type"), id("activation_params")) else { return Ok(()) };
    let kind = layer.params.find(kind)?.unwrap_or(0);
    let found = layer.params.find::<Vec<f32>>(params)?.unwrap_or_default().len();
    let needed = match kind {
        0 | 1 | 4 | 5 => 0,
        2 => 1,
        3 | 6 => 2,
        other => {
            findings.push(
                Remark::warning(
                    "activation-type",
                    format!("activation_type {other} does not exist; ncnn applies none"),
                )
                .advise("the types are 0 to 6"),
            );
            0
        }
    };
    if found < needed {
        findings.push(
            Remark::error(
                "activation-params",
                format!("activation_type {kind} needs {needed} activation_params, found {found}; ncnn crashes"),
            )
            .advise(format!("add -233{params:02}={needed},…")),
        );
    }
    Ok(())
}
