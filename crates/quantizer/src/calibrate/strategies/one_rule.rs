//! One rule for all blobs.

use histogram_kl::Rule;
use ncnn_format::Result;

use crate::calibrate::decision::Decision;
use crate::calibrate::evidence::Evidence;
use crate::calibrate::strategy::{Need, Needs, Strategy};

/// One rule for all blobs but the network's inputs, which are not clipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OneRule(pub Rule);

impl Strategy for OneRule {
    fn name(&self) -> String {
        self.0.to_string()
    }

    fn needs(&self) -> Needs {
        // Divergences have near ties, which counts decide that are a little off.
        let exact_counts = match self.0 {
            Rule::Kl | Rule::KlNcnn | Rule::KlMerge | Rule::Js => Need::Wanted,
            _ => Need::No,
        };
        Needs { exact_counts, ..Needs::default() }
    }

    fn decide(&self, evidence: &Evidence<'_>) -> Result<Decision> {
        Ok(if evidence.is_network_input { Decision::unclipped(evidence) } else { Decision::of_rule(self.0, evidence) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use histogram_kl::{Histogram, Range};

    fn evidence(histogram: &Histogram) -> Evidence<'_> {
        Evidence::of_counts("blob", Range::default(), histogram)
    }

    #[test]
    fn the_rule_decides_within_the_network_and_the_whole_range_at_its_inputs() {
        let counts: Vec<u64> = (0..Histogram::BINS).map(|bin| (1e6 * (-(bin as f64) / 90.0).exp()) as u64).collect();
        let histogram = Histogram::from_counts(2.0, &counts).unwrap();
        for &rule in Rule::ALL {
            let mut evidence = evidence(&histogram);
            let decision = OneRule(rule).decide(&evidence).unwrap();
            assert_eq!(decision, Decision::new(rule.to_string(), evidence.threshold_of(rule)));
            evidence.is_network_input = true;
            let at_input = OneRule(rule).decide(&evidence).unwrap();
            assert_eq!((&*at_input.rule, at_input.threshold.unwrap().value()), ("absmax", 2.0), "{rule}");
        }
    }

    #[test]
    fn divergences_want_exact_counts_and_nothing_wants_more() {
        for &rule in Rule::ALL {
            let is_divergence = matches!(rule, Rule::Kl | Rule::KlNcnn | Rule::KlMerge | Rule::Js);
            let exact_counts = if is_divergence { Need::Wanted } else { Need::No };
            assert_eq!(OneRule(rule).needs(), Needs { exact_counts, ..Needs::default() }, "{rule}");
        }
    }

    #[test]
    fn a_blob_of_zeros_is_dead_under_every_rule() {
        let histogram = Histogram::new(0.0).unwrap();
        for &rule in Rule::ALL {
            assert_eq!(OneRule(rule).decide(&evidence(&histogram)).unwrap().threshold, None, "{rule}");
        }
    }
}
