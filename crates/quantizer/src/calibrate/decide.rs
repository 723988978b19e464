//! From what the samples gave to scales.

use histogram_kl::Threshold;
use ncnn_format::{Error, Model, Result};
use rayon::prelude::*;

use super::calibration::LayerCalibration;
use super::decision::Decision;
use super::gathered::Gathered;
use super::options::CalibrateOptions;
use super::strategy::Strategy;
use super::targets::Target;
use crate::progress::Progress;
use crate::weight_scales::{WeightMethod, WeightScales, weight_scales};
use crate::winograd::{WinogradGuard, as_printed};

/// Whether the tables are to be ncnn2table's, warts and all.
pub(super) fn is_ncnns(method: WeightMethod) -> bool {
    matches!(method, WeightMethod::Ncnn | WeightMethod::NcnnAciq)
}

/// The scales of the weights of every target.
pub(super) fn all_weight_scales(model: &Model, targets: &[Target], method: WeightMethod) -> Result<Vec<WeightScales>> {
    targets.par_iter().map(|target| weight_scales(&model.layers[target.layer], method)).collect()
}

/// A threshold for every distinct blob, by slot.
pub(super) fn decide(
    gathered: &Gathered<'_>,
    strategy: &dyn Strategy,
    options: CalibrateOptions,
    weights: &[WeightScales],
    progress: &dyn Progress,
) -> Result<Vec<Decision>> {
    let slots = gathered.histograms.len();
    progress.start("choosing thresholds", slots);
    let decisions = (0..slots)
        .into_par_iter()
        .map(|slot| {
            progress.check()?;
            let evidence = gathered.evidence(slot, weights, options.winograd);
            let decision = strategy.decide(&evidence)?;
            decision.check(&evidence)?;
            progress.step();
            Ok(decision)
        })
        .collect();
    progress.finish();
    decisions
}

/// Gives every layer the scales that were found for its weights, limited by the guard.
///
/// # Errors
/// As reading weights.
pub(super) fn replace_weights(
    gathered: &Gathered<'_>,
    decisions: &[Decision],
    weights: &mut [WeightScales],
    guard: WinogradGuard,
) -> Result<()> {
    for (slot, decision) in decisions.iter().enumerate() {
        let readers: Vec<usize> = gathered.readers(slot).collect();
        for found in &decision.weights {
            let target = readers[found.reader];
            if !gathered.weights_are_fixed(&weights[target], guard) {
                let layer = &gathered.model.layers[gathered.targets[target].layer];
                weights[target].replace(layer, &found.scales, guard)?;
            }
        }
    }
    Ok(())
}

/// What is known about every target.
///
/// # Errors
/// `Invalid` for a scale that a table cannot hold.
pub(super) fn layers(
    gathered: &Gathered<'_>,
    weight_method: WeightMethod,
    decisions: &[Decision],
    weights: Vec<WeightScales>,
) -> Result<Vec<LayerCalibration>> {
    let layer = |(index, (target, weights)): (usize, (&Target, WeightScales))| {
        let decision = &decisions[target.slot];
        let range = gathered.ranges[target.slot];
        let input_scale = match decision.threshold {
            // ncnn2table divides by a threshold of zero here; its tables say `inf`.
            None if is_ncnns(weight_method) => f32::INFINITY,
            threshold => threshold.unwrap_or(Threshold::UNIT).scale(),
        };
        if as_printed(input_scale) == 0.0 {
            return Err(unprintable(target, range.absmax(), input_scale));
        }
        let position = gathered.readers(target.slot).position(|reader| reader == index);
        let found = decision.weights.iter().find(|found| Some(found.reader) == position);
        Ok(LayerCalibration {
            layer: target.name.clone(),
            blob: target.blob_name.clone(),
            range,
            histogram: gathered.histograms[target.slot].clone(),
            rule: decision.rule.clone(),
            threshold: decision.threshold,
            choice: decision.choice.clone(),
            similarity: found.map(|found| found.similarity),
            input_scale,
            weights,
        })
    };
    gathered.targets.iter().zip(weights).enumerate().map(layer).collect()
}

fn unprintable(target: &Target, absmax: f32, scale: f32) -> Error {
    Error::invalid(format!(
        "its input {} reaches {absmax}; the scale {scale:e} would be 0 in a table, which has six decimals (are mean \
         and norm right?)",
        target.blob_name,
    ))
    .in_layer(&target.name)
}
