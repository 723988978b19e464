//! How to calibrate.

use std::str::FromStr;

use histogram_kl::Rule;
use ncnn_format::{Error, Result};

use super::method::Method;
use super::strategy::Needs;
use crate::setters::setters;
use crate::weight_scales::WeightRule;
use crate::winograd::WinogradGuard;

/// How often every sample goes through the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Passes {
    /// Once, counting in bins that grow with the values ([`GrowingHistogram`](histogram_kl::GrowingHistogram)).
    One,
    /// Twice, first for the ranges and then for the histograms, as ncnn2table does.
    Two,
}

impl FromStr for Passes {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "1" => Ok(Self::One),
            "2" => Ok(Self::Two),
            _ => Err(Error::invalid(format!("expected 1 or 2, found {text}"))),
        }
    }
}

/// How to calibrate.
///
/// ```
/// use quantizer::calibrate::{CalibrateOptions, Method};
/// use quantizer::WinogradGuard;
///
/// let options = CalibrateOptions::from(Method::Eq).with_winograd(WinogradGuard::Exact);
/// assert_eq!(options, CalibrateOptions::default().with_method(Method::Eq).with_winograd(WinogradGuard::Exact));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CalibrateOptions {
    /// How thresholds are chosen.
    pub method: Method,
    /// How often to run; `None` for twice where the method searches by divergence, else once.
    ///
    /// The least divergence often lies in one of several minima of nearly the same depth, so
    /// counts that are a little off can choose another (docs/calibration.md); thresholds by
    /// squared error stay within a bin.
    pub passes: Option<Passes>,
    /// What to do about weights that ncnn may run through Winograd. `ncnn-kl` and `ncnn-aciq` do what
    /// ncnn2table does.
    pub winograd: WinogradGuard,
    /// How far the weights of a channel reach; not asked under `ncnn-kl` and `ncnn-aciq`.
    pub weights: WeightRule,
    /// Adds up 3×3 convolutions product by product instead of by Winograd's algorithm: slower,
    /// and activations differ by about 1e-5 of the largest.
    pub plain_sums: bool,
}

impl From<Method> for CalibrateOptions {
    fn from(method: Method) -> Self {
        Self { method, ..Self::default() }
    }
}

impl From<Rule> for CalibrateOptions {
    fn from(rule: Rule) -> Self {
        Method::Rule(rule).into()
    }
}

impl CalibrateOptions {
    setters! {
        with_method(method: impl Into<Method>) "another method";
        with_passes(passes: impl Into<Option<Passes>>) "a number of passes";
        with_winograd(winograd: WinogradGuard) "another guard of sums under Winograd";
        with_weights(weights: WeightRule) "another rule for weights";
        with_plain_sums(plain_sums: bool) "convolutions without Winograd or with it";
    }

    /// The passes asked for, or those that `needs` want.
    pub(super) fn passes(self, needs: Needs) -> Passes {
        self.passes.unwrap_or(if needs.exact_counts.is_wanted() { Passes::Two } else { Passes::One })
    }
}
