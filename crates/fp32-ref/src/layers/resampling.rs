//! The source positions and weights of a resized axis.

/// Up to four source positions whose weighted values make one output value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taps {
    pub(super) sources: [usize; 4],
    pub(super) weights: [f32; 4],
    /// How many of them count.
    pub(super) len: usize,
}

/// How values between samples are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// The line through two neighbours.
    Linear,
    /// A cubic through four neighbours, A = -0.75.
    Cubic,
}

/// An axis of `size` samples stretched to `out`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Resampling {
    pub(super) method: Method,
    pub(super) size: usize,
    pub(super) out: usize,
    /// Whether first and last samples stay where they are; else the edges do.
    pub(super) align_corners: bool,
}

impl Resampling {
    /// What makes output `index`.
    pub(super) fn taps(&self, index: usize) -> Taps {
        let (start, fraction) = self.position(index);
        match self.method {
            Method::Linear => self.linear(start, fraction),
            Method::Cubic => self.cubic(start, fraction),
        }
    }

    /// The sample at or before the position of output `index`, and the way from there to the next.
    fn position(&self, index: usize) -> (i64, f32) {
        let position = if self.align_corners {
            index as f64 * ((self.size as f64 - 1.0) / (self.out as f64 - 1.0))
        } else {
            (index as f64 + 0.5) * (self.size as f64 / self.out as f64) - 0.5
        } as f32;
        // With one output and aligned corners the step is 0/0: the first sample.
        let position = if position.is_finite() { position } else { 0.0 };
        let start = position.floor();
        (start as i64, position - start)
    }

    fn linear(&self, start: i64, fraction: f32) -> Taps {
        let last = self.size as i64 - 1;
        let (start, fraction) = if start < 0 {
            (0, 0.0)
        } else if start >= last {
            (last - 1, 1.0)
        } else {
            (start, fraction)
        };
        let source = |offset: i64| (start + offset).clamp(0, last) as usize;
        Taps { sources: [source(0), source(1), 0, 0], weights: [1.0 - fraction, fraction, 0.0, 0.0], len: 2 }
    }

    fn cubic(&self, start: i64, fraction: f32) -> Taps {
        const A: f32 = -0.75;
        let outer = |x: f32| A * x * x * x - 5.0 * A * x * x + 8.0 * A * x - 4.0 * A;
        let inner = |x: f32| (A + 2.0) * x * x * x - (A + 3.0) * x * x + 1.0;
        let (w0, w1, w2) = (outer(fraction + 1.0), inner(fraction), inner(1.0 - fraction));
        // Taps beyond the edge repeat the edge.
        let source = |offset: i64| (start + offset).clamp(0, self.size as i64 - 1) as usize;
        Taps { sources: [-1, 0, 1, 2].map(source), weights: [w0, w1, w2, 1.0 - w0 - w1 - w2], len: 4 }
    }
}

impl Taps {
    /// The weighted sum of `values`.
    pub(super) fn apply(&self, values: &[f32]) -> f32 {
        let mut sum = values[self.sources[0]] * self.weights[0];
        for i in 1..self.len {
            sum += values[self.sources[i]] * self.weights[i];
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_sum_to_one_and_stay_inside() {
        for method in [Method::Linear, Method::Cubic] {
            for (size, out) in [(1, 1), (1, 4), (2, 5), (3, 7), (7, 3), (5, 1)] {
                for align_corners in [false, true] {
                    let resampling = Resampling { method, size, out, align_corners };
                    for index in 0..out {
                        let taps = resampling.taps(index);
                        let sum: f32 = taps.weights.iter().sum();
                        assert!((sum - 1.0).abs() < 1e-6);
                        assert!(taps.sources.iter().all(|&source| source < size));
                    }
                }
            }
        }
    }

    #[test]
    fn aligned_corners_keep_the_ends() {
        for method in [Method::Linear, Method::Cubic] {
            let resampling = Resampling { method, size: 3, out: 5, align_corners: true };
            let values = [1.0, 4.0, 2.0];
            assert_eq!(resampling.taps(0).apply(&values), 1.0);
            assert_eq!(resampling.taps(2).apply(&values), 4.0);
            assert_eq!(resampling.taps(4).apply(&values), 2.0);
        }
    }
}
