//! The tables of ncnn2table.

use histogram_kl::Rule;
use ncnn_format::Result;

use crate::calibrate::decision::Decision;
use crate::calibrate::evidence::Evidence;
use crate::calibrate::strategy::{Need, Needs, Strategy};
use crate::weight_scales::{WeightMethod, WeightRule};
use crate::winograd::WinogradGuard;

/// What ncnn2table prints, digit for digit: one rule for all blobs, inputs too, and its scales of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ncnn {
    /// Its `method=kl`.
    Kl,
    /// Its `method=aciq`.
    Aciq,
}

impl Strategy for Ncnn {
    fn name(&self) -> String {
        match self {
            Self::Kl => "ncnn-kl",
            Self::Aciq => "ncnn-aciq",
        }
        .to_owned()
    }

    fn needs(&self) -> Needs {
        let exact_counts = if *self == Self::Kl { Need::Wanted } else { Need::No };
        Needs { exact_counts, ..Needs::default() }
    }

    fn decide(&self, evidence: &Evidence<'_>) -> Result<Decision> {
        let rule = match self {
            Self::Kl => Rule::KlNcnn,
            Self::Aciq => Rule::AciqNcnn,
        };
        Ok(Decision::of_rule(rule, evidence))
    }

    fn weight_method(&self, _: WeightRule, _: WinogradGuard) -> WeightMethod {
        match self {
            Self::Kl => WeightMethod::Ncnn,
            Self::Aciq => WeightMethod::NcnnAciq,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use histogram_kl::{Histogram, Range};

    #[test]
    fn inputs_of_the_network_are_treated_like_all_others() {
        let counts: Vec<u64> = (0..Histogram::BINS).map(|bin| (1e6 * (-(bin as f64) / 90.0).exp()) as u64).collect();
        let histogram = Histogram::from_counts(2.0, &counts).unwrap();
        for (ncnn, rule) in [(Ncnn::Kl, Rule::KlNcnn), (Ncnn::Aciq, Rule::AciqNcnn)] {
            let mut evidence = Evidence::of_counts("blob", Range::default(), &histogram);
            let expected = Decision::new(rule.to_string(), evidence.threshold_of(rule));
            assert_eq!(ncnn.decide(&evidence).unwrap(), expected);
            evidence.is_network_input = true;
            assert_eq!(ncnn.decide(&evidence).unwrap(), expected);
        }
    }

    #[test]
    fn aciq_looks_at_the_number_of_values_of_one_sample() {
        let histogram = Histogram::from_counts(2.0, &[1; Histogram::BINS]).unwrap();
        let threshold = |values, samples| {
            let range = Range::from_extremes(Some((-2.0, 2.0)), values, 0).unwrap();
            let evidence = Evidence { samples, ..Evidence::of_counts("blob", range, &histogram) };
            Ncnn::Aciq.decide(&evidence).unwrap().threshold
        };
        assert_eq!(threshold(4000, 4), threshold(1000, 1));
        assert_ne!(threshold(4000, 4), threshold(4000, 1));
    }

    #[test]
    fn weights_get_ncnns_scales_whatever_the_options_say() {
        for guard in [WinogradGuard::Off, WinogradGuard::Proven] {
            assert_eq!(Ncnn::Kl.weight_method(WeightRule::Mse, guard), WeightMethod::Ncnn);
            assert_eq!(Ncnn::Aciq.weight_method(WeightRule::Mse, guard), WeightMethod::NcnnAciq);
        }
    }

    #[test]
    fn the_divergence_wants_exact_counts_and_the_formula_nothing() {
        assert_eq!(Ncnn::Kl.needs(), Needs { exact_counts: Need::Wanted, ..Needs::default() });
        assert_eq!(Ncnn::Aciq.needs(), Needs::default());
    }
}
