//! Watching a network over samples and choosing a scale for every tensor.

mod auto;
mod bias;
mod collect;
mod eq;
mod method;
mod observed;
mod output_error;
mod patches;
pub mod statistics;
mod targets;
mod visit;

use fp32_ref::{Net, NetOptions, Value};
use histogram_kl::{Histogram, Maxima, Range, Rule, Threshold, sqnr_db};
use ncnn_format::{Error, Model, Result, ScaleTable, TableRow};
use output_error::Probe;
use patches::{Drawing, Patches};
use rayon::prelude::*;

use crate::winograd::as_printed;
use crate::{Dataset, Progress, WeightRule, WeightScales, WinogradGuard, sequence_rows, weight_scales};
use collect::Collector;
use targets::Target;

pub use auto::{Choice, Scored};
pub use bias::correct_biases;
pub use eq::Similarity;
pub use method::Method;

/// How often every sample goes through the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    /// Once, counting in bins that grow with the values ([`GrowingHistogram`](histogram_kl::GrowingHistogram)).
    One,
    /// Twice, first for the ranges and then for the histograms, as ncnn2table does.
    Two,
}

impl std::str::FromStr for Passes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "1" => Ok(Self::One),
            "2" => Ok(Self::Two),
            _ => Err(Error::invalid(format!("expected 1 or 2, found {text}"))),
        }
    }
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
    /// What to do about weights that ncnn may run through Winograd. `ncnn-kl` and `ncnn-aciq` do what
    /// ncnn2table does.
    pub winograd: WinogradGuard,
    /// How far the weights of a channel reach; not asked under `ncnn-kl` and `ncnn-aciq`.
    pub weights: WeightRule,
    /// Adds up 3×3 convolutions product by product instead of by Winograd's algorithm: slower,
    /// and activations differ by about 1e-5 of the largest.
    pub plain_sums: bool,
}

impl From<Method> for CalibrateOptions {
    fn from(method: Method) -> Self {
        Self { method, ..Self::default() }
    }
}

impl From<Rule> for CalibrateOptions {
    fn from(rule: Rule) -> Self {
        Method::Rule(rule).into()
    }
}

impl CalibrateOptions {
    fn passes(self) -> Passes {
        self.passes.unwrap_or(if self.method.needs_exact_counts() { Passes::Two } else { Passes::One })
    }
}

/// What calibration found, layer by layer.
#[derive(Debug, Clone)]
pub struct Calibration {
    /// One entry per quantizable layer, in file order.
    pub layers: Vec<LayerCalibration>,
    /// The scales of the weights of layers for sequences ([`sequence_rows`]).
    pub sequence_rows: Vec<TableRow>,
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
    /// The rule that chose the threshold: a rule, or the moving average.
    pub rule: Method,
    /// Under [`Method::Auto`], what the rule was chosen over; `None` for inputs of the network.
    pub choice: Option<Choice>,
    /// Under [`Method::Eq`], what was reached; `None` where no output could be computed.
    pub similarity: Option<Similarity>,
    /// The largest absolute value that is not clipped; `None` for a dead blob, which was zero in all samples.
    pub threshold: Option<Threshold>,
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
    let net = Net::with_options(model, NetOptions::default().with_winograd(!options.plain_sums))?;
    let targets = targets::find(model, net.graph())?;
    let mut weights = all_weight_scales(model, &targets, options)?;
    let collector = Collector { net: &net, dataset, targets: &targets, progress };
    let drawing = method.needs_patches().then(|| Drawing::new(&targets, model, dataset.len())).transpose()?;
    let draw = |sample: usize, slot: usize, value: &Value| match &drawing {
        Some(drawing) => drawing.see(sample, slot, value),
        None => Ok(()),
    };
    let (ranges, histograms) = match options.passes() {
        Passes::One => collector.ranges_and_histograms(&draw)?,
        Passes::Two => {
            let ranges = collector.ranges()?;
            let histograms = collector.histograms(&ranges, &draw)?;
            (ranges, histograms)
        }
    };
    let sampled = Sampled {
        maxima: if method == Method::MovingAverage { collector.maxima()? } else { Vec::new() },
        patches: drawing.map(Drawing::finish).unwrap_or_default(),
    };
    let counted =
        Counted { model, targets: &targets, ranges: &ranges, histograms: &histograms, samples: dataset.len() };
    let decisions = decide(&counted, options, &sampled, &weights, progress)?;
    drop(sampled);
    eq::replace_weights(&counted, &decisions, &mut weights, options.winograd)?;
    if options.winograd == WinogradGuard::Observed && !method.is_ncnns() {
        observed::keep_observed(&collector, model, &decisions, &mut weights)?;
    }
    let layers = layers(&counted, method, &decisions, weights)?;
    Ok(Calibration { layers, sequence_rows: sequence_rows(model)?, samples: dataset.len() })
}

