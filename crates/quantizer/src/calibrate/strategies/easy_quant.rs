//! EasyQuant: the scales of a layer's weights and of its input, searched in turn for the cosine between its
//! outputs in f32 and in int8.
//!
//! Source: Wu et al., "EasyQuant: Post-training Quantization via Scale Optimization", 2020, §3.3. Differences
//! are told in docs/calibration.md.

use std::ops::RangeInclusive;

use histogram_kl::{Histogram, Rule, Threshold, expected_squared_error};
use ncnn_format::Result;

use super::auto::ROOM;
use crate::calibrate::alignment::Alignment;
use crate::calibrate::decision::{Decision, FoundWeights, Similarity};
use crate::calibrate::evidence::{self, Evidence};
use crate::calibrate::probe::Probe;
use crate::calibrate::strategy::{Need, Needs, Strategy, needs_samples};

/// How often weights and then the activation are searched.
const ROUNDS: usize = 2;
/// The ranges of a channel's weights that are tried, in 64ths of the one before the search.
const WEIGHT_STEPS: RangeInclusive<u8> = 32..=64;
/// The thresholds of a blob that are tried, in 50ths of the one before the search: 0.5 to 1.2.
const ACTIVATION_STEPS: RangeInclusive<u8> = 25..=60;
/// A cosine that is larger by no more than this is the same: digits of f64 decide nothing.
const SAME: f64 = 1e-9;

/// The scales of weights and activations that, found in turn, make the cosine between the outputs of a layer in f32
/// and in int8 largest on patches of calibration samples. Inputs of the network are not clipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EasyQuant;

impl Strategy for EasyQuant {
    fn name(&self) -> String {
        "eq".to_owned()
    }

    fn needs(&self) -> Needs {
        Needs { patches: Need::Required, ..Needs::default() }
    }

    fn decide(&self, evidence: &Evidence<'_>) -> Result<Decision> {
        if evidence.readers.iter().any(|reader| reader.patches.is_none()) {
            return Err(needs_samples(&self.name()));
        }
        let with_scales = |(position, probe)| Searched::of(position, &evidence.readers[position], probe);
        let searched: Vec<Searched<'_>> = evidence.probes()?.into_iter().map(with_scales).collect::<Result<_>>()?;
        let (threshold, weights) = search(evidence, searched)?;
        Ok(Decision { weights, ..Decision::new(self.name(), threshold) })
    }
}

/// A layer that reads the blob.
struct Searched<'a> {
    reader: usize,
    probe: Probe<'a>,
    /// Scales of the weights before the search, by slice.
    start: Vec<f32>,
    /// Those found so far.
    scales: Vec<f32>,
    /// Whether the weights keep the scales they have.
    is_fixed: bool,
}

impl<'a> Searched<'a> {
    /// Starts from the scales that use all bits of the weights.
    fn of(position: usize, reader: &evidence::Reader<'_>, mut probe: Probe<'a>) -> Result<Self> {
        let (weights, is_fixed) = (reader.weights, reader.weights_are_fixed);
        let full = |(&full, &scale): (&f32, &f32)| if full.is_finite() && !is_fixed { full } else { scale };
        let start: Vec<f32> = weights.full.iter().zip(&weights.scales).map(full).collect();
        probe.quantize_weights(&start)?;
        Ok(Self { reader: position, probe, scales: start.clone(), start, is_fixed })
    }

    /// By slice, with the scales found so far.
    fn alignments(&self, input_scale: f32) -> Result<Vec<Alignment>> {
        self.probe.alignments(input_scale, self.scales.len())
    }

    fn cosine(&self, input_scale: f32) -> Result<f64> {
        Ok(self.alignments(input_scale)?.into_iter().sum::<Alignment>().cosine())
    }

