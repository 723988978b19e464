//! The depthwise kernel of an instruction set.
//!
//! ```text
//! for each 4 taps: load a vector of channels of each, interleave their bytes, multiply, add
//! ```
//!
//! 1. Interleaving gives lanes of 4 taps of one channel, which is what the dot products take.
//! 2. It leaves the channels in blocks of 4 by part; weights and initial sums are packed in that
//!    order, and the sums are put back in the order of the channels at the end.

macro_rules! depthwise_kernel {
    ($features:literal) => {
        const DEPTHWISE_PIXELS: usize = 8;

        fn depthwise(windows: &crate::micro_kernel::Windows<'_>, out: &mut [i32]) {
            assert!(windows.fit(&KERNELS.depthwise), "operands do not fit {}", KERNELS.depthwise.name);
            // SAFETY: the table of kernels gives out this function only where the CPU has the features.
            unsafe { depthwise_pixels(windows, out) }
        }

        #[target_feature(enable = $features)]
        fn depthwise_pixels(windows: &crate::micro_kernel::Windows<'_>, out: &mut [i32]) {
            let initial = initial_sums::<4>(windows.initial);
            let bytes = windows.bytes.as_ptr();
            let (out, _) = out.as_chunks_mut::<LANES>();
            let (groups, _) = windows.taps.offsets().as_chunks::<KR>();
            let (panel, _) = windows.panel.as_chunks::<{ product::WEIGHT_BYTES }>();
            for (p, out) in out.as_chunks_mut::<4>().0.iter_mut().take(windows.pixels).enumerate() {
                let at = bytes.wrapping_add(windows.start + p * windows.step);
                let mut sums = initial;
                for (taps, weights) in groups.iter().zip(panel.as_chunks::<4>().0) {
                    let mut rows = [int_zero(); KR];
                    for k in 0..KR {
                        let from = at.wrapping_add(taps[k]).cast::<[i8; BYTES]>();
                        // SAFETY: `Windows::fit` holds, so these bytes lie within `windows.bytes`; bytes
                        // need no alignment.
                        rows[k] = load_bytes(unsafe { &*from });
                    }
                    let parts = interleave(rows);
                    for part in 0..4 {
                        let weights = product::load_weights(&weights[part]);
                        sums[part] = product::add_products(sums[part], product::widen(parts[part]), weights);
                    }
                }
                let sums = in_byte_order(sums);
                for part in 0..4 {
                    store_ints(&mut out[part], sums[part]);
                }
            }
        }

        fn max(best: &mut [u8], other: &[u8]) {
            // SAFETY: the table of kernels gives out this function only where the CPU has the features.
            unsafe { max_of_bytes(best, other) }
        }

        #[target_feature(enable = $features)]
        fn max_of_bytes(best: &mut [u8], other: &[u8]) {
            for (best, &byte) in best.iter_mut().zip(other) {
                *best = (*best).max(byte);
            }
        }
    };
}
