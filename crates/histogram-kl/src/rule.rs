//! The rules that choose a threshold, by name.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::histogram::Histogram;
use crate::threshold::Threshold;
use crate::{kl, kl_textbook, squared_error};

/// How a threshold is chosen from a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// `kl`: the threshold of `kl-ncnn` where clipping there pays in expected squared
    /// error, the whole range elsewhere. A divergence does not know how far away
    /// what it clips is: a spike (a background, say) far below the largest values
    /// makes it cut right behind the spike (see [`squared_error`]).
    Kl,
    /// `kl-ncnn`: the search of ncnn2table, bit for bit (see [`kl`]).
    KlNcnn,
    /// `kl-textbook`: the search as it is taught (see [`kl_textbook`]).
    KlTextbook,
    /// `mse`: least expected squared error (see [`squared_error`]).
    Mse,
    /// `absmax`: the whole range, nothing is clipped.
    AbsMax,
}

impl Rule {
    /// Every rule.
    pub const ALL: &[Self] = &[Self::Kl, Self::KlNcnn, Self::KlTextbook, Self::Mse, Self::AbsMax];

    /// The name in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kl => "kl",
            Self::KlNcnn => "kl-ncnn",
            Self::KlTextbook => "kl-textbook",
            Self::Mse => "mse",
            Self::AbsMax => "absmax",
        }
    }

    /// The threshold that this rule chooses. Of an empty histogram every rule says
    /// [`dead`](Threshold::dead).
    pub fn threshold(self, histogram: &Histogram) -> Threshold {
        if histogram.absmax() == 0.0 {
            return Threshold::DEAD;
        }
        let at_bin = |(bin, divergence)| Threshold::at_bin(histogram, bin, divergence);
        let threshold = match self {
            Self::Kl => kl::search(histogram.counts()).map(at_bin).map(|clipped| if_it_pays(histogram, clipped)),
            Self::KlNcnn => kl::search(histogram.counts()).map(at_bin),
            Self::KlTextbook => {
                kl_textbook::search(histogram.counts()).map(|(bin, divergence)| at_bin((bin, divergence as f32)))
            }
            Self::Mse => squared_error::search(histogram),
            Self::AbsMax => (histogram.total() > 0).then(|| Threshold::whole_range(histogram)),
        };
        // A range next to the smallest floats can give a threshold that no finite scale reaches.
        threshold.filter(|threshold| threshold.scale().is_finite()).unwrap_or(Threshold::DEAD)
    }
}

/// `threshold`, or the whole range if that costs less squared error.
fn if_it_pays(histogram: &Histogram, threshold: Threshold) -> Threshold {
    let whole = Threshold::whole_range(histogram);
    let error = |threshold: &Threshold| squared_error::expected_squared_error(histogram, threshold.value);
    if error(&threshold) <= error(&whole) { threshold } else { whole }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Rule {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        let rule = Self::ALL.iter().copied().find(|rule| rule.name() == name);
        rule.ok_or_else(|| Error::UnknownRule { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_is_found_by_its_name() {
        for &rule in Rule::ALL {
            assert_eq!(rule.to_string().parse(), Ok(rule));
        }
        let error = "kld".parse::<Rule>().unwrap_err();
        assert_eq!(error.to_string(), r#"no rule is called "kld", known are kl, kl-ncnn, kl-textbook, mse, absmax"#);
    }

    #[test]
    fn a_tensor_of_zeros_is_dead_under_every_rule() {
        let mut zeros = Histogram::new(0.0).unwrap();
        zeros.add(&[0.0; 9]);
        let mut faint = Histogram::new(1e-45).unwrap();
        faint.add(&[1e-45; 9]);
        let empty = Histogram::new(3.0).unwrap();
        for histogram in [zeros, faint, empty] {
            for &rule in Rule::ALL {
                let threshold = rule.threshold(&histogram);
                assert!(threshold.dead, "{rule} of {} values", histogram.total());
                assert_eq!((threshold.value, threshold.scale()), (127.0, 1.0));
            }
        }
    }

    #[test]
    fn kl_clips_a_thin_tail_but_not_everything_beyond_a_spike() {
        // A spike at 0.4 of the range and an even spread: ncnn's search cuts behind the spike.
        let mut counts = vec![10; Histogram::BINS];
        counts[820] = 200_000;
        let spike = Histogram::from_counts(1.0, &counts).unwrap();
        assert!(Rule::KlNcnn.threshold(&spike).value < 0.5);
        assert_eq!(Rule::Kl.threshold(&spike).value, 1.0);
        // A bell of width 200 bins and one outlier at the end.
        let mut counts: Vec<u64> =
            (0..Histogram::BINS).map(|bin| (1e6 * (-(bin as f64 / 200.0).powi(2)).exp()) as u64).collect();
        counts[2047] = 1;
        let outlier = Histogram::from_counts(1.0, &counts).unwrap();
        assert_eq!(Rule::Kl.threshold(&outlier), Rule::KlNcnn.threshold(&outlier));
        assert!(Rule::Kl.threshold(&outlier).value < 0.6);
    }

    #[test]
    fn the_absolute_maximum_clips_nothing() {
        let mut histogram = Histogram::new(4.0).unwrap();
        histogram.add(&[1.0, -4.0]);
        let threshold = Rule::AbsMax.threshold(&histogram);
        assert_eq!(threshold, Threshold { value: 4.0, bin: None, divergence: None, dead: false });
    }
}