/// The scales of the weights of every target.
fn all_weight_scales(model: &Model, targets: &[Target], options: CalibrateOptions) -> Result<Vec<WeightScales>> {
    let method = options.method.weight_method(options.weights, options.winograd);
    targets.par_iter().map(|target| weight_scales(&model.layers[target.layer], method)).collect()
}

/// What was counted, ranges and histograms by slot.
struct Counted<'a> {
    model: &'a Model,
    targets: &'a [Target],
    ranges: &'a [Range],
    histograms: &'a [Histogram],
    samples: usize,
}

/// What a method wants beside counts; empty for most.
#[derive(Default)]
struct Sampled {
    /// By slot.
    maxima: Vec<Maxima>,
    /// By target.
    patches: Vec<Patches>,
}

/// What is known about every target.
///
/// # Errors
/// `Invalid` for a scale that a table cannot hold.
fn layers(
    counted: &Counted<'_>,
    method: Method,
    decisions: &[Decision],
    weights: Vec<WeightScales>,
) -> Result<Vec<LayerCalibration>> {
    let layer = |(index, (target, weights)): (usize, (&Target, WeightScales))| {
        let decision = &decisions[target.slot];
        let range = counted.ranges[target.slot];
        check_printable(target, &range, decision.threshold.as_ref())?;
        Ok(LayerCalibration {
            layer: target.name.clone(),
            blob: target.blob_name.clone(),
            range,
            histogram: counted.histograms[target.slot].clone(),
            rule: decision.rule,
            threshold: decision.threshold,
            choice: decision.choice.clone(),
            similarity: decision.searched.iter().find(|found| found.target == index).map(|found| found.similarity),
            // ncnn2table divides by a threshold of zero here; its tables say `inf`.
            input_scale: match decision.threshold {
                None if method.is_ncnns() => f32::INFINITY,
                threshold => threshold.unwrap_or(Threshold::UNIT).scale(),
            },
            weights,
        })
    };
    counted.targets.iter().zip(weights).enumerate().map(layer).collect()
}

/// What was decided for a blob.
struct Decision {
    rule: Method,
    threshold: Option<Threshold>,
    choice: Option<Choice>,
    /// Under `eq`, the layers that read the blob.
    searched: Vec<eq::Searched>,
}

impl Decision {
    fn by(rule: impl Into<Method>, threshold: Option<Threshold>) -> Self {
        Self { rule: rule.into(), threshold, choice: None, searched: Vec::new() }
    }
}

