//! What every rule makes of the same distribution: two passes over activations with a long tail.

use histogram_kl::{Error, Histogram, Range, Rule, expected_squared_error, sqnr_db};

/// Magnitudes that decay exponentially, as behind most convolutions, of both signs.
fn activations(seed: u32, number: usize) -> Vec<f32> {
    let mut state = seed;
    let mut uniform = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    (0..number).map(|i| -(1.0 - uniform()).ln() * if i % 2 == 0 { 1.0 } else { -1.0 }).collect()
}

/// The share of values that are clipped, in per cent.
fn clipped(histogram: &Histogram, threshold: f32) -> f64 {
    let centre = |bin: usize| (bin as f32 + 0.5) * histogram.bin_width();
    let beyond = |&(bin, _): &(usize, &u64)| centre(bin) > threshold;
    let beyond: u64 = histogram.counts().iter().enumerate().filter(beyond).map(|(_, count)| count).sum();
    100.0 * beyond as f64 / histogram.total() as f64
}

fn main() -> Result<(), Error> {
    let batches: Vec<Vec<f32>> = (1..=8).map(|batch| activations(batch, 50_000)).collect();

    // Each batch could be a thread of its own: ranges and histograms merge in any order.
    let mut range = Range::default();
    batches.iter().for_each(|batch| range.add(batch));
    let mut histogram = Histogram::new(range.absmax())?;
    for batch in &batches {
        let mut shard = Histogram::new(range.absmax())?;
        shard.add(batch);
        histogram.merge(&shard)?;
    }

    println!("{:<20} {:>9} {:>9} {:>9} {:>10} {:>8}", "rule", "threshold", "scale", "clipped", "error", "SQNR");
    for &rule in Rule::ALL {
        let Some(threshold) = rule.threshold(&histogram) else {
            println!("{rule:<20} chooses nothing");
            continue;
        };
        let value = threshold.value();
        let sqnr = sqnr_db(&histogram, value, 127).map_or_else(|| "-".to_owned(), |db| format!("{db:.1} dB"));
        println!(
            "{:<20} {value:>9.4} {:>9.4} {:>7.3} % {:>10.3e} {sqnr:>8}",
            rule.to_string(),
            threshold.scale(),
            clipped(&histogram, value),
            expected_squared_error(&histogram, value),
        );
    }
    Ok(())
}
