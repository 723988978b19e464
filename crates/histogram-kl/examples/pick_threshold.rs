//! Chooses how far eight bits should reach over values of which one lies far away.

use histogram_kl::{Error, GrowingHistogram, Rule};

fn main() -> Result<(), Error> {
    // Activations, in as many batches as there are; here a wave behind a ReLU, and one outlier.
    let mut activations: Vec<f32> = (0..100_000).map(|i| (i as f32 * 0.7).sin().max(0.0)).collect();
    activations.push(25.0);

    let mut counts = GrowingHistogram::default();
    for batch in activations.chunks(4096) {
        counts.add(batch);
    }
    println!("{} values up to {}", counts.range().values(), counts.range().absmax());

    match Rule::Mse.threshold(&counts.histogram()?) {
        Some(threshold) => println!("clip at {:.3}, scale {:.3}", threshold.value(), threshold.scale()),
        None => println!("nothing but zeros: there is nothing to choose"),
    }
    Ok(())
}
