//! The fast search of ncnn's divergence against its definition.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use histogram_kl::{Histogram, Rule, kl::reference};
use histograms::{counts, histograms};
use proptest::prelude::*;

#[path = "common/histograms.rs"]
mod histograms;

/// Bin and bits of the divergence.
fn found(counts: &[u64]) -> Option<(usize, u32)> {
    let threshold = Rule::KlNcnn.threshold(&Histogram::from_counts(1.0, counts).unwrap())?;
    threshold.bin().zip(threshold.divergence().map(f32::to_bits))
}

fn defined(counts: &[u64]) -> Option<(usize, u32)> {
    reference(counts).map(|(bin, divergence)| (bin, divergence.to_bits()))
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
