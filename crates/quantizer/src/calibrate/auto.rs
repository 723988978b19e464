//! Choosing a blob's rule by what its readers make of it.

use histogram_kl::{Histogram, Rule, Threshold, expected_squared_error};
use ncnn_format::Result;

use super::output_error::Probe;

/// A rule's threshold and what it costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// The rule.
    pub rule: Rule,
    /// What it chose; `None` for a dead blob.
    pub threshold: Option<Threshold>,
    /// Squared error of the outputs of all layers that read the blob, each relative to its output's mean
    /// square; of the blob itself where no output could be computed.
    pub error: f64,
}

/// How `auto` decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The rule taken.
    pub winner: Scored,
    /// The best of those with another threshold.
    pub runner_up: Option<Scored>,
    /// Whether outputs were compared, not only the blob itself.
    pub by_output: bool,
}

/// How much more than the least expected squared error of the blob itself a candidate may cost.
///
/// Patches are few: of values so rare that clipping them costs little on average they hold none, or one that
/// then decides too much. The histogram has counted all of them.
pub(super) const ROOM: f64 = 1.25;

/// What is tried.
fn candidates() -> impl Iterator<Item = Rule> {
    // `kl` is ncnn's search where that is of use; ncnn's aciq can be beyond the range; `js` takes longer than all
    // others together. Of equal errors the first wins, so the simplest come first.
    let others = Rule::ALL
        .iter()
        .copied()
        .filter(|rule| !matches!(rule, Rule::Mse | Rule::AbsMax | Rule::KlNcnn | Rule::AciqNcnn | Rule::Js));
    [Rule::Mse, Rule::AbsMax].into_iter().chain(others)
}

/// Chooses for a blob with this `histogram`; `readers` are the layers that read it.
pub(super) fn choose(histogram: &Histogram, readers: &[Probe<'_>]) -> Result<Choice> {
    let of_blob = |threshold| expected_squared_error(histogram, or_unit(threshold).value());
    let most = ROOM * of_blob(Rule::Mse.threshold(histogram));
    let mut scored: Vec<Scored> = Vec::new();
    for rule in candidates() {
        let threshold = rule.threshold(histogram);
        if of_blob(threshold) > most {
            continue;
        }
        // Rules often agree, and a threshold needs to be tried once.
        let known = scored.iter().find(|other| is_same(other.threshold, threshold)).map(|other| other.error);
        let error = known.map_or_else(|| error(histogram, or_unit(threshold), readers), Ok)?;
        scored.push(Scored { rule, threshold, error });
    }
    // Stable: of equal ones the first in the list, and `mse` is always in it.
    scored.sort_by(|a, b| a.error.total_cmp(&b.error));
    let winner = scored[0];
    let runner_up = scored.into_iter().find(|other| !is_same(other.threshold, winner.threshold));
    Ok(Choice { winner, runner_up, by_output: !readers.is_empty() })
}

/// What a dead blob is computed with.
fn or_unit(threshold: Option<Threshold>) -> Threshold {
    threshold.unwrap_or(Threshold::UNIT)
}

fn is_same(a: Option<Threshold>, b: Option<Threshold>) -> bool {
    or_unit(a).value() == or_unit(b).value()
}

fn error(histogram: &Histogram, threshold: Threshold, readers: &[Probe<'_>]) -> Result<f64> {
    if readers.is_empty() {
        return Ok(expected_squared_error(histogram, threshold.value()));
    }
    let mut sum = 0.0;
    for probe in readers {
        let errors = probe.errors(threshold.scale())?;
        sum += errors.iter().map(|error| error.squared).sum::<f64>() / probe.signal().max(f64::MIN_POSITIVE);
    }
    Ok(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINS: usize = Histogram::BINS;

    fn counts(count: impl Fn(f64) -> f64) -> Vec<u64> {
        (0..BINS).map(|bin| count(bin as f64) as u64).collect()
    }

    fn chosen(counts: &[u64], zeros: u64) -> f32 {
        let histogram = Histogram::from_counts(1.0, counts).unwrap().with_unbinned(zeros, 0);
        let choice = choose(&histogram, &[]).unwrap();
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
        let choice = choose(&Histogram::new(0.0).unwrap(), &[]).unwrap();
        assert!(choice.winner.threshold.is_none() && choice.runner_up.is_none());
    }
}
