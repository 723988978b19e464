//! The search by Jensen–Shannon divergence.
//!
//! The candidates P and Q are those of [`kl_merge`](crate::kl_merge), and the least
//!
//! ```text
//! JS(P, Q) = ½ D(P‖M) + ½ D(Q‖M),   M = ½ (P + Q)
//!          = ½ Σ p · ln p + ½ Σ q · ln q − ½ Σ (p + q) · ln ((p + q) / 2)
//! ```
//!
//! wins, the first of equal ones. It is symmetric and at most ln 2, so a last level that holds nothing
//! but clipped values has a high price rather than an infinite one, and nothing needs smoothing.
//! Source: Lin, "Divergence measures based on the Shannon entropy", 1991; as a calibration it is the
//! "entropy" variant of OpenVINO's and MNN's tools.

use crate::divergence::{LEVELS, x_ln_x};

/// The number of bins to keep and the divergence there in nats; `None` if every bin is empty.
///
/// `counts` are the bins of a histogram, at least 128.
pub(crate) fn search(counts: &[u64]) -> Option<(usize, f64)> {
    let shares = Shares::new(counts)?;
    let mut best: Option<(usize, f64)> = None;
    for kept in LEVELS..=counts.len() {
        let divergence = shares.divergence(kept, best.map_or(f64::INFINITY, |(_, least)| least));
        if best.is_none_or(|(_, least)| divergence < least) {
            best = Some((kept, divergence));
        }
    }
    best
}

/// Counts and what sums over the first bins are needed.
struct Shares<'a> {
    counts: &'a [u64],
    /// Element i is the sum over bins `0..i`.
    sums: Vec<u64>,
    total: f64,
}

impl<'a> Shares<'a> {
    fn new(counts: &'a [u64]) -> Option<Self> {
        let mut sum = 0u64;
        let sums: Vec<u64> = std::iter::once(0)
            .chain(counts.iter().map(|&count| {
                sum = sum.saturating_add(count);
                sum
            }))
            .collect();
        (sum > 0).then_some(Self { counts, sums, total: sum as f64 })
    }

    /// The divergence of one candidate, or infinity as soon as it is not below `least`.
    fn divergence(&self, kept: usize, least: f64) -> f64 {
        let (inside, all) = (self.sums[kept], self.sums[self.counts.len()]);
        if inside == 0 {
            return std::f64::consts::LN_2;
        }
        let clipped = all - inside;
        let mut sum = 0.0;
        // No term is negative, so a sum that is too large already need not be finished; from the last
        // level, because clipping shows there.
        for level in (0..LEVELS).rev() {
            let (first, past) = ((level * kept).div_ceil(LEVELS), ((level + 1) * kept).div_ceil(LEVELS));
            sum += self.level(first, past, if past == kept { clipped } else { 0 }, inside as f64);
            if sum > 2.0 * least {
                return f64::INFINITY;
            }
        }
        (sum / 2.0).max(0.0)
    }

    /// Σ p ln p + q ln q − (p + q) ln((p + q) / 2) over the bins of a level.
    fn level(&self, first: usize, past: usize, clipped: u64, inside: f64) -> f64 {
        let bins = &self.counts[first..past];
        let mass = self.sums[past] - self.sums[first];
        if mass + clipped == 0 {
            return 0.0;
        }
        let last_is_new = clipped > 0 && bins.last() == Some(&0);
        let filled = bins.iter().filter(|&&count| count > 0).count() + usize::from(last_is_new);
        let q = mass as f64 / inside / filled as f64;
        let q_ln_q = x_ln_x(q);
        let mut sum = 0.0;
        for (index, &count) in bins.iter().enumerate() {
            let count = if index + 1 == bins.len() { count + clipped } else { count };
            if count > 0 {
                let p = count as f64 / self.total;
                sum += x_ln_x(p) + q_ln_q - (p + q) * ((p + q) / 2.0).ln();
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::divergence;
    use crate::kl_merge::tests::{merged, sparse_tail};

    fn plain(counts: &[u64], kept: usize) -> f64 {
        let [p, q] = merged(counts, kept).unwrap();
        let m: Vec<f64> = p.iter().zip(&q).map(|(p, q)| (p + q) / 2.0).collect();
        (divergence(&p, &m) + divergence(&q, &m)) / 2.0
    }

    #[test]
    fn the_sum_over_levels_is_the_divergence_of_both_from_their_mean() {
        let counts = sparse_tail();
        let shares = Shares::new(&counts).unwrap();
        for kept in (128..=2048).step_by(13) {
            let (found, expected) = (shares.divergence(kept, f64::INFINITY), plain(&counts, kept));
            assert!((found - expected).abs() < 1e-12, "{kept}: {found} instead of {expected}");
        }
    }

    #[test]
    fn the_least_divergence_wins() {
        let counts = sparse_tail();
        let (kept, least) = search(&counts).unwrap();
        assert!((128..=2048).all(|other| plain(&counts, other) >= least - 1e-12), "{kept} {least}");
        assert_eq!(search(&[0; 2048]), None);
    }

    #[test]
    fn a_level_of_nothing_but_clipped_values_has_a_finite_price() {
        let mut counts = [0; 2048];
        counts[0] = 1000;
        counts[2047] = 1;
        let shares = Shares::new(&counts).unwrap();
        let expected = std::f64::consts::LN_2 / 1001.0 / 2.0;
        assert!((shares.divergence(128, f64::INFINITY) - expected).abs() < 1e-6);
        assert_eq!(Shares::new(&counts[1..]).unwrap().divergence(128, f64::INFINITY), std::f64::consts::LN_2);
    }
}
