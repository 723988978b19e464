//! The search of ncnn2table (`method=kl`), bit for bit.
//!
//! ```text
//! P[i]  = count[i] / total                                     divided in f64, rounded to f32
//! for T in 128..=2047:                                         bins kept; 2048 is never tried
//!   clip = 0.0001 + P[0..T],   clip[T−1] += P[T] + P[T+1] + … one by one
//!   Q[j] = mean of P over [j · T/128, (j+1) · T/128)           128 levels, bins shared at the edges
//!   E[i] = 0.0001 + Q of the levels that bin i lies in, by the share of each
//!   KL   = Σ clip[i] · ln(clip[i] / E[i])                      first T with the least KL wins
//! ```
//!
//! Source: ncnn's `tools/quantize/ncnn2table.cpp`. Every operation is f32 in its order, because the order
//! decides which T wins among near ties. Differences from the textbook form (see [`kl_merge`](crate::kl_merge)): empty
//! bins take part in the mean of a level, 0.0001 is added to every bin, and nothing is normalised
//! again.
//!
//! # Cost
//!
//! Whether 1000 or 2000 bins win can depend on the last bit of a sum of that many f32 terms, so no
//! other order of the sum gives the winner. But prefix sums in f64 give every candidate's divergence
//! in a step per level, and the sum of f32 terms cannot be farther from it than its roundings allow
//! (`estimate.rs` bounds them). So the f32 sum is only made for candidates that could be the least
//! one: a few dozen of 1920 in a real network. Winner and divergence have the bits of the plain search.

mod candidate;
mod estimate;
mod reference;

pub use reference::reference;

use crate::divergence::LEVELS;
use candidate::Candidates;
use estimate::Estimator;

/// The number of bins to keep and the divergence there; `None` if every bin is empty.
///
/// `counts` are the bins of a histogram, more than 128.
pub(crate) fn search(counts: &[u64]) -> Option<(usize, f32)> {
    let mut candidates = Candidates::new(counts)?;
    let estimator = Estimator::new(&candidates);
    let mut least = f64::INFINITY;
    let mut open = Vec::with_capacity(counts.len());
    for kept in (LEVELS..counts.len()).rev() {
        if estimator.floor(kept) > least {
            continue;
        }
        let estimate = estimator.estimate(kept);
        least = least.min(estimate.divergence + estimate.error);
        open.push((kept, estimate));
    }
    // The most promising first, so that the others can be ruled out without their sum.
    open.sort_by(|(_, a), (_, b)| a.divergence.total_cmp(&b.divergence));
    let mut best = (LEVELS, f32::MAX);
    for (kept, estimate) in open {
        if estimate.divergence - estimate.error <= f64::from(best.1) {
            let divergence = candidates.divergence(kept);
            if divergence < best.1 || (divergence == best.1 && kept < best.0) {
                best = (kept, divergence);
            }
        }
    }
    Some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn estimates_hold_the_single_precision_sum() {
        let wide = |bin: usize| (1e6 * (-(bin as f64) / 300.0).exp()) as u64 + (bin as u64 * 7919) % 13;
        let spiky = |bin: usize| if bin.is_multiple_of(37) { 1u64 << (bin % 50) } else { 0 };
        for counts in [(0..2048).map(wide).collect::<Vec<_>>(), (0..2048).map(spiky).collect()] {
            let mut candidates = Candidates::new(&counts).unwrap();
            let estimator = Estimator::new(&candidates);
            for kept in LEVELS..2048 {
                let (found, estimate) = (f64::from(candidates.divergence(kept)), estimator.estimate(kept));
                assert!(estimator.floor(kept) <= found, "{kept}: {found}");
                assert!((found - estimate.divergence).abs() <= estimate.error, "{kept}: {found} {estimate:?}");
            }
        }
    }

    #[test]
    fn empty_bins_have_no_divergence() {
        assert_eq!((search(&[0; 2048]), reference(&[0; 2048])), (None, None));
    }
}
