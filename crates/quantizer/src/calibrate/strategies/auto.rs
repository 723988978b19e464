//! Choosing a blob's rule by what its readers make of it.

use histogram_kl::{Percent, Rule, Threshold, expected_squared_error};
use ncnn_format::Result;

use crate::calibrate::decision::{Choice, Decision, Scored};
use crate::calibrate::evidence::Evidence;
use crate::calibrate::probe::Probe;
use crate::calibrate::strategy::{Need, Needs, Strategy};

/// How much more than the least expected squared error of the blob itself a candidate may cost.
///
/// Patches are few: of values so rare that clipping them costs little on average they hold none, or one that
/// then decides too much. The histogram has counted all of them.
pub(super) const ROOM: f64 = 1.25;

/// For every blob the rule whose threshold costs the outputs of the layers that read it the least squared error
/// on patches of calibration samples; where there are none, that of the blob itself. Inputs of the network are not
/// clipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Auto<'a> {
    /// What is tried beside [`Rule::Mse`], which is always tried first. Of equal errors the first wins.
    pub candidates: &'a [Rule],
}

impl Auto<'_> {
    /// What is tried by default: the simplest first. ncnn's own rules are not among them, as [`Rule::Kl`] is its
    /// search where that is of use and its aciq can be beyond the range, nor is [`Rule::Js`], which takes longer
    /// than all others together.
    pub const CANDIDATES: &'static [Rule] = &[
        Rule::AbsMax,
        Rule::Kl,
        Rule::KlMerge,
        Rule::Percentile(Percent::P99_9),
        Rule::Percentile(Percent::P99_99),
        Rule::Percentile(Percent::P99_999),
        Rule::AciqGauss,
        Rule::AciqLaplace,
    ];
}

impl Default for Auto<'_> {
    fn default() -> Self {
        Self { candidates: Self::CANDIDATES }
    }
}

impl Strategy for Auto<'_> {
    fn name(&self) -> String {
        "auto".to_owned()
    }

    fn needs(&self) -> Needs {
        Needs { patches: Need::Wanted, ..Needs::default() }
    }

    fn decide(&self, evidence: &Evidence<'_>) -> Result<Decision> {
        if evidence.is_network_input {
            return Ok(Decision::unclipped(evidence));
        }
        let probes: Vec<Probe<'_>> = evidence.probes()?.into_iter().map(|(_, probe)| probe).collect();
        let choice = self.choose(evidence, &probes)?;
        let Scored { rule, threshold, .. } = choice.winner;
        Ok(Decision { choice: Some(choice), ..Decision::new(rule.to_string(), threshold) })
    }
}

impl Auto<'_> {
    fn choose(&self, evidence: &Evidence<'_>, readers: &[Probe<'_>]) -> Result<Choice> {
        let histogram = evidence.histogram;
        let of_blob = |threshold| expected_squared_error(histogram, value_of(threshold));
        let most = ROOM * of_blob(evidence.threshold_of(Rule::Mse));
        let mut scored: Vec<Scored> = Vec::new();
        for &rule in [Rule::Mse].iter().chain(self.candidates) {
            let threshold = evidence.threshold_of(rule);
            if of_blob(threshold) > most {
                continue;
            }
            // Rules often agree, and a threshold needs to be tried once.
            let known = scored.iter().find(|other| value_of(other.threshold) == value_of(threshold));
            let error = match known {
                Some(other) => other.error,
                None if readers.is_empty() => of_blob(threshold),
                None => error_of_outputs(threshold, readers)?,
            };
            scored.push(Scored { rule, threshold, error });
        }
        // Stable: of equal ones the first in the list, and `mse` is always in it.
        scored.sort_by(|a, b| a.error.total_cmp(&b.error));
        let winner = scored[0];
        let runner_up = scored.into_iter().find(|other| value_of(other.threshold) != value_of(winner.threshold));
        Ok(Choice { winner, runner_up, by_output: !readers.is_empty() })
    }
}

/// The largest value that is not clipped. A dead blob has the scale 1.
fn value_of(threshold: Option<Threshold>) -> f32 {
    threshold.unwrap_or(Threshold::UNIT).value()
}

