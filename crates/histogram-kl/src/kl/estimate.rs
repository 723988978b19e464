//! The divergence of a candidate in f64 by prefix sums, and how far ncnn's f32 may be from it.
//!
//! With c the smoothed share of a bin, Q the mean of a level and E what the level gives back to a bin,
//!
//! ```text
//! Σ c · ln(c / E) = Σ_bins c · ln c − Σ_levels (Σ c of its whole bins) · ln(0.0001 + Q)
//!                                   − Σ_edges c · ln(0.0001 + shares of both levels)
//! ```
//!
//! so a candidate costs a step per level.
//!
//! # How far f32 may be
//!
//! u = 2⁻²⁴ is half a unit in the last place of 1. All quantities are positive but the logarithm.
//!
//! * E: a mean of b bins takes b + 2 roundings, spreading it 3 more, the division c / E one more. A
//!   relative error of n · u before a logarithm is an absolute one of n · u after it, so of all terms
//!   Σ c · n · u.
//! * The logarithm itself (taken to be within 4 units in its last place; C libraries are within 1) and
//!   the product: 9 u · Σ|term|. As ln x ≥ 1 − 1 / x, a term is at least c − E, so negative terms sum
//!   to no less than −ΣE and Σ|term| ≤ Σ term + 2 ΣE.
//! * The sum: an addition is wrong by at most u times its result, so all of them by u · Σ|partial
//!   sums|. Within a level, a partial sum is above the one before the level minus ΣE of the level, and
//!   below the one after it plus the same.
//! * The clipped mass, added bin by bin to the last kept one: a rounding per bin that is not empty,
//!   so Δc ≤ that many u · c, which moves the term by Δc · (|ln(c / E)| + 1).

use super::candidate::{Candidates, SMOOTHING};
use crate::divergence::LEVELS;
use crate::ln::{self, ln};

/// Half a unit in the last place of 1.
const U: f64 = 1.0 / (1 << 24) as f64;
/// More than what second order terms add to any bound.
const ROOM: f64 = 1.02;

/// Where the f32 divergence of a candidate lies: `divergence ± error`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Estimate {
    pub(super) divergence: f64,
    pub(super) error: f64,
}

/// Sums over the first bins, element i over bins `0..i`, and the bins themselves, in f64.
pub(super) struct Estimator {
    share: Vec<f64>,
    smoothed: Vec<f64>,
    mass: Vec<f64>,
    smoothed_sum: Vec<f64>,
    entropy: Vec<f64>,
    /// Bins that are not empty.
    filled: Vec<u32>,
}

impl Estimator {
    pub(super) fn new(candidates: &Candidates) -> Self {
        let share: Vec<f64> = candidates.share.iter().map(|&p| f64::from(p)).collect();
        let smoothed: Vec<f64> = candidates.smoothed.iter().map(|&c| f64::from(c)).collect();
        Self {
            mass: prefix(share.iter().copied()),
            smoothed_sum: prefix(smoothed.iter().copied()),
            entropy: prefix(smoothed.iter().map(|&c| c * c.ln())),
            filled: prefix(share.iter().map(|&p| u32::from(p > 0.0))),
            share,
            smoothed,
        }
    }

    /// The estimate when `kept` bins are kept, at least [`LEVELS`] and less than all.
    pub(super) fn estimate(&self, kept: usize) -> Estimate {
        let levels = self.levels(kept);
        let bins = self.share.len();
        let beyond = self.mass[bins] - self.mass[kept];
        let last = self.smoothed[kept - 1] + beyond;
        let mut sums = Sums::default();
        for level in 0..LEVELS {
            let (start, end) = (level * kept / LEVELS, (level + 1) * kept / LEVELS);
            let mut entropy = self.entropy[end] - self.entropy[start];
            let mut whole = levels.whole[level];
            if level + 1 == LEVELS {
                entropy += last * last.ln() - (self.entropy[kept] - self.entropy[kept - 1]);
                whole += beyond;
            }
            let given =
                whole * f64::from(levels.ln_whole[level]) + levels.edge[level] * f64::from(levels.ln_edge[level]);
            let terms = entropy - given;
            let spread = levels.spread[level];
            sums.add(terms, spread, (end - start) as f64);
        }
        let roundings = (bins / LEVELS + 12) as f64;
        let clipped = last * f64::from(self.filled[bins] - self.filled[kept]);
        // Beside our logarithm, its argument is rounded.
        let ln_error = (ln::ERROR + U) * (self.smoothed_sum[kept] + beyond);
        let error = sums.partial
            + roundings * (self.smoothed_sum[kept] + beyond)
            + 9.0 * (sums.terms.abs() + 2.0 * sums.spread)
            + clipped * ((last.ln() - f64::from(levels.ln_whole[LEVELS - 1])).abs() + 1.0);
        Estimate { divergence: sums.terms, error: U * ROOM * error + ln_error }
    }

