//! The rules that choose a threshold, by name.

use std::fmt;
use std::str::FromStr;

use crate::error::Error;
use crate::histogram::Histogram;
use crate::percentile::Percent;
use crate::threshold::Threshold;
use crate::{aciq, js, kl, kl_merge, percentile, squared_error};

/// How a threshold is chosen from a histogram.
///
/// ```
/// use histogram_kl::{Histogram, Rule};
///
/// let mut histogram = Histogram::new(10.0)?;
/// histogram.add(&[1.0; 9999]);
/// histogram.add(&[10.0]);
/// let rule: Rule = "percentile:99.9".parse()?;
/// let threshold = rule.threshold(&histogram);
/// assert!(threshold.is_some_and(|it| it.value() < 1.01), "{rule}: {threshold:?}");
/// assert_eq!(Rule::AbsMax.threshold(&histogram).map(|it| it.value()), Some(10.0));
/// # Ok::<(), histogram_kl::Error>(())
/// ```
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
    /// `kl-merge`, also `kl-textbook`: the search as it is taught (see [`kl_merge`]).
    KlMerge,
    /// `js`: the least Jensen–Shannon divergence (see [`js`]).
    Js,
    /// `mse`: least expected squared error (see [`squared_error`]).
    Mse,
    /// `percentile:99.99`: a share of the values is not clipped (see [`percentile`]).
    Percentile(Percent),
    /// `aciq-gauss`: least expected error of a fitted Gauss distribution (see [`aciq`]).
    AciqGauss,
    /// `aciq-laplace`: the same of a Laplace distribution (see [`aciq`]).
    AciqLaplace,
    /// `aciq-ncnn`: the formula of ncnn2table, from the maximum and the number of elements
    /// (see [`aciq`]). The one rule that may go beyond the range.
    AciqNcnn,
    /// `absmax`: the whole range, nothing is clipped.
    AbsMax,
}

impl Rule {
    /// Every rule, with the usual percentages.
    pub const ALL: &[Self] = &[
        Self::Kl,
        Self::KlNcnn,
        Self::KlMerge,
        Self::Js,
        Self::Mse,
        Self::Percentile(Percent::literal(99_900_000)),
        Self::Percentile(Percent::literal(99_990_000)),
        Self::Percentile(Percent::literal(99_999_000)),
        Self::AciqGauss,
        Self::AciqLaplace,
        Self::AciqNcnn,
        Self::AbsMax,
    ];

    /// The threshold that this rule chooses for a histogram of one tensor.
    ///
    /// `None` if nothing but zeros was seen, or values so small (or, under `aciq-ncnn`, so large) that
    /// no threshold is finite with a finite scale: then nothing is known about the range.
    pub fn threshold(self, histogram: &Histogram) -> Option<Threshold> {
        self.threshold_of(histogram, histogram.total().saturating_add(histogram.zeros()))
    }

    /// As [`Rule::threshold`] for a histogram of several tensors of `elements` values each, which only
    /// `aciq-ncnn` looks at.
    pub fn threshold_of(self, histogram: &Histogram, elements: u64) -> Option<Threshold> {
        if histogram.absmax() == 0.0 || histogram.total() == 0 {
            return None;
        }
        let counts = histogram.counts();
        let at_bin = |(bin, divergence)| Threshold::at_bin(histogram, bin, divergence);
        let at_bin_f64 = |(bin, divergence)| Threshold::at_bin(histogram, bin, divergence as f32);
        let whole = Threshold::whole_range(histogram);
        let threshold = match self {
            Self::Kl => kl::search(counts).map(at_bin).map(|clipped| if_it_pays(histogram, clipped)),
            Self::KlNcnn => kl::search(counts).map(at_bin),
            Self::KlMerge => kl_merge::search(counts).map(at_bin_f64),
            Self::Js => js::search(counts).map(at_bin_f64),
            Self::Mse => squared_error::search(histogram),
            Self::Percentile(percent) => percentile::search(histogram, percent),
            Self::AciqGauss => aciq::gauss(histogram),
            Self::AciqLaplace => aciq::laplace(histogram),
            Self::AciqNcnn => {
                let absmax = histogram.absmax();
                Some(Threshold::unchecked(aciq::from_extreme(absmax, elements, 8).unwrap_or(absmax)))
            }
            Self::AbsMax => Some(whole),
        };
        threshold?.checked()
    }
}