/// Squared error of the readers' outputs, each relative to the mean square of that output.
fn error_of_outputs(threshold: Option<Threshold>, readers: &[Probe<'_>]) -> Result<f64> {
    let scale = threshold.unwrap_or(Threshold::UNIT).scale();
    let mut sum = 0.0;
    for probe in readers {
        let errors = probe.errors(scale)?;
        sum += errors.iter().map(|error| error.squared).sum::<f64>() / probe.signal().max(f64::MIN_POSITIVE);
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calibrate::evidence::Reader;
    use crate::calibrate::patches::Patches;
    use crate::weight_scales::WeightScales;
    use histogram_kl::{Histogram, Range};
    use ncnn_format::{F32Tag, Layer, Weight, WeightData, WeightRole};

    const BINS: usize = Histogram::BINS;

    fn counts(count: impl Fn(f64) -> f64) -> Vec<u64> {
        (0..BINS).map(|bin| count(bin as f64) as u64).collect()
    }

    fn choice(histogram: &Histogram) -> Choice {
        let evidence = Evidence::of_counts("blob", Range::default(), histogram);
        let decision = Auto::default().decide(&evidence).unwrap();
        let choice = decision.choice.unwrap();
        assert_eq!((decision.rule, decision.threshold), (choice.winner.rule.to_string(), choice.winner.threshold));
        choice
    }

    fn chosen(counts: &[u64], zeros: u64) -> f32 {
        let histogram = Histogram::from_counts(1.0, counts).unwrap().with_unbinned(zeros, 0);
        let choice = choice(&histogram);
        let error = |threshold: f32| expected_squared_error(&histogram, threshold);
        assert!(error(choice.winner.threshold.unwrap().value()) <= error(1.0), "never worse than not clipping");
        assert!(choice.runner_up.is_none_or(|other| other.error >= choice.winner.error));
        assert!(!choice.by_output);
        choice.winner.threshold.unwrap().value()
    }

    #[test]
    fn a_background_spike_at_an_extreme_is_kept() {
        // A bell, and a background at the very end of the range.
        let mut bell = counts(|bin| 1e5 * (-(bin / 300.0).powi(2)).exp());
        bell[BINS - 1] = 40_000_000;
        assert!(chosen(&bell, 0) > 0.99);
    }

    #[test]
    fn a_background_spike_inside_does_not_stand_for_the_range() {
        // ncnn's search cuts right behind the spike.
        let mut spike = counts(|_| 10.0);
        spike[820] = 200_000;
        assert!(Rule::KlNcnn.threshold(&Histogram::from_counts(1.0, &spike).unwrap()).unwrap().value() < 0.5);
        assert!(chosen(&spike, 0) > 0.95);
    }

    #[test]
    fn a_long_thin_tail_is_clipped() {
        let tail = counts(|bin| 1e7 * (-bin / 60.0).exp() + f64::from(u8::from(bin as usize % 512 == 511)));
        let found = chosen(&tail, 0);
        assert!((0.2..0.6).contains(&found), "{found}");
    }

    #[test]
    fn the_farther_of_two_modes_is_kept() {
        let modes = counts(|bin| {
            1e6 * (-((bin - 200.0) / 80.0).powi(2)).exp() + 1e5 * (-((bin - 1700.0) / 80.0).powi(2)).exp()
        });
        assert!(chosen(&modes, 0) > 0.85);
    }

    #[test]
    fn zeros_do_not_move_the_threshold() {
        // All positive behind a ReLU: half of the values are zeros; almost all zeros: 99.99 %.
        let half = counts(|bin| 1e6 * (-bin / 200.0).exp());
        let values: u64 = half.iter().sum();
        assert_eq!(chosen(&half, 0), chosen(&half, values));
        assert_eq!(chosen(&half, 0), chosen(&half, 10_000 * values));
    }

    #[test]
    fn eight_values_are_not_clipped() {
        let mut eight = vec![0; BINS];
        (1..=8).for_each(|step| eight[256 * step - 1] = 1000);
        assert!(chosen(&eight, 0) > 0.99);
    }

    #[test]
    fn a_dead_blob_is_dead() {
        let choice = choice(&Histogram::new(0.0).unwrap());
        assert_eq!((choice.winner.threshold, choice.runner_up), (None, None));
    }

    #[test]
    fn inputs_of_the_network_are_not_clipped_and_nothing_is_chosen() {
        let histogram = Histogram::from_counts(3.0, &counts(|bin| 1e7 * (-bin / 60.0).exp())).unwrap();
        let mut evidence = Evidence::of_counts("data", Range::default(), &histogram);
        evidence.is_network_input = true;
        let decision = Auto::default().decide(&evidence).unwrap();
        assert_eq!((&*decision.rule, decision.threshold.unwrap().value(), decision.choice), ("absmax", 3.0, None));
    }

    #[test]
    fn patches_are_wanted_but_not_required() {
        assert_eq!(Auto::default().needs(), Needs { patches: Need::Wanted, ..Needs::default() });
        assert!(Auto::default().needs().counts_suffice());
    }

    #[test]
    fn what_is_tried_is_everything_but_ncnns_own_rules_and_the_slowest() {
        let mut tried = vec![Rule::Mse];
        tried.extend(Auto::CANDIDATES);
        let left_out: Vec<_> = Rule::ALL.iter().filter(|rule| !tried.contains(rule)).collect();
        assert_eq!(left_out, [&Rule::KlNcnn, &Rule::Js, &Rule::AciqNcnn]);
        assert_eq!(tried.len() + left_out.len(), Rule::ALL.len(), "nothing is tried twice");
    }

    #[test]
    fn of_equal_errors_the_first_in_the_list_wins() {
        // Eight values: nothing is clipped, so that all rules that try nothing else agree.
        let mut eight = vec![0; BINS];
        (1..=8).for_each(|step| eight[256 * step - 1] = 1000);
        let histogram = Histogram::from_counts(1.0, &eight).unwrap();
        let evidence = Evidence::of_counts("blob", Range::default(), &histogram);
        let percent = Rule::Percentile(Percent::P99_999);
        for (candidates, expected) in [(&[Rule::AbsMax, percent], Rule::AbsMax), (&[percent, Rule::AbsMax], percent)] {
            let choice = Auto { candidates }.decide(&evidence).unwrap().choice.unwrap();
            let [winner, first] = [
                choice.winner,
                Auto { candidates: &candidates[..1] }.decide(&evidence).unwrap().choice.unwrap().winner,
            ];
            assert_eq!(winner, first, "the second of equal ones changes nothing");
            assert!([Rule::Mse, expected].contains(&winner.rule), "{winner:?}");
        }
    }

    /// A layer of one output that multiplies every patch of two values by `weights`, and its patches: many whose
    /// first value is small, some whose second value is large.
    fn decided_by_outputs(weights: [f32; 2], patches: Option<&Patches>, values: &[f32]) -> Choice {
        let mut layer = Layer::new("InnerProduct".into(), "fc");
        layer.params.set(ncnn_format::typed::InnerProduct::NUM_OUTPUT, 1);
        let data = WeightData::F32(weights.to_vec(), F32Tag::Tagged);
        layer.weights.push(Weight { role: WeightRole::Weight, data });
        let scales = vec![127.0 / weights[0].abs().max(weights[1].abs())];
        let weights = WeightScales { scales: scales.clone(), full: scales, ..WeightScales::default() };
        let mut range = Range::default();
        range.add(values);
        let mut histogram = Histogram::new(range.absmax()).unwrap();
        histogram.add(values);
        let reader = Reader { patches, ..Reader::new(&layer, &weights) };
        let evidence = Evidence { readers: vec![reader], ..Evidence::of_counts("in", range, &histogram) };
        Auto::default().decide(&evidence).unwrap().choice.unwrap()
    }

    #[test]
    fn the_winner_is_the_one_that_costs_the_outputs_least() {
        let values: Vec<f32> = (0..4096).map(|i| ((i * 37 % 4096) as f32 / 512.0 - 4.0).powi(3) / 16.0).collect();
        let patches = Patches::new(2, values[..512].to_vec());
        for weights in [[1.0, -0.5], [0.25, 0.25], [1.0, 1.0]] {
            let choice = decided_by_outputs(weights, Some(&patches), &values);
            assert!(choice.by_output);
            // The same error as plain arithmetic gives: integers times integers, at the steps of both.
            let weight_scale = 127.0 / weights[0].abs().max(weights[1].abs());
            let input_scale = choice.winner.threshold.unwrap().scale();
            let level = |value: f32, scale: f32| f64::from((value * scale).round().clamp(-127.0, 127.0));
            let [mut squared, mut signal] = [0.0, 0.0];
            for patch in patches.values.chunks(2) {
                let expected = f64::from(patch[0] * weights[0] + patch[1] * weights[1]);
                let products = |i: usize| level(patch[i], input_scale) * level(weights[i], weight_scale);
                let found = (products(0) + products(1)) / f64::from(input_scale * weight_scale);
                squared += (expected - found).powi(2);
                signal += expected.powi(2);
            }
            assert!((choice.winner.error / (squared / signal) - 1.0).abs() < 1e-3, "{choice:?} {}", squared / signal);
            assert!(choice.runner_up.is_none_or(|other| other.error >= choice.winner.error));
        }
    }

    #[test]
    fn without_patches_the_blob_itself_decides_and_the_choice_says_so() {
        let values: Vec<f32> = (0..4096).map(|i| ((i * 37 % 4096) as f32 / 512.0 - 4.0).powi(3) / 16.0).collect();
        let choice = decided_by_outputs([1.0, -0.5], None, &values);
        assert!(!choice.by_output);
        let misfit = Patches::new(3, vec![1.0; 9]);
        assert_eq!(decided_by_outputs([1.0, -0.5], Some(&misfit), &values), choice, "patches of another depth");
    }
}
