//! EasyQuant: the scales of a layer's weights and of its input, searched in turn for the cosine between its
//! outputs in f32 and in int8.
//!
//! Source: Wu et al., "EasyQuant: Post-training Quantization via Scale Optimization", 2020, §3.3. Differences
//! are told in docs/calibration.md.

use std::ops::RangeInclusive;

use histogram_kl::{Histogram, Rule, Threshold, expected_squared_error};
use ncnn_format::Result;

use super::auto::ROOM;
use super::output_error::{Alignment, Probe};
use super::{Counted, Decision, Method};
use crate::{WeightScales, WinogradGuard};

/// How often weights and then the activation are searched.
const ROUNDS: usize = 2;
/// The ranges of a channel's weights that are tried, in 64ths of the one before the search.
const WEIGHT_STEPS: RangeInclusive<u8> = 32..=64;
/// The thresholds of a blob that are tried, in 50ths of the one before the search: 0.5 to 1.2.
const ACTIVATION_STEPS: RangeInclusive<u8> = 25..=60;
/// A cosine that is larger by no more than this is the same: digits of f64 decide nothing.
const SAME: f64 = 1e-9;

/// What the search of a layer's scales gained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Cosine between the outputs in f32 and in int8 before the search, on patches of calibration samples.
    pub start: f64,
    /// The same with the scales found, before a [`WinogradGuard`] limits those of the weights.
    pub reached: f64,
}

/// What was found for a layer.
pub(super) struct Searched {
    pub(super) target: usize,
    /// Per slice of the weights.
    scales: Vec<f32>,
    pub(super) similarity: Similarity,
}

/// A layer that reads the blob.
pub(super) struct Reader<'a> {
    target: usize,
    probe: Probe<'a>,
    /// Scales of the weights before the search, by slice.
    start: Vec<f32>,
    /// Those found so far.
    scales: Vec<f32>,
    /// Whether the weights keep the scales they have.
    is_fixed: bool,
}

/// The layers of `targets` that can be computed on patches, with the scales that use all bits of the weights.
///
/// # Errors
/// As `probe`.
pub(super) fn readers<'a>(
    targets: &[usize],
    probe: impl Fn(&usize) -> Option<Result<Probe<'a>>>,
    weights: &[WeightScales],
    guard: WinogradGuard,
) -> Result<Vec<Reader<'a>>> {
    let mut readers = Vec::new();
    for &target in targets {
        let Some(probe) = probe(&target) else { continue };
        let weights = &weights[target];
        let is_fixed = is_fixed(weights, guard);
        let full = |(&full, &scale): (&f32, &f32)| if full.is_finite() && !is_fixed { full } else { scale };
        readers.push(Reader::new(
            target,
            probe?,
            weights.full.iter().zip(&weights.scales).map(full).collect(),
            is_fixed,
        )?);
    }
    Ok(readers)
}

/// Whether the guard leaves nothing to choose: ncnn's six bits reach the largest weight.
fn is_fixed(weights: &WeightScales, guard: WinogradGuard) -> bool {
    guard == WinogradGuard::Ncnn && weights.may_run_winograd
}

impl<'a> Reader<'a> {
    fn new(target: usize, mut probe: Probe<'a>, start: Vec<f32>, is_fixed: bool) -> Result<Self> {
        probe.quantize_weights(&start)?;
        Ok(Self { target, probe, scales: start.clone(), start, is_fixed })
    }

    /// By slice, with the scales found so far.
    fn alignments(&self, input_scale: f32) -> Result<Vec<Alignment>> {
        self.probe.alignments(input_scale, self.scales.len())
    }

    fn cosine(&self, input_scale: f32) -> Result<f64> {
        Ok(self.alignments(input_scale)?.into_iter().sum::<Alignment>().cosine())
    }

