//! Watching a network over samples and choosing a scale for every tensor.
//!
//! A [`Strategy`] says what it needs ([`Needs`]), gets it as [`Evidence`] blob by blob, and answers with a
//! [`Decision`]; [`Method`] names the strategies that there are. [`calibrate`] gathers, lets decide, and makes a
//! [`Calibration`] of it.

mod alignment;
mod bias;
mod calibration;
mod collect;
mod decide;
mod decision;
mod evidence;
mod gathered;
mod method;
mod observed;
mod options;
mod patches;
mod probe;
#[cfg(feature = "serde")]
mod record;
pub mod statistics;
pub mod strategies;
mod strategy;
mod targets;
mod visit;

use fp32_ref::{Net, NetOptions};
use ncnn_format::{Error, Model, Result};

use crate::dataset::Dataset;
use crate::progress::Progress;
use crate::sequence_weights::sequence_rows;
use crate::winograd::WinogradGuard;
use collect::Collector;
use gathered::Gathered;

pub use alignment::Alignment;
pub use bias::correct_biases;
pub use calibration::{Calibration, HalfRange, LayerCalibration};
pub use decision::{Choice, Decision, FoundWeights, Scored, Similarity};
pub use evidence::{Evidence, Reader};
pub use method::Method;
pub use options::{CalibrateOptions, Passes};
pub use patches::Patches;
pub use probe::{ChannelError, Probe};
pub use strategy::{Need, Needs, Strategy};

/// Calibrates `model` on `dataset`: every sample goes through the network once or
/// twice ([`Passes`]), then one threshold is searched per blob.
///
/// Samples are spread over as many threads as the current rayon pool has; counts are
/// integers, so the result does not depend on the number of threads.
///
/// # Errors
/// `Unsupported` when a layer cannot be run, `Invalid` for an empty data set, two
/// layers of one name, a sample of the wrong shape or without a value for an input,
/// a non-finite value (naming sample, layer and blob), or values so large that their
/// scale is 0 in a table; whatever reading a sample gives.
pub fn calibrate(
    model: &Model,
    dataset: &dyn Dataset,
    options: impl Into<CalibrateOptions>,
    progress: &dyn Progress,
) -> Result<Calibration> {
    let options = options.into();
    calibrate_with(&*options.method.strategy(), model, dataset, options, progress)
}

/// As [`calibrate`] with a strategy of one's own; the method of the options is not asked.
///
/// # Errors
/// As [`calibrate`], and those of the strategy; `Invalid` when its decision does not fit the layers.
pub fn calibrate_with(
    strategy: &dyn Strategy,
    model: &Model,
    dataset: &dyn Dataset,
    options: CalibrateOptions,
    progress: &dyn Progress,
) -> Result<Calibration> {
    if dataset.is_empty() {
        return Err(Error::invalid("there are no samples to calibrate on"));
    }
    let net = Net::with_options(model, NetOptions::default().with_winograd(!options.plain_sums))?;
    let targets = targets::find(model, net.graph())?;
    let weight_method = strategy.weight_method(options.weights, options.winograd);
    let mut weights = decide::all_weight_scales(model, &targets, weight_method)?;
    let collector = Collector { net: &net, dataset, targets: &targets, progress };
    let needs = strategy.needs();
    let mut gathered = Gathered::from_samples(&collector, model, needs, options.passes(needs))?;
    let decisions = decide::decide(&gathered, strategy, options, &weights, progress)?;
    gathered.forget_samples();
    decide::replace_weights(&gathered, &decisions, &mut weights, options.winograd)?;
    if options.winograd == WinogradGuard::Observed && !decide::is_ncnns(weight_method) {
        observed::keep_observed(&collector, model, &decisions, &mut weights)?;
    }
    let layers = decide::layers(&gathered, weight_method, &decisions, weights)?;
    Ok(Calibration { layers, sequence_rows: sequence_rows(model)?, samples: dataset.len() })
}