    fn found(self, similarity: Similarity) -> FoundWeights {
        FoundWeights { reader: self.reader, scales: self.scales, similarity }
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
fn search(evidence: &Evidence<'_>, mut readers: Vec<Searched<'_>>) -> Result<(Option<Threshold>, Vec<FoundWeights>)> {
    let rule = if evidence.is_network_input { Rule::AbsMax } else { Rule::Mse };
    let Some(start) = evidence.threshold_of(rule) else {
        // All inputs become zeros under any scale, and no weight changes that.
        let unchanged = |reader: Searched<'_>| {
            let cosine = reader.cosine(Threshold::UNIT.scale())?;
            Ok(reader.found(Similarity { start: cosine, reached: cosine }))
        };
        return Ok((None, readers.into_iter().map(unchanged).collect::<Result<_>>()?));
    };
    let thresholds = if evidence.is_network_input { Vec::new() } else { candidates(evidence.histogram, &start) };
    let cosines = |readers: &[Searched<'_>], threshold: &Threshold| {
        readers.iter().map(|reader| reader.cosine(threshold.scale())).collect::<Result<Vec<f64>>>()
    };
    let before = cosines(&readers, &start)?;
    let mut best = start;
    for _ in 0..ROUNDS {
        let mut changed = false;
        for reader in &mut readers {
            changed |= reader.improve(best.scale())?;
        }
        let mut most: f64 = cosines(&readers, &best)?.iter().sum();
        for threshold in &thresholds {
            let sum = cosines(&readers, threshold)?.iter().sum();
            if sum > most + SAME {
                (most, best, changed) = (sum, *threshold, true);
            }
        }
        if !changed {
            break;
        }
    }
    let reached = cosines(&readers, &best)?;
    let found = readers.into_iter().zip(before.into_iter().zip(reached));
    let weights = found.map(|(reader, (start, reached))| reader.found(Similarity { start, reached })).collect();
    Ok((Some(best), weights))
}

fn candidates(histogram: &Histogram, start: &Threshold) -> Vec<Threshold> {
    let cost = |value| expected_squared_error(histogram, value);
    let most = ROOM * cost(start.value());
    ACTIVATION_STEPS
        .map(|step| start.value() * f32::from(step) / 50.0)
        .filter(|&value| value <= histogram.absmax() && cost(value) <= most)
        .filter_map(|value| Threshold::new(value).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::evidence::Reader;
    use crate::calibrate::patches::Patches;
    use crate::weight_scales::WeightScales;
    use histogram_kl::Range;
    use ncnn_format::{F32Tag, Layer, Weight, WeightData, WeightRole};

    /// An InnerProduct of one output.
    fn inner_product(weights: &[f32]) -> Layer {
        let mut layer = Layer::new("InnerProduct".into(), "fc");
        layer.params.set(ncnn_format::typed::InnerProduct::NUM_OUTPUT, 1);
        let data = WeightData::F32(weights.to_vec(), F32Tag::Tagged);
        layer.weights.push(Weight { role: WeightRole::Weight, data });
        layer
    }

    fn counted(values: &[f32]) -> (Range, Histogram) {
        let mut range = Range::default();
        range.add(values);
        let mut histogram = Histogram::new(range.absmax()).unwrap();
        histogram.add(values);
        (range, histogram)
    }

    fn decided(layer: &Layer, values: &[f32], depth: usize, edit: impl Fn(&mut Evidence<'_>)) -> Result<Decision> {
        let (range, histogram) = counted(values);
        let patches = Patches::new(depth, values.to_vec());
        let weights = WeightScales { scales: vec![127.0], full: vec![127.0], ..WeightScales::default() };
        let reader = Reader { patches: Some(&patches), ..Reader::new(layer, &weights) };
        let mut evidence = Evidence { readers: vec![reader], ..Evidence::of_counts("in", range, &histogram) };
        edit(&mut evidence);
        EasyQuant.decide(&evidence)
    }

    fn searched(layer: &Layer, values: &[f32], depth: usize, is_input: bool) -> (Option<Threshold>, FoundWeights) {
        let mut decision = decided(layer, values, depth, |evidence| evidence.is_network_input = is_input).unwrap();
        assert_eq!((&*decision.rule, decision.weights.len(), decision.weights[0].reader), ("eq", 1, 0));
        (decision.threshold, decision.weights.remove(0))
    }

    /// 64 patches of integers up to ±127; the first value of each is 0.
    fn levels() -> Vec<f32> {
        (0..64 * 8).map(|i| if i % 8 == 0 { 0.0 } else { ((i * 37 + i / 8 * 11) % 255) as f32 - 127.0 }).collect()
    }

    #[test]
    fn the_scale_at_which_nothing_is_lost_is_found() {
        let (threshold, found) = searched(&inner_product(&half_levels()), &levels(), 8, true);
        assert_eq!((threshold.unwrap().value(), found.scales), (127.0, vec![254.0]));
        assert!(found.similarity.start < 0.99999 && found.similarity.reached > 1.0 - 1e-9, "{:?}", found.similarity);
    }

    #[test]
    fn the_cosine_never_falls_and_inputs_are_not_clipped() {
        let weights: Vec<f32> = (0..8).map(|i| (i as f32 * 1.7).sin()).collect();
        for (round, is_input) in (0..20).zip([false, true].into_iter().cycle()) {
            // Cubes: a long tail.
            let values: Vec<f32> = (0..512).map(|i| ((i * (round + 3)) as f32 * 0.7).sin().powi(3) * 9.0).collect();
            let (threshold, found) = searched(&inner_product(&weights), &values, 8, is_input);
            assert!(found.similarity.reached >= found.similarity.start, "{:?}", found.similarity);
            assert!(!is_input || threshold.unwrap().value() > 8.99, "{threshold:?}");
        }
    }

    #[test]
    fn without_a_layer_to_compute_the_squared_error_decides() {
        let (range, histogram) = counted(&[9.0, 1.0, -2.0, 0.5]);
        let mut evidence = Evidence::of_counts("in", range, &histogram);
        let decision = EasyQuant.decide(&evidence).unwrap();
        assert_eq!(decision, Decision::new("eq", evidence.threshold_of(Rule::Mse)));
        evidence.is_network_input = true;
        assert_eq!(EasyQuant.decide(&evidence).unwrap().threshold.unwrap().value(), 9.0);
    }

    #[test]
    fn a_layer_that_its_patches_do_not_fit_is_left_out() {
        let decision = decided(&inner_product(&[1.0, 0.5, 2.0]), &[1.0, 2.0, 3.0, 4.0], 4, |_| ()).unwrap();
        assert!(decision.weights.is_empty() && decision.threshold.is_some());
    }

    #[test]
    fn a_blob_of_zeros_changes_nothing() {
        let (threshold, found) = searched(&inner_product(&[1.0, 0.5]), &[0.0; 8], 2, false);
        assert_eq!(threshold, None);
        assert_eq!((found.scales, found.similarity), (vec![127.0], Similarity { start: 1.0, reached: 1.0 }));
    }

    /// The largest is multiplied by zeros only; all others are whole 127ths of a half.
    fn half_levels() -> Vec<f32> {
        [254, 127, -3, 55, 77, -101, 9, 31].map(|level: i32| level as f32 / 254.0).to_vec()
    }

    #[test]
    fn weights_that_are_fixed_keep_their_scales() {
        let layer = inner_product(&half_levels());
        let fixed = decided(&layer, &levels(), 8, |it| it.readers[0].weights_are_fixed = true).unwrap();
        let free = decided(&layer, &levels(), 8, |_| ()).unwrap();
        assert_eq!((&fixed.weights[0].scales, &free.weights[0].scales), (&vec![127.0], &vec![254.0]));
        assert!(free.weights[0].similarity.reached > fixed.weights[0].similarity.reached);
    }

    #[test]
    fn samples_are_required() {
        assert_eq!(EasyQuant.needs(), Needs { patches: Need::Required, ..Needs::default() });
        let refused = decided(&inner_product(&[1.0]), &[1.0], 1, |evidence| evidence.readers[0].patches = None);
        assert_eq!(refused.unwrap_err().to_string(), "eq needs the samples themselves, counts are not enough");
    }
}
