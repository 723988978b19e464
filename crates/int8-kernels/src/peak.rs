//! What this CPU could do if nothing but products took time.

use std::hint::black_box;
use std::time::Instant;

use crate::isa::Isa;
use crate::micro_kernel::kernels_of;

/// Multiply-accumulates per second of one thread that runs the multiplication of the dense kernel on
/// registers only: the best of some short measurements, a few milliseconds in all. 0 if there is no
/// kernel.
pub fn peak_macs_per_second(isa: Isa) -> f64 {
    const ROUNDS: u64 = 100_000;
    const MEASUREMENTS: usize = 12;
    let Some((macs, run)) = kernels_of(isa).map(|kernels| kernels.peak) else { return 0.0 };
    let measure = || {
        let start = Instant::now();
        black_box(run(black_box(ROUNDS)));
        (ROUNDS * macs) as f64 / start.elapsed().as_secs_f64().max(1e-9)
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
