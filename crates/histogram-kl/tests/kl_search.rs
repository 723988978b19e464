//! The fast search of ncnn's divergence against its definition.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use histogram_kl::{Histogram, Rule, kl::reference};
use proptest::collection::vec;
use proptest::prelude::*;

const BINS: usize = Histogram::BINS;

fn counts(count: impl FnMut(usize) -> u64) -> Vec<u64> {
    (0..BINS).map(count).collect()
}

/// Bin and bits of the divergence.
fn found(counts: &[u64]) -> Option<(usize, u32)> {
    let threshold = Rule::KlNcnn.threshold(&Histogram::from_counts(1.0, counts).unwrap())?;
    threshold.bin().zip(threshold.divergence().map(f32::to_bits))
}

fn defined(counts: &[u64]) -> Option<(usize, u32)> {
    reference(counts).map(|(bin, divergence)| (bin, divergence.to_bits()))
}

/// Histograms of every kind that broke a search once, or could.
fn histograms() -> impl Strategy<Value = Vec<u64>> {
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

proptest! {
    // A reference search takes tens of milliseconds, and in an emulator most of a second.
    #![proptest_config(ProptestConfig::with_cases(if cfg!(target_arch = "x86_64") { 96 } else { 12 }))]

    #[test]
    fn the_fast_search_has_the_bin_and_the_bits_of_its_definition(counts in histograms()) {
        prop_assert_eq!(found(&counts), defined(&counts));
    }
}

#[test]
fn near_ties_are_decided_by_the_same_bit() {
    // A period of 16 bins makes the divergence of many candidates nearly the same.
    for period in [2, 7, 16, 128] {
        let counts = counts(|bin| if bin % period == 0 { 1000 } else { 1 });
        assert_eq!(found(&counts), defined(&counts), "{period}");
    }
}

#[test]
fn the_largest_counts_do_not_overflow() {
    let counts = counts(|bin| if bin < 2 { u64::MAX / 2 } else { 0 });
    assert_eq!(found(&counts), defined(&counts));
}
