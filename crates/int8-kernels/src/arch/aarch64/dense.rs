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

/// `dense` of the surrounding module from its `tile`; `$pixels` lists the pixels that a tile may have.
macro_rules! dense_kernel {
    ($features:literal, $table:path, [$($pixels:literal)*]) => {
        /// The most pixels of a tile.
        pub(super) const PIXELS: usize = [$($pixels),*].len();

        /// By vectors and by pixels.
        static TILES: [[unsafe fn(&Strip<'_>, &mut [i32]); PIXELS]; VECTORS] = [
            [$(tile::<$pixels, 1>),*],
            [$(tile::<$pixels, 2>),*],
            [$(tile::<$pixels, 3>),*],
            [$(tile::<$pixels, 4>),*],
        ];

        #[inline(never)]
        pub(super) fn dense(strip: &Strip<'_>, out: &mut [i32]) {
            // Tiles check the lengths of what they read, so this is no more than a better message.
            debug_assert!(strip.fits(&$table.dense), "operands do not fit {}", $table.dense.name);
            let tile = TILES[strip.vectors - 1][strip.pixels - 1];
            // SAFETY: the table of kernels gives out this function only where the CPU has the features.
            unsafe { tile(strip, out) }
        }
    };
}