    /// Searches the scales of the weights; whether one has changed.
    ///
    /// A channel's products depend on its own scale only, so all channels are computed with a step at once.
    /// Then channels choose in order, each the step with which the layer's cosine is largest.
    fn improve(&mut self, input_scale: f32) -> Result<bool> {
        if self.is_fixed {
            return Ok(false);
        }
        let current = self.alignments(input_scale)?;
        let mut tried = Vec::new();
        for step in WEIGHT_STEPS {
            let larger = |&start: &f32| start * 64.0 / f32::from(step);
            let finite = |start: &f32| Some(larger(start)).filter(|scale| scale.is_finite()).unwrap_or(*start);
            let scales: Vec<f32> = self.start.iter().map(finite).collect();
            self.probe.quantize_weights(&scales)?;
            let alignments = self.alignments(input_scale)?;
            tried.push((scales, alignments));
        }
        let mut total: Alignment = current.iter().copied().sum();
        let mut changed = false;
        for (channel, &own) in current.iter().enumerate() {
            let rest = total - own;
            let mut best = total.cosine();
            for (scales, alignments) in &tried {
                let candidate = rest + alignments[channel];
                if candidate.cosine() > best + SAME {
                    (best, total) = (candidate.cosine(), candidate);
                    self.scales[channel] = scales[channel];
                    changed = true;
                }
            }
        }
        self.probe.quantize_weights(&self.scales)?;
        Ok(changed)
    }
}

/// Searches the threshold of a blob with this `histogram` and the scales of the weights of its `readers`.
///
/// Starts from the threshold of least squared error, or from the whole range of a network's input, which is
/// kept. A threshold that costs the blob itself more than 1.25 times as much is not tried, because
/// patches hold too few rare values to tell.
///
/// # Errors
/// `Invalid` when int8 kernels refuse a layer.
pub(super) fn search(histogram: &Histogram, is_input: bool, mut readers: Vec<Reader<'_>>) -> Result<Decision> {
    let rule = if is_input { Rule::AbsMax } else { Rule::Mse };
    let start = rule.threshold(histogram);
    let thresholds = start.filter(|_| !is_input).map(|start| candidates(histogram, start)).unwrap_or_default();
    // A dead blob is computed with its values as they are.
    let scale = |threshold: Option<Threshold>| threshold.unwrap_or(Threshold::UNIT).scale();
    let cosines = |readers: &[Reader<'_>], threshold| {
        readers.iter().map(|reader| reader.cosine(scale(threshold))).collect::<Result<Vec<f64>>>()
    };
    let before = cosines(&readers, start)?;
    let mut best = start;
    for _ in 0..ROUNDS {
        let mut changed = false;
        for reader in &mut readers {
            changed |= reader.improve(scale(best))?;
        }
        let mut most: f64 = cosines(&readers, best)?.iter().sum();
        for &threshold in &thresholds {
            let sum = cosines(&readers, Some(threshold))?.iter().sum();
            if sum > most + SAME {
                (most, best, changed) = (sum, Some(threshold), true);
            }
        }
        if !changed {
            break;
        }
    }
    let reached = cosines(&readers, best)?;
    let searched = readers.into_iter().zip(before.into_iter().zip(reached)).map(|(reader, (start, reached))| {
        Searched { target: reader.target, scales: reader.scales, similarity: Similarity { start, reached } }
    });
    Ok(Decision { searched: searched.collect(), ..Decision::by(Method::Eq, best) })
}

fn candidates(histogram: &Histogram, start: Threshold) -> Vec<Threshold> {
    let cost = |value| expected_squared_error(histogram, value);
    let most = ROOM * cost(start.value());
    ACTIVATION_STEPS
        .map(|step| start.value() * f32::from(step) / 50.0)
        .filter(|&value| value <= histogram.absmax() && cost(value) <= most)
        .filter_map(|value| Threshold::new(value).ok())
        .collect()
}

