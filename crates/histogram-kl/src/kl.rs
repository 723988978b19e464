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
//! Every operation is f32 in the order of spec §5.4, because the order decides which T wins among
//! near ties. Differences from the textbook form (see [`kl_textbook`](crate::kl_textbook)): empty
//! bins take part in the mean of a level, 0.0001 is added to every bin, and nothing is normalised
//! again.
//!
//! 1. All edges are multiples of 1/128, so they are kept as integers over 128 and the shares are
//!    exact.
//! 2. The clipped mass of all T is summed side by side: the additions of one T stay in their order,
//!    and those of different T do not depend on each other.

use crate::divergence::divergence_f32;

/// Levels of the int8 code that hold positive values.
const LEVELS: usize = 128;
/// Added to every bin so that no ratio is infinite.
const SMOOTHING: f32 = 0.0001;

/// The number of bins to keep and the divergence there; `None` if every bin is empty.
///
/// `counts` are the bins of a histogram, more than 128.
pub(crate) fn search(counts: &[u64]) -> Option<(usize, f32)> {
    let total: u64 = counts.iter().fold(0, |total, &count| total.saturating_add(count));
    if total == 0 {
        return None;
    }
    let share: Vec<f32> = counts.iter().map(|&count| (count as f64 / total as f64) as f32).collect();
    let smoothed: Vec<f32> = share.iter().map(|&p| SMOOTHING + p).collect();
    let last_bins = clipped_into_last(&share, &smoothed);
    let mut clipped = smoothed.clone();
    let mut expanded = Vec::with_capacity(counts.len());
    let mut best = (LEVELS, f32::MAX);
    for kept in LEVELS..counts.len() {
        clipped[kept - 1] = last_bins[kept];
        expand(&share, kept, &mut expanded);
        let divergence = divergence_f32(&clipped[..kept], &expanded);
        clipped[kept - 1] = smoothed[kept - 1];
        if divergence < best.1 {
            best = (kept, divergence);
        }
    }
    Some(best)
}

/// For every number of kept bins, the last of them with all the mass beyond it.
fn clipped_into_last(share: &[f32], smoothed: &[f32]) -> Vec<f32> {
    let mut last: Vec<f32> = std::iter::once(0.0).chain(smoothed.iter().copied()).collect();
    for (bin, &p) in share.iter().enumerate().skip(LEVELS).filter(|&(_, &p)| p != 0.0) {
        for last in &mut last[LEVELS..=bin] {
            *last += p;
        }
    }
    last
}

/// Averages the kept bins into levels and spreads the levels over the bins again.
fn expand(share: &[f32], kept: usize, expanded: &mut Vec<f32>) {
    expanded.clear();
    expanded.resize(kept, SMOOTHING);
    let over = |numerator: usize| numerator as f32 / LEVELS as f32;
    let width = over(kept);
    for level in 0..LEVELS {
        let (start, end) = (level * kept, (level + 1) * kept);
        let (first, past) = (start.div_ceil(LEVELS), end / LEVELS);
        let left = over(first * LEVELS - start);
        let right = over(end - past * LEVELS);
        let mut sum = 0f32;
        if left > 0.0 {
            sum += left * share[first - 1];
        }
        if right > 0.0 {
            sum += right * share[past];
        }
        for &p in &share[first..past] {
            sum += p;
        }
        let mean = sum / width;
        if left > 0.0 {
            expanded[first - 1] += left * mean;
        }
        if right > 0.0 {
            expanded[past] += right * mean;
        }
        for cell in &mut expanded[first..past] {
            *cell += mean;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The search as the specification words it, one candidate at a time.
    fn plain(counts: &[u64]) -> (usize, f32) {
        let total: u64 = counts.iter().sum();
        let p: Vec<f32> = counts.iter().map(|&count| (count as f64 / total as f64) as f32).collect();
        let mut best = (128, f32::MAX);
        for t in 128..2048usize {
            let mut clip: Vec<f32> = p[..t].iter().map(|&p| 0.0001 + p).collect();
            for &beyond in &p[t..] {
                clip[t - 1] += beyond;
            }
            let width = t as f32 / 128.0;
            let mut e = vec![0.0001f32; t];
            for j in 0..128 {
                let start = if j == 127 { t as f32 - width } else { j as f32 * width };
                let end = if j == 127 { t as f32 } else { start + width };
                let (left_upper, right_lower) = (start.ceil(), end.floor());
                let (left_part, right_part) = (left_upper - start, end - right_lower);
                let (from, to) = (left_upper as usize, right_lower as usize);
                let mut sum = 0f32;
                if left_part > 0.0 {
                    sum += left_part * p[from - 1];
                }
                if right_part > 0.0 {
                    sum += right_part * p[to];
                }
                p[from..to].iter().for_each(|&p| sum += p);
                let q = sum / ((to - from) as f32 + left_part + right_part);
                if left_part > 0.0 {
                    e[from - 1] += left_part * q;
                }
                if right_part > 0.0 {
                    e[to] += right_part * q;
                }
                e[from..to].iter_mut().for_each(|cell| *cell += q);
            }
            let mut kl = 0f32;
            for i in 0..t {
                kl += clip[i] * (clip[i] / e[i]).ln();
            }
            if kl < best.1 {
                best = (t, kl);
            }
        }
        best
    }

    #[test]
    fn the_fast_search_has_the_bits_of_the_plain_one() {
        let mut s = 12345u32;
        let mut next = || {
            s = s.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(s >> 8) / f64::from(1 << 24)
        };
        let mut shapes: Vec<(&str, Vec<u64>)> = Vec::new();
        let mut shape = |name, count: fn(f64, f64) -> u64| {
            shapes.push((name, (0..2048).map(|bin| count(f64::from(bin), next())).collect()));
        };
        shape("exponential", |i, u| (1e6 * (-i / 150.0).exp() * (0.5 + u)) as u64);
        shape("sparse tail", |i, u| (300.0 * (-i / 80.0).exp()) as u64 + u64::from(u > 0.98));
        shape("uniform", |_, u| (1000.0 * u) as u64);
        shape("outlier", |i, _| if i < 60.0 { 50 } else { u64::from(i > 2046.5) });
        shape("huge", |i, u| (1e15 * (-i / 500.0).exp() * u) as u64);
        for (name, counts) in shapes {
            let (fast, slow) = (search(&counts).unwrap(), plain(&counts));
            assert_eq!((fast.0, fast.1.to_bits()), (slow.0, slow.1.to_bits()), "{name}");
        }
    }

    #[test]
    fn empty_bins_have_no_divergence() {
        assert_eq!(search(&[0; 2048]), None);
    }
}
