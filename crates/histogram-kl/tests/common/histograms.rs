//! Counts of every kind that broke a search once, or could.

use histogram_kl::Histogram;
use proptest::collection::vec;
use proptest::prelude::*;

const BINS: usize = Histogram::BINS;

/// A count for every bin.
pub(crate) fn counts(count: impl FnMut(usize) -> u64) -> Vec<u64> {
    (0..BINS).map(count).collect()
}

/// All kinds.
pub(crate) fn histograms() -> impl Strategy<Value = Vec<u64>> {
    let even = (0..3u64).prop_map(|count| vec![count; BINS]);
    let one_bin = (0..BINS, 1..u64::MAX).prop_map(|(at, count)| counts(|bin| if bin == at { count } else { 0 }));
    let sparse = vec((0..BINS, 1..1000u64), 0..40).prop_map(|filled| {
        let mut counts = vec![0; BINS];
        filled.into_iter().for_each(|(bin, count)| counts[bin] = count);
        counts
    });
    let noise = vec(0..1u64 << 40, BINS);
    let magnitudes = vec((0..48u32, any::<bool>()), BINS)
        .prop_map(|bins| bins.into_iter().map(|(bits, filled)| if filled { 1 << bits } else { 0 }).collect());
    let decay = (1.0..900.0f64, 1.0..9e12f64, vec(0..3u64, BINS), 0..BINS, 0..1u64 << 40).prop_map(
        |(width, height, noise, at, spike)| {
            counts(|bin| {
                (height * (-(bin as f64) / width).exp()) as u64 + noise[bin] + if bin == at { spike } else { 0 }
            })
        },
    );
    let few_samples = (1.0..400.0f64, vec(0.0..1.0f64, 1..400)).prop_map(|(width, values)| {
        let mut counts = vec![0; BINS];
        values.into_iter().for_each(|u| counts[((-(1.0 - u).ln() * width) as usize).min(BINS - 1)] += 1);
        counts
    });
    prop_oneof![1 => even, 1 => one_bin, 2 => sparse, 1 => noise, 1 => magnitudes, 4 => decay, 2 => few_samples]
}