/// A threshold for every distinct blob, by slot.
fn decide(
    counted: &Counted<'_>,
    options: CalibrateOptions,
    sampled: &Sampled,
    weights: &[WeightScales],
    progress: &dyn Progress,
) -> Result<Vec<Decision>> {
    let Counted { model, targets, ranges, histograms, samples } = *counted;
    let method = options.method;
    progress.start("choosing thresholds", histograms.len());
    let decisions = (0..histograms.len())
        .into_par_iter()
        .map(|slot| {
            progress.check()?;
            let readers: Vec<usize> = (0..targets.len()).filter(|&index| targets[index].slot == slot).collect();
            let is_input = readers.iter().any(|&index| targets[index].reads_network_input);
            let histogram = &histograms[slot];
            // Made here and dropped here: the probes of all layers at once would take much memory.
            let probe = |&index: &usize| {
                let patches = sampled.patches.get(index)?;
                Probe::new(&model.layers[targets[index].layer], patches, &weights[index].scales).transpose()
            };
            let decision = if let Some(rule) = method.rule(is_input) {
                let elements = ranges[slot].values() / samples.max(1) as u64;
                Decision::by(rule, rule.threshold_of(histogram, elements))
            } else if method == Method::MovingAverage {
                let maxima = sampled.maxima.get(slot).ok_or_else(|| method.needs_samples())?;
                Decision::by(method, maxima.moving_average(Maxima::CONSTANT))
            } else if method == Method::Eq {
                if sampled.patches.is_empty() {
                    return Err(method.needs_samples());
                }
                eq::search(histogram, is_input, eq::readers(&readers, probe, weights, options.winograd)?)?
            } else {
                let choice = auto::choose(histogram, &readers.iter().filter_map(probe).collect::<Result<Vec<_>>>()?)?;
                let Scored { rule, threshold, .. } = choice.winner;
                Decision { choice: Some(choice), ..Decision::by(rule, threshold) }
            };
            progress.step();
            Ok(decision)
        })
        .collect();
    progress.finish();
    decisions
}

/// # Errors
/// `Invalid` when the scale would be 0 in a table.
fn check_printable(target: &Target, range: &Range, threshold: Option<&Threshold>) -> Result<()> {
    let Some(threshold) = threshold.filter(|threshold| as_printed(threshold.scale()) == 0.0) else { return Ok(()) };
    Err(Error::invalid(format!(
        "its input {} reaches {}; the scale {:e} would be 0 in a table, which has six decimals (are mean and norm right?)",
        target.blob_name,
        range.absmax(),
        threshold.scale()
    ))
    .in_layer(&target.name))
}

/// What it costs to store a blob that is never negative as signed int8.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfRange {
    /// Expected signal-to-noise ratio of the blob in decibels, with its threshold at 127.
    pub sqnr_db: f64,
    /// The same with the threshold at 255, which unsigned codes would allow. At most 6.05 more: a bit.
    pub unsigned_db: f64,
}

impl LayerCalibration {
    /// What signed codes cost; `None` for a blob that has negative values, or is dead.
    pub fn half_range(&self) -> Option<HalfRange> {
        self.range.min().filter(|&min| min >= 0.0)?;
        let threshold = self.threshold?.value();
        let sqnr = |largest| sqnr_db(&self.histogram, threshold, largest);
        Some(HalfRange { sqnr_db: sqnr(127)?, unsigned_db: sqnr(255)? })
    }

    /// The threshold as reports show it: 127 for a dead blob, which makes its scale 1.
    pub fn reported_threshold(&self) -> f32 {
        self.threshold.unwrap_or(Threshold::UNIT).value()
    }
}

impl Calibration {
    /// The scales as ncnn2int8 reads them: all weight rows, then all input rows, then the rows
    /// of layers for sequences.
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
        table.rows.extend(self.sequence_rows.iter().cloned());
        table
    }

    /// What a user should know before trusting the scales.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let by_itself = |layer: &&LayerCalibration| layer.choice.as_ref().is_some_and(|choice| !choice.by_output);
        let count = self.layers.iter().filter(by_itself).count();
        if count > 0 {
            warnings.push(format!(
                "the rules of {count} of {} inputs were chosen by the squared error of the input, not of the layer's \
                 output: there were no samples to compute that on",
                self.layers.len()
            ));
        }
        for layer in &self.layers {
            if layer.threshold.is_none() {
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
