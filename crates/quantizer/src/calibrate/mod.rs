//! Watching a network over samples and choosing a scale for every tensor.

mod collect;
pub mod statistics;
mod targets;

use std::fmt;
use std::str::FromStr;

use fp32_ref::{Net, NetOptions};
use histogram_kl::{Histogram, Range, Rule, Threshold};
use ncnn_format::{Error, Model, Result, ScaleTable};
use rayon::prelude::*;

use crate::winograd::as_printed;
use crate::{Dataset, Progress, WeightMethod, WeightScales, weight_scales};
use collect::Collector;
use targets::Target;

/// How thresholds of activations and scales of weights are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Method {
    /// KL divergence where clipping pays ([`Rule::Kl`]), no clipping of the network's
    /// inputs, and 3×3 weights keep eight bits wherever ncnn stays exact
    /// ([`WinogradGuard`](crate::WinogradGuard)).
    Kl,
    /// What ncnn2table's `kl` prints, digit for digit.
    NcnnKl,
    /// As `Kl` with the textbook's search (TensorRT's talk), wherever it clips.
    KlTextbook,
    /// The default: as `Kl` with the threshold of least expected squared error, which
    /// does not jump when the sums of a layer are rounded differently.
    #[default]
    Mse,
    /// No clipping anywhere.
    AbsMax,
}

/// How often every sample goes through the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// Once, counting in bins that grow with the values ([`GrowingHistogram`](histogram_kl::GrowingHistogram)).
    One,
    /// Twice, first for the ranges and then for the histograms, as ncnn2table does.
    Two,
}

/// How to calibrate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CalibrateOptions {
    /// How thresholds are chosen.
    pub method: Method,
    /// How often to run; `None` for twice where the method searches by divergence, else once.
    ///
    /// The least divergence often lies in one of several minima of nearly the same depth, so
    /// counts that are a little off can choose another (docs/calibration.md); thresholds by
    /// squared error stay within a bin.
    pub passes: Option<Passes>,
    /// Adds up 3×3 convolutions product by product instead of by Winograd's algorithm: slower,
    /// and activations differ by about 1e-5 of the largest.
    pub plain_sums: bool,
}

impl From<Method> for CalibrateOptions {
    fn from(method: Method) -> Self {
        Self { method, ..Self::default() }
    }
}

impl CalibrateOptions {
    fn passes(self) -> Passes {
        self.passes.unwrap_or(match self.method {
            Method::Kl | Method::NcnnKl | Method::KlTextbook => Passes::Two,
            Method::Mse | Method::AbsMax => Passes::One,
        })
    }
}

/// What calibration found, layer by layer.
#[derive(Debug, Clone)]
pub struct Calibration {
    /// One entry per quantizable layer, in file order.
    pub layers: Vec<LayerCalibration>,
    /// How many samples were seen.
    pub samples: usize,
}

/// The scales of one layer and how they came about.
#[derive(Debug, Clone)]
pub struct LayerCalibration {
    /// The layer's name.
    pub layer: String,
    /// The blob that it reads.
    pub blob: String,
    /// What the blob held over all samples.
    pub range: Range,
    /// The distribution of its absolute values.
    pub histogram: Histogram,
    /// The rule that chose the threshold.
    pub rule: Rule,
    /// The largest absolute value that is not clipped.
    pub threshold: Threshold,
    /// Multiplier of the input blob.
    pub input_scale: f32,
    /// Multipliers of the weights, per output channel or group.
    pub weights: WeightScales,
}

/// Calibrates `model` on `dataset`: every sample goes through the network once or
/// twice ([`Passes`]), then one threshold is searched per blob.
///
/// Samples are spread over as many threads as the current rayon pool has; counts are
/// integers, so the result does not depend on the number of threads.
///
/// # Errors
/// `Unsupported` when a layer cannot be run, `Invalid` for an empty data set, a
/// network with several inputs or two layers of one name, a sample of the wrong
/// shape, a non-finite value (naming sample, layer and blob), or values so large
/// that their scale is 0 in a table; whatever reading a sample gives.
pub fn calibrate(
    model: &Model,
    dataset: &dyn Dataset,
    options: impl Into<CalibrateOptions>,
    progress: &dyn Progress,
) -> Result<Calibration> {
    let options = options.into();
    let method = options.method;
    if dataset.is_empty() {
        return Err(Error::invalid("there are no samples to calibrate on"));
    }
    let net = Net::with_options(model, NetOptions { winograd: !options.plain_sums })?;
    let targets = targets::find(model, net.graph())?;
    let weights = all_weight_scales(model, &targets, method)?;
    let collector = Collector { net: &net, dataset, targets: &targets, progress };
    let (ranges, histograms) = match options.passes() {
        Passes::One => collector.ranges_and_histograms()?,
        Passes::Two => {
            let ranges = collector.ranges()?;
            let histograms = collector.histograms(&ranges)?;
            (ranges, histograms)
        }
    };
    let layers = choose_all(&targets, method, (&ranges, &histograms), weights, progress)?;
    Ok(Calibration { layers, samples: dataset.len() })
}

