//! The search as ncnn's tool makes it, one candidate after the other, bin by bin.

use crate::histogram::Histogram;

/// What [`Rule::KlNcnn`](crate::Rule::KlNcnn) finds: the number of bins kept and the divergence
/// there, or `None` if all of the 2048 `counts` are 0 (or there are not 2048).
///
/// Slow, and kept as the definition: tests hold the fast search equal to it, bit for bit, and a
/// bench shows what the fast one saves. Source: ncnn's `tools/quantize/ncnn2table.cpp`.
///
/// ```
/// use histogram_kl::{Histogram, Rule, kl};
///
/// let counts: Vec<u64> = (0..2048).map(|bin| 1_000_000 / (1 + bin)).collect();
/// let threshold = Rule::KlNcnn.threshold(&Histogram::from_counts(6.0, &counts)?);
/// assert_eq!(kl::reference(&counts), threshold.and_then(|it| it.bin().zip(it.divergence())));
/// # Ok::<(), histogram_kl::Error>(())
/// ```
pub fn reference(counts: &[u64]) -> Option<(usize, f32)> {
    let total: u64 = counts.iter().fold(0, |total, &count| total.saturating_add(count));
    if total == 0 || counts.len() != Histogram::BINS {
        return None;
    }
    let p: Vec<f32> = counts.iter().map(|&count| (count as f64 / total as f64) as f32).collect();
    let mut best = (128, f32::MAX);
    for t in 128..2048 {
        let divergence = divergence(&p, t);
        if divergence < best.1 {
            best = (t, divergence);
        }
    }
    Some(best)
}

fn divergence(p: &[f32], t: usize) -> f32 {
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
    kl
}