    /// Less than the f32 divergence, in a few steps.
    ///
    /// Merging terms lowers their sum (the log sum inequality: Σ c · ln(c / E) ≥ Σc · ln(Σc / ΣE)), so the
    /// last bin and all others as one term show what clipping alone costs. As every error above is below
    /// 0.0005 · (1 + divergence), twice that is taken off.
    pub(super) fn floor(&self, kept: usize) -> f64 {
        let smoothing = f64::from(SMOOTHING);
        let beyond = self.mass[self.share.len()] - self.mass[kept];
        let last = self.smoothed[kept - 1] + beyond;
        let others = self.smoothed_sum[kept - 1];
        // The lower edge of the last level.
        let (edge, share) = (127 * kept / LEVELS, (127 * kept % LEVELS) as f64 / LEVELS as f64);
        let mean = (self.mass[kept] - self.mass[edge] - share * self.share[edge]) * LEVELS as f64 / kept as f64;
        let to_last = smoothing + mean;
        let to_others = smoothing * (kept - 1) as f64 + self.mass[kept] - mean;
        let divergence = last * (last / to_last).ln() + others * (others / to_others).ln();
        divergence * 0.999 - 0.001
    }

    fn levels(&self, kept: usize) -> Levels {
        let smoothing = f64::from(SMOOTHING);
        let per_bin = LEVELS as f64 / kept as f64;
        let mut levels = Levels::default();
        let (mut first, mut share_before) = (0, 0.0);
        let (mut mass, mut mean_before) = (0.0, 0.0);
        for level in 0..LEVELS {
            let position = (level + 1) * kept;
            let (past, share) = (position / LEVELS, (position % LEVELS) as f64 / LEVELS as f64);
            let mass_to_end = self.mass[past] + share * self.share[past];
            let mean = (mass_to_end - mass) * per_bin;
            let whole = first + usize::from(share_before > 0.0);
            levels.whole[level] = self.smoothed_sum[past] - self.smoothed_sum[whole];
            let to_whole = smoothing + mean;
            let to_edge = to_whole + share_before * (mean_before - mean);
            levels.ln_whole[level] = to_whole as f32;
            levels.ln_edge[level] = to_edge as f32;
            levels.edge[level] = if share_before > 0.0 { self.smoothed[first] } else { 0.0 };
            levels.spread[level] = (past - whole) as f64 * to_whole + to_edge;
            (first, share_before, mass, mean_before) = (past, share, mass_to_end, mean);
        }
        levels.ln_whole.iter_mut().for_each(|e| *e = ln(*e));
        levels.ln_edge.iter_mut().for_each(|e| *e = ln(*e));
        levels
    }
}

/// What every level of a candidate holds. A bin shared by two levels is the edge of the second.
struct Levels {
    /// Sum of the smoothed shares of its whole bins, clipped mass left out.
    whole: [f64; LEVELS],
    /// Logarithm of what it gives to each of them.
    ln_whole: [f32; LEVELS],
    /// Smoothed share of the bin on its lower edge; 0 if the edge is between bins.
    edge: [f64; LEVELS],
    /// Logarithm of what that bin is given.
    ln_edge: [f32; LEVELS],
    /// At least the sum of all that is given to its bins.
    spread: [f64; LEVELS],
}

impl Default for Levels {
    fn default() -> Self {
        let zeros = [0.0; LEVELS];
        Self { whole: zeros, ln_whole: [0.0; LEVELS], edge: zeros, ln_edge: [0.0; LEVELS], spread: zeros }
    }
}

/// Sums over the levels so far.
#[derive(Default)]
struct Sums {
    terms: f64,
    spread: f64,
    /// At least the sum of the magnitudes of all partial sums, bin by bin.
    partial: f64,
}

impl Sums {
    fn add(&mut self, terms: f64, spread: f64, bins: f64) {
        let after = self.terms + terms;
        self.partial += bins * (self.terms.abs().max(after.abs()) + spread);
        self.spread += spread;
        self.terms = after;
    }
}

/// Element i of the result is the sum of the first i values.
fn prefix<T: Copy + Default + std::ops::Add<Output = T>>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut sum = T::default();
    let sums = values.map(|value| {
        sum = sum + value;
        sum
    });
    std::iter::once(T::default()).chain(sums).collect()
}
