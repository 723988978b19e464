//! Putting numbers per channel into the weights of the layer before.

use ncnn_format::{F32Tag, Layer, LayerKind, LinearFamily, LinearLayer, Result, Weight, WeightData, WeightRole, typed};

use super::affine::Affine;
use super::linear;
use super::network::Network;

/// Folds a BatchNorm, Scale, Bias, Dropout, Power of 1 or arithmetic with constants into the
/// convolution, inner product, BatchNorm or Scale that makes its input.
pub(super) fn apply(network: &mut Network, index: usize) -> Result<bool> {
    let Some(affine) = Affine::of(network, index)? else { return Ok(false) };
    let input = network.layers[index].inputs[affine.input].clone();
    let Some(producer) = network.producer(&input) else { return Ok(false) };
    let layer = &network.layers[producer];
    let linear = linear::foldable(layer)?;
    if linear.is_none() && !is_static_affine(layer)? {
        return Ok(false);
    }
    if let Some(obstacle) = obstacle(network, producer, &input, linear.as_ref(), &affine) {
        return Ok(network.refuse(index, obstacle));
    }
    let folded = match &linear {
        Some(linear) => into_linear(linear, layer, &affine)?,
        None => into_affine(layer, &affine)?,
    };
    if !folded.weights.iter().all(is_finite) {
        let reason = format!("its numbers do not fit the weights of {} in f32", folded.name);
        return Ok(network.refuse(index, reason));
    }
    network.note(index, format!("folded into {}", folded.name));
    network.layers[producer] = folded;
    network.absorb(index, &input);
    Ok(true)
}

/// A layer that is itself numbers per channel and can take others.
fn is_static_affine(layer: &Layer) -> Result<bool> {
    Ok(match layer.kind {
        LayerKind::BatchNorm => true,
        LayerKind::Scale => layer.inputs.len() == 1 && typed::Scale::read(layer)?.scale_data_size != -233,
        _ => false,
    })
}

/// Why the numbers cannot go into the layer `producer`.
fn obstacle(
    network: &Network,
    producer: usize,
    input: &str,
    linear: Option<&LinearLayer>,
    affine: &Affine,
) -> Option<String> {
    let layer = &network.layers[producer];
    if let Some(obstacle) = linear.and_then(|linear| linear::obstacle(layer, linear)) {
        return Some(format!("{} {obstacle}", layer.name));
    }
    if layer.outputs.len() != 1 {
        return Some(format!("{} makes several blobs", layer.name));
    }
    if !network.is_read_once(input) {
        return Some(format!("others read the output of {} too", layer.name));
    }
    let channels = match linear {
        Some(linear) => linear.outputs,
        None => layer.weights.first().map_or(0, |weight| weight.data.len()),
    };
    if !affine.fits(channels) || channels == 0 {
        return Some(format!("it does not have the {channels} channels of {}", layer.name));
    }
    // An inner product of a matrix gives a row of outputs per row, and the numbers go by rows.
    let is_product = linear.is_some_and(|linear| linear.family == LinearFamily::InnerProduct);
    let by_rows = is_product && network.shape(input).is_none_or(|shape| shape.rank() != 1);
    (by_rows && !affine.is_uniform()).then(|| format!("{} is not known to give a vector", layer.name))
}

/// The layer with multiplied weights and moved biases.
fn into_linear(linear: &LinearLayer, layer: &Layer, affine: &Affine) -> Result<Layer> {
    let bias = linear.bias(layer)?;
    let mut folded = layer.clone();
    if !affine.only_adds() {
        let weights = layer.weight_f32(WeightRole::Weight)?;
        let per_output = (weights.len() / linear.outputs).max(1);
        let scaled = weights
            .chunks(per_output)
            .enumerate()
            .flat_map(|(output, kernel)| kernel.iter().map(move |&weight| times(weight, affine.scale(output))));
        folded.set_weight_f32(WeightRole::Weight, scaled.collect());
    }
    linear.set_bias(&mut folded, moved(&bias, affine));
    Ok(folded)
}

/// A BatchNorm or Scale that does both.
fn into_affine(layer: &Layer, affine: &Affine) -> Result<Layer> {
    let mut folded = layer.clone();
    let role = if layer.kind == LayerKind::Scale { WeightRole::Scale } else { WeightRole::Slope };
    let scales = layer.weight_f32(role)?;
    let scaled = scales.iter().enumerate().map(|(channel, &scale)| times(scale, affine.scale(channel))).collect();
    let bias = match layer.weight(WeightRole::Bias) {
        Some(_) => moved(&layer.weight_f32(WeightRole::Bias)?, affine),
        None => moved(&vec![0.0; scales.len()], affine),
    };
    folded.set_weight_f32(role, scaled);
    if layer.weight(WeightRole::Bias).is_some() {
        folded.set_weight_f32(WeightRole::Bias, bias);
    } else if bias.iter().any(|&bias| bias != 0.0) {
        folded.params.set(typed::Scale::BIAS_TERM, 1);
        folded.weights.push(Weight { role: WeightRole::Bias, data: WeightData::F32(bias, F32Tag::Raw) });
    }
    Ok(folded)
}

fn moved(bias: &[f32], affine: &Affine) -> Vec<f32> {
    let moved =
        |(channel, &bias): (usize, &f32)| (f64::from(bias) * affine.scale(channel) + affine.offset(channel)) as f32;
    bias.iter().enumerate().map(moved).collect()
}

fn times(value: f32, factor: f64) -> f32 {
    (f64::from(value) * factor) as f32
}

fn is_finite(weight: &Weight) -> bool {
    weight.data.to_f32().is_none_or(|values| values.iter().all(|value| value.is_finite()))
}