/// Gives every layer the scales found for it, limited by the guard.
///
/// # Errors
/// As reading weights.
pub(super) fn replace_weights(
    counted: &Counted<'_>,
    decisions: &[Decision],
    weights: &mut [WeightScales],
    guard: WinogradGuard,
) -> Result<()> {
    for searched in decisions.iter().flat_map(|decision| &decision.searched) {
        let weights = &mut weights[searched.target];
        if !is_fixed(weights, guard) {
            weights.replace(&counted.model.layers[counted.targets[searched.target].layer], &searched.scales, guard)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::patches::Patches;
    use ncnn_format::{F32Tag, Layer, Weight, WeightData, WeightRole};

    /// An InnerProduct of one output.
    fn inner_product(weights: &[f32]) -> Layer {
        let mut layer = Layer::new("InnerProduct".into(), "fc");
        layer.params.set_int(0, 1);
        let data = WeightData::F32(weights.to_vec(), F32Tag::Tagged);
        layer.weights.push(Weight { role: WeightRole::Weight, data });
        layer
    }

    fn searched(
        layer: &Layer,
        values: &[f32],
        depth: usize,
        start: f32,
        is_input: bool,
    ) -> (Option<Threshold>, Searched) {
        let largest = values.iter().fold(0f32, |largest, value| largest.max(value.abs()));
        let mut histogram = Histogram::new(largest).unwrap();
        histogram.add(values);
        let patches = Patches { depth, values: values.to_vec() };
        let probe = Probe::new(layer, &patches, &[start]).unwrap().unwrap();
        let reader = Reader::new(0, probe, vec![start], false).unwrap();
        let mut decision = search(&histogram, is_input, vec![reader]).unwrap();
        (decision.threshold, decision.searched.remove(0))
    }

    /// 64 patches of integers up to ±127; the first value of each is 0.
    fn levels() -> Vec<f32> {
        (0..64 * 8).map(|i| if i % 8 == 0 { 0.0 } else { ((i * 37 + i / 8 * 11) % 255) as f32 - 127.0 }).collect()
    }

    #[test]
    fn the_scale_at_which_nothing_is_lost_is_found() {
        // The largest weight is multiplied by zeros only; all others are whole 127ths of a half.
        let weights: Vec<f32> = [254, 127, -3, 55, 77, -101, 9, 31].map(|level: i32| level as f32 / 254.0).to_vec();
        let (threshold, found) = searched(&inner_product(&weights), &levels(), 8, 127.0, true);
        assert_eq!((threshold.unwrap().value(), found.scales), (127.0, vec![254.0]));
        assert!(found.similarity.start < 0.99999 && found.similarity.reached > 1.0 - 1e-9, "{:?}", found.similarity);
    }

    #[test]
    fn the_cosine_never_falls_and_inputs_are_not_clipped() {
        let weights: Vec<f32> = (0..8).map(|i| (i as f32 * 1.7).sin()).collect();
        for (round, is_input) in (0..20).zip([false, true].into_iter().cycle()) {
            // Cubes: a long tail.
            let values: Vec<f32> = (0..512).map(|i| ((i * (round + 3)) as f32 * 0.7).sin().powi(3) * 9.0).collect();
            let (threshold, found) = searched(&inner_product(&weights), &values, 8, 127.0, is_input);
            assert!(found.similarity.reached >= found.similarity.start, "{:?}", found.similarity);
            assert!(!is_input || threshold.unwrap().value() > 8.99, "{threshold:?}");
        }
    }

    #[test]
    fn without_a_layer_to_compute_the_squared_error_decides() {
        let mut histogram = Histogram::new(9.0).unwrap();
        histogram.add(&[9.0, 1.0, -2.0, 0.5]);
        let decision = search(&histogram, false, Vec::new()).unwrap();
        assert_eq!((decision.threshold, decision.rule), (Rule::Mse.threshold(&histogram), Method::Eq));
        assert!(decision.searched.is_empty());
    }

    #[test]
    fn a_blob_of_zeros_changes_nothing() {
        let (threshold, found) = searched(&inner_product(&[1.0, 0.5]), &[0.0; 8], 2, 127.0, false);
        assert_eq!(threshold, None);
        assert_eq!((found.scales, found.similarity), (vec![127.0], Similarity { start: 1.0, reached: 1.0 }));
    }
}
