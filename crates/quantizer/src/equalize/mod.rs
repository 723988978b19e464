//! Making the channels of a blob equally large, without changing what the network computes.
//!
//! A blob has one scale for all its channels, so a channel that reaches a hundredth of the largest one has
//! a hundredth of its levels. But a factor on a channel can be moved from the layers that read it into the
//! layers that make it: with s(c) on the rows of one and 1 / s(c) on the columns of the other
//!
//! ```text
//! y = W₂ · act(W₁ · x + b₁)  =  (W₂ · S⁻¹) · act(S · W₁ · x + S · b₁)
//! ```
//!
//! for any activation that lets positive factors through. Source: Nagel et al., "Data-Free Quantization
//! Through Weight Equalization and Bias Correction", 2019, §4.1, which calls it cross-layer equalization.
//!
//! Three things are different here:
//!
//! * Factors are powers of two, so that every product and sum of the float network keeps its bits.
//! * They are chosen from the activations, since the weights have a scale per channel in ncnn: up to the
//!   largest channel where the readers are depthwise, half of the way (in octaves) where their weights of
//!   all channels share a scale, whose resolution is what the factor is paid with.
//! * An upper limit (ReLU6) does not let factors through, but channels that never come near it do not
//!   notice: they may grow to four fifths of it.

mod groups;

use fp32_ref::{BlobId, Net, Value, Workspace};
use ncnn_format::{Error, F32Tag, Layer, LinearLayer, Model, Result, WeightData, WeightRole};

use crate::network::named;
use crate::spread::spread;
use crate::{Dataset, Progress};
use groups::Group;

/// How near to the limit of an activation a channel may be brought.
const NEAR: f32 = 0.8;
/// Factors are up to 2 to this power.
const MOST_OCTAVES: f32 = 8.0;

/// A network whose channels were made equal, and how.
#[derive(Debug, Clone)]
pub struct Equalized {
    /// Computes what the original computes.
    pub model: Model,
    /// The layers that make blobs whose channels were scaled, and how many channels of each.
    pub scaled: Vec<(String, usize)>,
}

/// Scales the channels of `model` as far as that can be undone.
///
/// # Errors
/// As calibrating.
pub fn equalize(model: &Model, dataset: &dyn Dataset, progress: &dyn Progress) -> Result<Equalized> {
    let net = Net::new(model)?;
    let groups = groups::find(model, net.graph())?;
    let watched: Vec<BlobId> = groups.iter().flat_map(|group| group.read.iter().copied()).collect();
    let maxima = channel_maxima(&net, dataset, &watched, progress)?;
    let mut equalized = Equalized { model: model.clone(), scaled: Vec::new() };
    for group in &groups {
        let reach = |blob: &BlobId| watched.iter().position(|watched| watched == blob).map(|slot| &maxima[slot]);
        let reaches: Vec<_> = group.read.iter().filter_map(reach).collect();
        let Some(factors) = factors(group, model, &reaches)? else { continue };
        let channels = factors.iter().filter(|&&factor| factor != 1.0).count();
        if channels == 0 {
            continue;
        }
        for &writer in &group.writers {
            let layer = &mut equalized.model.layers[writer];
            scale_rows(layer, &factors)?;
            equalized.scaled.push((layer.name.clone(), channels));
        }
        for &reader in &group.readers {
            scale_columns(&mut equalized.model.layers[reader], &factors)?;
        }
    }
    Ok(equalized)
}

/// The largest magnitude of every channel of every watched blob.
fn channel_maxima(
    net: &Net,
    dataset: &dyn Dataset,
    watched: &[BlobId],
    progress: &dyn Progress,
) -> Result<Vec<Vec<f32>>> {
    let state = || (Workspace::default(), vec![Vec::new(); watched.len()]);
    let states = spread("finding channel maxima", dataset.len(), progress, state, |(workspace, maxima), sample| {
        let mut observer = |blob: BlobId, value: &Value| {
            for (slot, _) in watched.iter().enumerate().filter(|&(_, &watched)| watched == blob) {
                raise(&mut maxima[slot], &of_channels(value));
            }
            Ok(())
        };
        let feeds = named(net.graph(), dataset.feeds(sample)?)?;
        net.run_in(workspace, &feeds, &mut observer).map(|_| ()).map_err(|error| error.in_file(dataset.name(sample)))
    })?;
    let mut total = vec![Vec::new(); watched.len()];
    for (_, maxima) in states {
        total.iter_mut().zip(&maxima).for_each(|(total, maxima)| raise(total, maxima));
    }
    Ok(total)
}

