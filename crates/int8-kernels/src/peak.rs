//! What this CPU could do if nothing but products took time.

use std::hint::black_box;
use std::time::Instant;

use crate::arch::kernels_of;
use crate::isa::Isa;

/// Multiply-accumulates per second of one thread that runs the multiplication of the dense kernel on
/// registers only: the best of some short measurements, a few milliseconds in all.
pub fn peak_macs_per_second(isa: Isa) -> f64 {
    const ROUNDS: u64 = 100_000;
    const MEASUREMENTS: usize = 12;
    let kernels = kernels_of(isa);
    let measure = || {
        let start = Instant::now();
        black_box(kernels.spin(black_box(ROUNDS)));
        (ROUNDS * kernels.peak.0) as f64 / start.elapsed().as_secs_f64().max(1e-9)
    };
    (0..MEASUREMENTS).map(|_| measure()).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instruction_set_does_some_products() {
        for &isa in Isa::available() {
            assert!(peak_macs_per_second(isa) > 1e6, "{isa}");
        }
    }
}
