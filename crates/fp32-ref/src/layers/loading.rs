//! Taking weights out of a model.

use ncnn_format::{Error, Layer, LinearLayer, Result, WeightRole};

/// The weight with `role` as `len` floats.
pub(super) fn floats(layer: &Layer, role: WeightRole, len: usize) -> Result<Vec<f32>> {
    let values = layer.weight_f32(role)?;
    if values.len() != len {
        return Err(Error::malformed(format!("{role} has {} elements, expected {len}", values.len())));
    }
    Ok(values.into_owned())
}

/// `len` biases if `term` says that there are any, else zeros.
pub(super) fn bias(layer: &Layer, term: i32, len: usize) -> Result<Vec<f32>> {
    if term == 0 { Ok(vec![0.0; len]) } else { floats(layer, WeightRole::Bias, len) }
}

/// `layer`, which is of such a type, as a linear layer.
pub(super) fn linear(layer: &Layer) -> Result<LinearLayer> {
    LinearLayer::of(layer)?.ok_or_else(|| Error::unsupported(format!("a {} has no weight matrix", layer.kind)))
}

/// Refuses a layer that computes on int8.
pub(super) fn refuse_int8(layer: &Layer, int8_scale_term: i32) -> Result<()> {
    if int8_scale_term == 0 && !layer.stores_int8() {
        return Ok(());
    }
    let is_known = LinearLayer::of(layer)?.is_some_and(|linear| linear.has_int8_form());
    Err(Error::unsupported(if is_known {
        format!("this {} is an int8 layer, which int8-exec runs", layer.kind)
    } else {
        format!("int8 layers of type {} cannot be run", layer.kind)
    }))
}

/// Refuses a layer whose weights are computed by other layers.
pub(super) fn refuse_dynamic_weight(layer: &Layer, dynamic_weight: i32) -> Result<()> {
    if dynamic_weight != 0 {
        return Err(Error::unsupported(format!("this {} takes its weights from a blob", layer.kind)));
    }
    Ok(())
}

/// `value` as a count, which may be 0.
pub(super) fn count(name: &str, value: i32) -> Result<usize> {
    usize::try_from(value).map_err(|_| Error::malformed(format!("{name} is {value}, expected at least 0")))
}

/// `total / parts`, which must come out even and at least 1.
pub(super) fn share(what: &str, total: usize, parts: usize) -> Result<usize> {
    if parts == 0 || total == 0 || !total.is_multiple_of(parts) {
        return Err(Error::malformed(format!("{what}: {total} cannot be divided into {parts} equal parts")));
    }
    Ok(total / parts)
}