/// The scales of every target, from ranges and histograms by slot.
fn choose_all(
    targets: &[Target],
    method: Method,
    (ranges, histograms): (&[Range], &[Histogram]),
    weights: Vec<WeightScales>,
    progress: &dyn Progress,
) -> Result<Vec<LayerCalibration>> {
    progress.start("choosing thresholds", targets.len());
    let layers = targets
        .par_iter()
        .zip(weights)
        .map(|(target, weights)| {
            let chosen = choose(target, method, &ranges[target.slot], &histograms[target.slot], weights);
            progress.step();
            chosen
        })
        .collect();
    progress.finish();
    layers
}

/// The scales of the weights of every target.
fn all_weight_scales(model: &Model, targets: &[Target], method: Method) -> Result<Vec<WeightScales>> {
    targets.par_iter().map(|target| weight_scales(&model.layers[target.layer], method.weight_method())).collect()
}

fn choose(
    target: &Target,
    method: Method,
    range: &Range,
    histogram: &Histogram,
    weights: WeightScales,
) -> Result<LayerCalibration> {
    let rule = method.rule(target.reads_network_input);
    let threshold = rule.threshold(histogram);
    if as_printed(threshold.scale()) == 0.0 {
        return Err(Error::invalid(format!(
            "its input {} reaches {}; the scale {:e} would be 0 in a table, which has six decimals (is --norm right?)",
            target.blob_name,
            range.absmax,
            threshold.scale()
        ))
        .in_layer(&target.name));
    }
    Ok(LayerCalibration {
        layer: target.name.clone(),
        blob: target.blob_name.clone(),
        range: *range,
        histogram: histogram.clone(),
        rule,
        // ncnn2table divides by a threshold of zero here; its tables say `inf`.
        input_scale: if method == Method::NcnnKl && threshold.dead { f32::INFINITY } else { threshold.scale() },
        threshold,
        weights,
    })
}

impl Calibration {
    /// The scales as ncnn2int8 reads them: all weight rows, then all input rows.
    ///
    /// Every value is rounded to the six decimals of the file, so that a model made
    /// from this table and one made from the saved file have the same bytes.
    pub fn table(&self) -> ScaleTable {
        let mut table = ScaleTable::default();
        for layer in &self.layers {
            let scales = layer.weights.scales.iter().map(|&scale| as_printed(scale)).collect();
            table.push(format!("{}_param_0", layer.layer), scales);
        }
        for layer in &self.layers {
            table.push(layer.layer.clone(), vec![as_printed(layer.input_scale)]);
        }
        table
    }

    /// What a user should know before trusting the scales.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for layer in &self.layers {
            if layer.threshold.dead {
                warnings.push(format!(
                    "layer {}: its input {} was zero in all {} samples; the scale {} is arbitrary",
                    layer.layer, layer.blob, self.samples, layer.input_scale
                ));
            }
            if !layer.weights.dead.is_empty() {
                warnings.push(format!(
                    "layer {}: the weights of {} of {} channels are all zero or too small for a scale (first: channel {})",
                    layer.layer,
                    layer.weights.dead.len(),
                    layer.weights.scales.len(),
                    layer.weights.dead[0]
                ));
            }
        }
        warnings
    }
}

impl Method {
    /// All methods, the default first.
    pub const ALL: [Self; 5] = [Self::Mse, Self::Kl, Self::NcnnKl, Self::KlTextbook, Self::AbsMax];

    /// The rule for a blob, which may be an input of the whole network.
    fn rule(self, reads_network_input: bool) -> Rule {
        match self {
            Self::NcnnKl => Rule::KlNcnn,
            _ if reads_network_input => Rule::AbsMax,
            Self::Kl => Rule::Kl,
            Self::KlTextbook => Rule::KlTextbook,
            Self::Mse => Rule::Mse,
            Self::AbsMax => Rule::AbsMax,
        }
    }

    /// How the scales of weights are chosen along with it.
    fn weight_method(self) -> WeightMethod {
        if self == Self::NcnnKl { WeightMethod::Ncnn } else { WeightMethod::default() }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kl => "kl",
            Self::NcnnKl => "ncnn-kl",
            Self::KlTextbook => "kl-textbook",
            Self::Mse => "mse",
            Self::AbsMax => "absmax",
        })
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|method| method.to_string() == name).ok_or_else(|| {
            let known = Self::ALL.map(|method| method.to_string()).join(", ");
            Error::invalid(format!("no method is called {name}; there are {known}"))
        })
    }
}
