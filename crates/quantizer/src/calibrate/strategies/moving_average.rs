//! The moving average of the samples' largest magnitudes.

use histogram_kl::Maxima;
use ncnn_format::Result;

use crate::calibrate::decision::Decision;
use crate::calibrate::evidence::Evidence;
use crate::calibrate::strategy::{Need, Needs, Strategy, needs_samples};

/// The moving average of the largest magnitudes of the samples, in their order ([`Maxima`]); inputs of the
/// network are not clipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MovingAverage;

impl Strategy for MovingAverage {
    fn name(&self) -> String {
        "moving-average".to_owned()
    }

    fn needs(&self) -> Needs {
        Needs { maxima: Need::Required, ..Needs::default() }
    }

    fn decide(&self, evidence: &Evidence<'_>) -> Result<Decision> {
        if evidence.is_network_input {
            return Ok(Decision::unclipped(evidence));
        }
        let maxima = evidence.maxima.ok_or_else(|| needs_samples(&self.name()))?;
        Ok(Decision::new(self.name(), maxima.moving_average(Maxima::CONSTANT)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use histogram_kl::{Histogram, Range};

    fn decided(maxima: Option<&[f32]>, is_network_input: bool) -> Result<Decision> {
        let mut seen = Maxima::default();
        (0..).zip(maxima.unwrap_or_default()).for_each(|(sample, &maximum)| seen.add(sample, &[maximum]));
        let mut histogram = Histogram::new(8.0).unwrap();
        histogram.add(&[8.0, -1.0]);
        let mut evidence = Evidence::of_counts("blob", Range::default(), &histogram);
        (evidence.maxima, evidence.is_network_input) = (maxima.map(|_| &seen), is_network_input);
        MovingAverage.decide(&evidence)
    }

    #[test]
    fn the_average_follows_the_samples_in_their_order() {
        let value = |maxima: &[f32]| decided(Some(maxima), false).unwrap().threshold.unwrap().value();
        assert_eq!(value(&[4.0]), 4.0);
        assert!((value(&[4.0, 8.0]) - 4.04).abs() < 1e-6);
        assert!((value(&[8.0, 4.0]) - 7.96).abs() < 1e-6);
    }

    #[test]
    fn samples_of_zeros_are_dead() {
        assert_eq!(decided(Some(&[0.0, 0.0]), false).unwrap(), Decision::new("moving-average", None));
    }

    #[test]
    fn inputs_of_the_network_are_not_clipped() {
        let decision = decided(Some(&[4.0]), true).unwrap();
        assert_eq!((&*decision.rule, decision.threshold.unwrap().value()), ("absmax", 8.0));
    }

    #[test]
    fn maxima_are_required() {
        assert_eq!(MovingAverage.needs(), Needs { maxima: Need::Required, ..Needs::default() });
        let message = decided(None, false).unwrap_err().to_string();
        assert_eq!(message, "moving-average needs the samples themselves, counts are not enough");
    }
}
