//! Taking back what quantization adds to the mean of an output channel.
//!
//! Rounding a channel's weights moves all its outputs the same way wherever inputs have a mean, and
//! clipping takes from the large ones only: the error of an output has a mean that is not zero. A bias is
//! stored as f32 in an int8 model too, so that mean can be taken off. Source: Nagel et al., "Data-Free
//! Quantization Through Weight Equalization and Bias Correction", 2019, §4.2; here the means are measured.

use fp32_ref::Net;
use ncnn_format::{Model, Result, WeightData, WeightRole};
use rayon::prelude::*;

use super::calibration::Calibration;
use super::collect::Collector;
use super::probe::Probe;
use super::{patches, targets};
use crate::dataset::Dataset;
use crate::progress::Progress;

/// `model` with the biases of all calibrated layers that have one moved by the mean error (float minus int8)
/// of their outputs under the scales of `calibration`, layer by layer on the float network's activations.
///
/// The result is for [`convert`](crate::convert) with the same calibration's table: in f32 it is a little
/// off.
///
/// # Errors
/// As [`calibrate`](super::calibrate()).
pub fn correct_biases(
    model: &Model,
    dataset: &dyn Dataset,
    calibration: &Calibration,
    progress: &dyn Progress,
) -> Result<Model> {
    let net = Net::new(model)?;
    let targets = targets::find(model, net.graph())?;
    let patches = patches::draw(&Collector { net: &net, dataset, targets: &targets, progress }, model)?;
    let shifts = targets
        .par_iter()
        .zip(&patches)
        .map(|(target, patches)| {
            let Some(layer) = calibration.layers.iter().find(|layer| layer.layer == target.name) else {
                return Ok(Vec::new());
            };
            let errors = Probe::new(&model.layers[target.layer], patches, &layer.weights.scales)?
                .map(|probe| probe.errors(layer.input_scale))
                .transpose()?;
            Ok(errors.unwrap_or_default().iter().map(|error| error.shift as f32).collect())
        })
        .collect::<Result<Vec<Vec<f32>>>>()?;
    let mut corrected = model.clone();
    for (target, shifts) in targets.iter().zip(shifts) {
        let layer = &mut corrected.layers[target.layer];
        for weight in layer.weights.iter_mut().filter(|weight| weight.role == WeightRole::Bias) {
            if let WeightData::F32(values, _) = &mut weight.data {
                values.iter_mut().zip(&shifts).for_each(|(bias, shift)| *bias += shift);
            }
        }
    }
    Ok(corrected)
}
