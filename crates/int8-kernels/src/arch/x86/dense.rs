//! The dense kernel of an instruction set.
//!
//! ```text
//! for each run of a window, for each 4 depths:
//!   load the weights of `vectors` vectors of output channels
//!   for each pixel: broadcast 4 stored bytes, multiply with every weight vector, add
//! ```
//!
//! 1. Lanes are output channels, so that sums lie channels-last and scales load as vectors.
//! 2. Sums begin at −128 · Σw: that undoes the 128 that stored bytes carry, for nothing. Sums wrap
//!    on the way and are right in the end, because the exact sum fits.
//! 3. The two halves of a tile start anywhere, so that rows of 7 pixels still fill a tile of 14.
//! 4. One line of weights that are used next is asked for at a time: waiting for memory costs layers of few
//!    pixels a third of their time, and many lines at once would hold up the loads that are needed now.
//! 5. A single pixel has too few sums to hide an instruction's latency: it takes four depths groups
//!    at a time, each with sums of its own.

macro_rules! dense_kernel {
    ($features:literal, $halves:literal x [$($pixels:literal)*] x [$($vectors:literal)*]) => {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};

        const PIXELS: &[usize] = &[$($pixels),*];
        const MOST_PIXELS: usize = PIXELS[PIXELS.len() - 1];
        const VECTORS: &[usize] = &[$($vectors),*];
        const LEAST_VECTORS: usize = VECTORS[0];
        const MOST_VECTORS: usize = VECTORS[VECTORS.len() - 1];

        /// # Safety
        /// `Strip::fits` holds.
        #[target_feature(enable = $features)]
        unsafe fn dense(strip: &crate::contract::Strip<'_>, out: &mut [i32]) {
            match strip.vectors {
                // SAFETY: promised by the caller.
                $($vectors => unsafe { choose_tile::<$vectors>(strip, out) },)*
                _ => {}
            }
        }

        /// # Safety
        /// `Strip::fits` holds.
        #[target_feature(enable = $features)]
        unsafe fn choose_tile<const V: usize>(strip: &crate::contract::Strip<'_>, out: &mut [i32]) {
            if (strip.halves, strip.pixels) == (1, 1) {
                return column::<V>(strip, out);
            }
            match (strip.halves, strip.pixels) {
                // SAFETY: promised by the caller, and these are the halves and pixels of the strip.
                $((1, $pixels) => unsafe { tile::<1, $pixels, V>(strip, out) },)*
                // SAFETY: as above.
                $((2, $pixels) => unsafe { tile::<2, $pixels, V>(strip, out) },)*
                _ => {}
            }
        }

        /// # Safety
        /// `Strip::fits` holds, and the strip has `H` halves of `P` pixels.
        #[target_feature(enable = $features)]
        unsafe fn tile<const H: usize, const P: usize, const V: usize>(
            strip: &crate::contract::Strip<'_>,
            out: &mut [i32],
        ) {
            let initial = initial_sums::<V>(strip.initial);
            let mut sums = [[initial; P]; H];
            let mut panel = strip.panel.as_chunks::<{ product::WEIGHT_BYTES }>().0.as_chunks::<V>().0.iter();
            let groups = strip.taps.groups();
            // Other lines than those of `strip.ahead` may be hinted at without harm.
            let ahead_step = strip.ahead.len() / (groups * strip.taps.offsets().len()).max(1);
            let mut ahead = strip.ahead.as_ptr();
            let bytes = strip.bytes.as_ptr();
            for &tap in strip.taps.offsets() {
                let mut at = [bytes; H];
                for h in 0..H {
                    at[h] = bytes.wrapping_add(strip.starts[h] + tap);
                }
                for group in (&mut panel).take(groups) {
                    _mm_prefetch::<_MM_HINT_T1>(ahead.cast());
                    ahead = ahead.wrapping_add(ahead_step);
                    let mut weights = [product::load_weights(&group[0]); V];
                    for v in 1..V {
                        weights[v] = product::load_weights(&group[v]);
                    }
                    for h in 0..H {
                        for p in 0..P {
                            let from = at[h].wrapping_add(p * strip.step).cast::<i32>();
                            // SAFETY: the strip fits, so these 4 bytes of a group of one of its runs lie within its bytes.
                            let four = unsafe { from.read_unaligned() };
                            let activations = product::spread(four);
                            for v in 0..V {
                                sums[h][p][v] = product::add_products(sums[h][p][v], activations, weights[v]);
                            }
                        }
                        at[h] = at[h].wrapping_add(KR);
                    }
                }
            }
            // Indexed by constants alone: an array that anything else indexes does not stay in registers.
            let (out, _) = out.as_chunks_mut::<LANES>();
            let out = &mut out[..H * P * V];
            for h in 0..H {
                for p in 0..P {
                    for v in 0..V {
                        store_ints(&mut out[(h * P + p) * V + v], sums[h][p][v]);
                    }
                }
            }
        }

        /// One pixel.
        #[target_feature(enable = $features)]
        fn column<const V: usize>(strip: &crate::contract::Strip<'_>, out: &mut [i32]) {
            const DEPTHS: usize = 4;
            let mut sums = [[int_zero(); V]; DEPTHS];
            sums[0] = initial_sums::<V>(strip.initial);
            let mut panel = strip.panel.as_chunks::<{ product::WEIGHT_BYTES }>().0.as_chunks::<V>().0;
            let groups = strip.taps.groups();
            for &tap in strip.taps.offsets() {
                let bytes = &strip.bytes[strip.starts[0] + tap..][..groups * KR];
                let (run, rest) = panel.split_at(groups);
                panel = rest;
                let (bytes, last_bytes) = bytes.as_chunks::<KR>().0.as_chunks::<DEPTHS>();
                let (run, last_run) = run.as_chunks::<DEPTHS>();
                for (bytes, groups) in bytes.iter().zip(run) {
                    for d in 0..DEPTHS {
                        let activations = product::spread(i32::from_le_bytes(bytes[d]));
                        for v in 0..V {
                            let weights = product::load_weights(&groups[d][v]);
                            sums[d][v] = product::add_products(sums[d][v], activations, weights);
                        }
                    }
                }
                for (bytes, group) in last_bytes.iter().zip(last_run) {
                    let activations = product::spread(i32::from_le_bytes(*bytes));
                    for v in 0..V {
                        let weights = product::load_weights(&group[v]);
                        sums[0][v] = product::add_products(sums[0][v], activations, weights);
                    }
                }
            }
            let (out, _) = out.as_chunks_mut::<LANES>();
            for v in 0..V {
                let total = add_ints(add_ints(sums[0][v], sums[1][v]), add_ints(sums[2][v], sums[3][v]));
                store_ints(&mut out[v], total);
            }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn initial_sums<const V: usize>(initial: &[i32]) -> [Ints; V] {
            let mut sums = [int_zero(); V];
            for (sums, initial) in sums.iter_mut().zip(initial.as_chunks::<LANES>().0) {
                *sums = load_ints(initial);
            }
            sums
        }

        /// Independent sums of the register-only loop: enough to hide the latency of an addition.
        const PEAK_SUMS: usize = 12;

        /// Nothing but products of registers, which the compiler may not share between sums.
        #[target_feature(enable = $features)]
        fn peak(rounds: u64) -> i32 {
            let mut sums = [int_zero(); PEAK_SUMS];
            let weights = product::load_weights(&[1; product::WEIGHT_BYTES]);
            let mut activations = product::spread(0x0102_0304);
            for _ in 0..rounds {
                for sum in &mut sums {
                    activations = product::opaque_activations(activations);
                    *sum = product::add_products(*sum, activations, weights);
                }
            }
            let mut total = sums[0];
            for &sum in &sums[1..] {
                total = add_ints(total, sum);
            }
            sum_lanes(total)
        }
    };
}
