//! The methods of calibration, by name.

use std::fmt;
use std::str::FromStr;

use histogram_kl::Rule;
use ncnn_format::{Error, Result};

use super::strategies::{Auto, EasyQuant, MovingAverage, Ncnn, OneRule};
use super::strategy::{Strategy, needs_samples};

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

    /// What the method does.
    pub fn strategy(self) -> Box<dyn Strategy> {
        match self {
            Self::Auto => Box::new(Auto::default()),
            Self::MovingAverage => Box::new(MovingAverage),
            Self::Eq => Box::new(EasyQuant),
            Self::Rule(rule) => Box::new(OneRule(rule)),
            Self::NcnnKl => Box::new(Ncnn::Kl),
            Self::NcnnAciq => Box::new(Ncnn::Aciq),
        }
    }

    /// Checks that counts of values are enough for it, which is all that
    /// [`Statistics`](super::statistics::Statistics) have.
    ///
    /// # Errors
    /// `Invalid` if it needs the samples themselves.
    pub fn check_counts_suffice(self) -> Result<()> {
        if self.strategy().needs().counts_suffice() { Ok(()) } else { Err(needs_samples(&self.to_string())) }
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
    fn a_method_and_its_strategy_have_one_name() {
        for method in Method::all() {
            assert_eq!(method.strategy().name(), method.to_string());
        }
    }

    #[test]
    fn only_two_methods_need_the_samples_themselves() {
        for method in Method::all() {
            let needs_them = matches!(method, Method::MovingAverage | Method::Eq);
            assert_eq!(method.check_counts_suffice().is_err(), needs_them, "{method}");
        }
        let message = Method::Eq.check_counts_suffice().unwrap_err().to_string();
        assert_eq!(message, "eq needs the samples themselves, counts are not enough");
    }

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
