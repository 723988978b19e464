//! The methods of calibration, by name.

use std::fmt;
use std::str::FromStr;

use histogram_kl::Rule;
use ncnn_format::{Error, Result};

use crate::{WeightMethod, WeightRule, WinogradGuard};

/// How thresholds of activations and scales of weights are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Method {
    /// `auto`, the default: for every blob the rule whose threshold costs the outputs of the layers that
    /// read it the least squared error on calibration samples.
    #[default]
    Auto,
    /// `moving-average`: the moving average of the largest magnitudes of the samples
    /// ([`Maxima`](histogram_kl::Maxima)).
    MovingAverage,
    /// `eq`: the scales of weights and activations that, found in turn, make the cosine between the outputs of
    /// a layer in f32 and in int8 largest on calibration samples (EasyQuant).
    Eq,
    /// One rule for all blobs but the network's inputs, which are not clipped.
    Rule(Rule),
    /// `ncnn-kl`: what ncnn2table's `kl` prints, digit for digit; inputs and weights too.
    NcnnKl,
    /// `ncnn-aciq`: the same of its `aciq`.
    NcnnAciq,
}

impl From<Rule> for Method {
    fn from(rule: Rule) -> Self {
        Self::Rule(rule)
    }
}

impl Method {
    /// All methods, the default first.
    pub fn all() -> impl Iterator<Item = Self> {
        let rules = Rule::ALL.iter().copied().map(Self::Rule);
        [Self::Auto].into_iter().chain(rules).chain([Self::MovingAverage, Self::Eq, Self::NcnnKl, Self::NcnnAciq])
    }

    /// The rule for a blob, which may be an input of the whole network; `None` if the method needs more than
    /// a histogram.
    pub(super) fn rule(self, reads_network_input: bool) -> Option<Rule> {
        match self {
            Self::NcnnKl => Some(Rule::KlNcnn),
            Self::NcnnAciq => Some(Rule::AciqNcnn),
            // It searches weights for inputs too.
            Self::Eq => None,
            _ if reads_network_input => Some(Rule::AbsMax),
            Self::Rule(rule) => Some(rule),
            Self::Auto | Self::MovingAverage => None,
        }
    }

    /// How the scales of weights are chosen along with it.
    pub(super) fn weight_method(self, rule: WeightRule, guard: WinogradGuard) -> WeightMethod {
        match self {
            Self::NcnnKl => WeightMethod::Ncnn,
            Self::NcnnAciq => WeightMethod::NcnnAciq,
            _ => WeightMethod::Fitted(rule, guard),
        }
    }

    /// Whether layers are computed on patches of their inputs.
    pub(super) fn needs_patches(self) -> bool {
        matches!(self, Self::Auto | Self::Eq)
    }

    /// Checks that counts of values are enough for it, which is all that
    /// [`Statistics`](super::statistics::Statistics) have.
    ///
    /// # Errors
    /// `Invalid` if it needs the samples themselves.
    pub fn check_counts_suffice(self) -> Result<()> {
        match self {
            Self::MovingAverage | Self::Eq => Err(self.needs_samples()),
            _ => Ok(()),
        }
    }

    /// What is wrong when there are only counts.
    pub(super) fn needs_samples(self) -> Error {
        Error::invalid(format!("{self} needs the samples themselves, counts are not enough"))
    }

    /// Whether counts that are a fraction of a bin off can change the threshold by more than a bin.
    pub(super) fn needs_exact_counts(self) -> bool {
        matches!(self, Self::NcnnKl | Self::Rule(Rule::Kl | Rule::KlNcnn | Rule::KlMerge | Rule::Js))
    }

    /// Whether the tables are to be ncnn2table's, warts and all.
    pub(super) fn is_ncnns(self) -> bool {
        matches!(self, Self::NcnnKl | Self::NcnnAciq)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::MovingAverage => f.pad("moving-average"),
            Self::Eq => f.pad("eq"),
            Self::Rule(rule) => rule.fmt(f),
            Self::NcnnKl => f.pad("ncnn-kl"),
            Self::NcnnAciq => f.pad("ncnn-aciq"),
        }
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let own = [Self::Auto, Self::MovingAverage, Self::Eq, Self::NcnnKl, Self::NcnnAciq];
        if let Some(method) = own.into_iter().find(|method| method.to_string() == name) {
            return Ok(method);
        }
        match name.parse::<Rule>() {
            Ok(rule) => Ok(Self::Rule(rule)),
            Err(histogram_kl::Error::UnknownRule { .. }) => {
                let known: Vec<_> = Self::all().map(|method| method.to_string()).collect();
                Err(Error::invalid(format!("no method is called {name}; there are {}", known.join(", "))))
            }
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_is_found_by_its_name() {
        for method in Method::all() {
            assert_eq!(method.to_string().parse::<Method>().unwrap(), method);
        }
        assert_eq!("kl-textbook".parse::<Method>().unwrap(), Method::Rule(Rule::KlMerge));
        let error = "best".parse::<Method>().unwrap_err().to_string();
        assert!(error.starts_with("no method is called best; there are auto, kl, "), "{error}");
        assert!("percentile:101".parse::<Method>().unwrap_err().to_string().contains("at most 100"));
    }
}
