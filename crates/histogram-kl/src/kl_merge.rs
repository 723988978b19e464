//! The search as it is taught, in f64: bins are merged into levels.
//!
//! Source: Migacz, "8-bit Inference with TensorRT", GTC 2017.
//!
//! ```text
//! for m in 128..=2048:                                    bins kept
//!   P = counts of the m bins, all beyond added to the last one, normalised
//!   Q = counts of the m bins alone, averaged into 128 levels; each level is spread evenly over its
//!       bins that are not empty in P; normalised
//!   keep the first m of least D(P‖Q)
//! ```
//!
//! P contains the clipped mass for two reasons: it then sums to the whole, and clipping has its
//! price, since Q does not contain that mass. At m = 128 every level is one bin and only clipping
//! costs; at m = 2048 only the coarseness of the levels costs.
//!
//! Bin b belongs to level `⌊b · 128 / m⌋`: whole bins, so that a level's mean is over bins that it
//! really holds.
//!
//! # Smoothing
//!
//! D(P‖Q) is infinite where P has mass and Q has none, which only the clipped mass can cause: it may
//! lie in a last bin that is empty in itself. Two cases, neither of which needs a constant:
//!
//! * The last level holds counts. The last bin then gets its even share of them, because bins count
//!   as non-empty by P. This is what a decoder would do: values clipped to the threshold are
//!   reproduced as the last level.
//! * The last level is empty. The divergence stays infinite and this m cannot win: the code would
//!   spend its topmost level on nothing but clipped values. m = 2048 clips nothing, so some
//!   candidate is always finite.
//!
//! Adding a small constant to every bin instead, as ncnn does, makes the result depend on how many
//! samples were seen and favours wide ranges when tails are sparse.
//!
//! # Cost
//!
//! With c the counts of P, S the counts of a level, n its non-empty bins and C its counts with the
//! clipped mass, all over N values of which M are not clipped,
//!
//! ```text
//! D(P‖Q) = (Σ_bins c · ln c − Σ_levels C · ln(S / n)) / N + ln(M / N)
//! ```
//!
//! so with prefix sums of counts, of non-empty bins and of c · ln c, a candidate costs one step per
//! level instead of one per bin.

use crate::divergence::{LEVELS, x_ln_x};

/// The number of bins to keep and the divergence there in nats; `None` if every bin is empty.
///
/// `counts` are the bins of a histogram, at least 128.
pub(crate) fn search(counts: &[u64]) -> Option<(usize, f64)> {
    let sums = Prefix::new(counts);
    if sums.total() == 0 {
        return None;
    }
    let mut best = None;
    for kept in LEVELS..=counts.len() {
        let divergence = sums.divergence(kept);
        if divergence < best.map_or(f64::INFINITY, |(_, least)| least) {
            best = Some((kept, divergence));
        }
    }
    best
}

/// Sums over the first bins; element i is over bins `0..i`.
struct Prefix {
    counts: Vec<u64>,
    filled: Vec<u32>,
    count_ln_count: Vec<f64>,
}

impl Prefix {
    fn new(counts: &[u64]) -> Self {
        let mut sums = Self { counts: vec![0], filled: vec![0], count_ln_count: vec![0.0] };
        let (mut total, mut filled, mut entropy) = (0u64, 0, 0.0);
        for &count in counts {
            total = total.saturating_add(count);
            filled += u32::from(count > 0);
            entropy += x_ln_x(count as f64);
            sums.counts.push(total);
            sums.filled.push(filled);
            sums.count_ln_count.push(entropy);
        }
        sums
    }

    fn total(&self) -> u64 {
        self.counts.last().copied().unwrap_or(0)
    }

