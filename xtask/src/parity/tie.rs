//! Thresholds between which the divergence cannot choose.
//!
//! A divergence curve can have two minima of almost the same depth. Which of them is
//! lower then depends on the order of fp32 sums in the network. Measured on the
//! input of `convdwclip_3` of the MobileNetV2 fixture, where 1311 and 1547 bins
//! compete: the second is worse by 0.04 % in our executor and by 0.007 % in ncnn with
//! packing, Winograd and sgemm off, and better by 0.0003 % in ncnn with its defaults,
//! so ncnn disagrees with itself. Such a pair is reported, but not as an error.

/// Levels of the int8 code that hold positive values.
const LEVELS: usize = 128;
/// What ncnn adds to every bin.
const SMOOTHING: f64 = 0.0001;
/// Two divergences closer than this, relative to each other, are a tie: somewhat more
/// than another order of sums was seen to move them, less than a few bins do.
const TIE: f64 = 1e-3;

/// Whether keeping `a` bins of `counts` is as good as keeping `b`.
pub(crate) fn is_tie(counts: &[u64], a: usize, b: usize) -> bool {
    let (a, b) = (divergence(counts, a), divergence(counts, b));
    // False for NaN.
    (a - b).abs() <= TIE * a.abs().min(b.abs())
}

/// ncnn's divergence for `kept` bins (`tools/quantize/ncnn2table.cpp`) in f64; NaN where there is none.
fn divergence(counts: &[u64], kept: usize) -> f64 {
    if !(LEVELS..counts.len()).contains(&kept) {
        return f64::NAN;
    }
    let total: u64 = counts.iter().sum();
    let share: Vec<f64> = counts.iter().map(|&count| count as f64 / total as f64).collect();
    let tail: f64 = share[kept..].iter().sum();
    let mut sum = 0.0;
    for (bin, expanded) in expanded(&share, kept).into_iter().enumerate() {
        let clipped = SMOOTHING + share[bin] + if bin + 1 == kept { tail } else { 0.0 };
        sum += clipped * (clipped / (SMOOTHING + expanded)).ln();
    }
    sum
}

/// The kept bins averaged into levels and spread over the bins again.
fn expanded(share: &[f64], kept: usize) -> Vec<f64> {
    let width = kept as f64 / LEVELS as f64;
    let mut expanded = vec![0.0; kept];
    for level in 0..LEVELS {
        let (start, end) = (level as f64 * width, (level + 1) as f64 * width);
        let bins = start as usize..(end.ceil() as usize).min(kept);
        // How much of a bin lies in the level; all numbers are multiples of 1/128 and exact.
        let part = |bin: usize| end.min((bin + 1) as f64) - start.max(bin as f64);
        let mean = bins.clone().map(|bin| part(bin) * share[bin]).sum::<f64>() / width;
        for bin in bins {
            expanded[bin] += part(bin) * mean;
        }
    }
    expanded
}

#[cfg(test)]
mod tests {
    use histogram_kl::{Histogram, Rule};

    use super::*;

    fn bell() -> Vec<u64> {
        (0..2048)
            .map(|bin| (1e6 * (-(f64::from(bin) / 300.0).powi(2)).exp()) as u64 + u64::from(bin % 97 == 0))
            .collect()
    }

    #[test]
    fn the_divergence_is_that_of_the_search() {
        let histogram = Histogram::from_counts(1.0, &bell()).unwrap();
        let found = Rule::KlNcnn.threshold(&histogram).unwrap();
        let expected = f64::from(found.divergence().unwrap());
        let divergence = divergence(&bell(), found.bin().unwrap());
        assert!((divergence - expected).abs() < 1e-3 * expected, "{divergence} {expected}");
    }

    #[test]
    fn a_bin_ties_with_itself_and_not_with_a_bad_one() {
        let best = Rule::KlNcnn.threshold(&Histogram::from_counts(1.0, &bell()).unwrap()).unwrap().bin().unwrap();
        assert!(is_tie(&bell(), best, best));
        assert!(!is_tie(&bell(), best, 130));
        assert!(!is_tie(&bell(), best, 5000));
    }
}