fn of_channels(value: &Value) -> Vec<f32> {
    let shape = value.shape();
    let largest = |values: &mut dyn Iterator<Item = f32>| values.fold(0f32, |absmax, x| absmax.max(x.abs()));
    match value {
        Value::Planar(tensor) => tensor.channels().map(|plane| largest(&mut plane.iter().copied())).collect(),
        Value::Pixels(pixels) => {
            let values = pixels.as_slice();
            (0..shape.c()).map(|c| largest(&mut values.iter().copied().skip(c).step_by(shape.c()))).collect()
        }
    }
}

fn raise(total: &mut Vec<f32>, maxima: &[f32]) {
    total.resize(total.len().max(maxima.len()), 0.0);
    total.iter_mut().zip(maxima).for_each(|(total, &absmax)| *total = total.max(absmax));
}

/// A power of two for every channel; `None` if the layers do not agree on the number of channels.
fn factors(group: &Group, model: &Model, reaches: &[&Vec<f32>]) -> Result<Option<Vec<f32>>> {
    let mut channels = Vec::new();
    reaches.iter().for_each(|reach| raise(&mut channels, reach));
    let mut is_depthwise = true;
    for &reader in &group.readers {
        let (inputs, per_group) = inputs(&model.layers[reader])?;
        is_depthwise &= per_group == 1;
        if inputs != channels.len() {
            return Ok(None);
        }
    }
    for &writer in &group.writers {
        if linear(&model.layers[writer])?.outputs != channels.len() {
            return Ok(None);
        }
    }
    let largest = channels.iter().copied().fold(0f32, f32::max);
    let aim = largest.min(group.limit * NEAR);
    let share = if is_depthwise { 1.0 } else { 0.5 };
    let factor = |&reach: &f32| {
        let octaves = share * (aim / reach).log2();
        // Down, so that the aim is not passed.
        if octaves.is_finite() { octaves.floor().clamp(0.0, MOST_OCTAVES).exp2() } else { 1.0 }
    };
    Ok(Some(channels.iter().map(factor).collect()))
}

/// What has factors for its rows or columns.
fn linear(layer: &Layer) -> Result<LinearLayer> {
    groups::convolution(layer)?.ok_or_else(|| Error::invalid("has no weights to scale").in_layer(&layer.name))
}

/// The number of input channels of a convolution, and of those of one group.
fn inputs(layer: &Layer) -> Result<(usize, usize)> {
    let linear = linear(layer)?;
    let taps = linear.window.iter().map(|axis| usize::try_from(axis.kernel).unwrap_or_default()).product::<usize>();
    let per_group = layer.weight_f32(WeightRole::Weight)?.len() / linear.outputs.max(1) / taps.max(1);
    Ok((linear.groups.max(1) * per_group, per_group))
}

/// Multiplies what a layer makes.
fn scale_rows(layer: &mut Layer, factors: &[f32]) -> Result<()> {
    for role in [WeightRole::Weight, WeightRole::Bias] {
        if layer.weight(role).is_some() {
            let mut values = layer.weight_f32(role)?.into_owned();
            let row = values.len() / factors.len();
            for (row, factor) in values.chunks_exact_mut(row.max(1)).zip(factors) {
                row.iter_mut().for_each(|value| *value *= factor);
            }
            replace(layer, role, values);
        }
    }
    Ok(())
}

/// Divides what a layer reads.
fn scale_columns(layer: &mut Layer, factors: &[f32]) -> Result<()> {
    let (inputs, per_group) = inputs(layer)?;
    let outputs = linear(layer)?.outputs;
    let rows_of_group = outputs * per_group / inputs.max(1);
    let mut values = layer.weight_f32(WeightRole::Weight)?.into_owned();
    let row = values.len() / outputs.max(1);
    let taps = row / per_group.max(1);
    for (index, row) in values.chunks_exact_mut(row.max(1)).enumerate() {
        let first = index / rows_of_group.max(1) * per_group;
        for (column, taps) in row.chunks_exact_mut(taps.max(1)).enumerate() {
            taps.iter_mut().for_each(|value| *value /= factors[first + column]);
        }
    }
    replace(layer, WeightRole::Weight, values);
    Ok(())
}

fn replace(layer: &mut Layer, role: WeightRole, values: Vec<f32>) {
    for weight in layer.weights.iter_mut().filter(|weight| weight.role == role) {
        let tag = if role == WeightRole::Weight { F32Tag::Tagged } else { F32Tag::Raw };
        weight.data = WeightData::F32(values.clone(), tag);
    }
}
