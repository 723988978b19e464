//! The dense kernel of an instruction set.
//!
//! ```text
//! for each group of depths:
//!   load the weights of up to 4 vectors of 4 output channels
//!   for each of up to 6 gathered pixels: multiply with every weight vector, add
//! ```
//!
//! 1. Lanes are output channels, so that sums lie channels-last and scales load as vectors.
//! 2. 24 vectors of sums leave 8 of the 32 registers for 4 of weights, and for activations and products.
//! 3. Pixels are gathered, so that their activations load as vectors too, two to an instruction, and so
//!    that all taps are one run: an in-place kernel spends a load on every pixel and group, and depths
//!    without weights at the end of every tap.

/// The most vectors of output channels of a tile.
pub(super) const VECTORS: usize = 4;

/// Sums of a tile's row at most that a run leaves: 5 tiles of 6 pixels or 6 of 5.
pub(super) const RUN_PIXELS: usize = 30;

/// `dense` of the surrounding module from its `tile`; `$pixels` lists the pixels that a tile may have.
macro_rules! dense_kernel {
    ($features:literal, $table:path, [$($pixels:literal)*]) => {
        /// The most pixels of a tile.
        pub(super) const PIXELS: usize = [$($pixels),*].len();

        /// By vectors and by pixels.
        static TILES: [[unsafe fn(&Strip<'_>, usize, &mut [i32]); PIXELS]; VECTORS] = [
            [$(tiles::<$pixels, 1>),*],
            [$(tiles::<$pixels, 2>),*],
            [$(tiles::<$pixels, 3>),*],
            [$(tiles::<$pixels, 4>),*],
        ];

        #[inline(never)]
        pub(super) fn dense(strip: &Strip<'_>, out: &mut [i32]) {
            // Tiles check the lengths of what they read, so this is no more than a better message.
            debug_assert!(strip.fits(&$table.dense), "operands do not fit {}", $table.dense.name);
            let (tiles, rest) = (&TILES[strip.vectors - 1], strip.pixels % PIXELS);
            let whole = strip.pixels - rest;
            if whole > 0 {
                // SAFETY: the table of kernels gives out this function only where the CPU has the features.
                unsafe { tiles[PIXELS - 1](strip, 0, out) }
            }
            if rest > 0 {
                // SAFETY: the table of kernels gives out this function only where the CPU has the features.
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
    };
}