/// `threshold`, or the whole range if that costs less squared error.
fn if_it_pays(histogram: &Histogram, threshold: Threshold) -> Threshold {
    let whole = Threshold::whole_range(histogram);
    let error = |threshold: &Threshold| squared_error::expected_squared_error(histogram, threshold.value());
    if error(&threshold) <= error(&whole) { threshold } else { whole }
}

impl fmt::Display for Rule {
    /// The name in options and reports.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Kl => "kl",
            Self::KlNcnn => "kl-ncnn",
            Self::KlMerge => "kl-merge",
            Self::Js => "js",
            Self::Mse => "mse",
            Self::Percentile(percent) => return write!(f, "percentile:{percent}"),
            Self::AciqGauss => "aciq-gauss",
            Self::AciqLaplace => "aciq-laplace",
            Self::AciqNcnn => "aciq-ncnn",
            Self::AbsMax => "absmax",
        };
        f.pad(name)
    }
}

impl FromStr for Rule {
    type Err = Error;

    /// A name as it is displayed, or `kl-textbook`.
    ///
    /// # Errors
    /// `UnknownRule`, naming all; `Percent` for a percentage that is none.
    fn from_str(name: &str) -> Result<Self, Error> {
        if let Some(percent) = name.strip_prefix("percentile:") {
            return Ok(Self::Percentile(percent.parse()?));
        }
        if name == "kl-textbook" {
            return Ok(Self::KlMerge);
        }
        let rule = Self::ALL.iter().copied().find(|rule| rule.to_string() == name);
        let known = || Self::ALL.iter().map(ToString::to_string).collect();
        rule.ok_or_else(|| Error::UnknownRule { name: name.to_owned(), known: known() })
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
        assert_eq!("kl-textbook".parse(), Ok(Rule::KlMerge));
        assert_eq!("percentile:99.5".parse::<Rule>().unwrap().to_string(), "percentile:99.5");
        let error = "kld".parse::<Rule>().unwrap_err().to_string();
        assert!(
            error.starts_with(r#"no rule is called "kld", known are kl, kl-ncnn, kl-merge, js, mse, perc"#),
            "{error}"
        );
        assert!("percentile:0".parse::<Rule>().unwrap_err().to_string().contains("found \"0\""));
    }

    #[test]
    fn a_tensor_of_zeros_has_no_threshold_under_any_rule() {
        let mut zeros = Histogram::new(0.0).unwrap();
        zeros.add(&[0.0; 9]);
        let mut faint = Histogram::new(1e-45).unwrap();
        faint.add(&[1e-45; 9]);
        let empty = Histogram::new(3.0).unwrap();
        for histogram in [zeros, faint, empty] {
            for &rule in Rule::ALL {
                assert_eq!(rule.threshold(&histogram), None, "{rule} of {} values", histogram.total());
            }
        }
    }

    #[test]
    fn kl_clips_a_thin_tail_but_not_everything_beyond_a_spike() {
        // A spike at 0.4 of the range and an even spread: ncnn's search cuts behind the spike.
        let mut counts = vec![10; Histogram::BINS];
        counts[820] = 200_000;
        let spike = Histogram::from_counts(1.0, &counts).unwrap();
        assert!(Rule::KlNcnn.threshold(&spike).unwrap().value() < 0.5);
        assert_eq!(Rule::Kl.threshold(&spike).unwrap().value(), 1.0);
        // A bell of width 200 bins and one outlier at the end.
        let mut counts: Vec<u64> =
            (0..Histogram::BINS).map(|bin| (1e6 * (-(bin as f64 / 200.0).powi(2)).exp()) as u64).collect();
        counts[2047] = 1;
        let outlier = Histogram::from_counts(1.0, &counts).unwrap();
        assert_eq!(Rule::Kl.threshold(&outlier), Rule::KlNcnn.threshold(&outlier));
        assert!(Rule::Kl.threshold(&outlier).unwrap().value() < 0.6);
    }

    #[test]
    fn the_absolute_maximum_clips_nothing() {
        let mut histogram = Histogram::new(4.0).unwrap();
        histogram.add(&[1.0, -4.0]);
        let threshold = Rule::AbsMax.threshold(&histogram);
        assert_eq!(threshold, Some(Threshold::new(4.0).unwrap()));
    }

    #[test]
    fn only_the_formula_of_ncnn_looks_at_the_number_of_elements() {
        let histogram = Histogram::from_counts(2.0, &[3; 2048]).unwrap();
        for &rule in Rule::ALL {
            let differs = rule.threshold_of(&histogram, 100) != rule.threshold_of(&histogram, 10_000);
            assert_eq!(differs, rule == Rule::AciqNcnn, "{rule}");
        }
    }
}
