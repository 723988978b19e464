//! The dense kernel of an instruction set.
//!
//! ```text
//! for each group of depths:
//!   load the weights of up to 4 vectors of 4 output channels
//!   for each of up to 6 gathered pixels: multiply with every weight vector, add
//! ```
//!
//! 1. Lanes are output channels, so that sums lie channels-last and scales load as vectors.
//! 2. 24 vectors of sums leave 8 of the 32 registers for weights and activations; plain NEON has 20, because
//!    it needs some for products on their way to the sums.
//! 3. Pixels are gathered, so that their activations load as vectors too, two to an instruction, and so
//!    that all taps are one run: an in-place kernel spends a load on every pixel and group, and pads
//!    the depth of every tap with zero weights.
//! 4. A run takes several tiles: to walk from tile to tile costs a tenth of what `smmla` needs for one.
//!
//! Inner loops of a whole tile, counted in the disassembly (rustc 1.95):
//!
//! | kernel | depths of a round | instructions | products | per instruction |
//! |---|---|---|---|---|
//! | neon, 5 pixels x 16 | 8 | 40 `smull` + 40 `smlal2` + 40 `sadalp` + 9 `ldp` + 4 = 133 | 640 | 4.81 |
//! | dotprod, 6 pixels x 16 | 16 | 96 `sdot` + 11 `ldp` + 4 = 111 | 1536 | 13.84 |
//! | i8mm, 6 pixels x 16 | 32 | 96 `smmla` + 22 `ldp` + 4 = 122 | 3072 | 25.18 |

/// The most vectors of output channels of a tile.
pub(super) const VECTORS: usize = 4;

/// Pixels of a run: 5 tiles of 6 or 6 tiles of 5, whose sums fit a tile of the walker.
pub(super) const RUN_PIXELS: usize = 30;

/// `dense` of the surrounding module from its `tile`; `$pixels` lists the pixels that a tile may have, all from 1 on.
/// `peak` from its `add_to_all`, with `$macs` products in a vector of sums.
macro_rules! dense_kernel {
    ($features:literal, [$($pixels:literal)*], peak $macs:literal) => {
        /// The most pixels of a tile.
        pub(super) const PIXELS: usize = [$($pixels),*].len();

        /// By vectors and by pixels.
        static TILES: [[unsafe fn(&Strip<'_>, usize, &mut [i32]); PIXELS]; VECTORS] = [
            [$(tiles::<$pixels, 1>),*],
            [$(tiles::<$pixels, 2>),*],
            [$(tiles::<$pixels, 3>),*],
            [$(tiles::<$pixels, 4>),*],
        ];

        /// # Safety
        /// The CPU has the features. Tiles check the lengths of what they read.
        #[inline(never)]
        pub(super) unsafe fn dense(strip: &Strip<'_>, out: &mut [i32]) {
            let (tiles, rest) = (&TILES[strip.vectors - 1], strip.pixels % PIXELS);
            let whole = strip.pixels - rest;
            if whole > 0 {
                // SAFETY: promised by the caller.
                unsafe { tiles[PIXELS - 1](strip, 0, out) }
            }
            if rest > 0 {
                // SAFETY: promised by the caller.
                unsafe { tiles[rest - 1](strip, whole, &mut out[whole * strip.vectors * LANES..]) }
            }
        }

        /// As many tiles of `P` pixels as there are from pixel `first` on.
        #[target_feature(enable = $features)]
        fn tiles<const P: usize, const V: usize>(strip: &Strip<'_>, first: usize, out: &mut [i32]) {
            let mut at = strip.starts[0] + first * strip.step;
            for out in out.chunks_exact_mut(P * V * LANES).take((strip.pixels - first) / P) {
                tile::<P, V>(strip, at, out);
                at += P * strip.step;
            }
        }

        /// Independent vectors of sums of the register-only loop: enough to hide the latency of an addition.
        const PEAK_SUMS: usize = 16;
        /// Products of a round of it.
        pub(super) const PEAK_MACS: u64 = PEAK_SUMS as u64 * $macs;

        /// Nothing but products of registers.
        #[target_feature(enable = $features)]
        pub(super) fn peak(rounds: u64) -> i32 {
            let (weights, x) = (load_weights(&[1; 16]), load_activations(&[2; 16]));
            let mut sums = load_initial::<PEAK_SUMS>(&[0; PEAK_SUMS * LANES]);
            for _ in 0..rounds {
                add_to_all(&mut sums, weights, x);
            }
            total(&sums)
        }
    };
}
