//! What a method of calibration is: the evidence that it asks for, and what it makes of it.

use ncnn_format::{Error, Result};

use super::decision::Decision;
use super::evidence::Evidence;
use crate::weight_scales::{WeightMethod, WeightRule};
use crate::winograd::WinogradGuard;

/// Chooses a threshold for every blob that an int8 layer reads.
///
/// The methods of [`Method`](super::Method) are strategies; [`calibrate_with`](super::calibrate_with) takes any
/// other. Blobs are decided one by one and on several threads, so a strategy keeps nothing between them.
///
/// ```
/// use histogram_kl::Threshold;
/// use ncnn_format::Result;
/// use quantizer::calibrate::{Decision, Evidence, Needs, Strategy};
///
/// /// Clips the upper tenth of the range, whatever lies there.
/// struct NineTenths;
///
/// impl Strategy for NineTenths {
///     fn name(&self) -> String {
///         "nine-tenths".into()
///     }
///
///     fn needs(&self) -> Needs {
///         Needs::default()
///     }
///
///     fn decide(&self, evidence: &Evidence<'_>) -> Result<Decision> {
///         Ok(Decision::clip_at(self.name(), 0.9 * evidence.range.absmax()))
///     }
/// }
/// # let _ = NineTenths;
/// ```
pub trait Strategy: Sync {
    /// What it is called in reports and messages.
    fn name(&self) -> String;

    /// What it has to know beside the range and the histogram of a blob.
    fn needs(&self) -> Needs;

    /// The threshold of a blob, and scales of its readers' weights where it searches those too.
    ///
    /// # Errors
    /// Those of computing outputs; `Invalid` when something is missing that it [needs](Self::needs).
    fn decide(&self, evidence: &Evidence<'_>) -> Result<Decision>;

    /// How the scales of weights are found before anything is decided. What ncnn2table does
    /// ([`WeightMethod::Ncnn`], [`WeightMethod::NcnnAciq`]) also leaves the accumulators of Winograd's
    /// algorithm unwatched and makes the scale of a dead blob infinite, as its tables do.
    fn weight_method(&self, rule: WeightRule, guard: WinogradGuard) -> WeightMethod {
        WeightMethod::Fitted(rule, guard)
    }
}

/// How much a strategy depends on a kind of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Need {
    /// It is not looked at, and not gathered.
    #[default]
    No,
    /// It is gathered where samples are at hand, and done without where they are not.
    Wanted,
    /// Without it nothing can be decided.
    Required,
}

impl Need {
    /// Whether it is worth gathering.
    pub fn is_wanted(self) -> bool {
        self != Self::No
    }
}

/// What a strategy has to know beside ranges and histograms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Needs {
    /// Counts in the very bins of the final range, for which samples run twice: counts that are a fraction of
    /// a bin off could change the threshold by more than a bin.
    pub exact_counts: Need,
    /// What single outputs of the readers are computed from, so that their errors can be.
    pub patches: Need,
    /// The largest magnitude of every sample.
    pub maxima: Need,
}

impl Needs {
    /// Whether stored counts are enough, without the samples that they are of.
    pub fn counts_suffice(self) -> bool {
        [self.exact_counts, self.patches, self.maxima].iter().all(|&need| need != Need::Required)
    }
}

/// What is wrong when the strategy called `name` gets only counts.
pub(super) fn needs_samples(name: &str) -> Error {
    Error::invalid(format!("{name} needs the samples themselves, counts are not enough"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_suffice_unless_something_else_is_required() {
        assert!(Needs::default().counts_suffice());
        for need in [Need::No, Need::Wanted, Need::Required] {
            for needs in [
                Needs { exact_counts: need, ..Needs::default() },
                Needs { patches: need, ..Needs::default() },
                Needs { maxima: need, ..Needs::default() },
            ] {
                assert_eq!(needs.counts_suffice(), need != Need::Required, "{needs:?}");
            }
            assert_eq!(need.is_wanted(), need != Need::No);
        }
    }

    #[test]
    fn needs_are_ordered_from_none_to_all() {
        assert!([Need::No, Need::Wanted, Need::Required].is_sorted());
        assert_eq!(Need::default(), Need::No);
    }
}
