//! The divergence of one candidate, bit for bit as ncnn2table computes it.

use crate::divergence::{LEVELS, divergence_f32};

/// Added to every bin so that no ratio is infinite.
pub(super) const SMOOTHING: f32 = 0.0001;

/// The distribution of a histogram in f32, and room to evaluate candidates.
pub(super) struct Candidates {
    /// Share of every bin: count / total, divided in f64.
    pub(super) share: Vec<f32>,
    /// The shares plus [`SMOOTHING`]; within an evaluation the last kept bin has the clipped mass.
    pub(super) smoothed: Vec<f32>,
    expanded: Vec<f32>,
}

impl Candidates {
    /// `None` if every bin is empty.
    pub(super) fn new(counts: &[u64]) -> Option<Self> {
        let total = counts.iter().fold(0u64, |total, &count| total.saturating_add(count));
        if total == 0 {
            return None;
        }
        let share: Vec<f32> = counts.iter().map(|&count| (count as f64 / total as f64) as f32).collect();
        let smoothed = share.iter().map(|&p| SMOOTHING + p).collect();
        Some(Self { expanded: Vec::with_capacity(share.len()), share, smoothed })
    }

    /// The divergence when `kept` bins are kept, at least [`LEVELS`] and less than all.
    pub(super) fn divergence(&mut self, kept: usize) -> f32 {
        self.expand(kept);
        let own = self.smoothed[kept - 1];
        // One rounding per addition, as in ncnn; adding nothing changes nothing.
        self.smoothed[kept - 1] = self.share[kept..].iter().fold(own, |sum, &p| sum + p);
        let divergence = divergence_f32(&self.smoothed[..kept], &self.expanded);
        self.smoothed[kept - 1] = own;
        divergence
    }

    /// Averages the kept bins into levels and spreads the levels over the bins again.
    ///
    /// All edges are multiples of 1/128, so they are kept as integers over 128 and the shares of
    /// bins on an edge are exact.
    fn expand(&mut self, kept: usize) {
        let (share, expanded) = (&self.share, &mut self.expanded);
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
}