    /// D(P‖Q) of one candidate.
    fn divergence(&self, kept: usize) -> f64 {
        let (total, inside) = (self.total(), self.counts[kept]);
        let clipped = total - inside;
        let last = inside - self.counts[kept - 1];
        let mut cross = 0.0;
        for level in 0..LEVELS {
            // Bins of a level: those b with ⌊b · LEVELS / kept⌋ = level.
            let (first, past) = ((level * kept).div_ceil(LEVELS), ((level + 1) * kept).div_ceil(LEVELS));
            let sum = self.counts[past] - self.counts[first];
            let mut filled = self.filled[past] - self.filled[first];
            let mut mass = sum;
            if past == kept {
                mass += clipped;
                filled += u32::from(last == 0 && clipped > 0);
            }
            if mass > 0 {
                cross += mass as f64 * (sum as f64 / f64::from(filled)).ln();
            }
        }
        let own = self.count_ln_count[kept - 1] + x_ln_x((last + clipped) as f64);
        let divergence = (own - cross) / total as f64 + (inside as f64 / total as f64).ln();
        // Without counts inside, and only then, infinities of both signs meet.
        if divergence.is_nan() { f64::INFINITY } else { divergence.max(0.0) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::divergence::divergence;

    /// P and Q of one candidate as the talk words it, bin by bin; no Q if no count is inside.
    pub(crate) fn merged(counts: &[u64], kept: usize) -> Option<[Vec<f64>; 2]> {
        let mut p: Vec<f64> = counts[..kept].iter().map(|&count| count as f64).collect();
        p[kept - 1] += counts[kept..].iter().sum::<u64>() as f64;
        let mut q = vec![0.0; kept];
        for level in 0..128 {
            let bins: Vec<usize> = (0..kept).filter(|bin| bin * 128 / kept == level).collect();
            let filled: Vec<usize> = bins.iter().copied().filter(|&bin| p[bin] > 0.0).collect();
            let sum: u64 = bins.iter().map(|&bin| counts[bin]).sum();
            filled.iter().for_each(|&bin| q[bin] = sum as f64 / filled.len() as f64);
        }
        for values in [&mut p, &mut q] {
            let sum: f64 = values.iter().sum();
            if sum == 0.0 {
                return None;
            }
            values.iter_mut().for_each(|value| *value /= sum);
        }
        Some([p, q])
    }

    fn plain(counts: &[u64], kept: usize) -> f64 {
        merged(counts, kept).map_or(f64::INFINITY, |[p, q]| divergence(&p, &q))
    }

    pub(crate) fn sparse_tail() -> Vec<u64> {
        let mut counts: Vec<u64> = (0..2048).map(|i| (5000.0 * (-f64::from(i) / 90.0).exp()) as u64).collect();
        (900..2048).step_by(31).for_each(|bin| counts[bin] += 2);
        counts[2047] += 1;
        counts
    }

    #[test]
    fn prefix_sums_give_the_divergence_of_the_plain_form() {
        let counts = sparse_tail();
        let sums = Prefix::new(&counts);
        for kept in (128..=2048).step_by(13).chain([129, 255, 256, 2047, 2048]) {
            let (fast, slow) = (sums.divergence(kept), plain(&counts, kept));
            assert!(fast == slow || (fast - slow).abs() < 1e-11, "{kept}: {fast} instead of {slow}");
        }
    }

    #[test]
    fn the_least_divergence_wins() {
        let counts = sparse_tail();
        let (kept, least) = search(&counts).unwrap();
        assert!((least - plain(&counts, kept)).abs() < 1e-11);
        assert!((128..=2048).all(|other| plain(&counts, other) >= least - 1e-11));
    }

    #[test]
    fn a_candidate_whose_last_level_holds_only_clipped_values_cannot_win() {
        let mut counts = vec![0; 2048];
        counts[0] = 1000;
        counts[2047] = 1;
        let sums = Prefix::new(&counts);
        assert_eq!(sums.divergence(128), f64::INFINITY);
        assert_eq!(search(&counts).unwrap().0, 2048, "only there does the last level hold a count of its own");
    }

    #[test]
    fn nothing_inside_is_infinitely_far_and_nothing_at_all_has_no_divergence() {
        let mut counts = vec![0; 2048];
        assert_eq!(search(&counts), None);
        counts[2047] = 5;
        assert_eq!(Prefix::new(&counts).divergence(300), f64::INFINITY);
        assert_eq!(search(&counts).unwrap(), (2048, 0.0));
    }

    #[test]
    fn at_one_bin_per_level_only_clipping_costs() {
        let counts: Vec<u64> = (0..2048).map(|i| if i < 128 { 10 + i } else { 0 }).collect();
        assert_eq!(search(&counts).unwrap().0, 128);
        assert!(Prefix::new(&counts).divergence(128) < 1e-12);
    }
}
